"""The old form interface: alerts, messages and result files of pinned bots."""

import json
from pathlib import PurePosixPath
from urllib.parse import quote

from flask import Response, request, send_file

from bottool import wire
from bottool_web.actions import alerts, artifacts, messages, workspaces
from bottool_web.actions.site import Site
from bottool_web.maestro import words
from bottool_web.maestro.artifacts import artifact_out
from bottool_web.maestro.calls import file_part
from bottool_web.maestro.messages import message_out, message_type_in
from bottool_web.maestro.old_calls import Said, blueprint, call, done
from bottool_web.store.scope import Principal

MOST_ARTIFACTS = 1000


@blueprint.post("/alert/send")
@call("alert.create")
def send_alert(site: Site, who: Principal, said: Said) -> dict[str, str]:
    new = wire.NewAlert(
        task_id=said.id("taskId"),
        title=said.text("title"),
        message=said.text("message"),
        type=words.alert_type_in(said.text("type") or "INFO"),
    )
    made = alerts.create_alert(site, who, new)
    return done("the alert is raised", str(made.id))


@blueprint.post("/message/send")
@call("message.send")
def send_message(site: Site, who: Principal, said: Said) -> dict[str, str]:
    """``email`` and ``users`` are lists with commas."""
    new = wire.NewMessage(
        emails=_listed(said.text("email")),
        logins=_listed(said.text("users")),
        groups=_listed(said.text("group")),
        subject=said.text("subject"),
        body=said.text("body"),
        type=message_type_in(said.text("type") or "TEXT"),
    )
    made = message_out(messages.send(site, who, new))
    return done(str(made["message"]), str(made["id"]))


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


@blueprint.post("/newArtifact")
@call("artifact.create")
def new_artifact(site: Site, who: Principal, said: Said) -> dict[str, str]:
    """The fields stand before the file, which is the part ``body``."""
    file = file_part(site.settings.artifact_limit_bytes, "body")
    site.files.check_room(request.content_length or 0)
    new = wire.NewArtifact(task_id=said.id("taskId"), name=said.text("name"), file_name=file.name or said.text("name"))
    made = artifacts.send(site, who, new, file.pieces)
    return done("the file is stored", str(made.id))


@blueprint.get("/artifact/list")
@call("artifact.read")
def list_artifacts(site: Site, who: Principal, said: Said) -> dict[str, str]:
    """The newest; the message is an array as a JSON text."""
    asked = artifacts.Asked(task_id=said.number("taskId"), days=said.number("days"), limit=MOST_ARTIFACTS)
    label = workspaces.label(site, who)
    found = artifacts.list_artifacts(site, who, asked)
    return done(json.dumps([artifact_out(each, workspace=label, workspace_id=who.workspace_id) for each in found]))


@blueprint.get("/artifact/get")
@call("artifact.read")
def get_artifact(site: Site, who: Principal, said: Said) -> Response:
    """The bytes. Its name is ``<name>_<number>.<ending>``: clients take off what follows the last underscore."""
    found, path = artifacts.content(site, who, said.id("id"))
    answer = send_file(path, mimetype="application/octet-stream", etag=found.sha256, max_age=0)
    answer.headers["Content-Disposition"] = disposition(found.file_name, found.id)
    answer.headers.update(artifacts.checksum_headers(found))
    return answer


def disposition(file_name: str, number: int) -> str:
    """In quotes and last: the old Python SDK cuts it out behind the last ``=``. Once more for what is not ASCII."""
    path = PurePosixPath(file_name)
    name = f"{path.stem}_{number}{path.suffix}"
    plain = "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\' else "-" for letter in name
    )
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}; filename=\"{plain}\""
