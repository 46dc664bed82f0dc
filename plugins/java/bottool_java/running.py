"""Makes a jar ready on a machine, and says how it is started: which Java, which options, from where.

The environment holds a copy of the jar at a path that stays, since an archive of classes fits one path only, and a note
of what was found out once: the Java, the options, and what keeps it silent about archives. Starts no bot.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bottool import archive
from bottool.errors import BuildError, LaunchError
from bottool.model import Command, Installation
from bottool.settings import base_variables
from bottool_java import class_archive, jars, jdk
from bottool_java.options import machine_options

_UTF8 = ("-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-Dstderr.encoding=UTF-8")
"""What Java 18 and later do for files anyway (JEP 400); the output's encoding follows the machine in every version."""
_NOTE = "start.json"
_FORMAT = "1"
_TAGS = ("cds*", "aot*")
"""What the virtual machine calls its remarks about archives; the second is younger, and unknown to older ones."""
_PROBE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """What was found out when the environment was made. ``quiet`` is empty where there can be no archive."""

    java: str
    jar: str
    options: tuple[str, ...]
    quiet: tuple[str, ...]

    @property
    def machine(self) -> tuple[str, ...]:
        """The virtual machine with the options that an archive depends on."""
        return (self.java, *_UTF8, *self.options, *self.quiet)


def environment_key(installation: Installation) -> str:
    """Package and Java: another one of either needs another archive, and may need other options."""
    java = jdk.for_running(base_variables(), _feature(installation))
    return "\n".join((_FORMAT, installation.package.sha256, _jar(installation).name, str(java.home), java.build))


def _feature(installation: Installation) -> int:
    """The Java that the jar needs: found once per package, since a big jar takes longer than a start should."""
    note = installation.store / "releases" / installation.package.sha256 if installation.store else None
    if note is not None:
        try:
            return int(note.read_text(encoding="ascii"))
        except (OSError, ValueError):
            pass
    feature = jars.read(_jar(installation)).feature
    if note is not None:
        _keep(note, str(feature))
    return feature


def _keep(note: Path, text: str) -> None:
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(text, encoding="ascii")
    except OSError:
        # Only a convenience: it is found out again.
        return


def _jar(installation: Installation) -> Path:
    """:raises LaunchError: when the package is not one jar."""
    found = sorted(each for each in installation.folder.iterdir() if each.suffix.lower() == ".jar")
    if len(found) != 1:
        what = "no jar" if not found else f"{len(found)} jars: {', '.join(each.name for each in found)}"
        raise LaunchError(f"the package of '{installation.package.bot_id}' holds {what}", "a Java bot is one jar")
    return found[0]


def prepare(installation: Installation, environment: Path) -> None:
    """Lay the jar into ``environment``, and find out how this machine's Java starts it.

    :raises BuildError: when Java refuses the options that the package asks for.
    """
    source = _jar(installation)
    java = _java_for(source)
    jar = environment / source.name
    shutil.copyfile(source, jar)
    # Every attempt starts this very file.
    jar.chmod(0o444)
    options = machine_options(archive.read_manifest(jar))
    start = _Start(java=str(java.java), jar=str(jar), options=options, quiet=_quiet(java, options))
    (environment / _NOTE).write_text(json.dumps(asdict(start)), encoding="utf-8")


def _java_for(path: Path) -> jdk.Installed:
    jar = jars.read(path)
    if not jar.main_class:
        raise LaunchError(f"'{path.name}' has no Main-Class in its manifest", "build it with 'bottool build'")
    return jdk.for_running(base_variables(), jar.feature)


def _quiet(java: jdk.Installed, options: Sequence[str]) -> tuple[str, ...]:
    """The options that keep remarks about archives out of the bot's output; empty where there are no archives.

    :raises BuildError: when Java does not start with ``options``.
    """
    if java.feature >= class_archive.OLDEST:
        for tags in (_TAGS, _TAGS[:1]):
            quiet = ("-Xshare:auto", *(f"-Xlog:{tag}=off" for tag in tags))
            if not _refusal([str(java.java), *options, *quiet]):
                return quiet
    if refusal := _refusal([str(java.java), *options]):
        asked = " ".join(options)
        raise BuildError(f"Java {java.version} does not start with {asked or 'its defaults'}: {refusal}", _OPTIONS_HINT)
    return ()


_OPTIONS_HINT = "see options and quick_start of [java] in the project's bot.toml"


def _refusal(arguments: Sequence[str]) -> str:
    """What Java says against its options; empty when it starts."""
    variables = base_variables()
    try:
        ended = subprocess.run(
            [*arguments, "-version"],
            env={**variables, **jdk.utf8_locale(variables)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if ended.returncode == 0 else (ended.stdout.strip().splitlines() or ["it says nothing"])[0]


def command(installation: Installation) -> Command:
    """How to start the bot: from the environment when there is one, with the archive or while its list is written."""
    variables = jdk.utf8_locale(base_variables())
    start = _start(installation)
    if start is None:
        path = _jar(installation)
        java = _java_for(path)
        options = machine_options(archive.read_manifest(path))
        return Command(arguments=(str(java.java), *_UTF8, *options, "-jar", str(path)), variables=variables)
    return Command(
        arguments=(*start.machine, *_about_classes(installation, start), "-jar", start.jar), variables=variables
    )


def _start(installation: Installation) -> _Start | None:
    if installation.environment is None:
        return None
    try:
        said = json.loads((installation.environment / _NOTE).read_text(encoding="utf-8"))
        return _Start(java=said["java"], jar=said["jar"], options=tuple(said["options"]), quiet=tuple(said["quiet"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LaunchError(f"the environment of '{installation.package.bot_id}' is damaged: {error}") from error


def _about_classes(installation: Installation, start: _Start) -> tuple[str, ...]:
    shelf = _shelf(installation, start)
    if shelf is None:
        return ()
    if made := shelf.archive():
        return (f"-XX:SharedArchiveFile={made}",)
    return (f"-XX:DumpLoadedClassList={shelf.classes}",) if shelf.wanted() else ()


def _shelf(installation: Installation, start: _Start) -> class_archive.Shelf | None:
    if installation.environment is None or installation.store is None or not start.quiet:
        return None
    return class_archive.shelf(installation.environment, installation.store, installation.folder)


def finished(installation: Installation, *, succeeded: bool) -> None:
    """A bot ended: make the archive of the classes that it loaded, if it ended well and there is none yet.

    A bot that failed may have stopped long before it loaded what it usually needs.
    """
    start = _start(installation)
    shelf = _shelf(installation, start) if start else None
    if start is None or shelf is None or not shelf.classes.exists():
        return
    try:
        if succeeded:
            variables = base_variables()
            shelf.make(start.machine, Path(start.jar), _all(variables))
    finally:
        shelf.drop_classes()


def _all(variables: Mapping[str, str]) -> dict[str, str]:
    return {**variables, **jdk.utf8_locale(variables)}
