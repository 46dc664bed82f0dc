"""The deploy calls: announce a version, upload its file, release it, take it away.

An upload replaces the file of a version that has one, also of the released one, as Maestro does; the older one is kept.
"""

from typing import Any

from flask import request

from bottool import wire
from bottool.errors import NotFound
from bottool_web.actions import bots, workspaces
from bottool_web.actions.site import Site
from bottool_web.maestro import words
from bottool_web.maestro.calls import blueprint, body, call, file_part
from bottool_web.store.scope import Principal


@blueprint.get("/bot")
@call("bot.read")
def find(site: Site, who: Principal) -> list[dict[str, Any]]:
    """One object for a bot that exists, none for one that does not; all bots without ``botId``."""
    label = workspaces.label(site, who)
    wanted = request.args.get("botId") or words.text_in(body().get("botId"), "botId")
    if not wanted:
        return [words.bot_out(bot, workspace=label) for bot in bots.list_bots(site, who)]
    try:
        return [words.bot_out(bots.get_bot(site, who, wanted), workspace=label)]
    except NotFound:
        return []


@blueprint.post("/bot")
@call("bot.deploy")
def announce(site: Site, who: Principal) -> dict[str, Any]:
    sent = body()
    bot_id = words.text_in(sent.get("botId"), "botId")
    new = wire.NewVersion(
        version=words.text_in(sent.get("version"), "version"),
        technology=words.text_in(sent.get("technology"), "technology").upper(),
        command=words.text_in(sent.get("command"), "command"),
        repository=words.text_in(sent.get("repositoryLabel"), "repositoryLabel") or "DEFAULT",
    )
    bots.announce_version(site, who, bot_id, new)
    return _out(site, who, bot_id)


@blueprint.post("/bot/upload/<bot_id>/version/<version>")
@call("bot.deploy")
def upload(site: Site, who: Principal, bot_id: str, version: str) -> dict[str, Any]:
    file = file_part(site.settings.upload_limit_bytes)
    bots.upload(site, who, bot_id, version, file.name, file.pieces)
    return _out(site, who, bot_id)


@blueprint.post("/bot/release")
@call("bot.release")
def release(site: Site, who: Principal) -> dict[str, Any]:
    sent = body()
    bot_id, version = words.text_in(sent.get("botId"), "botId"), words.text_in(sent.get("version"), "version")
    bots.release(site, who, bot_id, version)
    return _out(site, who, bot_id)


@blueprint.delete("/bot/<bot_id>/version/<version>")
@call("bot.exclude")
def exclude(site: Site, who: Principal, bot_id: str, version: str) -> dict[str, Any]:
    bots.exclude(site, who, bot_id, version)
    return {"botId": bot_id, "version": version}


def _out(site: Site, who: Principal, bot_id: str) -> dict[str, Any]:
    return words.bot_out(bots.get_bot(site, who, bot_id), workspace=workspaces.label(site, who))
