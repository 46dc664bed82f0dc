"""Bots and their versions: deploy, release, download, exclude."""

from collections.abc import Iterator
from io import BytesIO
from typing import IO

from flask import flash, redirect, request, send_file, url_for

from bottool import sbom, wire
from bottool.errors import BottoolError, Conflict, InvalidInput
from bottool_web.actions import bots, inspections, revisions
from bottool_web.actions.site import Site
from bottool_web.pages.frame import Answer, act, blueprint, page, sentence, show
from bottool_web.store.scope import Principal

TECHNOLOGIES = ("PYTHON", "JAVA", "JAVASCRIPT", "TYPESCRIPT", "COMMAND")
PIECE_BYTES = 256 * 1024


@blueprint.get("/bots")
@page("bot.read")
def bot_list(site: Site, who: Principal) -> Answer:
    return show("bots.html", who, bots=bots.list_bots(site, who))


@blueprint.get("/bots/deploy")
@page("bot.deploy")
def deploy_form(site: Site, who: Principal) -> Answer:  # noqa: ARG001  # every view gets the site
    return show("deploy.html", who, form=request.args, technologies=TECHNOLOGIES, error="")


@blueprint.post("/bots/deploy")
@page("bot.deploy")
def deploy(site: Site, who: Principal) -> Answer:
    form = request.form
    bot_id, version = form.get("bot_id", "").strip(), form.get("version", "").strip()
    try:
        _deploy(site, who, bot_id, version)
    except BottoolError as error:
        answer = show("deploy.html", who, form=form, technologies=TECHNOLOGIES, error=sentence(error))
        return answer, error.http_status
    flash(f"Version {version} is deployed.", "success")
    return redirect(url_for("pages.bot_page", bot_id=bot_id))


def _deploy(site: Site, who: Principal, bot_id: str, version: str) -> None:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InvalidInput("no file was chosen", "choose the package that 'bottool build' made")
    new = wire.NewVersion(
        version=version,
        technology=request.form.get("technology", ""),
        command=request.form.get("command", "").strip(),
    )
    try:
        bots.announce_version(site, who, bot_id, new)
    except Conflict:
        # A version that exists gets a new file only when the person said so.
        if "replace" not in request.form:
            raise
    bots.upload(site, who, bot_id, version, file.filename, _pieces(file.stream))
    if "release" in request.form:
        bots.release(site, who, bot_id, version)


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(PIECE_BYTES):
        yield piece


@blueprint.get("/bots/uses")
@page("bot.read")
def uses(site: Site, who: Principal) -> Answer:
    """Which bots depend on something: an empty form before the first question."""
    asked = {name: request.args.get(name, "").strip() for name in ("name", "below")}
    try:
        found = inspections.dependents(site, who, name=asked["name"], below=asked["below"]) if asked["name"] else None
    except BottoolError as error:
        return show("uses.html", who, asked=asked, found=None, error=sentence(error)), error.http_status
    return show("uses.html", who, asked=asked, found=found, error="")


@blueprint.get("/bots/<bot_id>/versions/<version>")
@page("bot.read")
def version_page(site: Site, who: Principal, bot_id: str, version: str) -> Answer:
    told = inspections.get_inspection(site, who, bot_id, version)
    shown = next(each for each in bots.get_bot(site, who, bot_id).versions if each.version == version)
    kept = revisions.list_revisions(site, who, bot_id, version)
    return show("version.html", who, bot_id=bot_id, version=shown, told=told, revisions=kept)


@blueprint.post("/bots/<bot_id>/versions/<version>/revisions/<int:revision>/restore")
@page("bot.deploy")
def restore(site: Site, who: Principal, bot_id: str, version: str, revision: int) -> Answer:
    wanted = wire.RestoreRevision(revision=revision)
    target = url_for("pages.version_page", bot_id=bot_id, version=version)
    return act(
        lambda: revisions.restore(site, who, bot_id, version, wanted),
        f"The file of revision {revision} is back.",
        target,
    )


@blueprint.get("/bots/<bot_id>/versions/<version>/revisions/<int:revision>/package")
@page("bot.download")
def download_revision(site: Site, who: Principal, bot_id: str, version: str, revision: int) -> Answer:
    path, name = revisions.revision_file(site, who, bot_id, version, revision)
    return send_file(path, as_attachment=True, download_name=name, mimetype="application/octet-stream")


@blueprint.get("/bots/<bot_id>/versions/<version>/sbom")
@page("bot.read")
def bill_of_materials(site: Site, who: Principal, bot_id: str, version: str) -> Answer:
    made = sbom.text(inspections.get_sbom(site, who, bot_id, version))
    name = f"{bot_id}-{version}.cdx.json"
    return send_file(BytesIO(made.encode()), as_attachment=True, download_name=name, mimetype=sbom.MEDIA_TYPE)


@blueprint.get("/bots/<bot_id>")
@page("bot.read")
def bot_page(site: Site, who: Principal, bot_id: str) -> Answer:
    return show("bot.html", who, bot=bots.get_bot(site, who, bot_id))


@blueprint.post("/bots/<bot_id>/versions/<version>/release")
@page("bot.release")
def release(site: Site, who: Principal, bot_id: str, version: str) -> Answer:
    return act(lambda: bots.release(site, who, bot_id, version), f"New tasks now run version {version}.", _at(bot_id))


@blueprint.post("/bots/<bot_id>/versions/<version>/exclude")
@page("bot.exclude")
def exclude(site: Site, who: Principal, bot_id: str, version: str) -> Answer:
    return act(
        lambda: bots.exclude(site, who, bot_id, version), f"Version {version} is gone.", url_for("pages.bot_list")
    )


@blueprint.get("/bots/<bot_id>/versions/<version>/package")
@page("bot.download")
def download(site: Site, who: Principal, bot_id: str, version: str) -> Answer:
    path, name = bots.package_file(site, who, bot_id, version)
    return send_file(path, as_attachment=True, download_name=name, mimetype="application/octet-stream")


def _at(bot_id: str) -> str:
    return url_for("pages.bot_page", bot_id=bot_id)
