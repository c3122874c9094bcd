"""``python -m benchmarks.import_once FILE``: one import on the scratch database, and a COPY of the same file."""

import json
import resource
import sys
import time
from pathlib import Path

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from customers.choices import ImportState  # noqa: E402
from customers.core.mapping import Mapping  # noqa: E402
from customers.services import imports  # noqa: E402


def main() -> None:
    file = Path(sys.argv[1])
    batch = imports.upload(file_name=file.name, data=file, source="bench", at=timezone.now())
    imports.choose_mapping(batch=batch, mapping=Mapping(columns=imports.peek(batch).guesses))
    begun = time.monotonic()
    imports.check(batch=batch, at=timezone.now())
    checked = time.monotonic()
    imports.confirm(batch=batch)
    imports.apply(batch=batch, clock=timezone.now)
    applied = time.monotonic()
    if batch.state != ImportState.APPLIED or batch.errors:
        raise RuntimeError(f"{batch.state}: {batch.error or batch.errors}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {
                "check": checked - begun,
                "apply": applied - checked,
                "copy": bare_copy(file),
                "memory_mb": memory,
            }
        )
    )


def bare_copy(file: Path) -> float:
    columns = ", ".join(f"c{n} text" for n in range(11))
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bench_copy ({columns})")
        begun = time.monotonic()
        with file.open("rb") as data, cursor.copy("COPY bench_copy FROM STDIN (FORMAT csv, HEADER)") as out:
            while block := data.read(1 << 16):
                out.write(block)
        return time.monotonic() - begun


if __name__ == "__main__":
    main()
