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
EVERY_VERB = """\
set -e
test -z "$BOTTOOL_LOGIN$BOTTOOL_KEY"
printf 'ação\\n' > notes.txt
printf '\\211PNG\\r\\n\\032\\n' > screen.png
printf '  File "/b/work.py", line 3, in main\\nValueError: no' > trace.txt

bottool log create stops --column city --column rows=Linhas
bottool log add stops city=Évora rows:=1
bottool log entries stops
bottool log show stops
bottool log list
bottool log export stops --out stops.csv
cat stops.csv
bottool log create gone --column a
bottool log delete gone --yes

bottool alert create --title one --message "ação"
bottool alert list --task "$BOTTOOL_TASK"

bottool message send --to ana@example.org --subject "Concluído" --body "ação" --json

bottool artifact send notes.txt --name Notes
number=$(bottool artifact list --task "$BOTTOOL_TASK" --json | tr -d ' ' | sed -n 's/^"id":\\([0-9]*\\),$/\\1/p')
bottool artifact show "$number"
bottool artifact get "$number" --out again.txt
cmp notes.txt again.txt

error=$(bottool error create --type ValueError --message "não" --trace-file trace.txt --attach notes.txt --tag os=x)
bottool error attach "$error" stops.csv --screenshot screen.png
bottool error show "$error"
bottool error list --task "$BOTTOOL_TASK"
bottool error groups
bottool error group 1
echo "all was said"
"""


def shell_bot(folder: Path, script: str = SCRIPT) -> Path:
    folder.mkdir()
    (folder / "bot.toml").write_text(
        'id = "traveller"\nversion = "1.0.0"\nlanguage = "command"\n\n[command]\nrun = ["sh", "work.sh"]\n'
    )
    (folder / "work.sh").write_text(script, encoding="utf-8")
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


def test_what_a_bot_has_to_say_needs_nothing_but_the_variables_of_its_task(home: Any, tmp_path: Path) -> None:
    home.deploy(shell_bot(tmp_path / "traveller", EVERY_VERB))
    home.automate("travels", "traveller")
    home.start_runner()

    task_id = home.new_task("travels")
    task = home.wait_for_state(task_id, "succeeded", "failed")

    assert task.state == "succeeded", home.output(task_id)
    assert "all was said" in home.output(task_id)
    (entry,) = home.json("log", "entries", "stops")
    assert (entry["values"], entry["task_id"]) == ({"city": "Évora", "rows": 1}, task_id)
    assert [each["label"] for each in home.json("log", "list")] == ["stops"]
    (message,) = home.json("message", "list")
    assert (message["subject"], message["task_id"]) == ("Concluído", task_id)
    (report,) = home.json("error", "list", "--task", str(task_id))
    assert (report["version"], report["attempt"], report["place"]) == ("1.0.0", 1, "work.py in main")
    shown = home.json("error", "show", str(report["id"]))
    assert sorted((each["kind"], each["name"]) for each in shown["files"]) == [
        ("attachment", "notes.txt"),
        ("attachment", "stops.csv"),
        ("screenshot", "screen.png"),
    ]
    said = home.bottool("error", "resolve", str(report["group_id"])).stderr
    assert "opens again for a version newer than traveller 1.0.0" in said
