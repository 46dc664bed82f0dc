"""Nobody who may not deploy makes the server take a large body."""

import io
from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize("role", ["attempt", "viewer", "operator"])
def test_who_may_not_deploy_uploads_nothing(client: Any, token_of: Callable[..., str], role: str) -> None:
    answer = client.post(
        "/api/v2/bot/upload/x/version/1",
        data={"file": (io.BytesIO(b"x"), "x.zip")},
        headers={"token": token_of(role)},
    )

    assert answer.status_code == 403
    assert "bot.deploy" in answer.get_json()["message"]


def test_every_answer_of_the_page_of_bots_needs_a_person(client: Any) -> None:
    answer = client.post("/bots/deploy", data={"file": (io.BytesIO(b"x" * 100), "x.zip")})

    assert answer.status_code in {302, 400}
