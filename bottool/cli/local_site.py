"""A whole site on this machine: set up in a folder, served, with a runner beside it. Used by ``up`` and ``demo``."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from bottool import settings
from bottool.cli.children import Children, free_port, is_taken, wait_until_ready
from bottool.client import Client
from bottool.errors import LaunchError
from bottool.wire import Login

SECRET_BYTES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSite:
    """``password`` and ``key`` lie in files beside the data, readable by this user only."""

    data: Path
    server: str
    workspace: str
    login: str
    machine_id: str
    email: str
    password: str = field(repr=False)
    key: str = field(repr=False)
    is_new: bool

    def client(self) -> Client:
        return Client(self.server).login(Login(login=self.login, key=self.key))


def variables_for_children() -> dict[str, str]:
    """What the children get: ours, without who we are to some other server."""
    ours = settings.base_variables()
    return {name: value for name, value in ours.items() if name not in _NOT_THEIRS}


_NOT_THEIRS = frozenset({"BOTTOOL_SERVER", "BOTTOOL_LOGIN", "BOTTOOL_KEY", "BOTTOOL_TOKEN", "BOTTOOL_WORKSPACE"})


def start_site(children: Children, data: Path, *, name: str, port: int | None, slots: int) -> LocalSite:
    """Set the site up where that was not done, then start server and runner, and wait for the server.

    ``name`` becomes the workspace, its login and the machine id, and part of the administrator's address.

    :raises LaunchError: when the port is taken; the answers of who has it would be mistaken for the site's.
    """
    if port and is_taken(f"http://127.0.0.1:{port}"):
        raise LaunchError(
            f"port {port} of this machine is taken", "is 'bottool up' running already? If not, give another --port"
        )
    data.mkdir(parents=True, exist_ok=True)
    site_data, key_file, password_file = data / "site", data / "key", data / "password"
    done = data / ".set-up"
    is_new = not done.exists()
    site = LocalSite(
        data=data,
        server=f"http://127.0.0.1:{port or free_port()}",
        workspace=name,
        login=name,
        machine_id=name,
        email=f"admin@{name}.example",
        password=_secret(password_file),
        key=_secret(key_file),
        is_new=is_new,
    )
    if is_new:
        secret_files = ["--key-file", str(key_file), "--password-file", str(password_file)]
        who = ["--workspace", name, "--login", name, "--admin", site.email]
        children.finish("server init", "server", "init", "--data", str(site_data), *who, *secret_files)
        done.touch()
    children.start("server", "serve", "--data", str(site_data), "--port", site.server.rpartition(":")[2])
    wait_until_ready(site.server, children)
    children.start(
        "runner",
        *("runner", "start", "--server", site.server, "--machine-id", site.machine_id),
        *("--login", name, "--key-file", str(key_file), "--home", str(data / "runner"), "--slots", str(slots)),
    )
    return site


def _secret(file: Path) -> str:
    """The secret in the file, which is made when it is not there."""
    if file.exists():
        return file.read_text(encoding="utf-8").strip()
    secret = secrets.token_urlsafe(SECRET_BYTES)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as target:
        target.write(f"{secret}\n")
    return secret
