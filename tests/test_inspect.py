"""What is told of packages that are there: their files, their bill of materials, and the one id that they can have."""

import json
import tarfile
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from bottool import archive, contents, sbom
from bottool.environments import Cache, make_ready
from bottool.language import Language
from bottool.model import Dependency, Inspection, Limits, Package
from bottool.opening import open_package
from bottool.plugins import Plugins
from bottool.run import run

SUBJECT = sbom.Subject(bot_id="hello", version="1.0", language="python", sha256="ab" * 32, entry="bot.py")
PARTS = (
    Dependency(name="Foo_Bar", version="1.0+local", ecosystem="pypi", direct=True, licence="mit"),
    Dependency(name="org.slf4j:slf4j-api", version="2.0.1", ecosystem="maven", licence="Apache-2.0 OR MIT"),
    Dependency(name="@scope/name", version="1.2.3", ecosystem="npm", licence="see the file LICENSE"),
    Dependency(name="rake", version="13.0", ecosystem="gem"),
    Dependency(name="open", ecosystem="pypi"),
    Dependency(name="foo-bar", version="1.0+local", ecosystem="pypi"),
)


def test_a_bill_of_materials_is_valid_against_the_official_schema() -> None:
    text = sbom.text(sbom.document(SUBJECT, PARTS))

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text.replace("CycloneDX", "Other")) is not None


def test_each_part_bears_the_package_url_of_its_ecosystem_once() -> None:
    made = sbom.document(SUBJECT, PARTS)

    assert [each["purl"] for each in made["components"]] == [
        "pkg:gem/rake@13.0",
        "pkg:maven/org.slf4j/slf4j-api@2.0.1",
        "pkg:npm/%40scope/name@1.2.3",
        "pkg:pypi/foo-bar@1.0%2Blocal",
        "pkg:pypi/open",
    ]
    assert made["dependencies"][0] == {"ref": "bot:hello@1.0", "dependsOn": ["pkg:pypi/foo-bar@1.0%2Blocal"]}
    licences = {each["name"]: each.get("licenses") for each in made["components"]}
    assert licences["Foo_Bar"] == [{"license": {"id": "MIT"}}]
    assert licences["slf4j-api"] == [{"expression": "Apache-2.0 OR MIT"}]
    assert licences["name"] == [{"license": {"name": "see the file LICENSE"}}]


def test_the_same_package_gives_the_same_bill_whatever_the_order() -> None:
    assert sbom.text(sbom.document(SUBJECT, PARTS)) == sbom.text(sbom.document(SUBJECT, tuple(reversed(PARTS))))


def test_files_are_held_against_the_manifest(tmp_path: Path) -> None:
    archive.pack_zip(tmp_path / "a.zip", {"bot.py": b"1", "old.py": b"2", "same.py": b"3"}, manifest={"bot_id": "a"})
    with zipfile.ZipFile(tmp_path / "a.zip") as before, zipfile.ZipFile(tmp_path / "b.zip", "w") as after:
        for name in ("bottool.json", "same.py"):
            after.writestr(name, before.read(name))
        after.writestr("bot.py", "changed")
        after.writestr("new.py", "")

    whole, changed = contents.files(tmp_path / "a.zip"), contents.files(tmp_path / "b.zip")

    manifest = archive.read_manifest(tmp_path / "a.zip")
    assert contents.differences(whole, manifest) == ()
    assert [each.message for each in contents.differences(changed, manifest)] == [
        "'bot.py' is another file than its manifest says",
        "'new.py' is in the package, but not in its manifest",
        "'old.py' is in the manifest, but not in the package",
    ]


def test_a_source_distribution_of_ours_fits_its_manifest(tmp_path: Path) -> None:
    archive.pack_tar_gz(tmp_path / "a.tar.gz", {"A/__main__.py": b"1"}, root="A-1.0", manifest={"bot_id": "A"})

    found = contents.files(tmp_path / "a.tar.gz")

    assert [file.name for file in found] == ["A/__main__.py", "bottool.json"]
    assert contents.differences(found, archive.read_manifest(tmp_path / "a.tar.gz")) == ()


@pytest.mark.parametrize("said", [{"files": "x"}, {"files": None}, {}, {"files": {"bot.py": 5, "b\udcff": []}}])
def test_a_manifest_that_says_nonsense_breaks_nothing(tmp_path: Path, said: dict[str, Any]) -> None:
    archive.pack_zip(tmp_path / "a.zip", {"bot.py": b"1"})

    told = contents.differences(contents.files(tmp_path / "a.zip"), said)

    assert len(told) == (2 if isinstance(said.get("files"), dict) else 0)


@pytest.mark.parametrize("text", [b"[" * 200_000, b'{"a":' * 100_000, b"\xff", b"[]"])
def test_a_manifest_that_cannot_be_read_says_nothing(tmp_path: Path, text: bytes) -> None:
    archive.pack_zip(tmp_path / "a.zip", {"bot.py": b"1", "bottool.json": text})

    assert archive.read_manifest(tmp_path / "a.zip") == {}


class Legacy(Language):
    """Packages that know the one id which they can have, as BotCity's older Python layout does."""

    name, title, technologies = "legacy", "Legacy", ("LEGACY",)

    def recognises(self, folder: Path) -> bool:
        return (folder / "setup.py").exists()

    def inspect(self, package: Package) -> Inspection:
        return Inspection(entry="BotTable", bot_id="BotTable")

    scaffold = identify = validate = build = environment_key = prepare = command = toolchain = None  # type: ignore[assignment]


@pytest.fixture
def plugins() -> Plugins:
    made = Plugins()
    Legacy.__abstractmethods__ = frozenset()
    made._languages["legacy"], made._owners["legacy"] = Legacy(), "legacy"  # type: ignore[abstract]
    return made


@pytest.mark.parametrize(
    ("file_name", "said", "told"),
    [
        ("BotTable-1.0.zip", "", []),
        ("bottable-1.0.zip", "", ["the package can only run as 'BotTable', not as 'bottable'"]),
        ("BotTable-1.0.zip", "other", ["the package can only run as 'BotTable', not as 'other'"]),
        ("two words.zip", "", ["the package can only run as 'BotTable', not as 'two words'"]),
    ],
)
def test_a_package_that_demands_its_id_gets_it_whoever_says_another(
    tmp_path: Path, plugins: Plugins, file_name: str, said: str, told: list[str]
) -> None:
    archive.pack_zip(tmp_path / file_name, {"setup.py": b""})

    package = open_package(tmp_path / file_name, plugins, bot_id=said)

    assert package.bot_id == "BotTable"
    assert [each.message for each in package.notes] == told


def test_a_legacy_package_that_was_uploaded_under_another_id_starts_the_right_module(tmp_path: Path) -> None:
    pytest.importorskip("bottool_python")
    path, lines = tmp_path / "BotTable-1.0.tar.gz", []
    files = {"setup.py": b"", "BotTable/__init__.py": b"", "BotTable/__main__.py": b"print('this is BotTable')"}
    archive.pack_tar_gz(path, files, root="BotTable-1.0")
    plugins = Plugins.load()

    opened = open_package(path, plugins)
    deployed = replace(opened, bot_id="invoices", notes=())  # as a runner hears it from the server
    installation = make_ready(plugins, deployed, Cache(tmp_path / "cache"), tmp_path / "files", lambda _: None)
    outcome = run(
        plugins,
        installation,
        task=None,
        limits=Limits(timeout_seconds=60),
        output=lambda _stream, data: lines.append(data),
        stop_requested=lambda: False,
    )

    assert opened.bot_id == "BotTable"
    assert outcome.succeeded, b"".join(lines)
    assert b"".join(lines).strip() == b"this is BotTable"


# As a person types it.


def a_zip_of_windows(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in {
            "bot.py": "print('hello')",
            "data\\table.csv": "a;b",
            "requirements.txt": "openpyxl==3.1.2",
        }.items():
            info = zipfile.ZipInfo()
            info.filename = name  # as it stands: the constructor would mend it
            packed.writestr(info, text)
    return path


def test_a_zip_that_a_windows_script_made_is_told_with_mended_names(bottool: Any, tmp_path: Path) -> None:
    pytest.importorskip("bottool_python")
    found = bottool.json("inspect", str(a_zip_of_windows(tmp_path / "old.zip")))

    assert (found["bot_id"], found["language"], found["entry"], found["made_by"]) == ("old", "python", "bot.py", "")
    assert [file["name"] for file in found["files"]] == ["bot.py", "data/table.csv", "requirements.txt"]
    assert found["dependencies"][0] | {"licence": ""} == {
        "name": "openpyxl",
        "version": "3.1.2",
        "licence": "",
        "ecosystem": "pypi",
        "direct": True,
    }


def test_the_bill_of_materials_on_stdout_and_in_a_file_is_one(bottool: Any, tmp_path: Path) -> None:
    pytest.importorskip("bottool_python")
    package = a_zip_of_windows(tmp_path / "old.zip")

    done = bottool("inspect", str(package), "--sbom", "--sbom-file", str(tmp_path / "bom.json"))

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "bom.json").read_text("utf-8") == done.stdout
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(done.stdout) is None
    assert json.loads(done.stdout)["metadata"]["component"]["name"] == "old"


def test_a_folder_is_to_be_built_first(bottool: Any) -> None:
    done = bottool("inspect", ".")

    assert done.returncode == 3
    assert "build it first" in done.stderr


def test_a_hostile_package_is_refused_on_one_line(bottool: Any, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "evil.tar.gz", "w:gz") as packed:
        packed.addfile(tarfile.TarInfo("../../evil"), BytesIO())

    done = bottool("inspect", str(tmp_path / "evil.tar.gz"))

    assert done.returncode == 3
    assert "error: 'evil.tar.gz' is refused" in done.stderr
    assert "Traceback" not in done.stderr
