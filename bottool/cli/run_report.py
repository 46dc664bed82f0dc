"""What a bot told its server in a local run, as a short report or as JSON."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

import click

from bottool.cli import masking, present
from bottool.local import LocalReport
from bottool.model import Outcome


def without(report: LocalReport, secrets: Iterable[str]) -> LocalReport:
    """The report with ``*`` instead of secrets: bots put into messages what failed them."""
    hidden = list(secrets)
    alerts = [
        replace(each, title=masking.hide(each.title, hidden), message=masking.hide(each.message, hidden))
        for each in report.alerts
    ]
    return replace(
        report,
        message=masking.hide(report.message, hidden),
        alerts=tuple(alerts),
        unanswered=tuple(masking.hide(each, hidden) for each in report.unanswered),
        refused=tuple(masking.hide(each, hidden) for each in report.refused),
    )


def show(report: LocalReport, outcome: Outcome) -> None:
    """On stderr, after the bot's own output."""
    who = "the bot says" if report.by_bot else "the bot did not finish its task; a server would say"
    message = f": {report.message}" if report.message and report.by_bot else ""
    lines = [f"· {who}: {report.state}{message}"]
    if items := _items(report):
        lines.append(f"·   {items}")
    lines += [f"·   alert ({each.type}) {each.title}: {each.message}" for each in report.alerts]
    lines += [f"·   refused: {each}" for each in report.refused]
    lines += [f"·   the bot called {each}, which this bottool does not answer yet" for each in report.unanswered]
    if contradicts(report, outcome):
        lines.append("·   its process ended with 0, but it finished its task as failed: exit status 1")
    for line in lines:
        click.echo(present.printable(line), err=True)


def as_json(report: LocalReport | None, outcome: Outcome, status: int) -> None:
    """On stdout; ``task`` is ``null`` when there was no server."""
    said: dict[str, Any] = {
        "exit_status": status,
        "exit_code": outcome.exit_code,
        "reason": outcome.reason.value,
        "message": outcome.message,
        "duration_seconds": round(outcome.duration_seconds, 3),
        "left_behind": list(outcome.left_behind),
        "task": asdict(report) if report else None,
    }
    present.as_json(said)


def contradicts(report: LocalReport | None, outcome: Outcome) -> bool:
    """True when the bot finished its task as failed and then ended as if all were well."""
    return report is not None and report.by_bot and report.state == "failed" and outcome.succeeded


def _items(report: LocalReport) -> str:
    counts = {"total": report.total_items, "processed": report.processed_items, "failed": report.failed_items}
    known = [f"{count} {name}" for name, count in counts.items() if count is not None]
    return f"items: {', '.join(known)}" if known else ""
