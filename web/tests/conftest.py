"""What the server's tests share: databases of both kinds, a site with a clock of its own, people, and deployed bots."""

import io
import os
import shutil
import signal
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from bottool import wire
from bottool_web.actions import automations, bots, identity, runners, setup
from bottool_web.actions.passwords import hash_password
from bottool_web.actions.site import Site
from bottool_web.files import Files
from bottool_web.hints import Hints
from bottool_web.settings import SiteSettings
from bottool_web.store import workspaces
from bottool_web.store.bots import NewRevision, add_revision, version_of
from bottool_web.store.database import Store
from bottool_web.store.schema import migrate
from bottool_web.store.scope import Principal

START_SECONDS = 60


# Databases.


@dataclass(frozen=True, kw_only=True)
class PostgreSql:
    """A PostgreSQL of the tests' own. ``template`` is a migrated database that each test copies."""

    folder: Path
    user: str
    names: Iterator[int] = field(default_factory=count)

    def address(self, name: str) -> str:
        return f"postgresql:///{name}?host={self.folder}&user={self.user}"

    def execute(self, statement: str) -> None:
        with psycopg.connect(f"host={self.folder} user={self.user} dbname=postgres", autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def new(self, template: str = "template0") -> str:
        """Name of a fresh database."""
        name = f"site_{next(self.names)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _binaries() -> Path | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    found = shutil.which("initdb")
    return folders[-1] if folders else Path(found).parent if found else None


def _as_unprivileged(user: str) -> list[str]:
    """PostgreSQL refuses to run as root; ``--pdeathsig`` ends it with the tests, however those end."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--pdeathsig=INT", "--"]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    binaries = _binaries()
    if binaries is None:
        assert not os.environ.get("CI"), "PostgreSQL is missing; in CI that is a failure"
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="bottool-pg-"))
    user = "postgres" if os.geteuid() == 0 else "tests"
    prefix = _as_unprivileged(user)
    if prefix:
        shutil.chown(folder, user, user)
    subprocess.run(
        [
            *prefix,
            binaries / "initdb",
            "-D",
            folder / "data",
            "-U",
            user,
            *["-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"],
        ],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    quick = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=", "max_connections=200")
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [
                *prefix,
                binaries / "postgres",
                "-D",
                folder / "data",
                "-k",
                folder,
                *(f"-c{setting}" for setting in quick),
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
    try:
        made = PostgreSql(folder=folder, user=user)
        _wait_until_it_answers(made, server)
        yield made
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(START_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_it_answers(made: PostgreSql, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            made.execute("SELECT 1")
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    pytest.fail(f"PostgreSQL does not answer, its log says: {(made.folder / 'log').read_text()}")


@pytest.fixture(scope="session")
def postgresql_template(postgresql: PostgreSql) -> str:
    name = postgresql.new()
    store = Store(postgresql.address(name))
    migrate(store)
    store.close()
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "site.db"
    store = Store(f"sqlite:///{path}")
    migrate(store)
    store.close()
    return path


# Of session scope, so that PostgreSQL starts before anything looks for what a single test leaves behind.
@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database: a test that uses it runs once on each."""
    kind: str = request.param
    request.getfixturevalue(f"{kind}_template")
    if kind == "postgresql":
        request.getfixturevalue("postgresql")
    return kind


@pytest.fixture
def database_address(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a fresh, migrated database."""
    if database == "sqlite":
        path = tmp_path / "site.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    postgresql = request.getfixturevalue("postgresql")
    name = postgresql.new(request.getfixturevalue("postgresql_template"))
    yield postgresql.address(name)
    postgresql.drop(name)


@pytest.fixture
def empty_database_address(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a fresh database without any table."""
    if database == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    postgresql = request.getfixturevalue("postgresql")
    name = postgresql.new()
    yield postgresql.address(name)
    postgresql.drop(name)


@pytest.fixture
def store(database_address: str) -> Iterator[Store]:
    made = Store(database_address)
    yield made
    made.close()


# Time.


class Clock:
    """The site's clock: it stands still until ``advance``."""

    def __init__(self) -> None:
        self._now = datetime(2030, 1, 15, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


# A site, its people, its bots.

LOGIN, KEY = "acme", "a key of the workspace"
EMAIL, PASSWORD = "ada@example.org", "correct horse battery"
SITE_KEY = b"k" * 32


@pytest.fixture
def site(store: Store, clock: Clock, tmp_path: Path) -> Site:
    settings = SiteSettings(data=tmp_path / "data", database=store.address, inspection_seconds=30.0)
    return Site(
        settings=settings,
        store=store,
        files=Files(settings.data / "files"),
        hints=Hints(),
        now=clock.now,
        key=SITE_KEY,
    )


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """A workspace of the tests. ``password`` belongs to ``email``, an administrator."""

    id: int
    label: str
    login: str
    key: str = KEY
    email: str = EMAIL
    password: str = PASSWORD

    def principal(self, role: str) -> Principal:
        """Somebody with that role in this workspace: a person, or the workspace's own login."""
        kind = "workspace" if role == "workspace" else "account"
        return Principal(kind=kind, id=1, name=f"{role} of {self.label}", role=role, workspace_id=self.id)


@pytest.fixture
def workspace(site: Site) -> Workspace:
    return Workspace(id=setup.create_workspace(site, "acme", LOGIN, KEY), label="acme", login=LOGIN)


@pytest.fixture
def other_workspace(site: Site, workspace: Workspace) -> Workspace:
    """A second tenant, of whom the first must never see anything."""
    made = setup.create_workspace(site, "other", "other", "another key of theirs")
    return Workspace(id=made, label="other", login="other", key="another key of theirs", email="eve@example.org")


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Hashing a password is slow on purpose, so it is done once."""
    return hash_password(PASSWORD)


@pytest.fixture
def account(site: Site, workspace: Workspace, password_hash: str) -> int:
    """The account of ``EMAIL`` with ``PASSWORD``, an administrator of the workspace."""

    def make(tx: sa.Connection) -> int:
        made = workspaces.add_account(tx, email=EMAIL, name="Ada", password_hash=password_hash, now=site.now())
        workspaces.add_membership(tx, workspace.principal("administrator").scope, made, "administrator")
        return made

    return site.store.write(make)


@pytest.fixture
def admin(workspace: Workspace) -> Principal:
    return workspace.principal("administrator")


def a_package(text: str = "print('hello')") -> bytes:
    """The bytes of a zip with one ``bot.py``."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        packed.writestr(zipfile.ZipInfo("bot.py", (1980, 1, 1, 0, 0, 0)), text)
    return made.getvalue()


@pytest.fixture
def package() -> Callable[..., bytes]:
    return a_package


@pytest.fixture
def deploy(site: Site, admin: Principal) -> Callable[..., wire.Bot]:
    """``deploy("my-bot")``: announce a version, upload a package, release it."""

    def deploy_(
        bot_id: str = "my-bot", version: str = "1.0.0", *, who: Principal = admin, technology: str = "PYTHON"
    ) -> wire.Bot:
        bots.announce_version(site, who, bot_id, wire.NewVersion(version=version, technology=technology))
        # Without the check of the archive in a child process: that is slow, and has tests of its own.
        stored = site.files.add_package([a_package(f"{bot_id} {version}")], limit_bytes=10**6)
        revision = NewRevision(
            sha256=stored.sha256,
            size_bytes=stored.size_bytes,
            file_name=f"{bot_id}.zip",
            findings=(),
            at=site.now(),
        )
        site.store.write(
            lambda tx: add_revision(tx, who.scope, version_of(tx, who.scope, bot_id, version).id, revision)
        )
        return bots.release(site, who, bot_id, version)

    return deploy_


@pytest.fixture
def an_automation(site: Site, admin: Principal, deploy: Callable[..., wire.Bot]) -> Callable[..., wire.Automation]:
    """``an_automation("daily")``: an automation of a released bot that the runner ``box-1`` may run."""

    def make(label: str = "daily", *, bot_id: str = "my-bot", who: Principal = admin, **more: Any) -> wire.Automation:
        if bot_id and bot_id not in {bot.bot_id for bot in bots.list_bots(site, who)}:
            deploy(bot_id, who=who)
        said = {"runners": ["box-1"], **more}
        return automations.create(site, who, wire.NewAutomation(label=label, bot_id=bot_id, **said))

    return make


@pytest.fixture
def a_runner(site: Site, workspace: Workspace) -> Callable[..., Principal]:
    """``a_runner("box-1")``: a registered runner, as the principal that its token stands for."""

    def make(machine_id: str = "box-1", *, of: Workspace = workspace) -> Principal:
        given = wire.Register(machine_id=machine_id, installation_id=f"of-{machine_id}", login=of.login, key=of.key)
        made = runners.register(site, given, "127.0.0.1")
        return identity.principal_of_token(site, made.token)

    return make
