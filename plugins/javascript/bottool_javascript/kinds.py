"""What a folder with a ``package.json`` is when it is no bot: a web application, a library, a test suite.

Decided by the start script and the files beside it, never by dependencies alone: a bot may well use express. What has a
plausible start is a bot.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bottool_javascript import entry, package_json

_SERVERS = {
    "next": "a Next.js application",
    "nuxt": "a Nuxt application",
    "nuxi": "a Nuxt application",
    "vite": "a web application (vite)",
    "react-scripts": "a React application",
    "ng": "an Angular application",
    "vue-cli-service": "a Vue application",
    "gatsby": "a Gatsby site",
    "astro": "an Astro site",
    "svelte-kit": "a Svelte application",
    "remix": "a Remix application",
    "remix-serve": "a Remix application",
    "nest": "a Nest application",
    "electron": "an Electron application",
    "electron-forge": "an Electron application",
    "expo": "a React Native application",
    "react-native": "a React Native application",
    "serve": "a web site",
    "http-server": "a web site",
    "webpack-dev-server": "a web application",
    "parcel": "a web application",
}
_TESTS = {"playwright": ("playwright.config.*",), "jest": ("jest.config.*",), "cypress": ("cypress.config.*",)}
_DENO = ("deno.json", "deno.jsonc", "deno.lock")
_DENO_STARTS = ("main.ts", "bot.ts", "mod.ts", "index.ts", "src/main.ts", "src/mod.ts", "src/index.ts", "main.js")
_DENO_LIMIT = 200_000
_JS = frozenset({".js", ".mjs", ".cjs"})
_NO_SCRIPT = re.compile(r"\.(config|test|spec|setup)\.|^\.|^(gulpfile|Gruntfile)\.")
_OF_A_LIBRARY = ("exports", "module", "types", "typings", "peerDependencies", "publishConfig")
"""What only a package says that others install."""
_SAY_START = 'if it is a bot all the same, give it a start script: "start": "node FILE.js" in package.json'
_LIBRARY = "a library (package.json has no start script)"
_RUNS_TESTS = re.compile(r"\s*(?:npx\s+)?(?:jest|vitest|mocha|playwright test|cypress)\b")
_WORDS = re.compile(r"[^\s'\"]+")
_SKIPPED = re.compile(r"npx|cross-env|dotenv|--?[\w=-]*|\w+=\S*|exec|run|--")
_SEPARATOR = re.compile(r"&&|\|\||[;|&]")


def not_a_bot(folder: Path) -> str:
    """What ``folder`` is instead; empty for what may be a bot."""
    if not (folder / package_json.FILE_NAME).is_file():
        return _without_package(folder)
    said = package_json.raw(folder)
    if not said:
        # What is wrong with it is told by validate.
        return ""
    scripts = {name: text for name, text in _table(said, "scripts").items() if isinstance(text, str)}
    if server := _served_by(scripts.get("start", "") or scripts.get("dev", "")):
        return server
    if any("{{" in str(said.get(key, "")) for key in ("name", "main", "version")):
        return "a template whose {{ }} are not filled in"
    return "" if _has_start(folder, said, scripts) else _without_start(folder, said, scripts)


def _served_by(script: str) -> str:
    """The kind of application whose own command the last part of a script is."""
    for part in reversed(_SEPARATOR.split(script)):
        words = [word for word in _WORDS.findall(part) if not _SKIPPED.fullmatch(word)]
        if words:
            return _SERVERS.get(words[0], "")
    return ""


def _has_start(folder: Path, said: dict[str, Any], scripts: dict[str, str]) -> bool:
    exists: Callable[[str], bool] = lambda name: (folder / name).is_file()  # noqa: E731 - handed on
    package = package_json.read(folder)
    if "start" in scripts or (folder / "bot.toml").is_file():
        return True
    if any(key in said for key in ("bin", *_OF_A_LIBRARY)) and not _bot_by_name(exists):
        return False
    return bool(entry.find(package, exists) or entry.source_of(package, exists) or package.main)


def _bot_by_name(exists: Callable[[str], bool]) -> bool:
    return any(exists(f"{name}.js") or exists(f"src/{name}.ts") for name in ("bot", "app", "main"))


def _without_start(folder: Path, said: dict[str, Any], scripts: dict[str, str]) -> str:
    if "workspaces" in said:
        return "the root of an npm workspace"
    if said.get("main") and any(key in said for key in _OF_A_LIBRARY):
        return f"{_LIBRARY}\n{_SAY_START}"
    if suite := _test_suite(folder, said, scripts):
        return suite
    if "bin" in said:
        return f"a command line tool (package.json has bin and no start script)\n{_SAY_START}"
    if any(key in said for key in (*_OF_A_LIBRARY, "files")):
        return f"{_LIBRARY}\n{_SAY_START}"
    return ""


def _test_suite(folder: Path, said: dict[str, Any], scripts: dict[str, str]) -> str:
    for name, patterns in _TESTS.items():
        if any(next(folder.glob(pattern), None) for pattern in patterns):
            run = "npx playwright test" if name == "playwright" else f"npx {name}"
            line = json.dumps(["sh", "-c", f"npm ci && {run}"])
            advice = f'to run it as a bot, say in a bot.toml: language = "command" and below [command] run = {line}'
            return f"a {name} test suite\n{advice}"
    runs_tests = _RUNS_TESTS.match(scripts.get("test", ""))
    return "a test suite" if runs_tests and not said.get("main") else ""


def _without_package(folder: Path) -> str:
    if any((folder / name).is_file() for name in (*_DENO, "deps.ts")):
        return f"a Deno project\n{_deno_advice(folder)}"
    return ""


def scripts(folder: Path) -> tuple[str, ...]:
    """JavaScript files right in the folder with which a bot may start; settings of tools are none."""
    try:
        found = [each.name for each in folder.iterdir() if each.suffix in _JS and each.is_file()]
    except OSError:
        return ()
    likely = [name for name in found if not _NO_SCRIPT.search(name)]
    return tuple(sorted(likely, key=lambda name: ("bot" not in name.lower(), name.lower())))


def _deno_advice(folder: Path) -> str:
    """Deno starts a file or a task of its own; what it needs it fetches itself."""
    said = next((text for name in _DENO[:2] if (text := _text_of(folder / name))), "")
    task = re.search(r'"(start|run|bot|main)"\s*:\s*"deno ', said)
    file = next((name for name in _DENO_STARTS if (folder / name).is_file()), "main.ts")
    run = ["deno", "task", task[1]] if task else ["deno", "run", "--allow-all", file]
    return (
        f'say in a bot.toml: language = "command" and below [command] run = {json.dumps(run)}; deno must be installed'
    )


def _text_of(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_DENO_LIMIT)
    except OSError:
        return ""


def _table(said: dict[str, Any], key: str) -> dict[str, Any]:
    value = said.get(key)
    return value if isinstance(value, dict) else {}
