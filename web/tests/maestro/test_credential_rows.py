"""Golden rows of credentials."""

from typing import Any

import pytest

SECRETS = [{"key": "user", "value": "José"}, {"key": "pass word", "value": '42"'}]
SET = {
    "label": "bank",
    "organizationLabel": "acme",
    "repositoryLabel": "DEFAULT",
    "secrets": [{**each, "valid": True} for each in SECRETS],
}


def make(golden: Any, client: str = "python") -> None:
    golden.error("GET", "/credential/bank", 404, client=client)
    valid = {} if client == "csharp" else {"valid": True}
    sent: dict[str, Any] = {"label": "bank", "secrets": [{**each, **valid} for each in SECRETS]}
    if client == "csharp":
        sent["repositoryLabel"] = "DEFAULT"
    golden("POST", "/credential", client=client, json=sent, reply={"label": "bank", "secrets": "<list>"})


@pytest.mark.parametrize("client", ["python", "javascript", "csharp"])
def test_a_set_is_made_and_a_value_comes_as_plain_text(golden: Any, client: str) -> None:
    make(golden, client)

    golden("GET", "/credential/bank", client=client, reply=SET)
    for path, value in (("user", "José"), ("pass%20word", '42"')):
        answer = golden("GET", f"/credential/bank/key/{path}", client=client, reply=value.encode())
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_label_with_blanks_is_taken_as_it_is(golden: Any) -> None:
    golden("POST", "/credential", json={"label": "Portal do José", "secrets": SECRETS}, reply={"secrets": "<list>"})

    golden("GET", "/credential/Portal do José/key/user", reply="José".encode())
    golden("POST", "/credential/Portal%20do%20Jos%C3%A9/key", json={"key": "more", "value": "x"})
    golden("GET", "/credential/Portal%20do%20Jos%C3%A9", reply={"label": "Portal do José"})


@pytest.mark.parametrize(
    ("value", "text"), [("", ""), (42, "42"), (True, "true"), (None, ""), (1.5, "1.5"), ("00123", "00123")]
)
def test_any_single_value_is_kept_as_text(golden: Any, value: Any, text: str) -> None:
    make(golden)

    golden("POST", "/credential/bank/key", json={"key": "more", "value": value}, reply={"label": "bank"})

    golden("GET", "/credential/bank/key/more", reply=text.encode())


def test_a_set_is_replaced_as_a_whole(golden: Any) -> None:
    make(golden)

    golden(
        "POST", "/credential/bank", json={"label": "bank", "secrets": [{"key": "user", "value": "ana", "valid": True}]}
    )
    golden("GET", "/credential/bank", reply={"secrets": [{"key": "user", "value": "ana", "valid": True}]})
    golden.error("GET", "/credential/bank/key/pass%20word", 404)

    golden("POST", "/credential/bank", json={"label": "bank", "secrets": []})
    golden("GET", "/credential/bank", reply={"secrets": []})
    golden("POST", "/credential/bank/key", json={"key": "user", "value": "again"})
    golden("GET", "/credential/bank/key/user", reply=b"again")


def test_what_is_there_is_not_overwritten_by_a_create(golden: Any) -> None:
    make(golden)

    golden.error("POST", "/credential", 409, json={"label": "bank", "secrets": []})
    golden.error("POST", "/credential/bank/key", 409, json={"key": "user", "value": "other"})

    golden("GET", "/credential/bank", reply=SET)


def test_a_list_holds_no_value(golden: Any) -> None:
    make(golden)

    answer = golden("GET", "/credential", reply=[{"label": "bank", "secrets": [{"key": "user"}, {"key": "pass word"}]}])

    assert "José" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "secrets", ["x", [1], [{"key": "a", "value": {}}], [{"key": "", "value": "x"}], [{"value": "x"}]]
)
def test_what_is_no_secret_is_refused(golden: Any, secrets: Any) -> None:
    golden.error("POST", "/credential", 422, json={"label": "bank", "secrets": secrets})

    golden.error("GET", "/credential/bank", 404)


def test_a_value_that_comes_back_hidden_stays(golden: Any) -> None:
    make(golden)
    (found,) = golden("GET", "/credential").json

    found["secrets"].append({"key": "new", "value": "x", "valid": True})
    golden("POST", "/credential/bank", json=found)

    golden("GET", "/credential/bank", reply={"secrets": [*SET["secrets"], {"key": "new", "value": "x", "valid": True}]})
    golden.error("POST", "/credential/bank", 422, json={"label": "bank"})
    golden("GET", "/credential/bank/key/user", reply="José".encode())
