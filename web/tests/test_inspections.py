"""What the server learns of a package when it is uploaded, what it refuses, and what it answers afterwards."""

import io
import threading
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bottool import wire
from bottool.errors import ArchiveError, Conflict, InvalidInput
from bottool_web.actions import bots, explain, identity, inspections
from bottool_web.actions.site import Site
from bottool_web.inspector import Inspector
from bottool_web.package_inspection import MOST_DEPENDENCIES, Question, inspect_package
from bottool_web.store import tables
from bottool_web.store.bots import NewRevision, add_revision, version_of
from bottool_web.store.scope import Principal

NOTHING_TO_START = {"README": "", "requirements.txt": "openpyxl==3.1.2\n"}
PLUGIN = """
from bottool.hookspecs import hookimpl
from bottool.language import Language
from bottool.model import Dependency, Inspection

class Odd(Language):
    name = "odd"
    title = "Odd"
    technologies = ("ODD",)
    recognises = scaffold = identify = validate = build = environment_key = prepare = command = toolchain = None

    def inspect(self, package):
        {body}

Odd.__abstractmethods__ = frozenset()

@hookimpl
def bottool_register_languages():
    return [Odd()]
"""


def packed(files: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made.getvalue()


def a_bot(requirements: str = "openpyxl==3.1.2\n") -> bytes:
    return packed({"bot.py": "print(1)", "requirements.txt": requirements})


@pytest.fixture
def upload(site: Site, admin: Principal) -> Callable[..., wire.BotVersion]:
    """``upload("hello", a_bot())``: announce the version unless it is there, upload, and show it."""

    def upload_(
        bot_id: str, data: bytes, *, version: str = "1.0.0", technology: str = "PYTHON", seconds: float = 30.0
    ) -> wire.BotVersion:
        patient = replace(site, settings=replace(site.settings, inspection_seconds=seconds))
        try:
            bots.announce_version(site, admin, bot_id, wire.NewVersion(version=version, technology=technology))
        except Conflict:
            pass
        bot = bots.upload(patient, admin, bot_id, version, f"{bot_id}.zip", [data])
        return next(each for each in bot.versions if each.version == version)

    return upload_


@pytest.fixture
def odd_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """``odd_plugin("return Inspection()")``: a plugin that children find installed beside the server."""

    def install(body: str) -> None:
        folder = tmp_path / "plugins"
        (folder / "odd-1.dist-info").mkdir(parents=True)
        (folder / "odd-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1\n", "utf-8")
        (folder / "odd-1.dist-info" / "entry_points.txt").write_text("[bottool]\nodd = odd_plugin\n", "utf-8")
        (folder / "odd_plugin.py").write_text(PLUGIN.format(body=body), "utf-8")
        monkeypatch.setenv("PYTHONPATH", str(folder))

    return install


def inspect_all(site: Site, who: Principal) -> int:
    count = 0
    while inspections.inspect_next(site, identity.acting_site(who.workspace_id), threading.Event()):
        count += 1
    return count


def test_an_entry_that_does_not_compile_here_is_accepted_and_told(upload: Callable[..., wire.BotVersion]) -> None:
    version = upload("hello", packed({"bot.py": "x = 1\ndef main(:\n", "requirements.txt": ""}))

    assert version.state == "ready"
    assert [each for each in version.findings if "bot.py" in each and "does not compile" in each]


def test_an_upload_is_inspected_and_shows_entry_and_dependencies(
    site: Site, admin: Principal, upload: Callable[..., wire.BotVersion]
) -> None:
    version = upload("hello", a_bot("openpyxl==3.1.2\nrequests\n"))

    assert (version.state, version.inspection, version.entry, version.dependencies) == ("ready", "done", "bot.py", 2)
    told = inspections.get_inspection(site, admin, "hello", "1.0.0")
    assert {(each.name, each.version, each.ecosystem) for each in told.dependencies} == {
        ("openpyxl", "3.1.2", "pypi"),
        ("requests", "", "pypi"),
    }
    assert inspect_all(site, admin) == 0, "it was inspected once"


def test_a_package_that_could_never_start_is_refused_and_the_version_stays_as_it_was(
    site: Site, admin: Principal, upload: Callable[..., wire.BotVersion]
) -> None:
    before = upload("hello", a_bot())

    with pytest.raises(ArchiveError, match="could never start: nothing to start") as refused:
        upload("hello", packed(NOTHING_TO_START))

    assert refused.value.reason == "no_entry"
    assert bots.get_bot(site, admin, "hello").versions == [before]


def test_a_language_without_a_plugin_is_not_inspected_and_taken(
    site: Site, admin: Principal, upload: Callable[..., wire.BotVersion]
) -> None:
    version = upload("hello", a_bot(), technology="COBOL")

    assert (version.state, version.inspection) == ("ready", "none")
    with pytest.raises(Conflict, match="no plugin on the server"):
        inspections.get_sbom(site, admin, "hello", "1.0.0")


def test_what_takes_long_is_answered_as_checking_and_done_behind_once(
    site: Site, admin: Principal, upload: Callable[..., wire.BotVersion]
) -> None:
    version = upload("hello", a_bot(), seconds=0.0)
    assert (version.state, version.inspection) == ("checking", "waiting")

    assert inspect_all(site, admin) == 1

    version = bots.get_bot(site, admin, "hello").versions[0]
    assert (version.state, version.inspection, version.dependencies) == ("ready", "done", 1)
    assert inspect_all(site, admin) == 0


def test_the_inspector_takes_up_what_was_left_by_a_server_before(
    site: Site, admin: Principal, upload: Callable[..., wire.BotVersion]
) -> None:
    upload("hello", a_bot(), seconds=0.0)

    inspector = Inspector(site)
    inspector.look()
    inspector.stop()

    assert bots.get_bot(site, admin, "hello").versions[0].state == "ready"


def test_a_late_refusal_is_shown_and_never_released(
    site: Site, admin: Principal, upload: Callable[..., wire.BotVersion]
) -> None:
    upload("hello", packed(NOTHING_TO_START), seconds=0.0)

    inspect_all(site, admin)

    version = bots.get_bot(site, admin, "hello").versions[0]
    assert (version.state, version.inspection) == ("refused", "refused")
    assert "nothing to start" in version.findings[0]
    with pytest.raises(Conflict, match="was refused"):
        bots.release(site, admin, "hello", "1.0.0")


def test_a_late_refusal_of_a_new_file_gives_the_version_its_older_file_back(
    site: Site, admin: Principal, upload: Callable[..., wire.BotVersion]
) -> None:
    before = upload("hello", a_bot())

    upload("hello", packed(NOTHING_TO_START), seconds=0.0)
    inspect_all(site, admin)

    after = bots.get_bot(site, admin, "hello").versions[0]
    assert (after.state, after.sha256) == ("ready", before.sha256)
    assert "the newer file 'hello.zip' was refused" in after.findings[-1]


def test_a_task_of_a_version_that_is_being_inspected_waits_for_it(
    site: Site, admin: Principal, upload: Callable[..., wire.BotVersion], an_automation: Callable[..., wire.Automation]
) -> None:
    from bottool_web.actions import tasks
    from bottool_web.store import queue

    upload("hello", a_bot(), seconds=0.0)
    bots.release(site, admin, "hello", "1.0.0")
    automation = an_automation("daily", bot_id="hello")
    task = tasks.create(site, admin, wire.NewTask(automation="daily"))
    runner = site.store.read(lambda tx: tx.scalar(sa.select(tables.runner.c.id)))

    def claimable() -> list[Any]:
        return site.store.read(lambda tx: queue.ready_automations(tx, admin.scope, runner))

    assert claimable() == []
    assert "is being inspected" in explain.explain(site, admin, task.id).summary
    inspect_all(site, admin)
    assert [row.automation_id for row in claimable()] == [automation.id]


def test_a_version_from_before_is_inspected_behind_and_never_refused_for_it(
    site: Site, admin: Principal, upload: Callable[..., wire.BotVersion]
) -> None:
    bots.announce_version(site, admin, "old", wire.NewVersion(version="1.0.0", technology="PYTHON"))
    stored = site.files.add_package([packed(NOTHING_TO_START)], limit_bytes=10**6)
    old = NewRevision(
        sha256=stored.sha256, size_bytes=stored.size_bytes, file_name="old.zip", findings=(), at=site.now()
    )
    site.store.write(lambda tx: add_revision(tx, admin.scope, version_of(tx, admin.scope, "old", "1.0.0").id, old))

    assert inspect_all(site, admin) == 1

    version = bots.get_bot(site, admin, "old").versions[0]
    assert (version.state, version.inspection) == ("ready", "done")
    assert "nothing to start" in " ".join(version.findings)


def test_of_two_servers_that_inspect_one_package_one_is_kept(
    site: Site, admin: Principal, upload: Callable[..., wire.BotVersion]
) -> None:
    upload("hello", a_bot(), seconds=0.0)
    threads = [threading.Thread(target=inspect_all, args=(site, admin)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    rows = site.store.read(lambda tx: tx.execute(sa.select(tables.dependency)).all())
    assert [row.name for row in rows] == ["openpyxl"]


def test_a_package_that_demands_another_bot_id_is_taken_with_a_finding(
    upload: Callable[..., wire.BotVersion], odd_plugin: Callable[[str], None]
) -> None:
    odd_plugin('return Inspection(entry="BotTable", bot_id="BotTable")')

    version = upload("other", a_bot(), technology="ODD")

    assert version.state == "ready"
    assert version.findings == ["the package is the bot 'BotTable', not 'other': deploy it as 'BotTable'"]


@pytest.mark.parametrize(
    ("body", "state", "findings"),
    [
        ('raise ValueError("no\\x00 idea")', "failed", ["it could not be inspected: plugin 'odd' failed in inspect: ValueError: no idea"]),
        ("import os; os._exit(9)", "failed", ["it could not be inspected: the inspection ended without an answer"]),
        ('print("{}"); return Inspection(entry="x")', "done", []),
        ("return None", "failed", ["it could not be inspected: the inspection ended without an answer"]),
        ('return Inspection(entry="x" * 10**8)', "failed", ["it could not be inspected: the inspection ended without an answer"]),
    ],
)  # fmt: skip
def test_a_plugin_that_misbehaves_costs_nobody_anything(
    odd_plugin: Callable[[str], None], tmp_path: Path, body: str, state: str, findings: list[str]
) -> None:
    odd_plugin(body)
    path = tmp_path / "a.zip"
    path.write_bytes(a_bot())

    told = inspect_package(Question(path=path, bot_id="a", version="1", technology="ODD"), 60)

    assert told is not None
    assert (told.state, told.findings) == (state, findings)


def test_what_a_plugin_says_is_cut_to_size(odd_plugin: Callable[[str], None], tmp_path: Path) -> None:
    odd_plugin(
        'return Inspection(entry="e" * 1000, dependencies=tuple('
        'Dependency(name=f"n{i}\\n\\ud800", ecosystem="npm") for i in range(6000)))'
    )
    path = tmp_path / "a.zip"
    path.write_bytes(a_bot())

    told = inspect_package(Question(path=path, bot_id="a", version="1", technology="ODD"), 60)

    assert told is not None
    assert len(told.entry) == 300
    assert (len(told.dependencies), told.dependencies[0].name) == (MOST_DEPENDENCIES, "n0?")
    assert "only 5000 of its 6000 dependencies are kept" in told.findings


def test_a_plugin_that_hangs_is_ended(odd_plugin: Callable[[str], None], tmp_path: Path) -> None:
    odd_plugin("import time; time.sleep(600)")
    path = tmp_path / "a.zip"
    path.write_bytes(a_bot())

    assert inspect_package(Question(path=path, bot_id="a", version="1", technology="ODD"), 1.0) is None


def test_who_depends_on_it_below_a_version(
    site: Site, admin: Principal, upload: Callable[..., wire.BotVersion], an_automation: Callable[..., wire.Automation]
) -> None:
    upload("older", a_bot("OpenPyXL==3.1.2\n"))
    upload("newer", a_bot("openpyxl==3.1.10\n"))
    upload("any", a_bot("openpyxl\n"))
    bots.release(site, admin, "older", "1.0.0")
    an_automation("daily", bot_id="older")

    found = inspections.dependents(site, admin, name="openpyxl", below="3.1.3")

    assert [(each.bot_id, each.verdict) for each in found] == [("any", "unknown"), ("older", "below")]
    assert (found[1].released, found[1].automations) == (True, ["daily"])
    assert len(inspections.dependents(site, admin, name="OPENPYXL")) == 3
    assert [each.bot_id for each in inspections.dependents(site, admin, name="openpyxl", released=True)] == ["older"]
    assert inspections.dependents(site, admin, name="openpyxl", ecosystem="npm") == []
    with pytest.raises(InvalidInput, match="no ecosystem 'cargo'"):
        inspections.dependents(site, admin, name="openpyxl", ecosystem="cargo")


def test_only_the_newest_file_of_a_living_version_counts(
    site: Site, admin: Principal, upload: Callable[..., wire.BotVersion]
) -> None:
    upload("hello", a_bot("openpyxl==1\n"))
    upload("hello", a_bot("openpyxl==2\n"))
    upload("gone", a_bot("openpyxl==3\n"))
    bots.exclude(site, admin, "gone", "1.0.0")

    found = inspections.dependents(site, admin, name="openpyxl")

    assert [(each.bot_id, each.dependency.version) for each in found] == [("hello", "2")]


def test_nobody_sees_what_another_workspace_depends_on(
    site: Site, other_workspace: Any, upload: Callable[..., wire.BotVersion]
) -> None:
    upload("hello", a_bot())

    assert inspections.dependents(site, other_workspace.principal("administrator"), name="openpyxl") == []


def test_the_bill_of_materials_comes_from_what_is_stored(
    site: Site, admin: Principal, upload: Callable[..., wire.BotVersion]
) -> None:
    version = upload("hello", a_bot())

    made = inspections.get_sbom(site, admin, "hello", "1.0.0")

    assert [each["purl"] for each in made["components"]] == ["pkg:pypi/openpyxl@3.1.2"]
    assert made["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": version.sha256}]
