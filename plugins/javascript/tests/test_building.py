"""Packages: of plain files, and of what a compiler makes of them."""

import json
import zipfile
from dataclasses import replace

import pytest

from bottool import archive
from bottool.errors import BuildError
from bottool.model import Project, TaskContext
from bottool_javascript.language import JavaScript, TypeScript

PRINTS = "console.log('here I am');"
COPY = """const fs = require("fs"); fs.mkdirSync("dist"); fs.copyFileSync("src/bot.src", "dist/bot.js");"""


def names(path):
    return set(archive.check(path).names)


@pytest.fixture
def typescript(tmp_path, tools) -> Project:
    """The TypeScript sample."""
    folder = tmp_path / "o robô é meu"
    folder.mkdir()
    TypeScript().scaffold(folder, "Mine", "")
    return Project(folder=folder, language="typescript", bot_id="Mine", version="1.0.0")


def change_package(project, **changes):
    path = project.folder / "package.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


def test_a_package_holds_the_files_without_installed_packages(project_of, build):
    project = project_of(
        {
            "package.json": {},
            "bot.js": PRINTS,
            "package-lock.json": {},
            "resources/ação.png": b"\x89",
            "node_modules/x/index.js": "",
        }
    )

    assert names(build(project)) == {
        "package.json",
        "bot.js",
        "package-lock.json",
        "resources/ação.png",
        "bottool.json",
    }


def test_a_start_below_dist_is_packed_though_dist_is_left_out_as_a_rule(project_of, build, installed, start, tools):
    project = project_of({"package.json": {"main": "dist/bot.js"}, "dist/bot.js": PRINTS, "dist/Mine-0.9.0.zip": "old"})
    project = replace(project, exclude=("/dist",))

    path = build(project)

    assert names(path) == {"package.json", "dist/bot.js", "bottool.json"}
    assert start(installed(path)).stdout == "here I am\n"


def test_a_start_that_only_a_build_script_makes_is_made(project_of, build, installed, start, tools):
    package = {"main": "dist/bot.js", "scripts": {"build": "node make.js"}}
    project = project_of({"package.json": package, "make.js": COPY, "src/bot.src": PRINTS})

    path = build(replace(project, exclude=("/dist",)))

    assert "dist/bot.js" in names(path)
    assert start(installed(path)).stdout == "here I am\n"
    assert not (project.folder / "dist").exists()


def test_a_build_script_may_call_npm_itself(project_of, build, tools):
    package = {"main": "dist/bot.js", "scripts": {"build": "npm run make", "make": "node make.js"}}
    project = project_of({"package.json": package, "make.js": COPY, "src/bot.src": PRINTS})

    assert "dist/bot.js" in names(build(project))


def test_a_build_script_does_not_learn_our_keys(project_of, build, tools, monkeypatch):
    monkeypatch.setenv("BOTTOOL_KEY", "swordfish")
    tell = "node -e \"console.log('key', process.env.BOTTOOL_KEY, process.env.HOME); process.exit(1)\""

    with pytest.raises(BuildError) as refusal:
        build(project_of({"package.json": {"main": "dist/bot.js", "scripts": {"build": tell}}}))

    assert "key undefined" in refusal.value.output
    assert "swordfish" not in refusal.value.output


def test_a_build_script_that_fails_is_an_error_with_its_output(project_of, build, tools, tmp_path):
    package = {"main": "dist/bot.js", "scripts": {"build": "node -e \"console.log('no flour'); process.exit(1)\""}}

    with pytest.raises(BuildError, match=r"^npm run build failed") as refusal:
        build(project_of({"package.json": package}))

    assert "no flour" in refusal.value.output
    assert list((tmp_path / "saída").iterdir()) == []


def test_a_type_error_is_named_with_its_line(typescript, build):
    path = typescript.folder / "src" / "bot.ts"
    path.write_text(path.read_text(encoding="utf-8") + "\nconst wrong: number = 'text';\n", encoding="utf-8")
    line = path.read_text(encoding="utf-8").splitlines().index("const wrong: number = 'text';") + 1

    with pytest.raises(BuildError, match=rf"^src/bot\.ts:{line}: TS2322: Type 'string' is not assignable") as refusal:
        build(typescript)

    assert "TS2322" in refusal.value.output


def test_without_a_build_script_the_projects_own_compiler_runs(typescript, build, installed, start):
    change_package(typescript, scripts={"start": "ts-node src/bot.ts"}, main="")
    (typescript.folder / "tsconfig.json").rename(typescript.folder / "tsconfig.prod.json")

    path = build(replace(typescript, exclude=("/dist",)))

    assert archive.read_manifest(path)["entry"] == "dist/bot.js"
    assert not [name for name in names(path) if name.endswith(".ts") or "tsconfig" in name]
    assert "running offline" in start(installed(path)).stdout


def test_the_configuration_that_bot_toml_names_is_used(typescript, build):
    change_package(typescript, scripts={}, main="")
    other = json.loads((typescript.folder / "tsconfig.json").read_text(encoding="utf-8"))
    other["compilerOptions"]["outDir"] = "elsewhere"
    (typescript.folder / "tsconfig.other.json").write_text(json.dumps(other), encoding="utf-8")

    path = build(replace(typescript, options={"tsconfig": "tsconfig.other.json"}))

    assert "elsewhere/bot.js" in names(path)


def test_a_start_that_does_not_come_out_is_an_error_that_lists_what_did(typescript, build):
    change_package(typescript, scripts={"build": "tsc", "start": "node dist/other.js"}, main="dist/gone.js")
    (typescript.folder / "src" / "bot.ts").rename(typescript.folder / "src" / "thing.ts")

    with pytest.raises(BuildError, match=r"'dist/other\.js'; it made 'dist/thing\.js'"):
        build(typescript)


def test_a_compiler_that_is_missing_is_said(project_of, build, tools):
    project = project_of({"package.json": {"main": "bot.ts"}, "tsconfig.json": "{}", "bot.ts": PRINTS}, "typescript")

    with pytest.raises(BuildError, match="no TypeScript compiler") as refusal:
        build(project)

    assert refusal.value.hint == "npm install --save-dev typescript"


@pytest.mark.parametrize("language", [JavaScript(), TypeScript()], ids=lambda each: each.name)
def test_a_built_sample_finishes_its_task(language, tmp_path, build, installed, start, maestro, tools):
    folder = tmp_path / "o robô"
    folder.mkdir()
    language.scaffold(folder, "Mine", "")
    path = build(Project(folder=folder, language=language.name, bot_id="Mine", version="1.0.0"))

    ended = start(installed(path), TaskContext(server=maestro.address, task_id=7, workspace="ours", token="a-token"))

    assert ended.returncode == 0, ended.stderr
    assert '{"name":"Zoë"}' in ended.stdout
    (read, finished) = maestro.calls
    assert read[:3] == ("GET", "/api/v2/task/7", "a-token")
    assert finished[:3] == ("POST", "/api/v2/task/7", "a-token")
    assert finished[3] == {
        "state": "FINISHED",
        "finishStatus": "SUCCESS",
        "finishMessage": "All 5 items are done.",
        "totalItems": 5,
        "processedItems": 5,
        "failedItems": 0,
    }


def test_a_sample_that_the_server_refuses_ends_with_a_status(tmp_path, build, installed, start, empty_registry, tools):
    folder = tmp_path / "o robô"
    folder.mkdir()
    JavaScript().scaffold(folder, "Mine", "")
    path = build(Project(folder=folder, language="javascript", bot_id="Mine", version="1.0.0"))

    ended = start(installed(path), TaskContext(server=empty_registry.address, task_id=7, workspace="ours", token="t"))

    assert ended.returncode == 1
    assert "answered 404" in ended.stderr


def test_an_archive_with_everything_in_one_folder_is_started_there(tmp_path, installed, package_of, start, tools):
    path = tmp_path / "made elsewhere.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("the bot/package.json", '{"scripts": {"start": "node --no-warnings run.js"}}')
        packed.writestr("the bot/run.js", "console.log(require('path').basename(process.cwd()), process.execArgv[0])")

    assert JavaScript().inspect(package_of(path)).entry == "run.js"
    assert start(installed(path)).stdout == "the bot --no-warnings\n"


def test_an_archive_without_package_json_is_started_by_a_usual_name(tmp_path, installed, start, tools):
    path = tmp_path / "made elsewhere.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("bot.js", PRINTS)

    assert start(installed(path)).stdout == "here I am\n"


def test_inspection_tells_entry_range_and_locked_dependencies(project_of, build, package_of):
    lock = {"packages": {"node_modules/a": {"version": "1.2.3", "license": "MIT"}, "node_modules/d": {"dev": True}}}
    package = {"engines": {"node": ">=18"}, "dependencies": {"a": "^1"}}
    path = build(project_of({"package.json": package, "package-lock.json": lock, "app.js": PRINTS}))

    found = JavaScript().inspect(package_of(path))

    assert (found.entry, found.requires) == ("app.js", ">=18")
    assert [(each.name, each.version, each.licence) for each in found.dependencies] == [("a", "1.2.3", "MIT")]


def test_inspection_of_a_package_without_a_start_is_a_problem(tmp_path, package_of):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("package.json", "{}")

    assert [problem.code for problem in JavaScript().inspect(package_of(path)).problems] == ["no_entry"]
