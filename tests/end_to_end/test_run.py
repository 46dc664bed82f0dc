"""``bottool run`` with bots that use the unmodified SDK, in several languages, against the server of the run."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.end_to_end

PYTHON = """
from botcity.maestro import *
maestro = BotMaestroSDK.from_sys_args()
execution = maestro.get_execution()
print("name", execution.parameters["name"], maestro.get_credential("erp", "user"))
maestro.alert(execution.task_id, "Hello", "from the bot", AlertType.INFO)
maestro.finish_task(execution.task_id, AutomationTaskFinishStatus.SUCCESS, "Olá", 5, 4, 1)
"""
JAVASCRIPT = """
const [server, task, token] = process.argv.slice(2);
const call = (path, body) => fetch(server + path, {
  method: body ? "POST" : "GET", headers: {token, "Content-Type": "application/json"}, body: body && JSON.stringify(body),
});
(async () => {
  const found = await (await call(`/api/v2/task/${task}`)).json();
  console.log("name", found.parameters.name, await (await call("/api/v2/credential/erp/key/user")).text());
  await call("/api/v2/alerts", {taskId: task, title: "Hello", message: "from the bot", type: "INFO"});
  await call(`/api/v2/task/${task}`, {state: "FINISHED", finishStatus: "SUCCESS", finishMessage: "Olá",
    totalItems: 5, processedItems: 4, failedItems: 1});
})();
"""
SHELL = """
server=$1 task=$2 token=$3
ask() { curl -sSf -H "token: $token" -H 'Content-Type: application/json' "$@"; }
name=$(ask "$server/api/v2/task/$task" | sed -n 's/.*"name":"\\([^"]*\\)".*/\\1/p')
echo "name $name $(ask "$server/api/v2/credential/erp/key/user")"
ask -o /dev/null -d "{\\"taskId\\": $task, \\"title\\": \\"Hello\\", \\"message\\": \\"from the bot\\", \\"type\\": \\"INFO\\"}" "$server/api/v2/alerts"
ask -o /dev/null -d '{"state": "FINISHED", "finishStatus": "SUCCESS", "finishMessage": "Olá", "totalItems": 5,
  "processedItems": 4, "failedItems": 1}' "$server/api/v2/task/$task"
"""
BOTS = {
    "python": (sys.executable, "bot.py", PYTHON),
    "node": ("node", "bot.js", JAVASCRIPT),
    "sh": ("sh", "bot.sh", SHELL),
}


@pytest.mark.parametrize("kind", BOTS)
def test_a_bot_is_answered_as_by_a_site(tmp_path: Path, kind: str) -> None:
    program, name, source = BOTS[kind]
    for tool in {program, "curl"} if kind == "sh" else {program}:
        if shutil.which(tool) is None:
            assert not os.environ.get("CI"), f"{tool} is missing; in CI that is a failure"
            pytest.skip(f"{tool} is not installed")
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "bot.toml").write_text(
        f'id = "{kind}"\nlanguage = "command"\n\n[command]\nrun = {json.dumps([program, name])}\n'
    )
    (tmp_path / "bot" / name).write_text(source)
    credentials = tmp_path / "own.json"
    credentials.write_text('{"erp": {"user": "ana"}}')

    given = ["--json", "-p", "name=Zoe", "--credentials", str(credentials)]

    done = subprocess.run(
        [sys.executable, "-m", "bottool", "run", str(tmp_path / "bot"), *given],
        env={**os.environ, "BOTTOOL_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    task = json.loads(done.stdout)["task"]
    assert "name Zoe ana" in done.stderr
    assert (task["state"], task["by_bot"], task["message"]) == ("succeeded", True, "Olá")
    assert (task["total_items"], task["processed_items"], task["failed_items"]) == (5, 4, 1)
    assert task["alerts"] == [{"type": "info", "title": "Hello", "message": "from the bot"}]
    assert (task["unanswered"], task["refused"]) == ([], [])
