"""The lock of a project, resolved when it is built."""

import json

from bottool.errors import BuildError, ToolMissing
from bottool.model import Lock, Project
from bottool.sources import source_files
from bottool_python import layout, locks, metadata, requirements, resolving, tree
from bottool_python.requirements import Requirements
from bottool_python.tree import Tree


def key(project: Project) -> str:
    """Changes when another lock must be resolved; ``""`` when the folder has one, or requires nothing."""
    sources, required = _read(project)
    if not required.lines or locks.find(sources, required):
        return ""
    return json.dumps([required.text, required.constraints_text, _range(project, sources)])


def lock(project: Project) -> Lock:
    """Resolve what the project requires, for every platform.

    :raises BuildError: when nothing satisfies the requirements.
    :raises Unreachable: when no index answers.
    :raises ToolMissing: when a source distribution does not tell here what it needs.
    """
    sources, required = _read(project)
    try:
        text, wanted = resolving.universal(required, project.folder, _range(project, sources))
    except BuildError as error:
        if "No solution found" in error.output or "not found in the package registry" in error.output:
            raise
        # A source that cannot be built here may well be built where the bot runs.
        raise ToolMissing(f"the versions cannot be resolved here: {error.message}", error.hint) from error
    return Lock(file=locks.FILE, data=locks.with_header(text, wanted, local=required.local).encode())


def _read(project: Project) -> tuple[Tree, Requirements]:
    sources = tree.of_sources(project.folder, source_files(project.folder, project.exclude).files)
    return sources, requirements.read(sources, layout.options_of(project.options))


def _range(project: Project, sources: Tree) -> str:
    return metadata.range_of(sources, layout.options_of(project.options))
