"""Makes this machine known to a server, once: a code, or the workspace's login and key, against a token of its own."""

from dataclasses import dataclass, field

from bottool import wire
from bottool.errors import SettingsError
from bottool_runner import machine
from bottool_runner.gateway import register
from bottool_runner.home import Home, Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person asked for; empty means: as before."""

    server: str = ""
    machine_id: str = ""
    login: str = ""
    key: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    hint: str = "say --code CODE (from the page of the runners), or --login LOGIN with --key-file FILE"
    """What to do where there is nothing to register with."""

    @property
    def has_credentials(self) -> bool:
        return bool(self.code or (self.login and self.key))


def known_or_registered(home: Home, wanted: Wanted) -> Identity:
    """The machine's identity with a token; registers when there is none, another machine id is wanted, or a code given.

    A known machine whose server has moved to another address keeps its token.

    :raises SettingsError: when something is missing for registering; says what.
    :raises Unauthorized: when code, or login and key, are wrong.
    """
    known = home.identity()
    server = wanted.server or known.server
    if not server:
        raise SettingsError("no server is named", "say --server http://HOST:PORT, or set BOTTOOL_SERVER")
    same_machine = wanted.machine_id in {"", known.machine_id}
    if known.token and same_machine and not wanted.code:
        return _moved(home, known, server)
    return _registered(home, known, wanted, server)


def registered_again(home: Home, wanted: Wanted) -> Identity:
    """A new token, after the server refused the old one.

    :raises SettingsError: when there are no credentials to ask with.
    """
    known = home.identity()
    return _registered(home, known, wanted, wanted.server or known.server)


def _moved(home: Home, known: Identity, server: str) -> Identity:
    if known.server == server:
        return known
    moved = Identity(
        installation_id=known.installation_id,
        server=server,
        machine_id=known.machine_id,
        workspace=known.workspace,
        runner_id=known.runner_id,
        token=known.token,
    )
    home.remember(moved)
    return moved


def _registered(home: Home, known: Identity, wanted: Wanted, server: str) -> Identity:
    if not wanted.has_credentials:
        raise SettingsError(f"this machine is not registered at {server}", wanted.hint)
    machine_id = wanted.machine_id or known.machine_id
    if not machine_id and not wanted.code:
        raise SettingsError("no machine id is named", "say --machine-id NAME: automations are linked to that name")
    answer = register(
        server,
        wire.Register(
            machine_id=machine_id,
            installation_id=known.installation_id,
            code=wanted.code,
            login="" if wanted.code else wanted.login,
            key="" if wanted.code else wanted.key,
            hostname=machine.hostname(),
            system=machine.system(),
            version=machine.version(),
        ),
    )
    identity = Identity(
        installation_id=known.installation_id,
        server=server,
        machine_id=answer.machine_id,
        workspace=answer.workspace,
        runner_id=answer.runner_id,
        token=answer.token,
    )
    home.remember(identity)
    return identity
