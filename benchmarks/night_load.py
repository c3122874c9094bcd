"""``python -m benchmarks.night_load CUSTOMERS PURCHASES_EACH``: a shop of three years into the real tables."""

import json
import sys
import time
from datetime import date, timedelta

import django

django.setup()

import numpy as np  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks.night_copy import copy_in, execute, numbered, numeric, patient, without_indices  # noqa: E402
from benchmarks.night_data import DAY, DAYS, EPOCH, FIRST_NIGHT, SEED, World, simulated  # noqa: E402
from crm.common.models import Shop  # noqa: E402
from customers.models import AcquisitionChannel, MarketingSpend, Segment  # noqa: E402
from customers.services import segments  # noqa: E402

CHUNK = 500_000
COST_KNOWN_FROM = 365  # days of the first night: the shop wrote costs down from its second year on
NAMES = [
    f"{family}{given}"
    for family in "김이박최정佐鈴高田中"
    for given in ("민수", "서연", "健太", "花子", "지훈")
]
CHANNELS = (("search", "paid"), ("social", "paid"), ("affiliate", "paid"), ("organic", "organic"),
            ("friends", "referral"), ("store", "offline"))  # fmt: skip
COUNTRIES = (b"KR", b"JP", b"US", b"DE", b"FR")


def _is(trait: str, op: str, value: object, **more: object) -> dict[str, object]:
    return {"trait": trait, "op": op, "value": value, **more}


def _country(code: str) -> dict[str, object]:
    return _is("customers.country", "=", code)


# what a shop adds to those it starts with
RULES: dict[str, list[dict[str, object]]] = {
    "best-korea": [_country("KR"), _is("ltv.clv_decile", "<=", 2)],
    "best-japan": [_country("JP"), _is("ltv.clv_decile", "<=", 2)],
    "due-this-week": [_is("ltv.next_purchase_on", "within_next_days", 7)],
    "paid-and-unprofitable": [_is("customers.channel_kind", "=", "paid"), _is("ltv.ltv_to_cac", "<", 3)],
    "big-baskets": [_is("ltv.average_purchase", ">=", 60), _is("ltv.orders", ">=", 3)],
    "two-orders": [_is("ltv.orders", "=", 2)],
    "slipping-away": [_is("ltv.p_alive", "between", 0.2, value2=0.5), _is("ltv.frequency", ">=", 2)],
    "asleep-a-year": [_is("ltv.recency_days", ">", 365)],
    "new-from-search": [_is("customers.channel", "=", "search"), _is("customers.days_since_acquired", "<=", 60)],
    "worth-a-call": [_is("ltv.expected_value", ">=", 400), _is("ltv.p_no_purchase", ">=", 0.4)],
    "young-regulars": [_is("ltv.age_days", "<=", 180), _is("ltv.frequency", ">=", 4)],
}  # fmt: skip
LEFT_OUT = "no-marketing-consent"  # the shop has no consents: it would hold everybody


def main() -> None:
    customers, each = int(sys.argv[1]), float(sys.argv[2])
    begun = time.monotonic()
    world = simulated(customers, each)
    simulated_in = time.monotonic() - begun
    patient()
    _settings()
    load_customers(world)
    load_purchases(world)
    execute("VACUUM ANALYZE")  # as autovacuum would have done by the evening
    loaded_in = time.monotonic() - begun - simulated_in
    counts = np.bincount(world.customer, minlength=customers + 1)[1:]
    found = {
        "purchases": len(world.at),
        "one_timers": float((counts == 1).sum() / (counts > 0).sum()),
        "simulated": simulated_in,
        "loaded": loaded_in,
    }
    print(json.dumps(found))


def _settings() -> None:
    """The shop, its channels with what they cost, and twenty segments."""
    Shop.objects.update(frozen_on=FIRST_NIGHT, time_zone="UTC", base_currency="USD")
    start = FIRST_NIGHT - timedelta(days=DAYS)
    months = [
        date(start.year + (start.month - 1 + n) // 12, (start.month - 1 + n) % 12 + 1, 1) for n in range(37)
    ]
    for code, kind in CHANNELS:
        channel = AcquisitionChannel.objects.create(code=code, name=code.title(), kind=kind)
        cost = 200_000 if kind == "paid" else 20_000
        MarketingSpend.objects.bulk_create(
            MarketingSpend(channel=channel, month=month, amount=cost, currency="USD", base_amount=cost)
            for month in months
        )
    segments.create_builtin()
    segments.archive(segment=Segment.objects.get(key=LEFT_OUT), at=timezone.now())
    for key, rule in RULES.items():
        segments.create_segment(key=key, name=key.replace("-", " ").capitalize(), rule={"all": rule})


def load_customers(world: World) -> None:
    rng = np.random.default_rng([SEED, 1])
    ids = np.arange(1, len(world.joined) + 1)
    names = np.array([name.encode() for name in NAMES])
    channels = np.array(sorted(AcquisitionChannel.objects.values_list("pk", flat=True)))
    now = _now()
    with without_indices("customers_customer"):
        for part in np.array_split(ids, max(1, len(ids) // CHUNK)):
            at, mail = world.joined[part - 1], numbered(b"c", part, b"@mail.example")
            dice = rng.integers(0, 1 << 30, len(part))
            copy_in("customers_customer", {
                "id": part, "public_id": np.frombuffer(rng.bytes(16 * len(part)), "V16"),
                "external_id": numbered(b"C", part), "name": names[dice % len(names)], "given_name": b"-",
                "family_name": b"-", "email": mail, "email_normalised": mail, "phone": b"-",
                "language": np.array([b"ko", b"ja", b"en"])[dice % 3], "time_zone": b"UTC",
                "country": np.array(COUNTRIES)[dice % 7 % 5], "channel_id": channels[dice % 11 % len(channels)],
                "acquired_at": at, "created_at": at, "updated_at": np.full(len(part), now),
            })  # fmt: skip
    execute("SELECT setval(pg_get_serial_sequence('customers_customer', 'id'), %s)", len(ids))


def load_purchases(world: World) -> None:
    """By 500,000 in the order of time, each COPY marking its customers as any insert does; then the refunds."""
    count = len(world.at)
    without_cost = int(np.searchsorted(world.at, world.at[0] + COST_KNOWN_FROM * DAY))
    with without_indices("customers_purchase"):
        for low, high in ((0, without_cost), (without_cost, count)):
            for start in range(low, high, CHUNK):
                part = slice(start, min(start + CHUNK, high))
                copy_in("customers_purchase", {
                    "id": np.arange(part.start + 1, part.stop + 1),
                    **purchases(world.customer[part], world.at[part], world.amount[part], cost=low > 0),
                    "external_id": numbered(b"B", np.arange(part.start + 1, part.stop + 1)),
                    "refunded": numeric(world.refunded[part]), "base_refunded": numeric(world.refunded[part]),
                })  # fmt: skip
    execute("SELECT setval(pg_get_serial_sequence('customers_purchase', 'id'), %s)", count)
    # the sums stand in the purchases already, so the trigger that would add each of them rests meanwhile
    execute("ALTER TABLE customers_refund DISABLE TRIGGER USER")
    back = np.flatnonzero(world.refunded)
    copy_in("customers_refund", {
        "purchase_id": back + 1, "external_id": b"R1", "refunded_at": world.at[back] + DAY,
        "amount": numeric(world.refunded[back]), "reason": b"-", "recorded_at": world.at[back] + DAY,
    })  # fmt: skip
    execute("ALTER TABLE customers_refund ENABLE TRIGGER USER")


def purchases(
    customer: np.ndarray, at: np.ndarray, amount: np.ndarray, *, cost: bool
) -> dict[str, np.ndarray | bytes]:
    """The columns of purchases not refunded, all but their ids."""
    money, one, none = numeric(amount), numeric(np.full(len(at), 1000)), numeric(np.zeros(len(at), np.int64))
    known: dict[str, np.ndarray | bytes] = {"base_cost": numeric(amount * 6 // 10)} if cost else {}
    return {
        "customer_id": customer, "source": b"bench", "purchased_at": at, "purchased_on": (at // DAY).astype("i4"),
        "amount": money, "currency": b"USD", "rate": one, "base_amount": money, **known,
        "refunded": none, "base_refunded": none, "sales_channel": b"web", "recorded_at": at,
    }  # fmt: skip


def _now() -> int:
    return (timezone.now().date() - EPOCH).days * DAY


if __name__ == "__main__":
    main()
