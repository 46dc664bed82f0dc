"""All pages, put into the application: their secret, the check of their forms, what templates may use."""

import gettext
import hmac
import secrets

from flask import Flask, request
from flask_wtf import CSRFProtect

from bottool_web.actions.permissions import may
from bottool_web.actions.pool_bulk import MOST_BYTES
from bottool_web.actions.site import Site
from bottool_web.pages import (
    artifacts,
    assets,
    automations,
    bots,
    credentials,
    errors,
    home,
    logs,
    notices,
    pools,
    runners,
    schedules,
    sign_in,
    tasks,
    workspace,
)
from bottool_web.pages.frame import EXTENSION, blueprint, error_page, moment, signed_in, span

__all__ = ["error_page", "install"]

VIEWS = (
    artifacts,
    assets,
    automations,
    bots,
    credentials,
    errors,
    home,
    logs,
    notices,
    pools,
    runners,
    schedules,
    sign_in,
    tasks,
    workspace,
)
"""The modules whose views registered themselves with the blueprint when they were imported."""
FORM_BYTES = 64 * 1024
"""What the other fields of a form with a file may take."""


def install(app: Flask, site: Site) -> None:
    """Put the pages into ``app``; called once, when the application is made."""
    app.extensions[EXTENSION] = site
    # Signs the CSRF token's cookie only; sessions are rows of our own. Not the site's key itself, but derived from it.
    app.secret_key = hmac.digest(site.key, b"csrf cookie", "sha256")
    app.config.update(
        SESSION_COOKIE_NAME="bottool_csrf",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
    )
    csrf = CSRFProtect(app)
    large = {
        "pages.deploy": ("bot.deploy", site.settings.upload_limit_bytes),
        "pages.pool_import": ("pool.push", MOST_BYTES),
    }

    @app.before_request
    def check_form() -> None:
        # Forms of pages only: the interfaces use bearer tokens, which no other site can make a browser send.
        if request.blueprint != blueprint.name:
            return
        permission, limit = large.get(request.endpoint or "", ("", 0))
        who = signed_in(site) if permission else None
        if who is not None and may(who, permission):
            # Before anything reads the form: only these files may be so large, only from somebody who may send them.
            request.max_content_length = limit + FORM_BYTES
        csrf.protect()

    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_translations(gettext.NullTranslations(), newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.filters |= {"moment": moment, "span": span}
    app.jinja_env.globals.update(
        has_page=lambda name: f"pages.{name}" in app.view_functions,
        may=may,
        asset=assets.asset,
        new_key=lambda: secrets.token_urlsafe(16),
    )
    app.register_blueprint(blueprint)
