"""``bottool inspect``: what can be told of a package without running it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from bottool.cli import present
from bottool.cli.options import json_option, project_options
from bottool.cli.state import State
from bottool.cli.validate import show
from bottool.model import Dependency, Inspection, Package


@click.command("inspect")
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--files", "with_files", is_flag=True, help="List the files, each with size and SHA-256.")
@click.option("--sbom", "as_sbom", is_flag=True, help="Print the bill of materials: CycloneDX 1.6 as JSON.")
@click.option("--sbom-file", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a file.")
@project_options
@json_option
@click.pass_obj
def command(
    state: State, /, package: Path, with_files: bool, as_sbom: bool, sbom_file: Path | None, as_json: bool, **said: str
) -> None:
    """Say what PACKAGE holds: its bot, entry, files and dependencies. Nothing in it is run.

    Every file is held against the manifest that 'bottool build' wrote. Packages made by other tools are told too.
    """
    from bottool import contents
    from bottool.opening import open_and_inspect

    found, inspection = open_and_inspect(package, state.plugins, **said)
    files = contents.files(package)
    problems = [*found.notes, *inspection.problems, *contents.differences(files, found.manifest)]
    if sbom_file is not None:
        sbom_file.write_text(_sbom(found, inspection), encoding="utf-8")
    if as_sbom:
        click.echo(_sbom(found, inspection), nl=False)
    elif as_json:
        listed = {"dependencies": inspection.dependencies, "problems": problems, "files": files}
        present.as_json(_known(found, inspection) | listed | {"manifest": dict(found.manifest)})
    else:
        _print(found, inspection, files, with_files=with_files)
    show(problems if not as_json else [], err=True)


def _known(package: Package, inspection: Inspection) -> dict[str, Any]:
    return {
        "bot_id": package.bot_id,
        "version": package.version,
        "language": package.language,
        "sha256": package.sha256,
        "size_bytes": package.size_bytes,
        "made_by": _made_by(package),
        "entry": inspection.entry,
        "requires": inspection.requires,
        "locked": inspection.locked,
    }


def _made_by(package: Package) -> str:
    made_by = package.manifest.get("bottool")
    return f"bottool {made_by}" if isinstance(made_by, str) else ""


def _print(package: Package, inspection: Inspection, files: Sequence[Any], *, with_files: bool) -> None:
    known = _known(package, inspection)
    del known["size_bytes"], known["locked"]
    known["made_by"] = known["made_by"] or "another tool (no manifest)"
    unpacked = sum(file.size_bytes for file in files)
    known["size"] = f"{present.size(package.size_bytes)}, {len(files)} files of {present.size(unpacked)}"
    known["dependencies"] = _summary(inspection)
    present.fields({name.replace("_", " "): value for name, value in known.items()})
    if inspection.dependencies:
        click.echo()
        titles = ["DEPENDENCY", "VERSION", "ASKED FOR", "LICENCE"]
        present.table(titles, [_row(each) for each in sorted(inspection.dependencies, key=lambda one: one.name)])
    if with_files:
        click.echo()
        present.table(["FILE", "SIZE", "SHA-256"], [(file.name, file.size_bytes, file.sha256) for file in files])


def _summary(inspection: Inspection) -> str:
    count = len(inspection.dependencies)
    if not count:
        return "none" if inspection.locked else "none known"
    direct = sum(each.direct for each in inspection.dependencies)
    if inspection.locked:
        return f"{count}, all with exact versions; {direct} of them asked for"
    return f"{count}, only as asked for: nothing says what will be installed with them"


def _row(dependency: Dependency) -> tuple[object, ...]:
    return (dependency.name, dependency.version or "any", dependency.direct, dependency.licence)


def _sbom(package: Package, inspection: Inspection) -> str:
    from bottool import sbom

    subject = sbom.Subject(
        bot_id=package.bot_id,
        version=package.version,
        language=package.language,
        sha256=package.sha256,
        entry=inspection.entry,
        requires=inspection.requires,
        locked=inspection.locked,
    )
    return sbom.text(sbom.document(subject, inspection.dependencies))
