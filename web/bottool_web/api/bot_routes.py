"""The routes of bots: versions, their files, what these are made of, and the release."""

from bottool import sbom, wire
from bottool_web.actions import bots, inspections, revisions
from bottool_web.api import special
from bottool_web.api.route import Route

ROUTES: tuple[Route, ...] = (
    Route(method="GET", path="/bots", summary="All bots by bot id", action=bots.list_bots, answer=wire.Bot, many=True),
    Route(method="GET", path="/bots/<bot_id>", summary="One bot", action=bots.get_bot, answer=wire.Bot),
    Route(
        method="POST",
        path="/bots/<bot_id>/versions",
        summary="Announce a version, without a file yet",
        action=bots.announce_version,
        body=wire.NewVersion,
        answer=wire.Bot,
        status=201,
    ),
    Route(
        method="PUT",
        path="/bots/<bot_id>/versions/<version>/package",
        summary="Upload the version's package; the body is the file",
        action=bots.upload,
        perform=special.upload,
        answer=wire.Bot,
    ),
    Route(
        method="GET",
        path="/bots/<bot_id>/versions/<version>/package",
        summary="Download the version's package",
        action=bots.package_file,
        perform=special.download,
        media_type="application/octet-stream",
    ),
    Route(
        method="DELETE",
        path="/bots/<bot_id>/versions/<version>",
        summary="Take a version out that is not released",
        action=bots.exclude,
        status=204,
    ),
    Route(
        method="POST",
        path="/bots/<bot_id>/release",
        summary="Let new tasks run this version",
        action=bots.release,
        perform=special.release,
        body=wire.Release,
        answer=wire.Bot,
    ),
    Route(
        method="GET",
        path="/bots/<bot_id>/versions/<version>/inspection",
        summary="What the version's package is made of",
        action=inspections.get_inspection,
        answer=wire.Inspection,
    ),
    Route(
        method="GET",
        path="/bots/<bot_id>/versions/<version>/revisions",
        summary="Every file that lies or lay under the version, newest first",
        action=revisions.list_revisions,
        answer=wire.Revision,
        many=True,
    ),
    Route(
        method="GET",
        path="/bots/<bot_id>/versions/<version>/revisions/<int:revision>/package",
        summary="Download one of the version's files",
        action=revisions.revision_file,
        perform=special.download,
        media_type="application/octet-stream",
    ),
    Route(
        method="POST",
        path="/bots/<bot_id>/versions/<version>/restore",
        summary="Put an older file back under the version; without a number, undo the last replacement",
        action=revisions.restore,
        body=wire.RestoreRevision,
        answer=wire.Bot,
    ),
    Route(
        method="GET",
        path="/bots/<bot_id>/versions/<version>/sbom",
        summary="The version's bill of materials, as CycloneDX 1.6",
        action=inspections.get_sbom,
        perform=special.bill_of_materials,
        media_type=sbom.MEDIA_TYPE,
    ),
    Route(
        method="GET",
        path="/dependencies",
        summary="Which bot versions depend on a package",
        action=inspections.dependents,
        query=special.DependencyQuery,
        answer=wire.Dependent,
        many=True,
    ),
)
