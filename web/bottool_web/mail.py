"""Mail: one message to one address through the site's mail server. Knows no database and no thread.

What cannot be delivered says of itself whether another try makes sense, and whether it concerns all mail or this one.
"""

import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path

from bottool.errors import SettingsError
from bottool_web.settings import SiteSettings

PORTS = {"starttls": 587, "tls": 465, "none": 25}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
TEMPORARY, PERMANENT = 400, 500
"""Replies from here on are no success, and final. Source: RFC 5321, section 4.2.1."""
STEP_SECONDS = 30.0
"""The longest that one step of the conversation may take."""
SAID = 300


class Undelivered(Exception):
    """``final``: another try is useless. ``everywhere``: nothing else would get through now either."""

    def __init__(self, message: str, *, final: bool = False, everywhere: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.final = final
        self.everywhere = everywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """``reference`` is the same at every try, so that a mail that comes twice can be recognised."""

    to: str
    subject: str
    body: str
    html: bool = False
    reference: str
    at: datetime


@dataclass(slots=True, kw_only=True)
class Postman:
    """Sends mail, keeping its connection until ``close``. For one thread; ``break_off`` may be called from others."""

    settings: SiteSettings
    _smtp: smtplib.SMTP | None = field(default=None, init=False)

    @property
    def is_set_up(self) -> bool:
        return bool(self.settings.smtp_host)

    def send(self, mail: Mail) -> None:
        """:raises Undelivered: when the mail server did not take it, or did not answer in time."""
        seconds = self.settings.delivery_seconds
        # Each step has a time limit of its own; a server that drips needs one over all of them.
        alarm = threading.Timer(seconds, self.break_off)
        alarm.daemon = True
        alarm.start()
        try:
            self._send(compose(mail, self.settings.mail_from))
        except Undelivered as error:
            if error.everywhere:
                self.close()
            raise
        finally:
            alarm.cancel()

    def break_off(self) -> None:
        """End what goes on; whoever waits for the mail server gets an error."""
        smtp = self._smtp
        if smtp is not None and smtp.sock is not None:
            with suppress(OSError):
                smtp.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """May be repeated."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            # Without QUIT: a server that does not answer must not be waited for.
            with suppress(OSError):
                smtp.close()

    def _send(self, message: EmailMessage) -> None:
        try:
            self._connected().send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            raise _refused(*next(iter(error.recipients.values()))) from error
        except smtplib.SMTPDataError as error:
            raise _refused(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPResponseException as error:
            # Of the sender, the greeting or the sign-in: a matter of the settings, not of this mail.
            said = f"the mail server said {error.smtp_code} {_text(error.smtp_error)}"
            raise Undelivered(said, everywhere=True) from error
        except (OSError, smtplib.SMTPException, SettingsError, ValueError) as error:
            trouble = " ".join(str(error).split()) or type(error).__name__
            raise Undelivered(f"the mail server: {trouble[:SAID]}", everywhere=True) from error

    def _connected(self) -> smtplib.SMTP:
        if self._smtp is not None:
            return self._smtp
        settings = self.settings
        context = ssl.create_default_context(cafile=settings.smtp_ca_file or None)
        self._smtp = smtp = self._unconnected(context)
        # What certificates are checked against; smtplib sets it only when it connects while it is made.
        smtp._host = settings.smtp_host  # type: ignore[attr-defined]  # noqa: SLF001
        code, said = smtp.connect(settings.smtp_host, settings.smtp_port or PORTS[settings.smtp_tls])
        if code >= TEMPORARY:
            raise smtplib.SMTPConnectError(code, said)
        if settings.smtp_tls == "starttls":
            smtp.starttls(context=context)
        if settings.smtp_user:
            smtp.login(settings.smtp_user, _password(settings))
        return smtp

    def _unconnected(self, context: ssl.SSLContext) -> smtplib.SMTP:
        seconds = min(self.settings.delivery_seconds, STEP_SECONDS)
        # Named: smtplib would ask the resolver for this machine's name, which may take long.
        name = domain_of(self.settings.mail_from)
        if self.settings.smtp_tls == "tls":
            return smtplib.SMTP_SSL(timeout=seconds, local_hostname=name, context=context)
        return smtplib.SMTP(timeout=seconds, local_hostname=name)


def _password(settings: SiteSettings) -> str:
    if settings.smtp_tls == "none" and settings.smtp_host not in LOOPBACK:
        raise SettingsError("a password is not sent without encryption", "set smtp_tls to starttls or tls")
    if not settings.smtp_password_file:
        raise SettingsError("smtp_user needs smtp_password_file")
    return Path(settings.smtp_password_file).read_text(encoding="utf-8").rstrip("\r\n")


def compose(mail: Mail, sender: str) -> EmailMessage:
    """The mail as it goes on the wire; every header is one line, whatever the texts hold."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender or f"bottool@{domain_of(sender)}"
    message["To"] = mail.to
    message["Subject"] = " ".join(mail.subject.split())
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = f"<{mail.reference}@{domain_of(sender)}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body, subtype="html" if mail.html else "plain", cte="quoted-printable")
    return message


def domain_of(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"


def _refused(code: int, said: bytes | str) -> Undelivered:
    return Undelivered(f"the mail server refused it: {code} {_text(said)}", final=code >= PERMANENT)


def _text(said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:SAID]
