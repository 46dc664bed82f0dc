"""A real server is killed while its mail server holds a mail: the next one sends it, under the same Message-ID."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bottool import wire
from bottool_web.actions import messages, setup
from bottool_web.settings import SiteSettings
from bottool_web.store.scope import Principal

PROGRAM = """
import sys
from pathlib import Path
from bottool_web.actions.setup import open_site
from bottool_web.serve import serve
from bottool_web.settings import SiteSettings
mail = dict(smtp_host="127.0.0.1", smtp_port=int(sys.argv[2]), smtp_tls="none", mail_from="bots@acme.example")
serve(open_site(SiteSettings(data=Path(sys.argv[1]), port=0, delivery_seconds=float(sys.argv[3]), **mail)))
"""


def start(data: Path, port: int, seconds: float) -> "subprocess.Popen[bytes]":
    server = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(data), str(port), str(seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert server.stdout is not None
    assert b"serves" in server.stdout.readline()
    return server


def end(server: "subprocess.Popen[bytes]", sign: int) -> None:
    server.send_signal(sign)
    server.wait(20)
    assert server.stdout is not None
    server.stdout.close()


@pytest.mark.skipif(sys.platform == "win32", reason="it ends servers by signals")
def test_a_killed_server_loses_no_mail(
    tmp_path: Path, start_mail: Any, mailbox: Any, until: Callable[..., None]
) -> None:
    data, port = tmp_path / "data", start_mail().port
    site = setup.open_site(SiteSettings(data=data))
    workspace_id = setup.create_workspace(site, "acme", "acme", "a key of the workspace")
    somebody = Principal(kind="account", id=1, name="ana", role="operator", workspace_id=workspace_id)
    new = wire.NewMessage(emails=["ana@acme.example"], subject="Done", body="all")
    made = messages.send(site, somebody, new)
    site.close()

    mailbox.hangs.set()
    killed = start(data, port, 2)
    until(lambda: mailbox.seen)
    end(killed, signal.SIGKILL)
    mailbox.hangs.clear()
    server = start(data, port, 2)
    until(lambda: mailbox.taken)
    end(server, signal.SIGTERM)

    assert [mail["Message-ID"] for mail in mailbox.taken] == [mailbox.seen[0]["Message-ID"]]
    site = setup.open_site(SiteSettings(data=data))
    (sent,) = messages.get_message(site, somebody, made.id).deliveries
    site.close()
    assert (sent.state, sent.tries) == ("sent", 2)
