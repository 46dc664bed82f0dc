"""Credentials: one value as plain text, a whole set, and how clients write them."""

import json
from typing import Any

from flask import Response

from bottool import wire
from bottool.errors import InvalidInput
from bottool_web.actions import credentials, workspaces
from bottool_web.actions.site import Site
from bottool_web.maestro import words
from bottool_web.maestro.calls import blueprint, body, call
from bottool_web.store.scope import Principal


@blueprint.get("/credential/<label>/key/<key>")
@call("credential.use")
def value(site: Site, who: Principal, label: str, key: str) -> Response:
    """The text itself, without quotes."""
    return Response(credentials.read_value(site, who, label, key), content_type="text/plain; charset=utf-8")


@blueprint.get("/credential/<label>")
@call("credential.use")
def whole_set(site: Site, who: Principal, label: str) -> dict[str, Any]:
    """With its values: whoever updates one key sends all of them back."""
    secrets = credentials.read_set(site, who, label)
    repository = credentials.repository_of(site, who, label)
    return _out(site, who, label, repository, [{"key": key, "value": text} for key, text in secrets.items()])


@blueprint.get("/credential")
@call("credential.read")
def list_credentials(site: Site, who: Principal) -> list[dict[str, Any]]:
    """Without values: those are read one set at a time, and each read is written down."""
    return [_set_out(site, who, each) for each in credentials.list_credentials(site, who)]


@blueprint.post("/credential")
@call("credential.change")
def create(site: Site, who: Principal) -> dict[str, Any]:
    sent = body()
    new = wire.NewCredential(
        label=words.text_in(sent.get("label"), "label"),
        secrets=_secrets_in(sent.get("secrets")),
        repository=words.text_in(sent.get("repositoryLabel"), "repositoryLabel") or "DEFAULT",
    )
    return _set_out(site, who, credentials.create(site, who, new))


@blueprint.post("/credential/<label>")
@call("credential.change")
def replace(site: Site, who: Principal, label: str) -> dict[str, Any]:
    """The whole set as it shall be; a key that is left out is gone, and one whose value is null stays as it is: so
    replies that hide values say it.
    """
    sent = body().get("secrets")
    if not isinstance(sent, list):
        raise InvalidInput("'secrets' is no list", "send all keys, or an empty list", path="secrets")
    hidden = [each for each in sent if isinstance(each, dict) and each.get("value") is None]
    said = _secrets_in([each for each in sent if each not in hidden])
    kept = tuple(words.text_in(each.get("key"), "key") for each in hidden)
    return _set_out(site, who, credentials.replace(site, who, label, said, kept=kept))


@blueprint.post("/credential/<label>/key")
@call("credential.change")
def add_key(site: Site, who: Principal, label: str) -> dict[str, Any]:
    return _set_out(site, who, credentials.add_key(site, who, label, _secret_in(body())))


def _secrets_in(value: Any) -> list[wire.Secret]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidInput("'secrets' is no list", "send objects with key and value", path="secrets")
    return [_secret_in(each) for each in value]


def _secret_in(sent: Any) -> wire.Secret:
    if not isinstance(sent, dict):
        raise InvalidInput("a secret is no object", "send objects with key and value", path="secrets")
    value = sent.get("value")
    if isinstance(value, dict | list):
        raise InvalidInput("a secret's value is no single value", path="value")
    # As JSON writes it: true, 42, 1.5. A text is itself.
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return wire.Secret(key=words.text_in(sent.get("key"), "key"), value=text)


def _set_out(site: Site, who: Principal, found: wire.Credential) -> dict[str, Any]:
    return _out(site, who, found.label, found.repository, [{"key": key, "value": None} for key in found.keys])


def _out(site: Site, who: Principal, label: str, repository: str, secrets: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "label": label,
        "organizationLabel": workspaces.label(site, who),
        "repositoryLabel": repository,
        "secrets": [{**each, "valid": True} for each in secrets],
    }
