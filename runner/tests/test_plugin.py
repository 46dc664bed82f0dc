import subprocess
import sys

import click

from bottool.cli.main import make_root
from bottool_runner import plugin


def test_start_joins_the_group_of_runners():
    root = make_root()
    with click.Context(root) as ctx:
        group = root.get_command(ctx, "runner")

        assert "start" in group.list_commands(click.Context(group, parent=ctx))


def test_start_brings_its_own_group_where_there_is_none():
    cli = click.Group()

    plugin.bottool_register_commands(cli)

    assert {
        "start",
        "once",
        "cache",
        "status",
        "logs",
        "pause",
        "resume",
        "drain",
        "stop",
        "install",
        "uninstall",
        "window",
    } == {*cli.commands["runner"].commands}


def test_looking_at_the_help_imports_nothing_heavy():
    code = (
        "import sys; from bottool_runner import plugin; "
        "print([name for name in ('httpx2', 'msgspec', 'psutil', 'bottool_runner.supervisor') if name in sys.modules])"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert said.strip() == "[]"


def test_a_start_without_a_server_says_what_to_say(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "bottool", "runner", "start", "--home", str(tmp_path / "home")],
        capture_output=True,
        text=True,
        check=False,
        env={"BOTTOOL_CONFIG": str(tmp_path), "PATH": ""},
    )

    assert done.returncode == 3
    assert "no server is named" in done.stderr
    assert "--server" in done.stderr
