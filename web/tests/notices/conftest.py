"""A real mail server for the tests of mail: it keeps what it takes, and misbehaves when it is told to."""

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from bottool_web.actions.site import Site
from bottool_web.store import workspaces

USER, PASSWORD = "bots", "a password of the mail server"


@dataclass
class Mailbox:
    """``seen`` was sent, ``taken`` acknowledged. ``answers`` are replies to recipients (``to``) or texts (``data``) in place of taking them."""

    seen: list[EmailMessage] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    to: dict[str, str] = field(default_factory=dict)
    data: str = ""
    asked: int = 0
    hangs: threading.Event = field(default_factory=threading.Event)

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        self.asked += 1
        if address in self.to:
            return self.to[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=default)  # type: ignore[arg-type]
        self.seen.append(mail)
        while self.hangs.is_set():  # noqa: ASYNC110  # the test sets it from another thread
            await asyncio.sleep(0.05)
        if self.data:
            return self.data
        self.taken.append(mail)
        self.recipients += envelope.rcpt_tos
        return "250 OK"


class MailServer(Controller):
    """``start`` and ``stop`` as of a controller; it keeps its port."""

    def __init__(self, mailbox: Mailbox, **more: Any) -> None:
        self.mailbox, self._more = mailbox, more
        super().__init__(mailbox, hostname="127.0.0.1", port=more.pop("port", 0), ssl_context=more.pop("ssl", None))

    def factory(self) -> SMTP:
        return SMTP(self.handler, hostname="mail.example", **self._more)

    def _trigger_server(self) -> None:
        # Port 0 took a free one; the controller's own check would ask port 0.
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


@dataclass(frozen=True)
class Login:
    user: str = USER
    password: str = PASSWORD
    check: Callable[..., AuthResult] = authenticate


@pytest.fixture
def mail_login() -> Login:
    """With which the mail server lets somebody in."""
    return Login()


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], None]:
    return _until


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def start_mail(mailbox: Mailbox) -> Iterator[Callable[..., MailServer]]:
    started = []

    def start(**more: Any) -> MailServer:
        server = MailServer(mailbox, **more)
        server.start()
        started.append(server)
        return server

    yield start
    mailbox.hangs.clear()
    for server in started:
        server.stop(no_assert=True)


@dataclass(frozen=True)
class Certificate:
    ca_file: Path
    server: ssl.SSLContext


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Of a name for this machine, by an authority that exists for these tests only."""
    authority, path = trustme.CA(), tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return Certificate(path, context)


@pytest.fixture
def add_user(site: Site, admin: Any) -> Callable[[str], int]:
    """``add_user("ana@acme.example")``: somebody who belongs to the workspace."""

    def add(email: str) -> int:
        def make(tx: sa.Connection) -> int:
            made = workspaces.add_account(tx, email=email, name="", password_hash="", now=site.now())
            workspaces.add_membership(tx, admin.scope, made, "operator")
            return made

        return site.store.write(make)

    return add


def _until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    pytest.fail("it did not happen in time")
