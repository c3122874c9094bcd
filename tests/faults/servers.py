"""Servers of a test's own, to be struck down: a durable PostgreSQL with the test's database in it, a Valkey."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dj_database_url
from django.db import connection

from crm.embedded import Valkey, socket_dir
from crm.embedded_pg import Postgres, binaries
from tests.faults.harness import database_url
from tests.ops.conftest import Installation

DUMP = ["--no-owner", "--no-privileges", "--exclude-table-data=auth_permission"]


class OwnPostgres:
    """Durable, as in production: what it has committed must survive SIGQUIT, its way of stopping at once."""

    def __init__(self, var: Path) -> None:
        self._files = Installation(var)
        var.mkdir()
        self._server = Postgres(var, sockets=lambda home, owner: socket_dir(home / "run", owner=owner))
        self.url = self.start()
        self._copy(database_url())

    def start(self) -> str:
        return self._server.ensure(durable=True)

    @property
    def pid(self) -> int:
        pid = self._files.postmaster()
        assert pid is not None, "PostgreSQL does not run"
        return pid

    def runs(self) -> bool:
        return self._files.postmaster() is not None

    def remove(self) -> None:
        self._server.stop()
        self._files.remove()

    def _copy(self, source: str) -> None:
        tools = binaries(None) / "bin"
        dump = subprocess.run([tools / "pg_dump", *DUMP, source], check=True, capture_output=True)
        load = [tools / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-1", self.url]
        subprocess.run(load, input=dump.stdout, check=True, capture_output=True)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """This process's connections go here instead of to the test's database."""
        settings = connection.settings_dict
        before = {name: settings[name] for name in ("HOST", "PORT", "USER", "PASSWORD", "NAME")}
        here = dj_database_url.parse(self.url)
        connection.close()
        settings.update({name: here[name] for name in before})
        try:
            yield
        finally:
            connection.close()
            settings.update(before)


class OwnValkey:
    def __init__(self, var: Path) -> None:
        self._files = Installation(var)
        var.mkdir()
        self._server = Valkey(var)
        self.url = self.start()

    def start(self) -> str:
        return self._server.ensure()

    @property
    def pid(self) -> int:
        pid = self._files.valkey()
        assert pid is not None, "Valkey does not run"
        return pid

    def runs(self) -> bool:
        return self._files.valkey() is not None

    @property
    def broker(self) -> str:
        return self.url.replace("unix://", "redis+socket://")

    def remove(self) -> None:
        self._server.stop()
        # a test's long folder name puts its socket beside, not inside
        shutil.rmtree(self._server.socket.parent, ignore_errors=True)
