"""Credentials: labels and keys; a value only when somebody asks for it, which is written down. And who did what."""

from flask import request, url_for

from bottool import wire
from bottool.errors import BottoolError
from bottool_web.actions import audits, credentials
from bottool_web.actions.site import Site
from bottool_web.pages.frame import Answer, act, blueprint, page, sentence, show
from bottool_web.store.scope import Principal

AUDIT_ROWS = 100


@blueprint.get("/credentials")
@page("credential.read")
def credential_list(site: Site, who: Principal) -> Answer:
    search = request.args.get("search", "").strip()
    found = [
        each
        for each in credentials.list_credentials(site, who)
        if any(search.casefold() in text.casefold() for text in (each.label, each.repository, *each.keys))
    ]
    return show("credentials.html", who, credentials=found, search=search)


@blueprint.post("/credentials")
@page("credential.change")
def credential_create(site: Site, who: Principal) -> Answer:
    label = request.form.get("label", "").strip()
    new = wire.NewCredential(label=label)
    try:
        credentials.create(site, who, new)
    except BottoolError:
        return act(lambda: credentials.create(site, who, new), "", url_for("pages.credential_list"))
    return act(lambda: None, "The credential is there; give it keys.", url_for("pages.credential_page", label=label))


@blueprint.get("/credentials/<label>")
@page("credential.read")
def credential_page(site: Site, who: Principal, label: str) -> Answer:
    return _page(site, who, label)


def _page(site: Site, who: Principal, label: str, *, key: str = "", value: str | None = None, error: str = "") -> str:
    found = credentials.get_credential(site, who, label)
    return show("credential.html", who, credential=found, key=key, value=value, error=error)


@blueprint.post("/credentials/<label>/set")
@page("credential.change")
def credential_set(site: Site, who: Principal, label: str) -> Answer:
    key, value = request.form.get("key", "").strip(), request.form.get("value", "")
    # A text area sends its line breaks as CR LF.
    said = wire.SecretValue(value=value.replace("\r\n", "\n"))
    return act(
        lambda: credentials.set_value(site, who, label, key, said),
        f"The value of '{key}' is set.",
        url_for("pages.credential_page", label=label),
    )


@blueprint.post("/credentials/<label>/remove")
@page("credential.change")
def credential_remove(site: Site, who: Principal, label: str) -> Answer:
    key = request.form.get("key", "")
    return act(
        lambda: credentials.remove_key(site, who, label, key),
        f"The key '{key}' is gone.",
        url_for("pages.credential_page", label=label),
    )


@blueprint.post("/credentials/<label>/reveal")
@page("credential.use")
def credential_reveal(site: Site, who: Principal, label: str) -> Answer:
    """The page with one value in it; a link cannot ask for it, and no cache keeps it."""
    key = request.form.get("key", "")
    try:
        value = credentials.read_value(site, who, label, key)
    except BottoolError as error:
        return _page(site, who, label, error=sentence(error)), error.http_status
    return _page(site, who, label, key=key, value=value)


@blueprint.post("/credentials/<label>/delete")
@page("credential.delete")
def credential_delete(site: Site, who: Principal, label: str) -> Answer:
    return act(lambda: credentials.delete(site, who, label), f"'{label}' is deleted.", url_for("pages.credential_list"))


@blueprint.get("/audit")
@page("audit.read")
def audit_list(site: Site, who: Principal) -> Answer:
    """The filters live in the address: ``actor``, ``act``, ``subject`` (what begins so), ``before``."""
    asked = {name: request.args.get(name, "").strip() for name in ("actor", "act", "subject")}
    before = request.args.get("before", type=int)
    found = audits.list_audit(site, who, **asked, before=before, limit=AUDIT_ROWS + 1)
    return show(
        "audit.html",
        who,
        entries=found[:AUDIT_ROWS],
        older=found[AUDIT_ROWS - 1].id if len(found) > AUDIT_ROWS else None,
        asked=asked,
        before=before,
    )
