"""The rules of the house that imports cannot say, as functions from a source tree to what breaks them.

Each takes the root of a tree and returns findings, ``path:line what``. ``test_rules.py`` holds them against this
project, ``test_rules_catch.py`` against small trees that break them.
"""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

PACKAGES = ("crm", "customers", "feedback", "ltv", "campaigns")
APPS = PACKAGES[1:]

# The shell has no services package: these of its modules are what writes there.
SHELL_WRITERS = (
    "crm/common/jobs.py",
    "crm/common/parts.py",
    "crm/common/claims.py",
    "crm/common/sql.py",
    "crm/common/api.py",  # the stored answer of an idempotent request, in the request's own transaction
    "crm/common/api_access.py",
    "crm/common/staff.py",
    # writes two years of a made-up past at once: what happened then was not done through today's services
    "crm/management/simulation/load.py",
    "crm/management/simulation/load_campaigns.py",
    "crm/management/simulation/load_story.py",
)
# The one seeded loader: a past of two years cannot be told through services that record the present.
LOADER = (
    "crm/management/simulation/load.py",
    "crm/management/simulation/load_story.py",
    "crm/management/simulation/load_campaigns.py",
)
SETTINGS = "crm/settings.py"  # updates dicts, and there is no row it could know
COMMON_INTERFACES = ("crm/common/admin", "crm/common/api", "crm/common/tasks.py", "crm/common/views")
SHELL_INTERFACES = ("crm/pages/", "crm/management/", "crm/health.py", "crm/metrics.py", *COMMON_INTERFACES)
INTERFACES = ("admin", "api", "views", "tasks", "management")

WRITING_CALLS = frozenset(
    [
        "save",
        "create",
        "acreate",
        "bulk_create",
        "bulk_update",
        "get_or_create",
        "update_or_create",
        "abulk_create",
        "asave",
    ]
)
# Django stamps these with the moment of the write: book-keeping about the row, never business time.
STAMPS = {"created_at", "updated_at", "recorded_at"}
CLOCKS = {
    "timezone": {"now", "localdate", "localtime"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {"time", "time_ns"},
}
SQL_CLOCKS = re.compile(
    r"\b(now\(\)|current_(date|time|timestamp)\b|clock_timestamp\(|localtimestamp\b)", re.I
)
SQL_TEXT = re.compile(
    r"\s*(SELECT\s|WITH\s+\w+\s+AS\b|INSERT\s+INTO\b|UPDATE\s+\S+\s+SET\b|DELETE\s+FROM\b|TRUNCATE\s|COPY\s"
    r"|(CREATE|ALTER|DROP)\s+(TABLE|INDEX|VIEW|TRIGGER|FUNCTION|EXTENSION|DATABASE|ROLE)\b)"
)
RAW_CALLS = {"raw", "extra", "RawSQL", "cursor"}
SQL_RUNNERS = (
    "crm/common/sql.py",
    "crm/embedded_pg.py",
)  # the second sets up a cluster before there is Django
LONGEST_FILE = 400
LONGEST_COUNTDOWN = 60

Finding = str
Rule = Callable[[Path], list[Finding]]


@cache
def parsed(text: str) -> ast.Module:
    """What eight rules ask about is parsed once; ``parsed.cache_clear()`` forgets it."""
    return ast.parse(text)


class Source:
    """One parsed Python file of the tree."""

    def __init__(self, root: Path, path: Path) -> None:
        self.name = path.relative_to(root).as_posix()
        self.tree = parsed(path.read_text(encoding="utf-8"))

    @property
    def place(self) -> str:
        """The name in its app that the file belongs to: services, admin, models ..."""
        parts = self.name.split("/")
        return parts[1].removesuffix(".py") if len(parts) > 1 else ""

    @property
    def is_services(self) -> bool:
        return self.place == "services" or self.name in SHELL_WRITERS + LOADER

    @property
    def is_interface(self) -> bool:
        return self.name.startswith(SHELL_INTERFACES) or (
            not self.name.startswith("crm/") and self.place in INTERFACES
        )

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def at(self, node: ast.AST, what: str) -> Finding:
        return f"{self.name}:{getattr(node, 'lineno', 0)} {what}"


def sources(root: Path) -> Iterator[Source]:
    """Every Python file of the product except migrations."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield Source(root, path)


def called(call: ast.Call) -> str:
    """The last part of what is called: ``f`` for both f() and a.b.f()."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def only_services_write(root: Path) -> list[Finding]:
    """Rows change in services; elsewhere nothing saves, creates, updates, deletes or runs writing SQL."""
    return [
        source.at(call, f"writes with .{called(call)}()")
        for source in sources(root)
        if not source.is_services and source.name != SETTINGS
        for call in source.calls()
        if _writes(call)
    ]


def _writes(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return called(call) == "copy_columns"
    name, owner = call.func.attr, getattr(call.func.value, "id", "")
    if name == "update":  # a dict's or a hash's takes a value, a queryset's takes field=value
        return bool(call.keywords) and not call.args
    if name == "delete":  # a cache's takes a key, a row's and a queryset's takes nothing
        return not call.args
    if owner == "sql":
        return name == "execute"
    return name in WRITING_CALLS


def nobody_below_the_interfaces_reads_the_clock(root: Path) -> list[Finding]:
    """Time is an argument: only admin, API, views, tasks, commands and pages ask what time it is."""
    found = [
        source.at(node, f"reads the clock: {ast.unparse(node)[:60]}")
        for source in sources(root)
        if not source.is_interface
        for node in ast.walk(source.tree)
        if _is_clock(node)
    ]
    return found + [
        f"{path.relative_to(root).as_posix()}:{number} reads the clock: {line.strip()[:60]}"
        for path in sql_files(root)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if SQL_CLOCKS.search(line.partition("--")[0])
    ]


def _is_clock(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        return node.attr in CLOCKS.get(owner, ())
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
        stamped = any(keyword.arg in ("auto_now", "auto_now_add") for keyword in node.value.keywords)
        return stamped and getattr(node.targets[0], "id", "") not in STAMPS
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Now", "TransactionNow")


def no_model_signals(root: Path) -> list[Finding]:
    """What follows from a write is written next to it, not attached to every save."""
    return [
        source.at(node, "uses Django's model signals")
        for source in sources(root)
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.ImportFrom) and node.module == "django.db.models.signals")
        or (isinstance(node, ast.ImportFrom) and _imports(node, "django.db.models", "signals"))
        or (isinstance(node, ast.Import) and any(a.name == "django.db.models.signals" for a in node.names))
        or (isinstance(node, ast.Attribute) and ast.unparse(node) == "models.signals")
    ]


def _imports(node: ast.ImportFrom, module: str, name: str) -> bool:
    return node.module == module and any(alias.name == name for alias in node.names)


def sql_text_only_in_sql(root: Path) -> list[Finding]:
    """SQL lives in ``<app>/sql/*.sql`` and runs through crm.common.sql."""
    found: list[Finding] = []
    for source in sources(root):
        if source.name in SQL_RUNNERS:
            continue
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL_TEXT.match(node.value):
                found.append(source.at(node, f"has SQL text: {node.value.strip()[:40]!r}"))
            elif isinstance(node, ast.Call) and called(node) in RAW_CALLS:
                found.append(source.at(node, f"runs SQL of its own with {called(node)}()"))
    return found


def sql_files(root: Path) -> list[Path]:
    return sorted(path for package in PACKAGES for path in (root / package).rglob("sql/*.sql"))


def sql_files_say_what_they_are(root: Path) -> list[Finding]:
    """Parameters, units and meaning stand in a header comment."""
    return [
        f"{path.relative_to(root).as_posix()}:1 has no header comment"
        for path in sql_files(root)
        if not path.read_text(encoding="utf-8").lstrip().startswith(("--", "/*"))
    ]


def one_place_opens_redis(root: Path) -> list[Finding]:
    """crm/common/redis.py is the one client; the rest may at most know its exceptions."""
    return [
        source.at(node, "opens Redis")
        for source in sources(root)
        if source.name != "crm/common/redis.py"
        for node in ast.walk(source.tree)
        if (
            isinstance(node, ast.Import)
            and any(a.name.split(".")[0] in ("redis", "valkey") for a in node.names)
        )
        or (
            isinstance(node, ast.ImportFrom) and (node.module or "") != "redis.exceptions" and _is_redis(node)
        )
    ]


def _is_redis(node: ast.ImportFrom) -> bool:
    return not node.level and (node.module or "").split(".")[0] in ("redis", "valkey", "django_redis")


def nothing_waits_in_the_broker(root: Path) -> list[Finding]:
    """No ``eta`` and no ``countdown`` over 60 s: what is due later is a row with a due time."""
    return [
        source.at(call, f"leaves work waiting in the broker: {keyword.arg}={ast.unparse(keyword.value)}")
        for source in sources(root)
        for call in source.calls()
        if called(call) in ("apply_async", "send_task", "retry", "signature", "set")
        for keyword in call.keywords
        if keyword.arg == "eta" or (keyword.arg == "countdown" and not _is_short(keyword.value))
    ]


def _is_short(value: ast.expr) -> bool:
    return (
        isinstance(value, ast.Constant)
        and isinstance(value.value, int | float)
        and value.value <= LONGEST_COUNTDOWN
    )


def files_are_short(root: Path) -> list[Finding]:
    """At most 400 lines: short enough to hold in the head. Migrations and vendored files are not ours to cut."""
    return [
        f"{path.relative_to(root).as_posix()}:{lines} lines"
        for folder in (*PACKAGES, "tests", "benchmarks")
        for path in sorted((root / folder).rglob("*"))
        if path.suffix in (".py", ".html", ".js", ".css", ".sql")
        and not {"migrations", "vendor", "node_modules"} & set(path.parts)
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    ]


RULES: tuple[Rule, ...] = (
    only_services_write,
    nobody_below_the_interfaces_reads_the_clock,
    no_model_signals,
    sql_text_only_in_sql,
    sql_files_say_what_they_are,
    one_place_opens_redis,
    nothing_waits_in_the_broker,
    files_are_short,
)
