"""From a command line, and perhaps a ``conf.bcf``, to a supervisor at work: settings, registration, log, home.

What counts first: a flag, then ``conf.bcf``, then variables and the user's settings file.
"""

import logging
import sys
import time
from dataclasses import dataclass, replace
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from bottool.cli.state import State
from bottool.errors import BottoolError, Conflict, SettingsError, Unauthorized
from bottool.settings import cache_folder
from bottool_runner import startup
from bottool_runner.conf_bcf import Conf, read
from bottool_runner.home import Home, Identity
from bottool_runner.places import LOG_NAME, home_folder
from bottool_runner.registration import Wanted, known_or_registered, registered_again
from bottool_runner.settings import FLOOR_BYTES, OUTPUT_LIMIT_BYTES, PREPARE_SECONDS, RunnerSettings
from bottool_runner.supervisor import Supervisor, end_on_signals

LOG_BYTES = 4_000_000
_KEPT_LOGS = 2
log = logging.getLogger("bottool.runner")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person said on the command line, beside server, login and key."""

    code: str = ""
    machine_id: str = ""
    home: Path | None = None
    conf: Path | None = None
    allow_http: bool = False
    slots: int = 1
    max_tasks: int | None = None
    idle_exit: float | None = None
    tags: tuple[str, ...] = ()
    output_limit_bytes: int = OUTPUT_LIMIT_BYTES
    prepare_seconds: float = PREPARE_SECONDS
    cache_limit_bytes: int | None = None
    disk_floor_bytes: int = FLOOR_BYTES


def limits_of(said: dict[str, Any]) -> dict[str, Any]:
    """Take the limits of the command line out of ``said``, in bytes."""
    output, cache, floor = said.pop("output_limit"), said.pop("cache_limit"), said.pop("disk_floor")
    return {
        "output_limit_bytes": output * 1024 * 1024,
        "cache_limit_bytes": None if cache is None else int(cache * 1_000_000_000),
        "disk_floor_bytes": floor * 1_000_000,
    }


def start(state: State, asked: Asked) -> None:
    """Be a runner until told to end.

    :raises SettingsError: when something is missing or wrong; nothing was changed then.
    :raises Unauthorized: when the server takes neither the token nor the credentials.
    """
    conf = read(asked.conf, allow_http=asked.allow_http) if asked.conf else None
    wanted = wanted_of(state, asked, conf)
    settings = RunnerSettings(
        server=wanted.server,
        cache=cache_folder(),
        slots=asked.slots,
        max_tasks=asked.max_tasks,
        idle_exit_seconds=asked.idle_exit,
        tags=asked.tags,
        conf=asked.conf.absolute() if asked.conf else None,
        output_limit_bytes=asked.output_limit_bytes,
        prepare_seconds=asked.prepare_seconds,
        cache_limit_bytes=asked.cache_limit_bytes,
        disk_floor_bytes=asked.disk_floor_bytes,
    )
    home = Home(home_folder(asked.home))
    home.open()
    try:
        speak(home.folder)
        if conf is not None:
            _heed(conf, home.folder)
        _work(settings, home, wanted, conf)
    except BottoolError as error:
        _keep(error)
        raise
    finally:
        home.close()


def register(state: State, asked: Asked) -> Identity:
    """Have the machine registered, now, for a later start that is told nothing.

    :raises SettingsError: when there is nothing to register it with.
    """
    conf = read(asked.conf, allow_http=asked.allow_http) if asked.conf else None
    home = Home(home_folder(asked.home))
    home.open()
    try:
        return _registered(home, wanted_of(state, asked, conf), conf, again=False)
    finally:
        home.close()


def wanted_of(state: State, asked: Asked, conf: Conf | None) -> Wanted:
    """With which words to register, should that be needed."""
    known = state.client_settings()
    if conf is None:
        return Wanted(
            server=known.server, machine_id=asked.machine_id, login=known.login, key=known.key, code=asked.code
        )
    flags = state.flags
    return Wanted(
        server=known.server if flags.get("server") else conf.server,
        machine_id=asked.machine_id or conf.machine_id,
        login=known.login if flags.get("login") else conf.login,
        key=known.key if flags.get("key_file") else conf.key,
        code=asked.code,
        hint=_what_is_missing(conf),
    )


def _what_is_missing(conf: Conf) -> str:
    missing = [name for name, value in (("login", conf.login), ("key", conf.key)) if not value]
    return (
        f"'{conf.path}' has no {' and no '.join(missing)}: add login=… and key=… of the workspace, or say --code CODE"
    )


def _heed(conf: Conf, home: Path) -> None:
    for warning in conf.warnings:
        log.warning("%s", warning)
    if conf.log_application:
        log.info("logApplication: this runner's log stays on this machine; see 'bottool runner logs'")
    if conf.log_screen:
        log.info("logScreen: pictures of the screen are not sent")
    if conf.startup is not None:
        startup.run(conf.startup, home)


def _work(settings: RunnerSettings, home: Home, wanted: Wanted, conf: Conf | None) -> None:
    """Register where that is needed, and work until told to end."""
    identity = _registered(home, wanted, conf, again=False)
    try:
        _supervise(settings, home, identity)
    except Unauthorized as error:
        if not wanted.has_credentials or wanted.code:
            raise SettingsError(
                f"the server no longer knows this machine: {error}",
                "register it anew: bottool runner start --code CODE",
            ) from error
        _supervise(settings, home, _registered(home, wanted, conf, again=True))


def _registered(home: Home, wanted: Wanted, conf: Conf | None, *, again: bool) -> Identity:
    try:
        identity = (registered_again if again else known_or_registered)(home, wanted)
    except (Unauthorized, Conflict) as error:
        if conf is None or wanted.code:
            raise
        where = conf.where("key" if isinstance(error, Unauthorized) else "machineId")
        raise type(error)(f"{where}: {error}", error.hint, **error.details) from error
    if conf is not None and conf.workspace.casefold() not in {"", identity.workspace.casefold()}:
        log.warning(
            "%s: this machine works for '%s', to which the login belongs", conf.where("workspace"), identity.workspace
        )
    return identity


def _supervise(settings: RunnerSettings, home: Home, identity: Identity) -> None:
    supervisor = Supervisor(replace(settings, server=identity.server), home, identity)
    end_on_signals(supervisor.end_please)
    ended = supervisor.run()
    log.info("ended after %s task(s)", ended)


def _keep(error: BottoolError) -> None:
    """In ``runner.log`` alone: whoever typed the command reads it as the command's error, a service has nobody."""
    hint = f" ({error.hint})" if error.hint else ""
    line = log.makeRecord(log.name, logging.ERROR, __file__, 0, "the runner ends: %s%s", (error, hint), None)
    for handler in log.handlers:
        if isinstance(handler, RotatingFileHandler):
            handler.handle(line)


def speak(home: Path) -> None:
    """Lines with a UTC time on standard error, and in ``runner.log``, of which the last few megabytes are kept."""
    form = logging.Formatter("%(asctime)sZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    form.converter = time.gmtime
    file = RotatingFileHandler(home / LOG_NAME, maxBytes=LOG_BYTES, backupCount=_KEPT_LOGS, encoding="utf-8")
    # A service of Windows may have no standard error.
    log.handlers[:] = [*([logging.StreamHandler(sys.stderr)] if sys.stderr else []), file]
    for handler in log.handlers:
        handler.setFormatter(form)
    log.setLevel(logging.INFO)
    log.propagate = False
