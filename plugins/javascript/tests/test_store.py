"""``node_modules`` from what the machine has unpacked before: equal to npm's, and never a danger to it."""

import json
import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from bottool.errors import BottoolError
from bottool.settings import base_variables
from bottool_javascript import dependencies, installing, linking, node, npm_lock
from bottool_javascript.language import JavaScript
from bottool_javascript.store import Store

pytestmark = pytest.mark.usefixtures("tools")
ASKED = {"top": "^1.0.0", "@scope/named": "1.0.0", "old": "1.0.0", "tool": "1.0.0"}
RESOLVE = ("install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--omit-lockfile-registry-resolved")


@pytest.fixture
def published(registry):
    """Two versions of one package, programs, an optional package of another system with a need of its own."""
    registry.add("shared", "1.0.0", {"lib/deep/a.txt": "one"})
    registry.add("shared", "2.0.0", {"lib/b.txt": "two"})
    registry.add("top", dependencies={"shared": "2.0.0"})
    registry.add("old", dependencies={"shared": "1.0.0", "tool": "1.0.0"})
    registry.add("@scope/named", optionalDependencies={"elsewhere": "1.0.0"})
    registry.add("elsewhere", os=["plan9"], dependencies={"only-there": "1.0.0"})
    registry.add("only-there")
    registry.add("tool", files={"run.js": "#!/usr/bin/env node\r\nconsole.log('ran');"}, bin={"tool": "run.js"})
    return registry


@pytest.fixture
def locked(tmp_path, published):
    """A project's folder with its lock."""

    def make(asked: dict[str, str] = ASKED, name: str = "project", **more: object) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        package = {"name": "mine", "version": "1.0.0", "dependencies": asked, **more}
        (folder / "package.json").write_text(json.dumps(package), encoding="utf-8")
        code, printed = node.npm(node.find(base_variables()), RESOLVE, folder, base_variables())
        assert code == 0, printed
        return folder

    return make


@pytest.fixture
def installer(tmp_path):
    (tmp_path / "store").mkdir()
    variables = base_variables()
    return installing.Installer(using=node.find(variables), variables=variables, store=Store(tmp_path / "store"))


def made(folder: Path, target: Path, installer: installing.Installer) -> Path:
    target.mkdir(parents=True)
    installing.make_environment(dependencies.wanted_by(folder, None), target, installer)
    return target / "node_modules"


def without_npm(installer: installing.Installer) -> installing.Installer:
    """One that fails when it starts npm."""
    return replace(installer, using=replace(installer.using, npm=None))


def contents(modules: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in modules.rglob("*"):
        name = path.relative_to(modules).as_posix()
        if path.is_symlink():
            found[name] = os.readlink(path)
        else:
            found[name] = path.read_bytes() if path.is_file() else None
    return found


def test_what_is_linked_is_what_npm_makes_of_the_lock(locked, installer, tmp_path):
    project = locked()
    by_npm = contents(made(project, tmp_path / "one" / "env", installer))

    linked = contents(made(project, tmp_path / "two" / "env", without_npm(installer)))

    assert linked == by_npm
    assert len([name for name in linked if name.endswith("node_modules/shared/index.js")]) == 1
    assert ".bin/tool" in linked
    assert not [name for name in linked if name.startswith(("elsewhere", "only-there"))]


def test_only_what_is_new_is_fetched(locked, installer, tmp_path, published):
    made(locked(), tmp_path / "one", installer)
    published.add("fresh", dependencies={"shared": "2.0.0"})
    other = locked({**ASKED, "fresh": "1.0.0"}, "other")
    by_npm = contents(made(other, tmp_path / "npm" / "env", replace(installer, store=None)))
    shutil.rmtree(tmp_path / "npm cache")
    published.asked.clear()

    linked = contents(made(other, tmp_path / "two" / "env", installer))

    assert linked == by_npm
    assert [path for path in published.asked if path.endswith(".tgz")] == ["fresh/-/fresh-1.0.0.tgz"]


@pytest.mark.parametrize("damage", ["changed", "removed", "record"])
def test_a_package_that_is_no_longer_intact_is_not_used(locked, installer, tmp_path, damage):
    project = locked()
    good = contents(made(project, tmp_path / "one" / "env", installer))
    file = next((tmp_path / "store").rglob("b.txt"))
    if damage == "changed":
        file.chmod(0o644)
        file.write_text("evil", encoding="utf-8")
    elif damage == "removed":
        file.unlink()
    else:
        next((tmp_path / "store").rglob("files.json")).write_text("{", encoding="utf-8")

    assert contents(made(project, tmp_path / "two" / "env", installer)) == good


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid"), reason="about the rights of Unix")
def test_files_that_are_shared_are_read_only(locked, installer, tmp_path):
    modules = made(locked(), tmp_path / "one", installer)

    assert not (modules / "top" / "index.js").stat().st_mode & 0o222
    assert (modules / "tool" / "run.js").stat().st_mode & 0o111


def test_a_package_whose_script_runs_has_files_of_its_own(published, locked, installer, tmp_path):
    write = "require('fs').appendFileSync('index.js', '// ran')"
    published.add("scripted", scripts={"postinstall": f'node -e "{write}"'})
    asked = {"scripted": "1.0.0", "top": "1.0.0"}
    project = locked(asked, allowScripts={"scripted": True})

    for name in ("one", "two", "three"):
        modules = made(project, tmp_path / name, installer)
        assert (modules / "scripted" / "index.js").read_text(encoding="utf-8").count("// ran") == 1


def test_many_environments_are_made_at_once(locked, installer, tmp_path):
    project = locked()
    failed: list[BaseException] = []

    def one(number: int) -> None:
        try:
            made(project, tmp_path / f"{number}" / "env", installer)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    trees = [contents(tmp_path / f"{number}" / "env" / "node_modules") for number in range(4)]
    assert all(tree == trees[0] for tree in trees)


def test_what_a_killed_process_left_in_the_store_is_found_by_nobody(locked, installer, tmp_path):
    project = locked()
    good = contents(made(project, tmp_path / "one" / "env", installer))
    for path in (tmp_path / "store" / "packages").iterdir():
        # As if the process had died before the folder got its name.
        path.rename(path.with_name(f".new-{path.name}"))

    assert contents(made(project, tmp_path / "two" / "env", installer)) == good


def test_a_lock_that_does_not_belong_to_package_json_is_left_to_npm(locked, installer, tmp_path, published):
    project = locked()
    made(project, tmp_path / "one", installer)
    published.add("top", "2.0.0")
    package = json.loads((project / "package.json").read_text(encoding="utf-8"))
    package["dependencies"]["top"] = "^2.0.0"
    (project / "package.json").write_text(json.dumps(package), encoding="utf-8")

    with pytest.raises(BottoolError, match="does not fit"):
        made(project, tmp_path / "two", installer)


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("node_modules/tool", {"integrity": ""}),
        ("node_modules/tool", {"integrity": "no checksum"}),
        ("node_modules/tool", {"resolved": "git+https://code.example/tool.git#0123"}),
        ("node_modules/..", {}),
        ("node_modules/tool/node_modules/..", {}),
    ],
)
def test_a_lock_that_npm_would_not_check_or_that_leads_elsewhere_is_left_to_npm(locked, path, change):
    project = locked()
    package = json.loads((project / "package.json").read_bytes())
    lock = json.loads((project / "package-lock.json").read_bytes())
    machine = npm_lock.Machine(system="linux", processor="x64", libc="glibc", node="v22.0.0")

    def places():
        return npm_lock.places(json.dumps(lock).encode(), package, machine, dev=False)

    assert places()
    lock["packages"][path] = lock["packages"]["node_modules/tool"] | change
    assert places() is None


def test_where_programs_cannot_be_links_npm_makes_them(locked, installer, tmp_path, monkeypatch):
    project = locked()
    made(project, tmp_path / "one", installer)

    def refuse(*_arguments):
        raise OSError("a required privilege is not held")

    monkeypatch.setattr(linking, "can_link_programs", lambda: False)
    monkeypatch.setattr(Path, "symlink_to", refuse)

    assert (made(project, tmp_path / "two", installer) / ".bin/tool").exists()


def test_settings_that_change_what_npm_lays_are_left_to_npm(locked, installer, tmp_path):
    project = locked()
    made(project, tmp_path / "one", installer)
    (project / ".npmrc").write_text("install-strategy=nested\n", encoding="utf-8")

    with pytest.raises(BottoolError, match="no npm"):
        made(project, tmp_path / "two", without_npm(installer))


def test_the_key_of_an_environment_starts_no_node(project_of, build, installed, tmp_path, monkeypatch):
    project = project_of({"package.json": {"dependencies": {"x": "1"}}, "bot.js": ""})
    installation = replace(installed(build(project)), store=tmp_path)
    first = JavaScript().environment_key(installation)
    monkeypatch.setattr("subprocess.run", None)

    assert JavaScript().environment_key(installation) == first
