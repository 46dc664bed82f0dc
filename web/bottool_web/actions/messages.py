"""Messages to people: taken in whole or refused, and delivered later by the outbox."""

import re
import secrets
from datetime import timedelta

import sqlalchemy as sa

from bottool import wire
from bottool.errors import InvalidInput
from bottool_web.actions import checks
from bottool_web.actions.deliveries import TOPIC
from bottool_web.actions.fencing import check_bot
from bottool_web.actions.masking import masked
from bottool_web.actions.once import Request, once
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.store import audit, deliveries, messages, notices
from bottool_web.store.messages import New, Recipient
from bottool_web.store.scope import Principal

MOST_RECIPIENTS = 50
SUBJECT_LIMIT = 300
BODY_LIMIT = 500_000
ADDRESS_LIMIT = 254
MOST_ROWS = 500
LONGEST_DAYS = 36_500
# As the HTML standard defines a valid e-mail address, section 4.10.5.1.5.
_ADDRESS = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)


@action("message.send")
def send(site: Site, who: Principal, new: wire.NewMessage, *, idempotency_key: str = "") -> wire.SentMessage:
    """Put a message into the outbox, for all its recipients at once; who cannot be reached is kept as failed.

    :raises InvalidInput: for an address that is none, too many recipients, or when none of them can be reached.
    :raises NotFound: when the workspace has no such task.
    :raises StaleAttempt: to a bot whose task another attempt works on by now.
    """
    emails = [address(each, f"emails[{index}]") for index, each in enumerate(_some(new.emails))]
    logins = [checks.name(each.strip(), "logins").casefold() for each in _some(new.logins)]
    groups = [checks.name(each.strip(), "groups") for each in _some(new.groups)]
    checks.number(len({*emails, *logins}) + len(groups), "the number of recipients", 1, MOST_RECIPIENTS)
    checks.text(new.subject, "subject", 10 * SUBJECT_LIMIT)
    checks.text(new.body, "body", BODY_LIMIT)
    if new.task_id is not None:
        checks.number(new.task_id, "task_id", 1, checks.LARGEST_ID)
    request = Request(act="message.send", key=idempotency_key, body=new, now=site.now())
    content = New(
        kind="message",
        subject=one_line(masked(site, who, new.subject)),
        body=masked(site, who, new.body),
        type=new.type,
        task_id=new.task_id if new.task_id is not None else who.task_id,
        at=request.now,
    )

    def make(tx: sa.Connection) -> wire.SentMessage:
        check_bot(tx, who)
        recipients = _recipients(tx, who, emails, logins, groups)
        made = messages.add(tx, who.scope, content, ((each, secrets.token_hex(12)) for each in recipients))
        return messages.get(tx, who.scope, made)

    made, _ = site.store.write(lambda tx: once(tx, who.scope, request, lambda: make(tx), wire.SentMessage))
    site.hints.send(f"workspace:{who.workspace_id}", TOPIC)
    return made


@action("message.read")
def list_messages(  # noqa: PLR0913  # one for each filter
    site: Site,
    who: Principal,
    *,
    task_id: int | None = None,
    kind: str = "",
    state: str = "",
    search: str = "",
    days: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[wire.SentMessage]:
    """Newest first, without their bodies; ``state`` is that of at least one delivery."""
    since = site.now() - timedelta(days=max(1, min(days, LONGEST_DAYS))) if days is not None else None
    wanted = messages.Wanted(
        task_id=task_id,
        kind=kind,
        state=state,
        search=checks.name(search, "search"),
        since=since,
        before=before,
        limit=max(1, min(limit, MOST_ROWS + 1)),
    )
    return site.store.read(lambda tx: messages.page(tx, who.scope, wanted))


@action("message.read")
def get_message(site: Site, who: Principal, message_id: int) -> wire.SentMessage:
    """:raises NotFound: when there is no such message in this workspace."""
    return site.store.read(lambda tx: messages.get(tx, who.scope, message_id))


@action("message.send")
def resend(site: Site, who: Principal, delivery_id: int) -> wire.SentMessage:
    """Let a delivery that was sent, or that failed, go out once more.

    :raises NotFound: when there is no such delivery in this workspace.
    :raises Conflict: while it still waits.
    """
    now = site.now()

    def work(tx: sa.Connection) -> wire.SentMessage:
        check_bot(tx, who)
        message_id = deliveries.resend(tx, who.scope, delivery_id, secrets.token_hex(12), now)
        audit.record(tx, who.scope, "message.send", f"delivery {delivery_id}", now, again=True)
        return messages.get(tx, who.scope, message_id)

    made = site.store.write(work)
    site.hints.send(f"workspace:{who.workspace_id}", TOPIC)
    return made


@action("automation.read")
def list_users(site: Site, who: Principal) -> list[str]:
    """The e-mail addresses of those whom an automation may tell."""
    return site.store.read(lambda tx: notices.all_members(tx, who.scope))


def address(value: str, path: str) -> str:
    """``value`` as an e-mail address that every mail server takes; names of domains become ASCII.

    :raises InvalidInput: when it is none.
    """
    given = checks.text(value, path, 10 * ADDRESS_LIMIT).strip()
    local, at, domain = given.rpartition("@")
    if at and not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            domain = ""
    made = f"{local}{at}{domain}"
    if len(made) > ADDRESS_LIMIT or not _ADDRESS.fullmatch(made):
        raise InvalidInput(
            f"{path} is '{checks.shortened(given)}', which is no e-mail address", "write name@domain", path=path
        )
    return made


def one_line(subject: str) -> str:
    """A subject without line breaks and control characters, of bounded length."""
    plain = "".join(sign if sign.isprintable() else " " for sign in subject)
    return " ".join(plain.split())[:SUBJECT_LIMIT]


def _some(given: list[str]) -> list[str]:
    return [each for each in given if each.strip()]


def _recipients(
    tx: sa.Connection, who: Principal, emails: list[str], logins: list[str], groups: list[str]
) -> list[Recipient]:
    known = notices.members(tx, who.scope, logins)
    reached = dict.fromkeys([*emails, *(login for login in logins if login in known)])
    if not reached:
        raise InvalidInput(
            "none of the recipients can be reached",
            "a login is the address with which a user of this workspace signs in",
        )
    unknown = dict.fromkeys(login for login in logins if login not in known)
    return [
        *(Recipient(address=each) for each in reached),
        *(Recipient(trouble=f"'{each}' is no user of this workspace") for each in unknown),
        *(Recipient(trouble=f"there is no group '{each}' here") for each in dict.fromkeys(groups)),
    ]
