"""A bot in any language speaks to its server by the command line: no SDK, no login."""

from pathlib import Path
from typing import Any

SCRIPT = """\
set -e
city=$(bottool task parameters "$BOTTOOL_TASK" city)
echo "goes to $city"
bottool task report --total 3 --processed 1 --failed 2 --message "on its way"
bottool alert create --type warn --title late --message "the train to $city is late"
printf 'a,b\\n1,2\\n' > result.csv
bottool artifact send result.csv
bottool log add trips city="$city" rows:=2
bottool finish --status partial --message "went to $city"
"""


def shell_bot(folder: Path) -> Path:
    folder.mkdir()
    (folder / "bot.toml").write_text(
        'id = "traveller"\nversion = "1.0.0"\nlanguage = "command"\n\n[command]\nrun = ["sh", "work.sh"]\n'
    )
    (folder / "work.sh").write_text(SCRIPT)
    return folder


def test_a_shell_script_reads_reports_and_finishes_by_itself(home: Any, tmp_path: Path) -> None:
    home.deploy(shell_bot(tmp_path / "traveller"))
    home.automate("travels", "traveller", "-p", "city")
    home.bottool("log", "create", "trips", "--column", "city", "--column", "rows")
    home.start_runner()

    task_id = home.new_task("travels", "-p", "city=São Paulo")
    task = home.wait_for_state(task_id, "partial", "failed", "succeeded")

    assert (task.state, task.message) == ("partial", "went to São Paulo"), home.output(task_id)
    assert (task.total_items, task.processed_items, task.failed_items) == (3, 1, 2)
    assert "goes to São Paulo" in home.output(task_id)
    (alert,) = home.json("alert", "list", "--task", str(task_id))
    assert alert["message"] == "the train to São Paulo is late"
    (artifact,) = home.json("artifact", "list", "--task", str(task_id))
    assert artifact["size_bytes"] == len("a,b\n1,2\n")
    (entry,) = home.json("log", "entries", "trips")
    assert entry["values"] == {"city": "São Paulo", "rows": 2}
