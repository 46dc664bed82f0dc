"""The files by which a folder is known as a project in Java. By itself, so that whoever only asks that loads little."""

from pathlib import Path

POM = "pom.xml"
GRADLE = ("build.gradle", "build.gradle.kts")


def gradle_script_of(folder: Path) -> Path | None:
    """Gradle's build script in ``folder``, or ``None``."""
    return next((folder / name for name in GRADLE if (folder / name).is_file()), None)


def is_project(folder: Path) -> bool:
    return (folder / POM).is_file() or gradle_script_of(folder) is not None
