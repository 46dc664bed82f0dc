"""Whatever a bot sends of what it has read, in whichever form: the database and the pages hold none of it."""

import base64
import html
import json
import textwrap
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from bottool import wire
from bottool_web.actions import alerts, artifacts, attempts, credentials, errors, identity, logs, messages, tasks
from bottool_web.actions.output import read_output
from bottool_web.app import create_app
from bottool_web.store.tables import metadata

SECRET = 'p@ss/wörd+1 "x" <&>'
FORMS = {
    "raw": SECRET,
    "url": quote(SECRET, safe=""),
    "json": json.dumps(SECRET)[1:-1],
    "html": html.escape(SECRET),
    "hex": SECRET.encode().hex(),
    **{f"base64 {at}": base64.b64encode(b"u" * at + SECRET.encode()).decode() for at in range(3)},
}
FORMS |= {f"{name}, split": "\n".join(textwrap.wrap(form, 9)) for name, form in FORMS.items() if name != "raw"}


@pytest.fixture
def browser(site, workspace, account):
    client = create_app(site).test_client()
    cookie, _ = identity.start_session(site, workspace.email, workspace.password, "")
    client.set_cookie("bottool_session", cookie)
    return client


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_form_of_a_secret_is_kept_anywhere(site, admin, life, box, ask, browser):
    secrets = [wire.Secret(key="pass", value=SECRET)]
    credentials.create(site, admin, wire.NewCredential(label="bank", secrets=secrets))
    logs.create(site, admin, wire.NewLog(label="work", columns=[wire.LogColumn(label="said")]))
    ask()
    work, permit = life.start(box)
    bot, task_id = identity.principal_of_token(site, permit.token), work.task_id
    credentials.read_value(site, bot, "bank", "pass")
    output, report = 0, None

    for form in FORMS.values():
        flat = form.replace("\n", "")
        said, line = f"says {form} here", f"says {flat} here"
        frame = wire.pack_frame(wire.Frame(wire.Stream.STDOUT, 0.0, said.encode()))
        output = attempts.append_output(site, box, task_id, work.attempt, output, frame).next_offset
        alerts.create_alert(site, bot, wire.NewAlert(task_id=task_id, title=line, message=said, type="warn"))
        messages.send(site, bot, wire.NewMessage(emails=["ana@example.org"], subject=said, body=said))
        logs.add_entry(site, bot, "work", wire.NewLogEntry(values={"said": said}))
        if "/" not in form:
            artifacts.create(site, bot, wire.NewArtifact(task_id=task_id, name=line, file_name=f"{flat}.txt"))
        new = wire.NewErrorReport(task_id=task_id, type=flat[:200], message=said, stack_trace=said, tags={"said": said})
        report = errors.create(site, bot, new)
        if "/" not in form:
            errors.attach(site, bot, report.id, f"{flat}.txt", [b"text"])
    everything = " ".join(FORMS.values())
    tasks.finish(site, bot, task_id, wire.Finish(status="failed", message=everything))
    life.end(box, work, exit_code=1, message=everything, left_behind=[everything])

    def dump(tx):
        return "\n".join(str(list(row)) for table in metadata.sorted_tables for row in tx.execute(sa.select(table)))

    kept = site.store.read(dump) + read_output(site, admin, task_id)[0].decode("utf-8", "replace")
    for path in (
        f"/tasks/{task_id}",
        "/alerts",
        "/messages",
        "/logs/work",
        "/artifacts",
        "/errors",
        f"/errors/{report.id}",
        "/audit",
    ):
        answer = browser.get(path, buffered=True)
        assert answer.status_code == 200, path
        kept += html.unescape(answer.get_data(as_text=True))
    assert "says ***" in kept
    for name, form in FORMS.items():
        # Signs at the ends of base64 hold bits of what stands beside the secret.
        for piece in form[4:-4].split("\n"):
            assert len(piece) < 4 or piece not in kept, name
