"""The deploy calls: announce a version, upload its file, release it, take it away.

An upload replaces the file of a version that has one, also of the released one, as Maestro does; the older one is kept.
"""

from typing import Any

from bottool import wire
from bottool.errors import NotFound
from bottool_web.actions import bots, workspaces
from bottool_web.actions.site import Site
from bottool_web.maestro import words
from bottool_web.maestro.calls import asked, blueprint, body, call, file_part, in_order, paging
from bottool_web.store.scope import Principal

_SORTS = {"botId": "bot_id", "id": "id", "dateCreation": "created_at", "technology": "technology", "version": "release"}


@blueprint.get("/bot")
@call("bot.read")
def find(site: Site, who: Principal) -> list[dict[str, Any]]:
    """One object for a bot that exists, none for one that does not; all bots without ``botId``."""
    label = workspaces.label(site, who)
    wanted = asked("botId")
    if not wanted:
        return [words.bot_out(bot, workspace=label) for bot in bots.list_bots(site, who)]
    try:
        return [words.bot_out(bots.get_bot(site, who, wanted), workspace=label)]
    except NotFound:
        return []


@blueprint.get("/bot/pagination")
@call("bot.read")
def page_of_bots(site: Site, who: Principal) -> dict[str, Any]:
    """``botId`` keeps what contains it."""
    page, label, wanted = paging(), workspaces.label(site, who), asked("botId").casefold()
    found = [bot for bot in bots.list_bots(site, who) if wanted in bot.bot_id.casefold()]
    rows = [words.bot_out(bot, workspace=label) for bot in page.of(in_order(found, page, _SORTS))]
    return words.page_out(rows, number=page.number, size=page.size, total=len(found), ordered=bool(page.sort))


@blueprint.get("/bot/<bot_id>/version/<version>")
@call("bot.read")
def get_version(site: Site, who: Principal, bot_id: str, version: str) -> dict[str, Any]:
    return _version_out(site, who, bot_id, version)


def _version_out(site: Site, who: Principal, bot_id: str, version: str) -> dict[str, Any]:
    bot = bots.get_bot(site, who, bot_id)
    found = next((each for each in bot.versions if each.version == version), None)
    if found is None:
        raise NotFound(f"bot '{bot_id}' has no version '{words.shown(version)}'")
    return words.bot_version_out(bot, found, workspace=workspaces.label(site, who))


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
    bots.announce_version(site, who, bot_id, new, again=True)
    return _out(site, who, bot_id)


@blueprint.post("/bot/upload/<bot_id>/version/<version>")
@call("bot.deploy")
def upload(site: Site, who: Principal, bot_id: str, version: str) -> dict[str, Any]:
    file = file_part(site.settings.upload_limit_bytes)
    bots.upload(site, who, bot_id, version, file.name, file.pieces)
    return _version_out(site, who, bot_id, version)


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
