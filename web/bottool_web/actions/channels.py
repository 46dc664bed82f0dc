"""Channels of chat services: set up by managers, since the server speaks to whatever address they give."""

import re
import secrets

import sqlalchemy as sa

from bottool import wire
from bottool.errors import InvalidInput
from bottool_web.actions import checks
from bottool_web.actions.deliveries import TOPIC
from bottool_web.actions.identity import acting_site
from bottool_web.actions.permissions import action
from bottool_web.actions.sealing import seal
from bottool_web.actions.site import Site
from bottool_web.store import audit, channels, messages
from bottool_web.store.messages import New, Recipient
from bottool_web.store.scope import Principal

ADDRESS_LIMIT = 2000
_ADDRESS = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]{0,29})://\S+")


@action("automation.read")
def list_channels(site: Site, who: Principal) -> list[wire.Channel]:
    """By label, without their addresses."""
    return site.store.read(lambda tx: channels.all_living(tx, who.scope))


@action("notice.manage")
def create(site: Site, who: Principal, new: wire.NewChannel) -> wire.Channel:
    """Set a channel up. Whether a plugin serves its address, and the service takes it, tells a test.

    :raises InvalidInput: for what is no address.
    :raises Conflict: when the label is taken.
    """
    checks.label(new.label, "label")
    address = checks.text(new.address.strip(), "address", ADDRESS_LIMIT)
    found = _ADDRESS.fullmatch(address)
    if found is None or not address.isprintable():
        # Without quoting it: it may be a secret that was only mistyped.
        raise InvalidInput("the address is none", "write service://…, as the service's plugin wants it", path="address")
    service, now = found[1].casefold(), site.now()

    def make(tx: sa.Connection) -> wire.Channel:
        made = channels.add(tx, who.scope, new.label, service, now)
        sealed = seal(tx, site, address, channels.what_of(who.scope, made.id))
        channels.set_sealed(tx, who.scope, made.id, sealed)
        audit.record(tx, who.scope, "notice.manage", new.label, now, service=service)
        return made

    return site.store.write(make)


@action("notice.manage")
def delete(site: Site, who: Principal, label: str) -> None:
    """Forget a channel and its address; automations that told it tell it no more.

    :raises NotFound: when there is no such channel.
    """
    now = site.now()

    def work(tx: sa.Connection) -> None:
        channels.delete(tx, who.scope, label, now)
        audit.record(tx, who.scope, "notice.manage", label, now, deleted=True)

    site.store.write(work)


@action("notice.manage")
def send_test(site: Site, who: Principal, label: str) -> wire.SentMessage:
    """Send a short message to a channel, through the outbox as everything else.

    :raises NotFound: when there is no such channel.
    """
    now = site.now()

    def work(tx: sa.Connection) -> wire.SentMessage:
        recipient = Recipient(channel_id=channels.id_of(tx, who.scope, label))
        new = New(kind="test", subject=f"Test of '{label}'", body="This channel works.", at=now)
        return messages.get(tx, who.scope, messages.add(tx, who.scope, new, [(recipient, secrets.token_hex(12))]))

    made = site.store.write(work)
    site.hints.send(f"workspace:{who.workspace_id}", TOPIC)
    return made


def address_of(site: Site, workspace_id: int, channel_id: int, sealed: str) -> str:
    """A channel's address; for the outbox only.

    :raises SettingsError: when it cannot be read.
    """
    return site.vault.unseal(sealed, channels.what_of(acting_site(workspace_id).scope, channel_id))
