"""Locks of other tools, and dependencies in their words."""

import contextlib
import json

import pytest

from bottool_python import conda, foreign_locks, locks, metadata, poetry, requirements, tree
from bottool_python.layout import Options


def tree_of(files):
    data = {name: text.encode() for name, text in files.items()}
    return tree.Tree(names=tuple(sorted(data)), read=data.get)


def lines(name, text, *direct):
    return foreign_locks.convert(name, text.encode(), direct).splitlines()


UV = """
version = 1
[[package]]
name = "mine"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "a" }, { name = "w", marker = "sys_platform == 'win32'" }, { name = "x", extra = ["more"] }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]
[[package]]
name = "a"
version = "1.0"
source = { registry = "https://registry.example/simple" }
dependencies = [{ name = "b", marker = "python_version < '3.12'" }]
wheels = [{ url = "https://registry.example/a.whl", hash = "sha256:aa" }]
[[package]]
name = "b"
version = "2.0"
source = { registry = "https://registry.example/simple" }
dependencies = [{ name = "a" }]
sdist = { url = "https://registry.example/b.tar.gz", hash = "sha256:bb" }
[[package]]
name = "w"
version = "3.0"
source = { registry = "https://registry.example/simple" }
dependencies = [{ name = "b" }]
wheels = [{ url = "https://registry.example/w.whl", hash = "sha256:cc" }]
[[package]]
name = "x"
version = "4.0"
source = { git = "https://code.example/x?rev=main#0123" }
[package.optional-dependencies]
more = [{ name = "y" }]
[[package]]
name = "y"
version = "5.0"
source = { registry = "https://registry.example/simple" }
wheels = [{ url = "https://registry.example/y.whl", hash = "sha256:dd" }]
[[package]]
name = "pytest"
version = "9"
source = { registry = "https://registry.example/simple" }
"""


def test_uv_lock_gives_what_the_bot_itself_needs_without_naming_the_index():
    assert lines("uv.lock", UV) == [
        "a==1.0 --hash=sha256:aa",
        "b==2.0 ; (python_version < '3.12') or (sys_platform == 'win32') --hash=sha256:bb",
        "w==3.0 ; (sys_platform == 'win32') --hash=sha256:cc",
        "x @ git+https://code.example/x@0123",
        "y==5.0 --hash=sha256:dd",
    ]


def test_an_extra_that_is_asked_for_after_its_package_was_met_counts():
    source = 'source = { registry = "https://registry.example/simple" }'
    text = f"""
version = 1
[[package]]
name = "mine"
version = "0.1.0"
source = {{ virtual = "." }}
dependencies = [{{ name = "a" }}, {{ name = "b" }}]
[[package]]
name = "a"
version = "1.0"
{source}
dependencies = [{{ name = "b", extra = ["more"], marker = "os_name == 'nt'" }}]
[[package]]
name = "b"
version = "2.0"
{source}
[package.optional-dependencies]
more = [{{ name = "c" }}]
[[package]]
name = "c"
version = "3.0"
{source}
"""

    assert lines("uv.lock", text) == ["a==1.0", "b==2.0", "c==3.0 ; (os_name == 'nt')"]


def test_poetry_lock_with_groups_gives_the_main_one():
    text = """
[[package]]
name = "a"
version = "1.0"
groups = ["main", "dev"]
markers = {main = "sys_platform == 'win32'"}
files = [{file = "a.whl", hash = "sha256:aa"}]
[[package]]
name = "pytest"
version = "9"
groups = ["dev"]
files = []
[metadata]
lock-version = "2.1"
"""

    assert lines("poetry.lock", text) == ["a==1.0 ; sys_platform == 'win32' --hash=sha256:aa"]


def test_an_older_poetry_lock_is_followed_from_what_the_bot_asks_for():
    text = """
[[package]]
name = "A_b"
version = "1.0"
files = [{file = "a.whl", hash = "sha256:aa"}]
[package.dependencies]
c = {version = ">=1", markers = "sys_platform == 'win32'"}
[[package]]
name = "c"
version = "2"
files = [{file = "c.whl", hash = "sha256:cc"}]
[[package]]
name = "pytest"
version = "9"
files = []
[metadata]
lock-version = "2.0"
"""

    assert lines("poetry.lock", text, "a-b") == [
        "A_b==1.0 --hash=sha256:aa",
        "c==2 ; (sys_platform == 'win32') --hash=sha256:cc",
    ]


def test_pylock_and_pipfile_lock_are_read():
    pylock = """
lock-version = "1.0"
[[packages]]
name = "a"
version = "1"
wheels = [{url = "https://registry.example/a.whl", hashes = {sha256 = "aa"}}]
[[packages]]
name = "d"
version = "1"
marker = "'dev' in dependency_groups"
"""
    pipfile = {"default": {"a": {"version": "==1", "hashes": ["sha256:aa"], "markers": "os_name == 'nt'"}}}

    assert lines("pylock.toml", pylock) == ["a==1 --hash=sha256:aa"]
    assert lines("Pipfile.lock", json.dumps(pipfile)) == ["a==1 ; os_name == 'nt' --hash=sha256:aa"]


@pytest.mark.parametrize("name", foreign_locks.FILES)
@pytest.mark.parametrize("text", ["", "[", "[[package]]\nname = 3", '{"default": 3}', "package = 3"])
def test_a_broken_lock_is_no_crash(name, text):
    with contextlib.suppress(foreign_locks.BadLock):
        assert lines(name, text) == []


def test_beside_a_requirements_file_only_our_lock_counts():
    files = {"bot.py": "", "requirements.txt": "six\n", "uv.lock": UV}
    both = tree_of(files)
    ours = tree_of({**files, "requirements.lock": "-e file:.\nsix==1 --hash=sha256:00\n"})

    assert locks.find(both, requirements.read(both, Options())) is None
    assert locks.find(ours, requirements.read(ours, Options())).text == "six==1 --hash=sha256:00\n"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("~1.2", ">=1.2,<1.3"),
        ("~1", ">=1,<2"),
        ("1.2.3", "==1.2.3"),
        (">=1, <2", ">=1,<2"),
        ("*", ""),
        ("^1 || ^2", ""),
    ],
)
def test_poetrys_ranges_are_translated(said, meant):
    assert poetry.versions(said) == meant


def test_poetrys_tables_are_translated():
    table = {
        "python": "^3.11",
        "a": {"version": "^1", "extras": ["x"], "markers": "os_name == 'nt'"},
        "b": {"git": "https://code.example/b", "rev": "0123"},
        "c": {"version": "1", "optional": True},
        "d": [{"version": "1", "python": "<3.12"}, {"version": "2", "python": ">=3.12"}],
    }

    assert poetry.dependencies(table) == (
        "a[x]>=1,<2 ; (os_name == 'nt')",
        "b @ git+https://code.example/b@0123",
        "d==1 ; python_version < '3.12'",
        "d==2 ; python_version >= '3.12'",
    )
    assert poetry.python_range(table) == ">=3.11,<4"


def test_condas_pip_part_and_python_are_read():
    text = """
channels:
  - conda-forge
dependencies:
  - python=3.10.12   # comment
  - pip=23.2
  - nodejs=18
  - pip:
      - robocorp==1.4.0
      - pandas
"""
    found = conda.read(tree_of({"conda.yaml": text}))

    assert (found.python, found.lines, found.others) == ("==3.10.*", ("robocorp==1.4.0", "pandas"), ("nodejs=18",))
    assert conda.read(tree_of({"conda.yaml": "a: &a [*a, *a]\n" * 3})).lines == ()


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({".python-version": "3.11.4\n"}, "==3.11.*"),
        ({".python-version": "my-env\n"}, ""),
        ({".python-version": "3.12", "pyproject.toml": "[project]\nrequires-python = '>=3.9'"}, ">=3.9,==3.12.*"),
        ({"pyproject.toml": "[tool.poetry.dependencies]\npython = '~3.11'"}, ">=3.11,<3.12"),
        ({"environment.yml": "dependencies:\n- python>=3.9\n"}, ">=3.9"),
    ],
)
def test_the_python_that_is_wanted_is_found(files, wanted):
    assert metadata.requires_python(tree_of(files)) == wanted
