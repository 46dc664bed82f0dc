"""What the code tells, what a folder is instead of a bot, which Node.js runs it, and the samples."""

import json

import pytest

from bottool.errors import ToolMissing
from bottool.model import Project
from bottool.settings import base_variables
from bottool_javascript import node, npm_errors
from bottool_javascript.language import JavaScript, TypeScript

NEW_NODE = "22.11.0"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("const r = require('readline-sync');", "prompts"),
        ("import prompts from 'prompts';", "prompts"),
        ("readline.createInterface({ input: process.stdin });", "prompts"),
        ("chromium.launch({ headless: false })", "needs_display"),
        ("require('dotenv').config()", "file_missing"),
        ("import 'dotenv/config';", "file_missing"),
        ("fs.readFileSync('./data/in.csv')", "file_missing"),
        ("const maestro = new BotMaestroSdk();", "never_finishes"),
        ("require('./lib/gone')", "missing_module"),
    ],
)
def test_code_that_will_not_run_unattended_is_warned_of(problems, monkeypatch, code, found):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    names = dict.fromkeys(("readline-sync", "prompts", "dotenv"), "1")
    files = {"package.json": {"dependencies": names}, "package-lock.json": "{}", "bot.js": f"\n{code}"}

    assert problems(files)[found].line == 2


@pytest.mark.parametrize(
    "code",
    [
        "// require('readline-sync')",
        "chromium.launch({ headless: true })",
        "fs.writeFileSync('out.csv', ''); fs.readFileSync('out.csv')",
        "fs.readFileSync('bot.js')",
        "new BotMaestroSdk().finishTask(1)",
    ],
)
def test_code_that_is_well_raises_no_alarm(problems, code):
    assert problems({"package.json": {}, "bot.js": code}) == {}


def test_findings_of_typescript_stand_at_its_sources(problems):
    package = {"main": "dist/bot.js", "scripts": {"build": "tsc"}}
    files = {
        "package.json": package,
        "tsconfig.json": "{}",
        "src/bot.ts": "import x from './y.js'",
        "src/y.ts": "\nimport 'gone'",
    }

    found = problems(files, "typescript")["missing_module"]

    assert (found.path, found.line, found.message[:6]) == ("src/y.ts", 2, "'gone'")


@pytest.mark.parametrize(
    ("package", "files", "kind"),
    [
        ({"scripts": {"start": "next start"}}, {}, "Next.js"),
        ({"scripts": {"start": "cross-env A=1 react-scripts start"}}, {}, "React"),
        ({"scripts": {"start": "ng serve"}}, {}, "Angular"),
        ({"scripts": {"start": "electron ."}}, {"main.js": ""}, "Electron"),
        ({"workspaces": ["a"]}, {}, "workspace"),
        ({"exports": "./lib/x.js", "main": "lib/x.js"}, {"lib/x.js": ""}, "a library"),
        ({"name": "x"}, {"playwright.config.ts": ""}, "npx playwright test"),
        ({"name": "{{ bot_id }}"}, {"bot.js": ""}, "template"),
        ({"name": "x"}, {"playwright.config.ts": ""}, 'run = ["sh", "-c", "npm ci && npx playwright test"]'),
        ({"main": "cli.js", "bin": {"make": "./cli.js"}}, {"cli.js": ""}, "a command line tool"),
        (
            {"main": "dist/index.js", "types": "dist/index.d.ts"},
            {"jest.config.js": "", "src/index.ts": ""},
            "a library",
        ),
        ({"main": "index.js", "peerDependencies": {"x": "1"}}, {"index.js": ""}, "a library"),
        (None, {"deno.json": "{}", "main.ts": ""}, "Deno"),
        (None, {"deno.json": '{"tasks": {"start": "deno run main.ts"}}'}, 'run = ["deno", "task", "start"]'),
        (None, {"deps.ts": "", "mod.ts": ""}, 'run = ["deno", "run", "--allow-all", "mod.ts"]'),
    ],
)
def test_what_is_no_bot_is_named(project_of, package, files, kind):
    files = {**files, **({"package.json": package} if package is not None else {})}

    assert kind in JavaScript().not_a_bot(project_of(files).folder)


@pytest.mark.parametrize(
    ("package", "files"),
    [
        ({"scripts": {"start": "node server.js"}, "dependencies": {"express": "4", "next": "15"}}, {"server.js": ""}),
        ({"main": "index.js"}, {"index.js": "", "jest.config.js": ""}),
        ({"exports": "./bot.js"}, {"bot.js": ""}),
        ({"bin": "./bot.js", "types": "x.d.ts"}, {"bot.js": ""}),
        ({"main": "run.js", "files": ["run.js"]}, {"run.js": ""}),
        ({"scripts": {"start": "next build && node bot.js"}}, {"bot.js": ""}),
        ({}, {"package.json": "{"}),
    ],
)
def test_what_may_be_a_bot_is_not_refused(project_of, package, files):
    assert JavaScript().not_a_bot(project_of({"package.json": package, **files}).folder) == ""


@pytest.fixture
def switcher(tmp_path, tools):
    """A version switcher with another Node.js than the usual one."""
    program = tmp_path / "nvm" / "versions" / "node" / f"v{NEW_NODE}" / "bin" / "node"
    program.parent.mkdir(parents=True)
    program.write_text("", encoding="utf-8")
    return {
        "PATH": str(node.find(base_variables()).program.parent),
        "NVM_DIR": str(tmp_path / "nvm"),
        "HOME": str(tmp_path),
    }


def test_a_node_that_fits_engines_is_found_among_those_of_a_switcher(switcher):
    found = node.fitting(switcher, f"={NEW_NODE}")

    assert (found.known_version, found.off_path) == (NEW_NODE, True)
    assert found.variables(switcher)["PATH"].startswith(str(found.program.parent))


def test_the_usual_node_is_taken_when_it_fits(switcher):
    assert not node.fitting(switcher, ">=1").off_path


def test_when_none_fits_those_there_are_named(switcher):
    with pytest.raises(ToolMissing, match=rf"needs Node\.js \^99 .*this machine has .*{NEW_NODE}") as missing:
        node.fitting(switcher, "^99")

    assert "nvm install 99" in missing.value.hint


@pytest.mark.parametrize("language", [JavaScript(), TypeScript()], ids=lambda each: each.name)
@pytest.mark.parametrize("template", ["plain", "web"])
def test_a_sample_passes_validate_and_brings_what_it_promises(tmp_path, language, template, tools):
    language.scaffold(tmp_path, "Mine", template)
    project = Project(folder=tmp_path, language=language.name, bot_id="Mine", version="1.0.0")

    assert list(language.validate(project)) == []
    assert language.lock_key(project) == ""
    assert 'id = "Mine"' in (tmp_path / "bot.toml").read_text(encoding="utf-8")
    assert (tmp_path / "README.md").read_text(encoding="utf-8").startswith("# Mine")
    assert "node --test" in json.loads((tmp_path / "package.json").read_text(encoding="utf-8"))["scripts"]["test"]


def test_the_build_key_names_the_tools_of_what_is_compiled(project_of, tools):
    plain = JavaScript().build_key(project_of({"package.json": {}, "bot.js": ""}))
    compiled = TypeScript().build_key(project_of({"package.json": {}, "tsconfig.json": "{}"}, "typescript"))

    assert "node" not in plain
    assert "npm" in compiled


def test_a_project_whose_start_is_not_there_is_told_which_files_are(project_of):
    files = {"package.json": {"name": "x", "main": "index.js"}, "OneBot.js": "", "b.js": "", "jest.config.js": ""}
    (problem,) = [each for each in JavaScript().validate(project_of(files)) if each.code == "no_entry"]

    assert problem.message.endswith("there are OneBot.js, b.js")
    assert 'entry = "OneBot.js"' in problem.hint


def test_npm_is_cut_to_the_package_and_the_registry():
    said = (
        "npm error code E404\nnpm error 404\n"
        "npm error 404  '@acme/sdk@https://registry.example/@acme/sdk/-/sdk-0.12.0.tgz' could not be found\n"
        "npm error A complete log of this run can be found in: /x\n"
    )

    error = npm_errors.failure(said, "npm ci")

    assert error.message == "npm ci could not get '@acme/sdk@0.12.0' from 'registry.example'"
    assert "complete log" not in error.output
    assert "npm error 404\n" not in f"{error.output}\n"
    assert error.details["log"] == said


def test_what_a_lock_lacks_is_all_that_is_shown_of_npms_manual():
    said = "npm error code EUSAGE\nnpm error Missing: six@1 from lock file\nnpm error\nnpm error Options:\n"

    assert npm_errors.failure(said, "npm ci").output == "npm error Missing: six@1 from lock file"


@pytest.mark.parametrize(
    ("held", "found"),
    [
        ({"node_modules/a": {"dependencies": {"b": "1"}}, "node_modules/b": {}}, []),
        ({"node_modules/a": {"dependencies": {"b": "1"}}, "node_modules/a/node_modules/b": {}}, []),
        ({"node_modules/a": {"dependencies": {"b": "1"}, "optionalDependencies": {"b": "1"}}}, []),
        ({"node_modules/a": {"dependencies": {"b": "1"}}}, [("warning", "'b'")]),
        ({"node_modules/b": {}}, [("error", "'a'")]),
    ],
)
def test_a_lock_that_lacks_what_is_asked_for_is_told_before_a_runner_finds_out(project_of, held, found):
    lock = {"lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "1"}}, **held}}
    files = {"package.json": {"dependencies": {"a": "1"}}, "bot.js": "", "package-lock.json": json.dumps(lock)}

    told = [each for each in JavaScript().validate(project_of(files)) if each.code == "lock_outdated"]

    assert [(each.severity.value, each.message.split()[3].rstrip(",")) for each in told] == found
