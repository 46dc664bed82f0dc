"""What would go into a project's package, before anything is built; reads no file's content."""

from dataclasses import dataclass
from pathlib import Path

from bottool import archive
from bottool.build import sources_of, without_output
from bottool.errors import ArchiveError
from bottool.model import Project
from bottool.plugins import Plugins
from bottool.resolved import lock_key
from bottool.sources import LeftOutGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """``refused`` says why no package could hold these files, and how to mend it; empty when one can.

    ``needs_lock`` is true when a lock is resolved at build and added.
    """

    files: tuple[File, ...]
    left_out: tuple[LeftOutGroup, ...]
    needs_lock: bool
    refused: str = ""

    @property
    def size_bytes(self) -> int:
        return sum(each.size_bytes for each in self.files)

    def biggest(self, count: int = 10) -> tuple[File, ...]:
        return tuple(sorted(self.files, key=lambda each: (-each.size_bytes, each.name))[:count])


def preview(plugins: Plugins, project: Project, output: Path) -> Preview:
    """The files of a project that a build into ``output`` takes, by their names in the package.

    :raises ProjectError: when the folder cannot be packed as it is, for example because of a link that leads out.
    """
    output = output.resolve()
    project = without_output(project, output)
    sources = sources_of(project, output)
    refused = ""
    try:
        archive.check_names(name for name, _ in sources.files)
    except ArchiveError as error:
        refused = f"{error.message}; {error.hint}" if error.hint else error.message
    return Preview(
        files=tuple(File(name=name, size_bytes=path.stat().st_size) for name, path in sources.files),
        left_out=sources.left_out_by_reason(),
        needs_lock=bool(lock_key(plugins, project)),
        refused=refused,
    )
