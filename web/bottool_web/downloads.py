"""Files that the server makes on the way: written to the site's disk first, so that their length costs no memory.

For every surface alike. Knows neither what is in them nor who asked.
"""

from collections.abc import Iterable

from flask import Response, send_file

from bottool_web.actions.site import Site


def sent(site: Site, pieces: Iterable[bytes], media_type: str, name: str = "") -> Response:
    """``pieces`` as an answer; with a ``name`` as a download that is called so.

    ``media_type`` may carry parameters, which stay as they are written.

    :raises Unavailable: when the disk is nearly full.
    """
    file, size = site.files.spooled(pieces)
    kind = media_type.partition(";")[0]
    answer = send_file(file, mimetype=kind, as_attachment=bool(name), download_name=name or None, max_age=0)
    if kind != media_type:
        answer.headers["Content-Type"] = media_type
    # Who sends it needs to know.
    answer.content_length = size
    return answer
