"""``bottool validate``, ``adopt`` and ``new --list`` as a person types them, on projects in the shapes that exist."""

import importlib.util
import json
import os
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

HERE = Path(__file__).resolve().parent
SPEC = importlib.util.spec_from_file_location("shapes", HERE / "bots" / "shapes.py")
shapes: Any = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(shapes)

PASSWORD = "Xk29" + "!abQ"


@pytest.fixture
def shape(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a shape into a folder of its name."""

    def write(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        shapes.SHAPES[name](folder)
        return folder

    return write


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def members(package: Path) -> dict[str, bytes]:
    """The files in a package but for its manifest, which names every other."""
    with zipfile.ZipFile(package) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != "bottool.json"}


# What is found, and the exit status.


def test_every_problem_is_shown_with_its_place_code_and_hint_and_no_secret(bottool, shape):
    done = bottool("validate", str(shape("py-careless")))

    assert done.returncode == 0
    assert "bot.py:2: warning: a value for 'password' is written into the code [secret_in_code]" in done.stdout
    assert (
        "bot.py:3: warning: 'C:\\Users\\ana\\Documents\\planilha.xlsx' is a path of one machine [absolute_path]"
        in done.stdout
    )
    for code in ("windows_only", "big_file", "dotenv_left_out"):
        assert f"[{code}]" in done.stdout
    assert "0 errors" in done.stderr
    assert "bottool validate --explain" in done.stderr
    assert PASSWORD not in done.stdout + done.stderr


def test_warnings_fail_only_when_that_is_asked_for(bottool, shape):
    folder = str(shape("py-careless"))

    assert bottool("validate", folder).returncode == 0
    assert bottool("validate", folder, "--strict").returncode == 3


def test_errors_fail_and_come_first(bottool, shape):
    folder = shape("py-careless")
    (folder / "bot.toml").write_text('[python]\nno_such = "x"\n', "utf-8")

    done = bottool("validate", str(folder))

    assert done.returncode == 3
    assert done.stdout.startswith("bot.toml: error: ")
    assert "[bad_option]" in done.stdout.splitlines()[0]


def test_json_says_everything_and_where_the_page_is(bottool, shape):
    folder = shape("py-careless")

    said = bottool.json("validate", str(folder))

    problem = next(each for each in said["problems"] if each["code"] == "secret_in_code")
    assert (said["bot_id"], said["language"], said["folder"]) == ("py-careless", "python", str(folder))
    assert problem.keys() == {"severity", "code", "message", "hint", "path", "line", "page"}
    assert (problem["severity"], problem["path"], problem["line"]) == ("warning", "bot.py", 2)
    assert problem["page"] == "docs/problems/secret_in_code.md"


def test_a_page_is_printed(bottool):
    done = bottool("validate", "--explain", "secret_in_code")

    assert done.returncode == 0
    assert done.stdout == (HERE.parent / "docs/problems/secret_in_code.md").read_text("utf-8")


def test_a_page_that_is_not_there_is_refused_with_the_nearest(bottool):
    done = bottool("validate", "--explain", "secrets_in_code")

    assert done.returncode == 5
    assert "did you mean 'secret_in_code'?" in done.stderr


# SARIF.


def check_sarif(log: Any, root: Path) -> list[dict[str, Any]]:
    """The rules of SARIF 2.1.0 as far as they touch what we write; returns the results."""
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    assert set(run) == {"tool", "columnKind", "results"}
    assert run["columnKind"] in {"utf16CodeUnits", "unicodeCodePoints"}
    driver = run["tool"]["driver"]
    assert (driver["name"], set(driver)) == ("bottool", {"name", "version", "rules"})
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for rule in driver["rules"]:
        assert set(rule) == {"id", "shortDescription", "help", "defaultConfiguration"}
        assert set(rule["help"]) == {"text", "markdown"}
        assert all(
            isinstance(text, str) and text for text in (*rule["help"].values(), rule["shortDescription"]["text"])
        )
        assert rule["defaultConfiguration"]["level"] in {"error", "warning"}
    for result in run["results"]:
        assert set(result) == {"ruleId", "ruleIndex", "level", "message", "locations"}
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in {"error", "warning"}
        assert set(result["message"]) == {"text"} and result["message"]["text"]
        for location in result["locations"]:
            place = location["physicalLocation"]
            uri = place["artifactLocation"]["uri"]
            assert uri.isascii() and " " not in uri and "\\" not in uri and not uri.startswith("/")
            assert (root / unquote(uri)).exists()
            if "region" in place:
                assert set(place["region"]) == {"startLine"}
                assert place["region"]["startLine"] >= 1
    assert str(root) not in json.dumps(log)
    return run["results"]


def test_sarif_has_a_rule_for_each_code_and_a_place_for_each_result(bottool, shape):
    folder = shape("py-careless")

    done = bottool("validate", str(folder), "--sarif")

    results = check_sarif(json.loads(done.stdout), folder)
    assert {"secret_in_code", "absolute_path", "windows_only"} <= {each["ruleId"] for each in results}
    assert PASSWORD not in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are Unicode there")
def test_a_name_that_is_no_unicode_can_be_told(bottool, shape):
    folder = shape("py-careless")
    inner = os.fsencode(folder) + b"/d\xff"
    os.mkdir(inner)
    with open(inner + b"/x.py", "w", encoding="utf-8") as file:
        file.write(f'password = "{PASSWORD}"\n')

    sarif, plain = (bottool("validate", str(folder), option).stdout for option in ("--sarif", "--json"))

    places = [each["locations"][0]["physicalLocation"] for each in json.loads(sarif)["runs"][0]["results"]]
    assert "d%FF/x.py" in {each["artifactLocation"]["uri"] for each in places}
    assert os.fsdecode(b"d\xff/x.py") in plain.encode().decode("unicode_escape", "surrogatepass")


def test_sarif_of_a_repository_has_places_from_its_root(bottool, shape):
    folder = shape("py-accents")
    bot = folder / shapes.BOTS["py-accents"][0]
    (bot / "bot.py").write_text('x = r"C:\\Users\\ana\\x.txt"\n', "utf-8")

    results = check_sarif(json.loads(bottool("validate", str(folder), "--all", "--sarif").stdout), folder)

    uri = results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert unquote(uri) == f"{shapes.BOTS['py-accents'][0]}/bot.py"


# Where bots are found.


@pytest.mark.parametrize("name", [name for name, bots in shapes.BOTS.items() if not bots])
def test_what_is_no_bot_is_refused_in_one_sentence(bottool, shape, name):
    done = bottool("validate", str(shape(name)))

    assert done.returncode == 3
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 2


def test_a_bot_in_a_subfolder_is_taken_and_that_is_said(bottool, shape):
    done = bottool("validate", str(shape("py-subfolder")))

    assert done.returncode == 0
    assert "· the bot is in '" in done.stderr
    assert "botPython'" in done.stderr


def test_several_bots_are_listed_and_all_are_judged_when_asked(bottool, shape):
    folder = shape("py-many")

    refused = bottool("validate", str(folder))
    done = bottool("validate", str(folder), "--all")

    assert refused.returncode == 3
    assert "6 bots: api_metropole, bot_eleitor, bot_pdf_excel, bot_web_pdf, clima_manaus, desafio07" in refused.stderr
    assert done.returncode == 0
    assert "api_metropole: warning: the names of this bot disagree" in done.stdout
    assert done.stderr.count(" in python") == 6


def test_one_broken_bot_of_many_costs_itself_only(bottool, shape):
    folder = shape("py-many")
    (folder / "bot_eleitor/bot.toml").write_text("id = 3\n", "utf-8")

    done = bottool("validate", str(folder), "--all", "--json")

    bots = {Path(each["folder"]).name: each for each in json.loads(done.stdout)["bots"]}
    assert done.returncode == 3
    assert [each["code"] for each in bots["bot_eleitor"]["problems"]] == ["bad_project"]
    assert len(bots) == 6


def test_two_bots_with_one_name_are_told(bottool, shape):
    done = bottool("validate", str(shape("py-twice")), "--all")

    assert done.stdout.count("[id_taken]") == 2


# Adopting.


@pytest.mark.parametrize("name", ["py-new", "py-names", "py-main", "py-in-environment", "javascript-plain"])
def test_adopting_changes_nothing_but_adds_a_bot_toml(bottool, shape, name):
    folder = shape(name)
    before = contents(folder)
    first = bottool.json("build", str(folder), "--out", str(folder.parent / "1"))

    done = bottool("adopt", str(folder))

    assert done.returncode == 0, done.stderr
    after = contents(folder)
    said = tomllib.loads(after.pop("bot.toml").decode())
    assert after == before
    assert (said["id"], said["version"], said["language"]) == (first["bot_id"], first["version"], first["language"])
    second = bottool.json("build", str(folder), "--out", str(folder.parent / "2"))
    packed = members(Path(second["path"]))
    del packed["bot.toml"]
    assert packed == members(Path(first["path"]))
    assert [each for each in second["problems"] if each["code"] == "name_disagrees"] == []


def test_a_bot_toml_is_never_overwritten(bottool, shape):
    folder = shape("py-new")
    (folder / "bot.toml").write_text('id = "mine"\n', "utf-8")

    done = bottool("adopt", str(folder))

    assert done.returncode == 6
    assert (folder / "bot.toml").read_text("utf-8") == 'id = "mine"\n'


def test_id_and_version_may_be_said_while_adopting(bottool, shape):
    folder = shape("py-old")

    assert bottool("adopt", str(folder), "--id", "BotTable", "--version", "2.0").returncode == 0

    said = tomllib.loads((folder / "bot.toml").read_text("utf-8"))
    assert (said["id"], said["version"], said["entry"]) == ("BotTable", "2.0", "BotTable")
    assert bottool("build", str(folder)).returncode == 0


def test_every_bot_of_a_repository_is_adopted_but_those_that_are(bottool, shape):
    folder = shape("py-many")
    (folder / "desafio07/bot.toml").write_text('id = "seven"\n', "utf-8")

    done = bottool("adopt", str(folder), "--all")

    assert done.returncode == 0, done.stderr
    assert len(list(folder.glob("*/bot.toml"))) == 6
    assert "desafio07' has a bot.toml already" in done.stderr
    text = (folder / "bot_eleitor/bot.toml").read_text("utf-8")
    assert "build.sh says 'bot_aval_lg'" in text
    assert bottool("adopt", str(folder), "--all", "--id", "x").returncode == 2


# Templates.


def test_languages_and_their_templates_are_listed(bottool):
    listed = bottool.json("new", "--list")

    assert {"python", "command"} <= {each["language"] for each in listed}
    assert "LANGUAGE" in bottool("new", "--list").stdout


def test_a_name_and_a_language_are_asked_for(bottool):
    assert "missing NAME" in bottool("new", "python").stderr
    assert "missing LANGUAGE and NAME" in bottool("new").stderr
    assert "there is no language 'pyhton'" in bottool("new", "pyhton", "x").stderr
    refused = bottool("new", "python", "x", "--template", "wbe")
    assert refused.returncode == 3
    assert "there is no template 'wbe'" in refused.stderr
