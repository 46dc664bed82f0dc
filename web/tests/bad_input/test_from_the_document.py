"""Requests made up from our own OpenAPI document: whatever they are, the answer is one that the document names."""

from typing import Any

import hypothesis
import pytest
import schemathesis
from flask import Flask
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)

from bottool_web.actions.site import Site

# Of each operation: in every run, and in the long round (some 100,000 in all).
SHORT, LONG = 12, 900
# Those end a session or change who may call: the rest of the round would be about nothing else.
# Every second request is about what is there: made-up names find nothing.
KNOWN = {"label": "daily", "bot_id": "my-bot", "version": "1.0.0", "schedule": "nightly", "key": "user"}
KNOWN |= {"channel": "ops", "machine_id": "box-1"}
LEFT_OUT = frozenset({"/rest/v1/login", "/rest/v1/logout"})
CHECKED = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]


# The client of the tests leaves files of answers to the collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("examples", [SHORT, pytest.param(LONG, marks=[pytest.mark.long, pytest.mark.timeout(7200)])])
def test_every_operation_answers_as_the_document_says(
    app: Flask, site: Site, token: str, filled: int, examples: int
) -> None:
    schema = schemathesis.openapi.from_wsgi("/rest/v1/openapi.json", app)
    wrong: list[str] = []
    sent = 0
    settings = hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in LEFT_OUT:
            continue

        @settings
        @hypothesis.given(case=operation.as_strategy())
        def once(case: Any) -> None:
            nonlocal sent
            sent += 1
            if sent % 2:
                case.path_parameters = {name: KNOWN.get(name, 1) for name in case.path_parameters or {}}
            fault = _fault(case, token)
            if fault:
                wrong.append(fault)

        once()

    assert sent > examples * 30
    assert wrong == [], f"{len(wrong)} of {sent} requests:\n" + "\n".join(wrong[:20])


def _fault(case: Any, token: str) -> str:
    """What is wrong with the answer to one request; empty when nothing is."""
    answer = case.call(headers={"Authorization": f"Bearer {token}"})
    row = f"{case.method} {case.formatted_path} {str(case.query)[:100]} {str(case.body)[:200]}: {answer.status_code}"
    if answer.elapsed > 5:
        return f"{row}: took {answer.elapsed:.1f} s"
    try:
        case.validate_response(answer, checks=CHECKED)
    except FailureGroup as error:
        return f"{row}: {[str(each)[:200] for each in error.exceptions]} {answer.text[:300]}"
    if answer.status_code >= 400 and not isinstance(answer.json().get("message", answer.json().get("detail")), str):
        return f"{row}: says nothing: {answer.text[:200]}"
    return ""
