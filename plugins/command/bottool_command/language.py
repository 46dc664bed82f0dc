"""The command language: a bot is a folder with a command line in ``bot.toml``, or one file with a typed command line.

Owns the table ``[command]``. Knows nothing of what it starts: no interpreter, no dependencies, no environment. A
command line is a list of arguments and never meets a shell.
"""

import os
import shlex
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bottool.errors import LaunchError, ProjectError, did_you_mean
from bottool.language import Language
from bottool.model import Command, Inspection, Installation, Package, Problem, Project, Severity, Tool

SYSTEMS = {"win32": "run-windows", "darwin": "run-macos", "linux": "run-linux"}
RUN = SYSTEMS.get(sys.platform, "run")
OPTIONS = ("run", *SYSTEMS.values())
PLACEHOLDERS = ("{path}", "{server}", "{task}", "{token}", "{workspace}", "{maestro_")
"""As ``model.Command`` has them; the last is the beginning of three."""
_TOML_LIMIT_BYTES = 1_000_000
_HINT = 'say it in bot.toml: [command] run = ["sh", "bot.sh"]'


class AnyCommand(Language):
    name = "command"
    title = "Any command"
    technologies = ("COMMAND",)
    templates = ("plain",)

    def recognises(self, folder: Path) -> bool:  # noqa: ARG002 - the answer is always the same
        """Never: a folder of this language has a ``bot.toml``, and then nobody is asked."""
        return False

    def scaffold(self, folder: Path, name: str, template: str) -> None:
        if template not in {"", *self.templates}:
            raise ProjectError(f"there is no template '{template}' for command", "there is one only: plain")
        from importlib import resources

        for file in resources.files("bottool_command").joinpath("scaffold").iterdir():
            # Bytes: bot.sh must keep its line ends on Windows, and bot.bat its own elsewhere.
            (folder / file.name).write_bytes(file.read_bytes().replace(b"BOT_ID", name.encode()))

    def identify(self, folder: Path) -> tuple[str, str]:  # noqa: ARG002 - bot.toml says both
        return "", ""

    def validate(self, project: Project) -> Iterable[Problem]:
        wrong = _problems(project.options)
        if wrong:
            return wrong
        from bottool_command import checks

        runs = [(option, project.options[option]) for option in OPTIONS if option in project.options]
        files = checks.of_files(project.folder, runs)
        return [*files, *checks.of_program(project.folder, _run(project.options))]

    def build_key(self, project: Project) -> str:  # noqa: ARG002 - the files and bot.toml say it all
        return ""

    def build(self, project: Project, output: Path) -> Path:
        from bottool import archive

        entries: dict[str, Path | bytes] = dict(archive.source_files(project.folder, project.exclude).files)
        package = output / f"{project.bot_id}-{project.version}.zip"
        manifest = archive.manifest(project, entry=shlex.join(_run(project.options)))
        archive.pack_zip(package, entries, manifest=manifest)
        return package

    def inspect(self, package: Package) -> Inspection:
        if package.command:
            return Inspection(entry=package.command)
        from bottool import archive

        options = _options(archive.read_member(package.path, "bot.toml", _TOML_LIMIT_BYTES))
        problems = tuple(_problems(options))
        return Inspection(entry="" if problems else shlex.join(_run(options)), problems=problems)

    def environment_key(self, installation: Installation) -> str:  # noqa: ARG002 - no bot needs one
        return ""

    def prepare(self, installation: Installation, environment: Path) -> None:
        """Nothing to do, and never called: the key is empty."""

    def command(self, installation: Installation) -> Command:
        """The line typed on the server counts before ``bot.toml``.

        Core appends the task's arguments to a ``run`` that names none of them. A typed line stays as it stands, as
        Maestro does it.

        :raises LaunchError: when nothing says what to run.
        """
        from bottool_command import starting

        typed = installation.package.command.strip()
        arguments = _split(typed) if typed else _installed_run(installation)
        path = str(_path(installation))
        filled = tuple(argument.replace("{path}", path) for argument in arguments)
        return Command(
            arguments=starting.command_line(filled, installation.folder),
            placeholders=bool(typed) or any(name in argument for argument in arguments for name in PLACEHOLDERS),
        )

    def toolchain(self) -> tuple[Tool, ...]:
        """None: each bot brings its own needs."""
        return ()


def _run(options: Mapping[str, Any]) -> list[str]:
    """The command line for this operating system; ``run`` serves all that have none of their own."""
    run: list[str] = options.get(RUN) or options.get("run") or []
    return run


def _options(bot_toml: bytes | None) -> Mapping[str, Any]:
    """The table ``[command]`` of a file that may be missing, broken or hostile; empty when there is none."""
    try:
        table = tomllib.loads((bot_toml or b"").decode("utf-8-sig")).get("command")
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}


def _installed_run(installation: Installation) -> list[str]:
    bot_toml = installation.folder / "bot.toml"
    options = _options(bot_toml.read_bytes() if bot_toml.is_file() else None)
    for problem in _problems(options):
        raise LaunchError(f"'{installation.package.bot_id}' cannot start: {problem.message}", problem.hint)
    return _run(options)


def _problems(options: Mapping[str, Any]) -> list[Problem]:
    wrong = []
    for key, value in options.items():
        if key not in OPTIONS:
            near = did_you_mean(key, OPTIONS) or f"known are {', '.join(OPTIONS)}"
            wrong.append((f"[command] has no option '{key}'", near))
        elif not isinstance(value, list) or not value or not all(isinstance(each, str) and each for each in value):
            wrong.append((f"[command] {key} is not a list of texts", f"write each argument as one text: {_HINT}"))
    if not wrong and not _run(options):
        wrong.append(
            ("nothing says what to run", f"{_HINT}, or type a command line for a single file when you deploy it")
        )
    return [
        Problem(severity=Severity.ERROR, code="bad_command", message=message, hint=hint, path="bot.toml")
        for message, hint in wrong
    ]


def _path(installation: Installation) -> Path:
    """What ``{path}`` means: the folder of an archive, otherwise the one file that was deployed."""
    from bottool import archive

    if archive.kind_of(installation.package.path) in {"zip", "tar.gz"}:
        return installation.folder
    return next((each for each in installation.folder.iterdir() if each.is_file()), installation.folder)


def _split(line: str) -> list[str]:
    """The arguments of a typed line: blanks separate, quotes group. On Windows a backslash is part of a path."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    if os.name == "nt":
        lexer.escape = ""
    try:
        return list(lexer)
    except ValueError as error:
        raise LaunchError(f"the command line '{line}' cannot be split: {error}", "close every quote") from error
