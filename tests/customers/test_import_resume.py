"""A worker killed with SIGKILL in the middle of an import: the next one goes on, nothing is lost or doubled."""

import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.db.models import Count

from crm.common.models import Shop
from customers.choices import ImportState
from customers.core.mapping import Mapping
from customers.models import Customer, ImportBatch, Purchase, PurchaseLine
from customers.services import imports

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 6_000
WORKER = """
import django
django.setup()
from django.utils import timezone
from customers.services import imports
from customers.services.imports import applying
applying.CHUNK_ROWS = 100
imports.run_due(clock=timezone.now)
"""


@pytest.fixture(autouse=True)
def _uploads(settings: object, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "uploads"  # type: ignore[attr-defined]


def start_worker() -> "subprocess.Popen[bytes]":
    """A process of its own on the tests' database, applying in small chunks."""
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}@{quote(str(database['HOST']), safe='')}/{database['NAME']}"
    if database["PASSWORD"]:
        url = url.replace("@", f":{quote(database['PASSWORD'], safe='')}@", 1)
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "crm.settings",
        "CRM_VAR_DIR": str(Path(django_settings.MEDIA_ROOT).parent),
        "SECRET_KEY": "for-this-worker-only",
    }
    return subprocess.Popen([sys.executable, "-c", WORKER], env=environment, cwd=django_settings.BASE_DIR)


def kill_beyond(batch: ImportBatch, line: int) -> None:
    """Let a worker get past ``line``, then kill it wherever it is."""
    worker = start_worker()
    deadline = time.monotonic() + 60
    try:
        while time.monotonic() < deadline and worker.poll() is None:
            batch.refresh_from_db()
            if batch.next_line > line:
                break
            time.sleep(0.01)
    finally:
        worker.send_signal(signal.SIGKILL)
        status = worker.wait()
    assert status == -signal.SIGKILL


def test_a_killed_import_is_resumed_without_loss_or_double(shop: Shop, now: datetime) -> None:
    rows = [
        f"A-{n // 2},C{n // 2 % 1_500},Kim {n // 2 % 1_500},2026-02-03,S{n % 7},1,5" for n in range(ROWS)
    ]  # two rows an order
    batch = imports.upload(
        file_name="orders.csv",
        data="\n".join(["order,id,name,day,sku,qty,price", *rows]).encode(),
        source="shop",
        mapping=Mapping(
            columns={
                "order_id": "order", "customer_id": "id", "name": "name", "date": "day", "sku": "sku",
                "quantity": "qty", "line_amount": "price",
            },
            constants={"currency": "USD"},
        ),
        at=now,
    )  # fmt: skip
    imports.check(batch=batch, at=now)
    imports.confirm(batch=batch)

    kill_beyond(batch, 500)
    kill_beyond(batch, 2_500)

    batch.refresh_from_db()
    half = Purchase.objects.count()
    assert batch.state == ImportState.APPLYING
    assert 1_200 <= half < ROWS // 2  # stopped on the way, whole orders only
    assert PurchaseLine.objects.count() == 2 * half
    assert imports.run_due(clock=lambda: now) == 1
    batch.refresh_from_db()
    assert batch.state == ImportState.APPLIED
    assert (batch.rows, batch.to_create, batch.errors) == (ROWS, ROWS, 0)
    assert Purchase.objects.count() == ROWS // 2
    assert Customer.objects.count() == 1_500
    assert PurchaseLine.objects.count() == ROWS
    doubled = PurchaseLine.objects.values("purchase").annotate(lines=Count("id")).exclude(lines=2)
    assert list(doubled) == []
