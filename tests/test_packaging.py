"""The distributions fit together: equal versions, the same shape, nothing that names a registry's own names too early."""

import re
import tomllib
from pathlib import Path
from typing import Any

import bottool

ROOT = Path(__file__).resolve().parent.parent
MEMBERS = [*sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml")), ROOT / "web", ROOT / "runner"]


def project_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    return found


def test_there_are_core_and_seven_members() -> None:
    names = [project_of(folder)["name"] for folder in MEMBERS]

    assert names == [
        *("bottool-command", "bottool-java", "bottool-javascript", "bottool-notify", "bottool-python"),
        *("bottool-web", "bottool-runner"),
    ]


def test_all_have_the_version_that_core_says() -> None:
    assert {project_of(folder)["version"] for folder in [ROOT, *MEMBERS]} == {bottool.__version__}


def test_a_member_depends_on_core_by_the_line_that_a_stranger_writes() -> None:
    for folder in MEMBERS:
        ours = [each for each in project_of(folder)["dependencies"] if each.startswith("bottool")]
        assert ours == ["bottool>=0.1,<0.2"], folder.name


def test_core_names_no_member() -> None:
    project = project_of(ROOT)
    named = [
        *project["dependencies"],
        *(each for group in project.get("optional-dependencies", {}).values() for each in group),
    ]

    assert [each for each in named if each.startswith("bottool")] == []


def test_every_distribution_has_the_same_shape() -> None:
    for folder in MEMBERS:
        name = project_of(folder)["name"].replace("-", "_")
        missing = [
            each
            for each in ("README.md", f"{name}/py.typed", f"{name}/__init__.py", "tests")
            if not (folder / each).exists()
        ]
        assert missing == [], folder.name


def test_every_member_announces_its_plugin() -> None:
    for folder in MEMBERS:
        project = project_of(folder)
        name = project["name"]
        short = name.removeprefix("bottool-")
        assert project["entry-points"]["bottool"] == {short: f"{name.replace('-', '_')}.plugin"}


def test_what_is_installed_has_exact_versions_and_hashes() -> None:
    for file in sorted((ROOT / "requirements").glob("*.txt")):
        entries = re.split(r"\n(?=\S)", file.read_text("utf-8").strip())
        loose = [
            each.partition("\n")[0]
            for each in entries
            if not each.startswith("#") and ("==" not in each or "--hash=sha256:" not in each)
        ]
        assert loose == [], file.name


def test_everything_that_a_distribution_needs_is_in_the_compiled_requirements() -> None:
    compiled = (ROOT / "requirements" / "runtime.txt").read_text("utf-8")
    there = {name.replace("_", "-").lower() for name in re.findall(r"^([A-Za-z0-9_.-]+)==", compiled, re.MULTILINE)}

    needed = {
        re.match(r"[A-Za-z0-9_.-]+", each)[0].replace("_", "-").lower()  # type: ignore[index]
        for folder in [ROOT, *MEMBERS]
        for each in project_of(folder)["dependencies"]
        if not each.startswith("bottool")
    }

    assert needed - there == set()


def test_later_requirements_hold_to_what_the_earlier_ones_chose() -> None:
    def pins(purpose: str) -> dict[str, str]:
        text = (ROOT / "requirements" / f"{purpose}.txt").read_text("utf-8")
        return dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", text, re.MULTILINE))

    for purpose, earlier in {"dev": "runtime", "build": "dev", "test": "dev"}.items():
        chosen, held = pins(purpose), pins(earlier)
        assert {name: version for name, version in chosen.items() if held.get(name, version) != version} == {}
