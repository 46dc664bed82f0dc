import pytest

from bottool.errors import ProjectError
from bottool.model import Severity

NEXT = {
    "name": "site",
    "scripts": {"dev": "next dev", "build": "next build", "start": "next start"},
    "dependencies": {"next": "15.0.0"},
}


def test_broken_json_is_named_with_its_line(problems):
    found = problems({"package.json": '{\n  "name": "x",\n  "version": 1.0.0\n}', "bot.js": ""})

    assert set(found) == {"bad_package_json"}
    problem = found["bad_package_json"]
    assert (problem.path, problem.line, problem.severity) == ("package.json", 3, Severity.ERROR)
    assert problem.message.startswith("package.json:3: expecting")


@pytest.mark.parametrize("content", ["[]", "null", b"\xff\xfe{", "[" * 100_000])
def test_a_package_json_of_another_kind_is_an_error(problems, content):
    assert problems({"package.json": content, "bot.js": ""})["bad_package_json"].severity is Severity.ERROR


def test_a_byte_order_mark_is_no_error(problems):
    assert problems({"package.json": b'\xef\xbb\xbf{"main": "bot.js"}', "bot.js": ""}) == {}


def test_a_project_without_a_start_says_where_was_looked(problems):
    found = problems({"package.json": {"name": "x", "main": "gone.js"}})["no_entry"]

    assert "'gone.js'" in found.message
    assert "index.js" in found.message
    assert "bot.toml" in found.hint


@pytest.mark.parametrize("more", [{}, {"tsconfig.json": "{}"}])
def test_a_web_site_is_refused_with_its_start_script(problems, more):
    found = problems({"package.json": NEXT, "pages/index.jsx": "", **more}, "typescript" if more else "javascript")

    assert "'next start'" in found["no_entry"].message
    assert found["no_entry"].severity is Severity.ERROR


def test_a_web_site_is_not_built(project_of, build):
    project = project_of({"package.json": {**NEXT, "scripts": {"start": "next start"}}})

    with pytest.raises(ProjectError, match="'next start'"):
        build(project)


def test_an_entry_that_is_not_there_is_named(problems):
    assert "'gone.js'" in problems({"package.json": {}, "bot.js": ""}, entry="gone.js")["no_entry"].message


def test_a_module_that_package_json_does_not_name_is_a_warning_with_its_line(problems):
    found = problems({"package.json": {}, "bot.js": "\nrequire('axios')"})["missing_module"]

    assert (found.severity, found.path, found.line) == (Severity.WARNING, "bot.js", 2)
    assert found.hint == "npm install axios"


def test_a_file_that_is_not_there_is_a_warning_with_its_line(problems):
    found = problems({"package.json": {}, "bot.js": "require('./config.json')"})["file_missing"]

    assert (found.severity, found.path, found.line) == (Severity.WARNING, "bot.js", 1)
    assert "config.json" in found.message


def test_another_node_than_engines_wants_is_a_warning(problems, tools):
    found = problems({"package.json": {"engines": {"node": ">=1000"}}, "bot.js": ""})["wrong_node"]

    assert ">=1000" in found.message
    assert found.severity is Severity.WARNING


def test_dependencies_without_a_lock_are_a_warning(problems):
    files = {"package.json": {"dependencies": {"axios": "^1"}}, "bot.js": ""}

    assert "no package-lock.json" in problems(files)["no_lock"].message
    assert "no_lock" not in problems({**files, "pnpm-lock.yaml": "lockfileVersion: '9.0'\n"})
    assert "no_lock" not in problems({**files, "package-lock.json": "{}"})


def test_install_scripts_that_will_not_run_are_a_warning(problems):
    lock = {"packages": {"node_modules/sharp": {"version": "1.0.0", "hasInstallScript": True}}}
    package = {"dependencies": {"sharp": "^1"}}

    found = problems({"package.json": package, "bot.js": "", "package-lock.json": lock})["install_scripts"]

    assert "sharp" in found.message
    assert '"allowScripts": {"sharp": true}' in found.hint
    allowed = {**package, "allowScripts": {"sharp": True}}
    assert "install_scripts" not in problems({"package.json": allowed, "bot.js": "", "package-lock.json": lock})


@pytest.mark.parametrize("said", ["file:../elsewhere", "link:/opt/thing", "../elsewhere", "file:gone"])
def test_a_dependency_outside_the_folder_is_an_error(problems, said):
    found = problems({"package.json": {"dependencies": {"ours": said}}, "bot.js": ""})["dependency_outside"]

    assert found.severity is Severity.ERROR
    assert f"'{said}'" in found.message


def test_arguments_that_the_start_script_gives_are_a_warning(problems):
    found = problems({"package.json": {"scripts": {"start": "node bot.js --prod"}}, "bot.js": ""})

    assert "--prod" in found["start_arguments"].message


def test_typescript_without_a_compiler_is_an_error(problems):
    found = problems({"package.json": {}, "tsconfig.json": "{}", "bot.ts": ""}, "typescript")["no_compiler"]

    assert found.hint == "npm install --save-dev typescript"


def test_typescript_without_a_configuration_is_an_error(problems):
    package = {"main": "bot.ts", "devDependencies": {"typescript": "7.0.2"}}

    assert "'tsconfig.json'" in problems({"package.json": package, "bot.ts": ""}, "typescript")["no_tsconfig"].message


def test_an_unknown_option_is_an_error_that_guesses(problems):
    files = {"package.json": {"scripts": {"build": "tsc"}}, "bot.ts": ""}

    assert "tsconfig" in problems(files, "typescript", tsconfg="x")["bad_option"].hint
    assert "wrong type" in problems(files, "typescript", tsconfig=5)["bad_option"].message
    assert "none" in problems({"package.json": {}, "bot.js": ""}, zzz=1)["bad_option"].hint
