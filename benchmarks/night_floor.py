"""``python -m benchmarks.night_floor CUSTOMERS``: what only moving the data costs, on this server, warm.

Out: the purchase columns a night uses, as fixed-width numbers into numpy. In: one row a customer with every column of
a run's table, into a table without index or check. The best of two each.
"""

import json
import sys
import time
from collections.abc import Callable

import django

django.setup()

import numpy as np  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from benchmarks.night_copy import copy_in, copy_out, execute, patient, rows  # noqa: E402
from benchmarks.servers import postgres_cpu_seconds  # noqa: E402

OUT = np.dtype([("customer_id", "i8"), ("day", "i4"), ("amount", "f8"), ("refunded", "f8"), ("cost", "f8")])
# as numbers of fixed width, which numpy can take as they come
QUERY = (
    "SELECT customer_id, purchased_on - date '2000-01-01', base_amount::float8, base_refunded::float8,"
    " coalesce(base_cost, -1)::float8 FROM customers_purchase"
)
FIXED = {
    "int2": "i2",
    "int4": "i4",
    "int8": "i8",
    "float4": "f4",
    "float8": "f8",
    "date": "i4",
    "timestamptz": "i8",
}
SEED = 5


def main() -> None:
    customers = int(sys.argv[1])
    patient()
    out = best_of_two(lambda: copy_out(QUERY, OUT))
    columns = one_run(customers)
    with transaction.atomic():
        execute("CREATE TABLE bench_floor (LIKE ltv_customerltv)")
    into = best_of_two(
        lambda: copy_in("bench_floor", columns), between=lambda: execute("TRUNCATE bench_floor")
    )
    execute("DROP TABLE bench_floor")
    connection.close()
    print(json.dumps({"out": out[0], "in": into[0], "cpu": out[1] + into[1], "columns": len(columns)}))


def best_of_two(work: Callable[[], object], between: Callable[[], object] = lambda: None) -> list[float]:
    """Seconds on the clock, and of the processors: ours and PostgreSQL's."""
    turns = []
    for _turn in range(2):
        between()
        begun, spent = time.perf_counter(), _cpu()
        work()
        turns.append([time.perf_counter() - begun, _cpu() - spent])
    return [min(turn) for turn in zip(*turns, strict=True)]


def _cpu() -> float:
    return time.process_time() + postgres_cpu_seconds()


def one_run(customers: int) -> dict[str, np.ndarray | bytes]:
    """A value in every column of a run's table, of its type."""
    rng = np.random.default_rng(SEED)
    found = rows(
        "SELECT attname, typname FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid"
        " WHERE attrelid = 'ltv_customerltv'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    )
    return {name: _column(kind, rng, customers) for name, kind in found}


def _column(kind: str, rng: np.random.Generator, count: int) -> np.ndarray | bytes:
    if kind in FIXED:
        return rng.integers(0, 10_000, count).astype(FIXED[kind])
    if kind == "bool":
        return rng.random(count) < 0.5
    if kind in ("text", "varchar", "bpchar"):
        return b"word"
    raise RuntimeError(f"the floor does not know what a column of type {kind} weighs")


if __name__ == "__main__":
    main()
