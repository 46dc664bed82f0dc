"""Packs a Python bot: a zip for the newer layout, a source distribution for the older one. ``setup.py`` is never run.

A source distribution made by setuptools leaves out data files that ``MANIFEST.in`` forgets and folders beside the
package; ours holds the whole project under the same names.
"""

from pathlib import Path

from bottool import archive
from bottool.errors import ProjectError
from bottool.model import Project
from bottool_python import layout, locks, metadata, requirements, tree
from bottool_python.tree import Tree


def build(project: Project, output: Path) -> Path:
    """Write the package into ``output``.

    :raises ProjectError: when the project has nothing to start; ``validate`` says more.
    """
    files = archive.source_files(project.folder, project.exclude).files
    sources = tree.of_sources(project.folder, files)
    found = layout.find(sources, project.entry)
    if found is None or found.root:
        raise ProjectError(f"'{project.folder}' has nothing to start", "'bottool validate' says what is missing")
    name = f"{project.bot_id}-{project.version}"
    entries: dict[str, Path | bytes] = dict(files)
    requires = metadata.range_of(sources, layout.options_of(project.options))
    if project.lock:
        entries[project.lock.file] = project.lock.data
        header = locks.header(project.lock.data.decode())
        requires = header.requires_python if header else requires
    manifest = archive.manifest(project, entry=found.entry, requires=requires)
    if not found.package:
        archive.pack_zip(output / f"{name}.zip", entries, manifest=manifest)
        return output / f"{name}.zip"
    entries["PKG-INFO"] = _pkg_info(project, sources).encode()
    archive.pack_tar_gz(output / f"{name}.tar.gz", entries, root=name, manifest=manifest)
    return output / f"{name}.tar.gz"


def _pkg_info(project: Project, sources: Tree) -> str:
    """The metadata that an installer looks for. Source: core metadata specification, version 2.1."""
    options = layout.options_of(project.options)
    required = requirements.read(sources, options)
    wanted = metadata.range_of(sources, options)
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {project.bot_id}",
        f"Version: {project.version}",
        *([f"Requires-Python: {wanted}"] if wanted else []),
        *(f"Requires-Dist: {each}" for each in required.parsed),
    ]
    return "\n".join(lines) + "\n"
