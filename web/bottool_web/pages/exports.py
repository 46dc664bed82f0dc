"""Files that pages make on the way: written to the site's disk first, so that their length costs no memory."""

from collections.abc import Iterable

from flask import Response, send_file

from bottool_web.actions.site import Site


def sent(site: Site, pieces: Iterable[bytes], name: str, media_type: str) -> Response:
    """``pieces`` as a download that is called ``name``."""
    file, size = site.files.spooled(pieces)
    answer = send_file(file, mimetype=media_type, as_attachment=True, download_name=name, max_age=0)
    # Who sends it needs to know.
    answer.content_length = size
    return answer
