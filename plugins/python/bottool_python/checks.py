"""What would stop a Python bot, told before it is built, and what can be told of a package that nobody unpacked."""

from collections.abc import Iterator, Mapping
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from bottool import archive
from bottool.errors import did_you_mean
from bottool.model import Inspection, Package, Problem, Project, Severity
from bottool_python import imports, layout, metadata, requirements, tree
from bottool_python.layout import Layout
from bottool_python.requirements import Requirements
from bottool_python.tree import Tree

TEMPLATE_HINT = "make a bot from the template first, for example with cookiecutter"


def project_problems(project: Project) -> Iterator[Problem]:
    """Everything to say of a project, errors and warnings."""
    files = archive.source_files(project.folder, project.exclude).files
    sources = tree.of_sources(project.folder, files)
    template = next((name for name in sources.names if "{{" in name), "")
    if template:
        yield _error("template", f"'{template}' is part of a template, not of a bot", TEMPLATE_HINT)
        return
    yield from _option_problems(project.options)
    required = requirements.read(sources, layout.options_of(project.options))
    yield from required.problems
    yield from _dependency_files(sources, required)
    yield from _version_range(range_of(sources, layout.options_of(project.options)))
    yield from _entry_problems(sources, project.entry, required)


def inspect(package: Package) -> Inspection:
    """What a package is, read from the closed archive.

    :raises ArchiveError: when the archive is refused.
    """
    whole = tree.of_archive(package.path)
    entry, _ = layout.said(whole.below(whole.wrapper()))
    found = layout.find(whole, entry)
    inner = whole.below(found.root if found else whole.wrapper())
    _, options = layout.said(inner)
    required = requirements.read(inner, options)
    problems = required.problems if found else (_no_entry(entry), *required.problems)
    return Inspection(
        entry=found.entry if found else "",
        requires=range_of(inner, options),
        dependencies=required.dependencies,
        problems=problems,
    )


def range_of(bot: Tree, options: layout.Options) -> str:
    """The Python versions that the bot wants; ``bot.toml`` counts before the bot's other files."""
    return options.requires_python or metadata.requires_python(bot)


def _entry_problems(sources: Tree, wanted: str, required: Requirements) -> Iterator[Problem]:
    found = layout.find(sources, wanted)
    if found is None or found.root:
        yield _no_entry(wanted)
        return
    try:
        imports.parse(sources.read(found.file) or b"")
    except SyntaxError as error:
        yield _does_not_compile(found, error)
        return
    yield from imports.follow(sources, found, required)


def _no_entry(wanted: str) -> Problem:
    if wanted:
        return _error("no_entry", f"entry is '{wanted}', which is no file of the bot and no package with __main__.py")
    return _error(
        "no_entry",
        f"nothing to start: looked for {' and '.join(layout.SCRIPTS)}, and for setup.py with one package "
        "that has a __main__.py",
        'say it in bot.toml: entry = "my_bot.py"',
    )


def _does_not_compile(found: Layout, error: SyntaxError) -> Problem:
    return Problem(
        severity=Severity.ERROR,
        code="syntax_error",
        message=f"'{found.file}' does not compile: {error.msg}",
        path=found.file,
        line=error.lineno,
    )


def _option_problems(options: Mapping[str, Any]) -> Iterator[Problem]:
    for key, value in options.items():
        if key not in layout.OPTIONS:
            hint = did_you_mean(key, layout.OPTIONS) or f"known are {', '.join(layout.OPTIONS)}"
            yield _error("bad_option", f"[python] has no option '{key}'", hint, path="bot.toml")
        elif not isinstance(value, str):
            yield _error("bad_option", f"[python] {key} is no text", f'write it as {key} = "…"', path="bot.toml")


def _version_range(wanted: str) -> Iterator[Problem]:
    try:
        SpecifierSet(wanted)
    except InvalidSpecifier:
        yield _error("bad_range", f"'{wanted}' is no range of Python versions", "write it like >=3.11,<3.14")


def _dependency_files(sources: Tree, required: Requirements) -> Iterator[Problem]:
    if not required.lines and requirements.FILE not in sources.top and metadata.has_only_poetry(sources):
        yield Problem(
            severity=Severity.WARNING,
            code="poetry_only",
            message="the dependencies stand in [tool.poetry] only, and are not installed",
            hint="write them to [project] dependencies, or run: poetry export -o requirements.txt",
            path="pyproject.toml",
        )


def _error(code: str, message: str, hint: str = "", *, path: str = "") -> Problem:
    return Problem(severity=Severity.ERROR, code=code, message=message, hint=hint, path=path)
