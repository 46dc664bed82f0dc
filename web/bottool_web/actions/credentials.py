"""Credentials that bots read. So far only the server of a local run has any, from a file of its developer."""

from bottool.errors import NotFound, did_you_mean
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.store.scope import Principal


@action("credential.use")
def read_set(site: Site, _who: Principal, label: str) -> dict[str, str]:
    """All keys of a credential with their values.

    :raises NotFound: when there is no such credential.
    """
    known = site.local_credentials or {}
    if label not in known:
        raise NotFound(f"there is no credential '{label}'", did_you_mean(label, known))
    return dict(known[label])


@action("credential.use")
def read_value(site: Site, who: Principal, label: str, key: str) -> str:
    """One value.

    :raises NotFound: when there is no such credential, or no such key in it.
    """
    found = read_set(site, who, label)
    if key not in found:
        raise NotFound(f"credential '{label}' has no key '{key}'", did_you_mean(key, found))
    return found[key]
