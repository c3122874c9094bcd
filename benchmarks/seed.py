"""``python -m benchmarks.seed CUSTOMERS``: fills the scratch database by COPY, values everybody once, signs staff in."""

import json
import random
import sys
import uuid
from datetime import UTC, datetime, timedelta

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from crm.common.models import User  # noqa: E402
from ltv.services import night  # noqa: E402

SURNAMES = ["김", "이", "박", "佐藤", "鈴木", "Kim", "Lee", "Smith", "Garcia", "Müller"]
GIVEN = ["민수", "서연", "健太", "さくら", "Anna", "Tom", "Maria", "Jun"]


def copy(statement: str, rows: list[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as out:
        for row in rows:
            out.write_row(row)


def fill(customers: int) -> None:
    dice, now = random.Random(7), timezone.now()
    start = datetime(2024, 1, 1, tzinfo=UTC)
    people, purchases = [], []
    for n in range(1, customers + 1):
        joined = start + timedelta(minutes=dice.randrange(60 * 24 * 700))
        mail = f"c{n}@mail.example"
        name = f"{dice.choice(SURNAMES)} {dice.choice(GIVEN)} {n}"
        people.append((n, uuid.UUID(int=dice.getrandbits(128)), name, mail, mail, joined, now))
        at = joined
        for k in range(1 + int(dice.expovariate(0.7))):
            amount = round(dice.lognormvariate(3.4, 0.6), 2)
            purchases.append((n, f"{n}-{k}", at, at.date(), amount, amount, now))
            at += timedelta(days=dice.expovariate(1 / 60))
            if at > now - timedelta(days=2):
                break
    copy(
        "COPY customers_customer (id, public_id, name, email, email_normalised, acquired_at, created_at, updated_at,"
        " given_name, family_name, phone, language, time_zone, country) FROM STDIN",
        [(*p, p[-1], "", "", "", "en", "UTC", "KR") for p in people],
    )
    copy(
        "COPY customers_purchase (customer_id, source, external_id, purchased_at, purchased_on, amount, currency, rate,"
        " base_amount, refunded, base_refunded, sales_channel, recorded_at) FROM STDIN",
        [(c, "bench", e, at, day, a, "USD", 1, b, 0, 0, "", r) for c, e, at, day, a, b, r in purchases],
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('customers_customer', 'id'), %s)", [customers])
        cursor.execute("VACUUM ANALYZE")


def sign_in() -> str:
    name = f"bench-{uuid.uuid4().hex}"
    user = User.objects.create_superuser(name, f"{name}@shop.example", uuid.uuid4().hex)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def main() -> None:
    fill(int(sys.argv[1]))
    run = night.request_recalculation(by=None, now=timezone.now())
    night.run_due(clock=timezone.now)
    run.refresh_from_db()
    print(json.dumps({"session": sign_in(), "night": run.state}))


if __name__ == "__main__":
    main()
