"""The contract of a language, fulfilled for Ruby. ``bottool.language.Language`` documents each member."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from bottool import archive
from bottool.errors import BuildError, LaunchError, ProjectError, ToolMissing
from bottool.language import Language
from bottool.model import Command, Inspection, Installation, Package, Problem, Project, Severity, Tool
from bottool.settings import base_variables, without_own
from bottool_ruby import gemfile

ENTRIES = ("bot.rb", "main.rb")
_VERSION = re.compile(r"ruby (\d+\.\d+\.\d+)")
_VERSION_SECONDS = 10
_BUNDLE_SECONDS = 1800
_LINES_SHOWN = 50
_INSTALL = "install Ruby, for example with: apt-get install ruby"


class Ruby(Language):
    name = "ruby"
    title = "Ruby"
    technologies = ("RUBY",)
    looks_for = "bot.rb, main.rb with a Gemfile"

    def recognises(self, folder: Path) -> bool:
        """``main.rb`` alone could be anything."""
        return (folder / "bot.rb").is_file() or all((folder / name).is_file() for name in ("main.rb", gemfile.NAME))

    def scaffold(self, folder: Path, name: str, template: str) -> None:
        if template:
            raise ProjectError(f"there is no template '{template}' for ruby", "leave it out: there is one only")
        for file in resources.files("bottool_ruby").joinpath("scaffold").iterdir():
            (folder / file.name).write_bytes(file.read_bytes().replace(b"BOT_ID", name.encode()))

    def identify(self, folder: Path) -> tuple[str, str]:  # noqa: ARG002 - bot.toml says both
        return "", ""

    def validate(self, project: Project) -> Iterable[Problem]:
        entry = project.entry or _entry_in([path.name for path in project.folder.iterdir() if path.is_file()])
        if not entry or not (project.folder / entry).is_file():
            yield Problem(
                severity=Severity.ERROR,
                code="no_entry",
                message=f"there is no '{entry or ENTRIES[0]}' to start",
                hint='write it, or say another in bot.toml: entry = "work.rb"',
                path=entry or ENTRIES[0],
            )
        if (project.folder / gemfile.NAME).is_file() and not (project.folder / gemfile.LOCK).is_file():
            yield Problem(
                severity=Severity.WARNING,
                code="not_locked",
                message=f"there is no {gemfile.LOCK}: each machine may get other versions",
                hint="type: bundle lock",
                path=gemfile.NAME,
            )

    def build(self, project: Project, output: Path) -> Path:
        entries: dict[str, Path | bytes] = dict(archive.source_files(project.folder, project.exclude).files)
        entry = project.entry or _entry_in(entries)
        package = output / f"{project.bot_id}-{project.version}.zip"
        archive.pack_zip(package, entries, manifest=archive.manifest(project, entry=entry))
        return package

    def inspect(self, package: Package) -> Inspection:
        names = archive.check(package.path).names
        said = package.manifest.get("entry")
        lock = archive.read_member(package.path, gemfile.LOCK, gemfile.LIMIT_BYTES) if gemfile.LOCK in names else None
        return Inspection(
            entry=said if isinstance(said, str) and said in names else _entry_in(names),
            dependencies=gemfile.dependencies(lock or b""),
            locked=lock is not None or gemfile.NAME not in names,
        )

    def environment_key(self, installation: Installation) -> str:
        """Nothing for a bot without gems: it needs Ruby only."""
        texts = [installation.folder / name for name in (gemfile.NAME, gemfile.LOCK)]
        said = [path.read_text(encoding="utf-8", errors="replace") for path in texts if path.is_file()]
        return "\n".join([_ruby().version, *said]) if said else ""

    def prepare(self, installation: Installation, environment: Path) -> None:
        """``bundle install`` into the environment.

        :raises ToolMissing: when there is no bundler.
        :raises BuildError: when it fails.
        """
        bundle = shutil.which("bundle")
        if bundle is None:
            raise ToolMissing("there is no bundler for the bot's gems", "type: gem install bundler")
        done = subprocess.run(
            [bundle, "install", "--quiet"],
            cwd=installation.folder,
            env=without_own(base_variables()) | _variables(installation, environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_BUNDLE_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            last = "\n".join(done.stdout.splitlines()[-_LINES_SHOWN:])
            raise BuildError(f"bundler ended with status {done.returncode}: {last}")

    def command(self, installation: Installation) -> Command:
        said = installation.package.manifest.get("entry")
        entry = str(said) if said else _entry_in([path.name for path in installation.folder.iterdir()])
        ruby = _ruby()
        if not entry or not (installation.folder / entry).is_file():
            raise LaunchError(
                f"'{installation.package.bot_id}' cannot start: there is no '{entry or ENTRIES[0]}' in it"
            )
        if not ruby.found:
            raise LaunchError("there is no Ruby on this machine", ruby.hint)
        arguments = (ruby.path, "-E", "UTF-8:UTF-8", entry)
        if installation.environment is None:
            return Command(arguments=arguments)
        return Command(
            arguments=(ruby.path, "-E", "UTF-8:UTF-8", "-rbundler/setup", entry),
            variables=_variables(installation, installation.environment),
        )

    def toolchain(self) -> Sequence[Tool]:
        """Ruby alone: a bot without gems needs no bundler, and one with gems is told when its environment is made."""
        return (_ruby(),)


def _ruby() -> Tool:
    path = shutil.which("ruby") or ""
    version = _version_of(path) if path else ""
    return Tool(name="ruby", found=bool(version), version=version, path=path, hint="" if version else _INSTALL)


@cache
def _version_of(path: str) -> str:
    done = subprocess.run(
        [path, "--version"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_VERSION_SECONDS,
        check=False,
    )
    found = _VERSION.match(done.stdout)
    return found[1] if found else ""


def _entry_in(names: Iterable[str]) -> str:
    there = set(names)
    return next((name for name in ENTRIES if name in there), "")


def _variables(installation: Installation, environment: Path) -> dict[str, str]:
    """What bundler needs to find the gems, and to leave the bot's folder alone."""
    return {
        "BUNDLE_PATH": str(environment / "gems"),
        "BUNDLE_GEMFILE": str(installation.folder / gemfile.NAME),
        "BUNDLE_APP_CONFIG": str(environment / "config"),
        "BUNDLE_FROZEN": "true" if (installation.folder / gemfile.LOCK).is_file() else "false",
    }
