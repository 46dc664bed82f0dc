"""A PostgreSQL of the round's own, with everything durable, that may be killed as well."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psycopg

START_SECONDS = 60


class Postgres:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = "postgres" if os.geteuid() == 0 else "tests"
        versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: float(each.parent.name))
        found = shutil.which("initdb")
        if not versions and not found:
            raise SystemExit("PostgreSQL is not installed: initdb is not found")
        self.binaries = versions[-1] if versions else Path(str(found)).parent
        # A path of a socket may have 107 bytes.
        self.sockets = Path(f"/tmp/bottool-chaos-{os.getpid()}-{time.monotonic_ns()}")
        for each in (folder, self.sockets):
            each.mkdir(parents=True)
            if os.geteuid() == 0:
                shutil.chown(each, self.user, self.user)
        self._process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", self._data, "-U", self.user, *["-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"])

    @property
    def _data(self) -> Path:
        return self.sockets / "data"

    @property
    def address(self) -> str:
        return f"postgresql:///postgres?host={self.sockets}&user={self.user}"

    def _command(self, program: str, *arguments: object) -> list[str]:
        """PostgreSQL refuses to run as root."""
        lower = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--pdeathsig=INT", "--"]
        return [*(lower if os.geteuid() == 0 else []), str(self.binaries / program), *map(str, arguments)]

    def _run(self, program: str, *arguments: object) -> None:
        subprocess.run(self._command(program, *arguments), check=True, capture_output=True, cwd=self.sockets)

    def start(self) -> None:
        options = ("listen_addresses=", "max_connections=100")
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("postgres", "-D", self._data, "-k", self.sockets, *(f"-c{each}" for each in options)),
                stdout=log,
                stderr=log,
                cwd=self.sockets,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with suppress(psycopg.OperationalError), psycopg.connect(self.address):
                return
            time.sleep(0.05)
        raise RuntimeError("PostgreSQL does not answer")

    def kill_a_backend(self, number: float) -> bool:
        """SIGKILL to one of its processes that serve a connection; PostgreSQL then restarts all of them."""
        with suppress(psycopg.OperationalError, IndexError), psycopg.connect(self.address) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ).fetchall()
            os.kill(rows[int(number * len(rows))][0], signal.SIGKILL)
            return True
        return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(START_SECONDS)
        shutil.rmtree(self.sockets, ignore_errors=True)
