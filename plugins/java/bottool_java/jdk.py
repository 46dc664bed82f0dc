"""Finds the Java installations of this machine by reading their ``release`` files; starts nothing.

Looks in the order in which a person would expect to be obeyed: ``BOTTOOL_JAVA``, ``JAVA_HOME``, the ``java`` on PATH,
then what installers left on the disk or in the registry of Windows, newest first.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bottool.errors import ToolMissing
from bottool_java.windows_registry import java_homes

_EXE = ".exe" if os.name == "nt" else ""
_UNIX_FOLDERS = ("/usr/lib/jvm/*", "/usr/java/*", "/opt/java*", "/opt/jdk*", "/opt/*/jdk*")
_HOME_FOLDERS = (".sdkman/candidates/java/*", ".jdks/*", ".asdf/installs/java/*")
_MACOS_FOLDERS = (
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "/opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home",
    "/usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home",
)
_WINDOWS_FOLDERS = (
    "Java/*",
    "Eclipse Adoptium/*",
    "Microsoft/jdk*",
    "Amazon Corretto/*",
    "Zulu/*",
    "BellSoft/*",
    "OpenJDK/*",
)
CLASS_VERSION_BASE = 44
"""Class files of Java N have the major version 44 + N. Source: JVM specification, table 4.1-A."""


_USUAL_ON_DEBIAN = 17
_USUAL_ON_WINDOWS = 21
_OLDEST_TARGETS = ((20, 8), (12, 7), (9, 6))
"""The oldest release that the compiler of a JDK, or of a newer one, still writes classes for (JEP 182)."""
OWN_VARIABLE = "BOTTOOL_JAVA"
"""Names folders of Java installations that count before all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """One Java installation. ``feature`` is the number that people call its version: 8, 11, 17."""

    home: Path
    version: str
    feature: int
    compiles: bool
    build: str = ""
    """Tells two builds of one version apart."""

    @property
    def java(self) -> Path:
        return self.home / "bin" / f"java{_EXE}"

    def compiles_for(self, release: int) -> bool:
        """True when its compiler writes classes for that release; 0 stands for whatever it likes best."""
        oldest = next((target for since, target in _OLDEST_TARGETS if self.feature >= since), 0)
        return self.compiles and (not release or oldest <= release <= self.feature)


def utf8_locale(variables: Mapping[str, str]) -> dict[str, str]:
    """What to add to the variables so that Java can open a file whose name has an accent.

    On Linux it cannot in the locale "C", not even the jar that it was asked to start.
    """
    said = "".join(variables.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    return {"LC_ALL": "C.UTF-8"} if sys.platform == "linux" and "utf" not in said.lower() else {}


def feature_of_class_version(major: int) -> int:
    """The oldest Java that loads class files of this major version."""
    return major - CLASS_VERSION_BASE


def installed(variables: Mapping[str, str]) -> tuple[Installed, ...]:
    """All that is found, the preferred first, each once."""
    found: dict[Path, Installed] = {}
    for home in _preferred(variables):
        _add(home, found)
    others: dict[Path, Installed] = {}
    for home in _known(variables):
        _add(home, others)
    for each in sorted(others.values(), key=lambda one: (-one.feature, str(one.home))):
        found.setdefault(each.home, each)
    return tuple(found.values())


def _add(home: Path, found: dict[Path, Installed]) -> None:
    # Debian links several names to one folder.
    home = home.resolve()
    if home not in found and (read := _read(home)):
        found[home] = read


def _preferred(variables: Mapping[str, str]) -> Iterator[Path]:
    yield from (Path(each) for each in variables.get(OWN_VARIABLE, "").split(os.pathsep) if each)
    if named := variables.get("JAVA_HOME"):
        yield Path(named)
    if on_path := shutil.which("java", path=variables.get("PATH", "")):
        yield Path(on_path).resolve().parent.parent


def _known(variables: Mapping[str, str]) -> Iterator[Path]:
    home = Path(variables.get("USERPROFILE" if os.name == "nt" else "HOME") or "/nonexistent")
    if os.name == "nt":
        yield from java_homes()
        roots = {variables[name] for name in ("ProgramFiles", "ProgramFiles(x86)", "ProgramW6432") if name in variables}
        patterns = [(Path(root), pattern) for root in sorted(roots) for pattern in _WINDOWS_FOLDERS]
    else:
        absolute = (*_MACOS_FOLDERS, *_UNIX_FOLDERS) if sys.platform == "darwin" else _UNIX_FOLDERS
        patterns = [(Path("/"), pattern.lstrip("/")) for pattern in absolute]
    for root, pattern in (*patterns, *((home, pattern) for pattern in _HOME_FOLDERS)):
        try:
            yield from sorted(root.glob(pattern))
        except OSError:
            continue


def _read(home: Path) -> Installed | None:
    """None when there is no ``java`` or no ``release`` file that says a version."""
    if not (home / "bin" / f"java{_EXE}").is_file():
        return None
    try:
        lines = (home / "release").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    said = dict(line.split("=", 1) for line in lines if "=" in line)
    version = said.get("JAVA_VERSION", "").strip().strip('"')
    # 1.8.0_402 is Java 8; 17.0.15 and 22-ea are as they look.
    number = version.removeprefix("1.").split(".")[0].split("-")[0].split("_")[0]
    if not number.isdecimal():
        return None
    compiles = (home / "bin" / f"javac{_EXE}").is_file()
    build = said.get("JAVA_RUNTIME_VERSION", version).strip().strip('"')
    return Installed(home=home, version=version, feature=int(number), compiles=compiles, build=build)


def for_running(variables: Mapping[str, str], feature: int = 0) -> Installed:
    """The preferred Java that loads classes compiled for Java ``feature``.

    :raises ToolMissing: when none does; says what was found.
    """
    found = installed(variables)
    chosen = next((each for each in found if each.feature >= feature), None)
    if chosen is None:
        wanted = f"Java {feature} or newer" if feature else "Java"
        raise ToolMissing(f"this bot needs {wanted}; {_what_is_there(found)}", install_hint(feature))
    return chosen


def for_building(variables: Mapping[str, str], release: int = 0, *, newest: int = 0) -> Installed:
    """The preferred JDK that compiles for Java ``release``, and is no newer than ``newest`` (0: any).

    :raises ToolMissing: when there is none; says what was found.
    """
    found = installed(variables)
    fitting = [each for each in found if each.compiles_for(release)]
    chosen = next((each for each in fitting if not newest or each.feature <= newest), None)
    if chosen is None:
        wanted = "a JDK" if not release else f"a JDK {release} or newer"
        if release and any(each.compiles and each.feature > release for each in found):
            wanted = f"a JDK that still compiles for Java {release}"
        elif newest:
            wanted += f", and none newer than {newest}"
        message = f"building this bot needs {wanted}; {_what_is_there(found)}"
        raise ToolMissing(message, _building_hint(found, fitting, release, newest))
    return chosen


def _building_hint(found: tuple[Installed, ...], fitting: list[Installed], release: int, newest: int) -> str:
    """What helps: where the JDKs that are there are too new, no usual package does."""
    if fitting:
        return (
            f"name the folder of a JDK {max(release, 8)} to {newest} by {OWN_VARIABLE}, or raise distributionUrl in"
            f" gradle/wrapper/gradle-wrapper.properties to a Gradle that runs on Java {fitting[0].feature}"
        )
    if release and any(each.compiles and each.feature > release for each in found):
        return f"name the folder of an older JDK by {OWN_VARIABLE}, or raise the Java release in the project"
    return install_hint(release)


def _what_is_there(found: tuple[Installed, ...]) -> str:
    if not found:
        return "no Java was found"
    listed = ", ".join(
        f"{'JDK' if each.compiles else 'Java without a compiler'} {each.version} in '{each.home}'" for each in found
    )
    return f"found {listed}"


def install_hint(feature: int = 0) -> str:
    """The line to type on this system; names a number only where the usual package would be too old."""
    if os.name == "nt":
        return f"winget install EclipseAdoptium.Temurin.{max(feature, _USUAL_ON_WINDOWS)}.JDK"
    if sys.platform == "darwin":
        return "brew install openjdk"
    if shutil.which("dnf") and not shutil.which("apt"):
        return "sudo dnf install java-latest-openjdk-devel"
    package = f"openjdk-{feature}-jdk-headless" if feature > _USUAL_ON_DEBIAN else "default-jdk-headless"
    return f"sudo apt install {package}"
