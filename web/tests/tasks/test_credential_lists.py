"""An automation that lists its credentials narrows what its bots may read and change, through every interface."""

import pytest

from bottool import wire
from bottool.errors import Forbidden, InvalidInput
from bottool_web.actions import audits, automations, credentials
from bottool_web.actions.identity import principal_of_token
from bottool_web.app import create_app


@pytest.fixture
def token(site, admin, life, box, ask):
    """Of the bot of a running task of ``daily``; there are the credentials ``bank`` and ``mail``."""
    for label in ("bank", "mail"):
        secrets = [wire.Secret(key="pass", value=f"secret of {label}")]
        credentials.create(site, admin, wire.NewCredential(label=label, secrets=secrets))
    ask()
    return life.start(box)[1].token


@pytest.fixture
def bot(site, token):
    return principal_of_token(site, token)


def narrow(site, admin, *labels):
    return automations.change(site, admin, "daily", wire.AutomationChange(credentials=list(labels)))


def test_a_bot_reads_what_its_automation_lists_and_nothing_else(site, admin, bot):
    assert credentials.read_value(site, bot, "mail", "pass") == "secret of mail"

    assert narrow(site, admin, "bank").credentials == ["bank"]

    assert credentials.read_value(site, bot, "bank", "pass") == "secret of bank"
    for read in (credentials.read_value, credentials.reveal):
        with pytest.raises(Forbidden, match="'daily' does not list the credential 'mail'"):
            read(site, bot, "mail", "pass")
    with pytest.raises(Forbidden):
        credentials.read_set(site, bot, "mail")
    refused = [each for each in audits.list_audit(site, admin, subject="credential mail") if "refused" in each.detail]
    assert [each.detail["keys"] for each in refused] == [["pass"]] * 3
    assert credentials.read_value(site, admin, "mail", "pass") == "secret of mail"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v2/credential/mail"),
        ("GET", "/api/v2/credential/mail/key/pass"),
        ("POST", "/api/v2/credential/mail"),
        ("POST", "/api/v2/credential/mail/key"),
        ("POST", "/api/v2/credential"),
        ("POST", "/rest/v1/credentials/mail/secrets/pass/reveal"),
        ("PATCH", "/rest/v1/credentials/mail/secrets/pass"),
        ("DELETE", "/rest/v1/credentials/mail/secrets/pass"),
        ("POST", "/rest/v1/credentials"),
        ("GET", "/rest/v1/credentials"),
        ("GET", "/rest/v1/credentials/mail"),
    ],
)
def test_no_interface_goes_around_the_list(site, admin, token, method, path):
    narrow(site, admin, "bank")
    headers = {"token": token, "organization": "acme", "Authorization": f"Bearer {token}"}
    said = {"label": "new", "key": "more", "value": "x"} if path.endswith("/key") else {"label": "new"}
    if path.endswith("/pass"):
        said = {"value": "x"}
    if path.endswith("credential/mail"):
        said = {"label": "mail", "secrets": []}
    sent = {"json": said} if method in {"POST", "PATCH"} and not path.endswith("reveal") else {}

    answer = create_app(site).test_client().open(path, method=method, headers=headers, **sent)

    assert answer.status_code == 403, answer.get_data(as_text=True)
    assert "secret of mail" not in answer.get_data(as_text=True)
    assert credentials.read_set(site, admin, "mail") == {"pass": "secret of mail"}
    assert [each.label for each in credentials.list_credentials(site, admin)] == ["bank", "mail"]


def test_no_list_and_an_empty_list_are_two_things(site, admin, bot):
    assert narrow(site, admin).credentials == []
    with pytest.raises(Forbidden):
        credentials.read_value(site, bot, "bank", "pass")

    wide = automations.change(site, admin, "daily", wire.AutomationChange(credentials=None))

    assert wide.credentials is None
    assert credentials.read_value(site, bot, "bank", "pass") == "secret of bank"


def test_a_deleted_credential_leaves_its_list_and_the_list_stays(site, admin, bot):
    narrow(site, admin, "bank")
    credentials.delete(site, admin, "bank")
    credentials.create(
        site, admin, wire.NewCredential(label="bank", secrets=[wire.Secret(key="pass", value="another")])
    )

    assert automations.get_automation(site, admin, "daily").credentials == []
    for label in ("bank", "mail"):
        with pytest.raises(Forbidden):
            credentials.read_value(site, bot, label, "pass")


def test_another_change_leaves_the_list(site, admin, bot):
    narrow(site, admin, "bank", "mail", "bank")
    changed = automations.change(site, admin, "daily", wire.AutomationChange(priority=3))

    assert changed.credentials == ["bank", "mail"]


def test_only_credentials_of_the_workspace_are_listed(site, admin, other_workspace, token):
    theirs = other_workspace.principal("administrator")
    credentials.create(site, theirs, wire.NewCredential(label="theirs"))

    for label in ("theirs", "none", ""):
        with pytest.raises(InvalidInput):
            narrow(site, admin, "bank", label)
    with pytest.raises(InvalidInput, match="no credential 'banc'"):
        automations.create(site, admin, wire.NewAutomation(label="new", credentials=["banc"]))
    assert automations.get_automation(site, admin, "daily").credentials is None
    assert [each.label for each in automations.list_automations(site, admin)] == ["daily"]
