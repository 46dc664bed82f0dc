"""Messages that bots send to people."""

from typing import Any, Literal

from bottool import wire
from bottool.errors import InvalidInput
from bottool_web.actions import messages
from bottool_web.actions.site import Site
from bottool_web.maestro import words
from bottool_web.maestro.calls import blueprint, body, call
from bottool_web.store.scope import Principal

_TYPES: dict[str, Literal["text", "html"]] = {"TEXT": "text", "HTML": "html"}


@blueprint.post("/message")
@call("message.send")
def send(site: Site, who: Principal) -> dict[str, Any]:
    """Python sends ``group`` as a text, C# ``groups`` as a list or null, JavaScript neither."""
    sent = body()
    kind = sent.get("type")
    new = wire.NewMessage(
        emails=texts_in(sent.get("emails"), "emails"),
        logins=texts_in(sent.get("logins"), "logins"),
        groups=[*texts_in(sent.get("group"), "group"), *texts_in(sent.get("groups"), "groups")],
        subject=words.text_in(sent.get("subject"), "subject"),
        body=words.text_in(sent.get("body"), "body"),
        type=message_type_in("TEXT" if kind is None else kind),
    )
    return message_out(messages.send(site, who, new))


def message_type_in(value: Any) -> Literal["text", "html"]:
    return _TYPES[words.literal(value, tuple(_TYPES), "type")]


def texts_in(value: Any, field: str) -> list[str]:
    """A list of texts; null is an empty one, and one text is a list of itself.

    :raises InvalidInput: for anything else.
    """
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InvalidInput(f"'{field}' is no list of texts", path=field)
    return value


def message_out(made: wire.SentMessage) -> dict[str, Any]:
    lost = [each.last_error for each in made.deliveries if each.state == "failed"]
    goes_out = f"the message goes to {len(made.deliveries) - len(lost)} of {len(made.deliveries)} recipients"
    return {"id": made.id, "message": "; ".join([goes_out, *lost]), "type": "success", "date": words.date_out(made.at)}
