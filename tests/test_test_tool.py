"""The test tool's judgement of a part, with pytest really run."""

import importlib.util
import sys
from argparse import Namespace
from pathlib import Path

import pytest

TOOLS = Path(__file__).parent.parent / "tools"


@pytest.fixture
def tool(monkeypatch):
    """``tools/test.py``, which is no package's module."""
    known = set(sys.modules)
    monkeypatch.syspath_prepend(str(TOOLS))
    spec = importlib.util.spec_from_file_location("bottool_test_tool", TOOLS / "test.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in {"programs", "wheels", "workshop"} - known:
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("text", "ci", "well"),
    [
        ("", "", True),
        ("", "true", False),
        ("def test_it():\n    pass\n", "true", True),
        ("def test_it():\n    assert False\n", "", False),
    ],
)
def test_a_part_without_tests_is_well_only_outside_continuous_integration(tool, monkeypatch, tmp_path, text, ci, well):
    monkeypatch.setenv("CI", ci)
    (tmp_path / "test_it.py").write_text(text, encoding="utf-8")
    part = tool.Part(name="tried", budget_minutes=1, paths=(str(tmp_path),))

    assert tool.run(part, Namespace(long=False), []).well is well


@pytest.mark.parametrize("status", [1, 2, 3, 4])
def test_no_other_failure_of_pytest_counts_as_well(tool, monkeypatch, status):
    monkeypatch.setenv("CI", "")

    assert not tool.is_well(status)
