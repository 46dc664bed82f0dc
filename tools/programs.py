"""The programs, beyond Python, that the tests need; found, or installed through apt as root on Debian."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workshop import say


@dataclass(frozen=True, kw_only=True)
class Program:
    """``names``: any one of them on ``PATH`` will do. ``packages``: Debian's, the first that exists is taken."""

    name: str
    names: tuple[str, ...]
    packages: tuple[str, ...]
    needed_by: str
    elsewhere: tuple[str, ...] = ()
    """Glob patterns of places outside ``PATH``."""

    @property
    def hint(self) -> str:
        return f"apt-get install {self.packages[0]}"

    def found(self) -> bool:
        return any(shutil.which(name) for name in self.names) or any(
            any(Path("/").glob(pattern)) for pattern in self.elsewhere
        )


PROGRAMS = (
    Program(
        name="Chromium",
        names=("chromium", "chromium-browser", "google-chrome", "chrome"),
        packages=("chromium",),
        needed_by="tests of the pages",
    ),
    Program(
        name="a JDK",
        names=("javac",),
        packages=("default-jdk-headless", "openjdk-17-jdk-headless"),
        needed_by="Java bots",
    ),
    Program(name="Maven", names=("mvn",), packages=("maven",), needed_by="Java bots"),
    Program(name="Node.js", names=("node",), packages=("nodejs",), needed_by="JavaScript and TypeScript bots"),
    Program(name="npm", names=("npm",), packages=("npm",), needed_by="JavaScript and TypeScript bots"),
    Program(
        name="Xvfb",
        names=("Xvfb",),
        packages=("xvfb",),
        needed_by="virtual screens of bots",
    ),
    Program(name="curl", names=("curl",), packages=("curl",), needed_by="pipelines that deploy bots"),
    Program(name="Ruby", names=("ruby",), packages=("ruby",), needed_by="the example of a plugin"),
    Program(
        name="Bundler", names=("bundle",), packages=("ruby-bundler", "bundler"), needed_by="the example of a plugin"
    ),
    Program(name="Xvfb", names=("Xvfb",), packages=("xvfb",), needed_by="the runner's window"),
    Program(name="xdotool", names=("xdotool",), packages=("xdotool",), needed_by="clicks in the runner's window"),
    Program(
        name="Tk",
        names=(),
        packages=("python3-tk",),
        needed_by="the runner's window",
        elsewhere=("usr/lib/python3.*/lib-dynload/_tkinter.*.so", "usr/lib64/python3.*/lib-dynload/_tkinter.*.so"),
    ),
    Program(name="systemd", names=("systemd-analyze",), packages=("systemd",), needed_by="the runner as a service"),
    Program(
        name="PostgreSQL",
        names=("postgres",),
        packages=("postgresql",),
        needed_by="tests of the store",
        elsewhere=("usr/lib/postgresql/*/bin/postgres",),
    ),
)


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


def install_missing() -> list[Program]:
    """Install what is missing where that is possible; returns what is missing still."""
    missing = [program for program in PROGRAMS if not program.found()]
    if missing and is_root_on_debian():
        say("installing through apt: " + ", ".join(program.name for program in missing))
        if apt("update"):
            install(missing)
    return [program for program in missing if not program.found()]


def is_root_on_debian() -> bool:
    user: Callable[[], int] = getattr(os, "geteuid", lambda: -1)
    return user() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def install(missing: list[Program]) -> None:
    """All in one call, for speed; where a first choice is not to be had, one by one with the others."""
    if apt("install", *(program.packages[0] for program in missing)):
        return
    for program in missing:
        any(apt("install", package) for package in program.packages)


def apt(action: str, *packages: str) -> bool:
    command = ["apt-get", "--quiet=2", "--yes", "-o", "Dpkg::Use-Pty=0", action]
    if packages:
        command += ["--no-install-recommends", *packages]
    variables = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, env=variables, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    if done.returncode != 0:
        say(f"'{' '.join(command)}' ended with status {done.returncode}: {done.stdout[-500:]}")
    return done.returncode == 0
