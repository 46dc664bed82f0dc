"""Files that pages make on the way: written to the site's disk first, so that their length costs no memory."""

from collections.abc import Iterable

from flask import Response, send_file

from bottool_web.actions.site import Site


def sent(site: Site, pieces: Iterable[bytes], name: str, media_type: str) -> Response:
    """``pieces`` as a download that is called ``name``."""
    file = site.files.scratch()
    try:
        for piece in pieces:
            file.write(piece)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return send_file(file, mimetype=media_type, as_attachment=True, download_name=name, max_age=0)
