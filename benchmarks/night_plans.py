"""The plans of a night's slow statements, with times and buffers, as PostgreSQL's auto_explain saw them run."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from crm import embedded

SLOW_MS = 150
SETTINGS = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": str(SLOW_MS),
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_triggers": "on",
    "auto_explain.log_timing": "on",
}


@contextmanager
def explaining(url: str, into: Path) -> Iterator[None]:
    """Write what the database at ``url`` runs for long into a file. It needs the embedded server's superuser."""
    name, log = urlsplit(url).path.lstrip("/"), embedded.var_dir() / "postgres" / "postgres.log"
    for setting, value in SETTINGS.items():
        _as_superuser(url, f"ALTER DATABASE {name} SET {setting} = '{value}'")
    began = log.stat().st_size
    try:
        yield
    finally:
        _as_superuser(url, f"ALTER DATABASE {name} RESET ALL")
        with log.open(encoding="utf-8", errors="replace") as lines:
            lines.seek(began)
            into.write_text("\n".join(_plans(lines.read(), name)), encoding="utf-8")


def _as_superuser(url: str, statement: str) -> None:
    parts = urlsplit(url)
    _user, at, host = parts.netloc.rpartition("@")
    with psycopg.connect(urlunsplit(parts._replace(netloc=f"postgres{at}{host}")), autocommit=True) as admin:
        admin.execute(statement)


def _plans(text: str, database: str) -> list[str]:
    """The log's entries with a plan in them, from this database."""
    entries = re.split(r"(?m)^(?=\d{4}-\d\d-\d\d )", text)
    marks = (f"] {database} LOG:", "duration:", "plan:")
    return [entry for entry in entries if all(mark in entry for mark in marks)]
