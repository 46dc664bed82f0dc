"""Credentials."""

import requests
from scenes import Work, refused, scenario, unique


@scenario("credentials are created, read, changed and removed")
def _(work: Work) -> None:
    label = unique("keys")
    values = {
        "user": "josé",
        "pass word": 'a"b\\c\n€ 漢',
        "number": 42,
        "zeros": "00123",
        "json": '{"a": 1}',
        "empty": "",
    }
    for key, value in values.items():
        work.sdk.create_credential(label, key, value)
    assert {key: work.sdk.get_credential(label, key) for key in values} == {
        key: str(value) for key, value in values.items()
    }

    work.sdk.update_credential(label, "user", "maria")
    work.sdk.remove_credential(label, "number")

    left = {**{key: str(value) for key, value in values.items()}, "user": "maria"}
    left.pop("number")
    assert {key: work.sdk.get_credential(label, key) for key in left} == left
    with refused(saying="404"):
        work.sdk.get_credential(label, "number")
    for key in left:
        work.sdk.remove_credential(label, key)
    with refused(saying="404"):
        work.sdk.get_credential(label, "user")
    work.sdk.create_credential(label, "user", "once more 4711")
    assert work.sdk.get_credential(label, "user") == "once more 4711"


@scenario("credentials that are not there are told")
def _(work: Work) -> None:
    none = unique("none")
    with refused(saying="404"):
        work.sdk.get_credential(none, "key")
    with refused(requests.HTTPError, "404"):
        work.sdk.update_credential(none, "key", "value")
    with refused(requests.HTTPError, "404"):
        work.sdk.remove_credential(none, "key")
