"""What is read out of package.json, start scripts, code and version ranges, without running anything."""

import pytest

from bottool_javascript import entry, imports, package_json, ranges
from bottool_javascript.language import JavaScript, TypeScript
from bottool_javascript.package_json import PackageJson


@pytest.mark.parametrize(
    ("script", "file", "options"),
    [
        ("node app.js", "app.js", ()),
        ("node ./dist/bootstrap/start.js", "dist/bootstrap/start.js", ()),
        (
            "node --max-old-space-size=4096 -r dotenv/config bot.js",
            "bot.js",
            ("--max-old-space-size=4096", "-r", "dotenv/config"),
        ),
        ("npm run build && node dist/main.js", "dist/main.js", ()),
        ("cross-env NODE_ENV=production node 'my bot.js'", "my bot.js", ()),
        ("NODE_ENV=production node bot.js", "bot.js", ()),
        ("npx ts-node src\\main.ts", "src/main.ts", ()),
        ("nodemon bot.js", "bot.js", ()),
    ],
)
def test_a_start_script_says_the_file_and_the_options_for_node(script, file, options):
    found = entry.of_script(script)

    assert found is not None
    assert (found.file, found.options) == (file, options)


@pytest.mark.parametrize(
    "script", ["", "next start", "vite preview", "node", "node -v", "react-scripts start", "node &&"]
)
def test_a_start_script_without_a_file_says_none(script):
    assert entry.of_script(script) is None


def test_what_a_script_gives_to_the_bot_is_dropped_and_known():
    found = entry.of_script("node bot.js --headless prod")

    assert found is not None
    assert found.dropped == ("--headless", "prod")


@pytest.mark.parametrize(
    ("said", "there", "chosen", "file"),
    [
        ({"main": "lib/app"}, {"lib/app.js", "index.js"}, "", "lib/app.js"),
        ({"main": "lib"}, {"lib/index.mjs"}, "", "lib/index.mjs"),
        ({"main": "gone.js"}, {"bot.js"}, "", "bot.js"),
        ({}, {"app.js", "bot.js"}, "", "app.js"),
        ({"scripts": {"start": "node run.js"}, "main": "app.js"}, {"app.js", "run.js"}, "", "run.js"),
        ({"scripts": {"start": "node run.js"}, "main": "app.js"}, {"app.js"}, "", "app.js"),
        ({"main": "app.js"}, {"app.js", "other.cjs"}, "other", "other.cjs"),
        ({"main": "../outside.js"}, {"../outside.js"}, "", ""),
        ({"main": "/etc/passwd"}, {"/etc/passwd"}, "", ""),
        ({"main": "data.json"}, {"data.json"}, "", ""),
        ({"main": "app.js"}, {"app.js"}, "gone.js", ""),
    ],
)
def test_the_start_is_found_where_projects_write_it(said, there, chosen, file):
    found = entry.find(PackageJson(**said), there.__contains__, chosen)

    assert (found.file if found else "") == file


@pytest.mark.parametrize(
    ("source", "made", "file"),
    [
        ("src/main.ts", ["dist/main.js", "dist/other.js"], "dist/main.js"),
        ("src/main.ts", ["dist/src/main.js", "dist/main.js"], "dist/src/main.js"),
        ("bot.mts", ["out/bot.mjs"], "out/bot.mjs"),
        ("src/main.ts", ["dist/xmain.js"], ""),
    ],
)
def test_the_compiled_file_is_the_one_whose_path_ends_most_alike(source, made, file):
    assert entry.compiled_from(source, made) == file


@pytest.mark.parametrize(
    ("wanted", "version", "holds"),
    [
        (">=18", "20.11.1", True),
        (">= 18", "16.0.0", False),
        ("^18.2.0", "18.20.1", True),
        ("^18.2.0", "18.1.9", False),
        ("^18", "19.0.0", False),
        ("^0.3.1", "0.4.0", False),
        ("~20.1", "20.1.9", True),
        ("~20.1", "20.2.0", False),
        ("20.x", "20.9.9", True),
        ("20.x", "21.0.0", False),
        ("18", "18.5.0", True),
        ("16 || >=20 <22", "21.9.0", True),
        ("16 || >=20 <22", "22.0.0", False),
        ("18.0.0 - 20", "20.9.0", True),
        ("18.0.0 - 20", "21.0.0", False),
        (">18", "18.9.9", False),
        ("<=18", "18.9.9", True),
        ("*", "1.0.0", True),
        ("", "1.0.0", True),
        ("lts/*", "1.0.0", True),
        ("v20.1.0", "20.1.0", True),
    ],
)
def test_a_range_of_versions_is_understood_as_npm_does(wanted, version, holds):
    assert ranges.holds(wanted, version) is holds


CODE = """
// require('in-a-comment')
/* import 'in-another'; */
const { chromium } = require("playwright"), text = "// no comment: require", url = 'https://example.org';
import axios, { AxiosError } from 'axios';
import "@scope/polyfill/auto";
export * from './lib/helper.js';
const part = await import(`lodash/fp`);
const fs = require('node:fs'), path = require("path");
const later = require(name);
const gone = require('./gone');
"""


def test_code_says_what_it_asks_for(project_of):
    folder = project_of({"bot.js": CODE, "lib/helper.js": "require('from-helper'); require('../bot.js')"}).folder

    found = imports.follow(folder, "bot.js")

    assert [each.name for each in found.packages] == ["playwright", "axios", "@scope/polyfill", "lodash", "from-helper"]
    assert [(each.name, each.path, each.line) for each in found.missing_files] == [("gone", "bot.js", 11)]
    assert found.computed
    assert {each.name: (each.path, each.line) for each in found.packages}["axios"] == ("bot.js", 5)


@pytest.mark.parametrize("piece", ["/*", "export ", "import(", "require('", "`${", "from 'x"])
def test_code_that_is_no_code_is_read_in_a_moment(project_of, piece):
    folder = project_of({"bot.js": piece * 200_000}).folder

    assert imports.follow(folder, "bot.js").missing_files == ()


def test_names_that_npm_could_take_for_options_are_not_handed_to_it():
    said = b'{"allowScripts": {"--foreground-scripts": true, "@s/ok@1.2.3": true, "a&b": true, "sharp": true}}'

    assert package_json.understood(said).allowed == ("@s/ok@1.2.3", "sharp")


def test_a_lock_says_versions_licences_and_scripts():
    lock = b"""{"packages": {"": {}, "node_modules/a": {"version": "1.0.0", "license": "MIT", "hasInstallScript": true},
      "node_modules/a/node_modules/@s/b": {"version": "2.0.0", "dev": true, "hasInstallScript": true}}}"""

    found = package_json.locked(lock)

    assert [(each.name, each.version, each.licence, each.dev) for each in found] == [
        ("@s/b", "2.0.0", "", True),
        ("a", "1.0.0", "MIT", False),
    ]
    assert package_json.unreviewed(PackageJson(), found, dev=False) == ("a",)
    assert package_json.unreviewed(PackageJson(), found, dev=True) == ("@s/b", "a")
    assert package_json.unreviewed(PackageJson(allowed=("a@1.0.0",), denied=("@s/b",)), found, dev=True) == ()


@pytest.mark.parametrize("lock", [b"", b"[]", b'{"packages": []}', b"{", b'{"lockfileVersion": 1, "dependencies": {}}'])
def test_a_lock_that_says_nothing_is_no_error(lock):
    assert package_json.locked(lock) == ()


@pytest.mark.parametrize(
    ("files", "recognised_by"),
    [
        ({"package.json": "{}"}, "javascript"),
        ({"package.json": '{"main": "src/bot.ts"}'}, "typescript"),
        ({"package.json": '{"scripts": {"start": "ts-node bot.ts"}}'}, "typescript"),
        ({"package.json": "{}", "tsconfig.json": "{}"}, "typescript"),
        ({"package.json": "{}", "tsconfig.build.json": "{}"}, "typescript"),
        ({"package.json": "{ broken"}, "javascript"),
        ({"tsconfig.json": "{}"}, ""),
    ],
)
def test_exactly_one_of_the_two_languages_recognises_a_project(project_of, files, recognised_by):
    folder = project_of(files).folder

    assert [each.name for each in (JavaScript(), TypeScript()) if each.recognises(folder)] == [
        *filter(None, [recognised_by])
    ]


@pytest.mark.parametrize(
    ("said", "identity"),
    [
        ({"name": "@acme/invoices", "version": "2.0.1"}, ("invoices", "2.0.1")),
        ({"name": "", "version": "not a version"}, ("", "")),
        ({"name": 5}, ("", "")),
    ],
)
def test_id_and_version_come_from_package_json_when_they_can_be_labels(project_of, said, identity):
    assert JavaScript().identify(project_of({"package.json": said}).folder) == identity
