"""What would stop a Python bot, told before it is built, and what can be told of a package that nobody unpacked."""

import platform
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from bottool.errors import did_you_mean
from bottool.model import Inspection, Package, Problem, Project, Severity
from bottool.sources import source_files
from bottool_python import conda, imports, layout, locks, metadata, requirements, tree
from bottool_python.requirements import Requirements
from bottool_python.tree import Tree

_MAX_MISSING = 5
_PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])? ?(?:==|@)", re.MULTILINE)
_COMMIT = re.compile(r"@[0-9a-f]{40}(#|$)")


def project_problems(project: Project) -> Iterator[Problem]:
    """Everything to say of a project, errors and warnings."""
    files = source_files(project.folder, project.exclude).files
    sources = tree.of_sources(project.folder, files)
    template = next((name for name in sources.names if "{{" in name), "")
    if template:
        yield _error("template", f"'{template}' is part of a template, not of a bot", layout.TEMPLATE_HINT)
        return
    yield from _option_problems(project.options)
    required = requirements.read(sources, layout.options_of(project.options))
    yield from required.problems
    yield from _dependency_files(sources, required)
    yield from _version_range(metadata.range_of(sources, layout.options_of(project.options)))
    yield from _entry_problems(sources, project, required)


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
    first = _does_not_compile(inner, found, metadata.range_of(inner, options)) if found else (_no_entry(entry),)
    problems = (*first, *required.problems)
    lock = locks.find(inner, required)
    lock = None if lock and lock.problem else lock
    return Inspection(
        entry=found.entry if found else "",
        requires=metadata.range_of(inner, options),
        dependencies=locks.dependencies(lock, required) if lock else required.dependencies,
        locked=lock is not None or not required.lines,
        problems=problems,
        bot_id=found.entry if found and found.package else "",
    )


def _entry_problems(sources: Tree, project: Project, required: Requirements) -> Iterator[Problem]:
    found = layout.find(sources, project.entry)
    if found is None or found.root:
        yield _no_entry(project.entry)
        return
    if found.package and found.entry != project.bot_id:
        message = f"the bot id is '{project.bot_id}', but in this layout it is the name of the package, '{found.entry}'"
        yield _warning("name_disagrees", message, f'write id = "{found.entry}" into bot.toml, or leave it out')
    options = layout.options_of(project.options)
    wanted = metadata.range_of(sources, options)
    for problem in imports.follow(sources, found, required, _locked_names(sources, project, required)):
        if problem.code != "start_arguments" or options.arguments != layout.WITHOUT_ARGUMENTS:
            yield _for_another_python(problem, wanted) if problem.code == "syntax_error" else problem


def _does_not_compile(bot: Tree, found: layout.Layout, wanted: str) -> tuple[Problem, ...]:
    """The entry's own syntax error. What the entry reaches is not followed: an upload waits for the answer."""
    problem = imports.syntax_problem(bot, found.file)
    return (_for_another_python(problem, wanted),) if problem else ()


def _for_another_python(problem: Problem, wanted: str) -> Problem:
    """A bot that asks for another Python than the one that reads it here may be right about its syntax."""
    own = platform.python_version()
    try:
        is_own = SpecifierSet(wanted).contains(own, prereleases=True)
    except InvalidSpecifier:
        is_own = True
    if is_own:
        return problem
    message = f"{problem.message}, as Python {own} reads it; the bot asks for {wanted}"
    return replace(problem, severity=Severity.WARNING, message=message)


def _locked_names(sources: Tree, project: Project, required: Requirements) -> frozenset[str]:
    """What a lock brings, beside what the bot asks for: the one that was resolved, or the one in the folder."""
    if project.lock:
        names = _PINNED.findall(project.lock.data.decode("utf-8", "replace"))
        return frozenset(canonicalize_name(name) for name in names)
    lock = locks.find(sources, required)
    return lock.names if lock and not lock.problem else frozenset()


def _no_entry(wanted: str) -> Problem:
    if wanted:
        return _error("no_entry", f"entry is '{wanted}', which is no file of the bot and no package with __main__.py")
    return _error(
        "no_entry",
        f"nothing to start: looked for {' and '.join(layout.SCRIPTS)}, and for setup.py or pyproject.toml with one "
        "package that has a __main__.py",
        'say it in bot.toml: entry = "my_bot.py"',
    )


def _option_problems(options: Mapping[str, Any]) -> Iterator[Problem]:
    for key, value in options.items():
        if key not in layout.OPTIONS:
            hint = did_you_mean(key, layout.OPTIONS) or f"known are {', '.join(layout.OPTIONS)}"
            yield _error("bad_option", f"[python] has no option '{key}'", hint, path="bot.toml")
        elif not isinstance(value, str):
            yield _error("bad_option", f"[python] {key} is no text", f'write it as {key} = "…"', path="bot.toml")
        elif key == "arguments" and value not in {"task", layout.WITHOUT_ARGUMENTS}:
            yield _error("bad_option", f"arguments is '{value}'", 'it is "task" or "none"', path="bot.toml")


def _version_range(wanted: str) -> Iterator[Problem]:
    try:
        SpecifierSet(wanted)
    except InvalidSpecifier:
        yield _error("bad_range", f"'{wanted}' is no range of Python versions", "write it like >=3.11,<3.14")


def _dependency_files(sources: Tree, required: Requirements) -> Iterator[Problem]:
    lock = locks.find(sources, required)
    if lock and lock.problem:
        yield _warning("lock_unreadable", lock.problem, "write it anew with the tool that made it", path=lock.path)
    elif lock:
        missing = sorted(required.names - lock.names) if lock.text or required.lines else []
        for name in missing[:_MAX_MISSING]:
            hint = "lock again: bottool lock" if lock.path == locks.FILE else "lock again with the tool that made it"
            yield _warning("lock_outdated", f"'{name}' is required, but '{lock.path}' does not hold it", hint)
    else:
        yield from _unpinned(required)
    yield from _disagreeing(sources, required)
    if not required.path and not lock and "Pipfile" in sources.top:
        message = "the dependencies stand in a Pipfile without Pipfile.lock, and are not installed"
        yield _warning("no_lock", message, "run: pipenv lock", path="Pipfile")
    only_conda = conda.read(sources)
    if only_conda.others and required.path == only_conda.path:
        message = f"only conda installs {', '.join(only_conda.others[:10])}; bottool installs the pip part"
        yield _warning("only_conda", message, "name what the bot needs below 'pip:'", path=only_conda.path)


def _unpinned(required: Requirements) -> Iterator[Problem]:
    """Said where no lock is resolved at build, because a package that is installed today is another tomorrow."""
    for line in required.lines:
        if line.text in required.links and line.text.startswith("git+") and not _COMMIT.search(line.text):
            hint = "name a commit: git+https://…@0123456789abcdef0123456789abcdef01234567"
            message = f"'{line.text}' names no commit, so what is installed may change"
            yield line.problem(Severity.WARNING, "unpinned", message, hint)


def _disagreeing(sources: Tree, required: Requirements) -> Iterator[Problem]:
    """A requirements file and a ``pyproject.toml`` that both say what is needed, and not the same."""
    if required.path in {"", "pyproject.toml"}:
        return
    others = metadata.of_pyproject(sources)
    names = {canonicalize_name(each.name): each for each in others}
    if not names:
        return
    pins = {each.name: each.version for each in required.dependencies}
    missing = sorted(names.keys() - required.names)
    against = sorted(
        name for name, each in names.items() if pins.get(name) and not each.specifier.contains(pins[name], True)
    )
    if missing or against:
        said = [f"'{missing[0]}' is missing in '{required.path}'"] if missing else []
        said += (
            [f"'{against[0]}' is pinned to {pins[against[0]]}, not {names[against[0]].specifier}"] if against else []
        )
        yield _warning(
            "dependencies_disagree",
            f"'{required.path}' and 'pyproject.toml' disagree: {' and '.join(said)}; '{required.path}' is installed",
            "keep one of them, or make them agree",
            path=required.path,
        )


def _warning(code: str, message: str, hint: str = "", *, path: str = "") -> Problem:
    return Problem(severity=Severity.WARNING, code=code, message=message, hint=hint, path=path)


def _error(code: str, message: str, hint: str = "", *, path: str = "") -> Problem:
    return Problem(severity=Severity.ERROR, code=code, message=message, hint=hint, path=path)
