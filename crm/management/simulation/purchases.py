"""Who bought what, when, for how much: BG/NBD times, gamma-gamma amounts, and a small season. Pure.

Source: Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2); Fader & Hardie
(2013), The Gamma-Gamma Model of Monetary Value, note 025.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import numpy as np

from crm.management.simulation.catalogue import EUR_IN_USD, ITEMS, RATES, REFUND_REASONS, STEPS
from crm.management.simulation.people import Person

# The truth: buying rates a day, Gamma(R, ALPHA); leaving after a purchase, Beta(A, B)
R, ALPHA, A, B = 0.46, 44.0, 0.8, 2.7
# Amounts in USD: each purchase Gamma(P, v) where v is the customer's own, Gamma(Q, GAMMA); mean P GAMMA / (Q - 1)
P, Q, GAMMA = 6.0, 4.2, 27.0
HIGH_SEASON = {1: 0.9, 2: 0.95, 5: 1.05, 9: 1.1, 11: 1.15, 12: 1.25}
_PEAK = max(HIGH_SEASON.values())
REFUNDED, WITH_COST = 0.03, 0.85
_PRICES = np.sort(np.array([item.price for item in ITEMS]))
_BY_PRICE = sorted(ITEMS, key=lambda item: item.price)
_SALES_CHANNELS = ("web", "app", "store")

Rates = Mapping[tuple[str, date], Decimal]


@dataclass(frozen=True)
class Line:
    sku: str
    quantity: int
    amount: Decimal


@dataclass(frozen=True)
class Refund:
    at: datetime
    amount: Decimal
    reason: str


@dataclass(frozen=True)
class Order:
    """One purchase of the person ``number``; money in ``currency``, ``cost`` in USD or unknown."""

    number: int
    day: date
    at: datetime
    currency: str
    amount: Decimal
    rate: Decimal | None
    cost: Decimal | None
    sales_channel: str
    lines: tuple[Line, ...]
    refund: Refund | None


def daily_rates(rng: np.random.Generator, *, first: date, last: date) -> dict[tuple[str, date], Decimal]:
    """A slow random walk of every currency with a rate; keys are (currency, day)."""
    days = (last - first).days + 1
    found: dict[tuple[str, date], Decimal] = {}
    for currency, around in RATES.items():
        walk = np.cumsum(rng.normal(0, 0.0032, days))
        levels = np.exp(0.6 * (walk - np.linspace(0, walk[-1], days)))
        for offset, level in enumerate(levels):
            rate = (around * Decimal(str(round(float(level), 6)))).quantize(Decimal("0.000000001"))
            found[currency, first + timedelta(days=offset)] = rate
    return found


def orders(
    rng: np.random.Generator, persons: Iterable[Person], *, last: date, zone: ZoneInfo, rates: Rates
) -> list[Order]:
    """Everything bought up to and including ``last`` (a day of ``zone``), in the order of time."""
    made = []
    for person in persons:
        if not person.buys:
            continue
        scale = rng.gamma(Q, 1 / GAMMA)
        for day in _days(rng, person, last):
            made.append(order(rng, person, day, scale=scale, last=last, zone=zone, rates=rates))
    return sorted(made, key=lambda one: (one.at, one.number))


def _days(rng: np.random.Generator, person: Person, last: date) -> Iterator[date]:
    """The first purchase on the day the person came, then as a BG/NBD customer of the channel's quality does."""
    rate = rng.gamma(R, 1 / ALPHA) * person.channel.quality
    leaves = rng.beta(A, B)
    yield person.came_on
    at = 0.0
    while True:
        # the season thins out a process that runs at its peak all year
        at += max(rng.exponential(1 / (rate * _PEAK)), 0.5) if rate > 1e-9 else np.inf
        if at >= (last - person.came_on).days + 1:
            return
        day = person.came_on + timedelta(days=int(at))
        if rng.random() > HIGH_SEASON.get(day.month, 1.0) / _PEAK:
            continue
        if day > person.came_on:
            yield day
        if rng.random() < leaves:
            return


def order(
    rng: np.random.Generator,
    person: Person,
    day: date,
    *,
    scale: float,
    last: date,
    zone: ZoneInfo,
    rates: Rates,
) -> Order:
    """One purchase of a customer whose amounts are Gamma(P, 1 / scale)."""
    currency = person.market.currency
    rate = rates.get((currency, day)) if currency != "USD" else Decimal(1)
    dollars = max(float(rng.gamma(P, 1 / scale)), 4.0)
    unit = float(rate) if rate else EUR_IN_USD
    lines = _lines(rng, dollars, unit, STEPS[currency])
    amount = sum((line.amount for line in lines), Decimal(0))
    at = _moment(rng, day, zone)
    cost = None
    if rate and rng.random() < WITH_COST:
        cost = (amount * rate * Decimal(str(round(rng.uniform(0.42, 0.58), 3)))).quantize(Decimal("0.01"))
    return Order(
        number=person.number,
        day=day,
        at=at,
        currency=currency,
        amount=amount,
        rate=rate,
        cost=cost,
        sales_channel=_SALES_CHANNELS[rng.choice(3, p=[0.56, 0.32, 0.12])],
        lines=lines,
        refund=_refund(rng, at, amount, STEPS[currency], last, zone) if rng.random() < REFUNDED else None,
    )


def _lines(rng: np.random.Generator, dollars: float, unit: float, step: Decimal) -> tuple[Line, ...]:
    """One to four products near the price that each line comes to."""
    most = 1 + min(3, int(dollars // 25))
    count = int(rng.integers(1, most + 1))
    shares = rng.dirichlet(np.full(count, 6.0))
    found: dict[str, Line] = {}
    for share in shares:
        worth = dollars * share
        quantity = 2 if worth < 60 and rng.random() < 0.2 else 1
        place = int(np.searchsorted(_PRICES, worth / quantity)) + int(rng.integers(-3, 4))
        item = _BY_PRICE[min(max(place, 0), len(_BY_PRICE) - 1)]
        each = (
            max(
                (Decimal(str(worth / quantity / unit)) / step).quantize(Decimal(1), ROUND_HALF_UP), Decimal(1)
            )
            * step
        )
        if item.sku not in found:
            found[item.sku] = Line(item.sku, quantity, each * quantity)
        else:
            before = found[item.sku]
            found[item.sku] = Line(item.sku, before.quantity + quantity, before.amount + each * quantity)
    return tuple(found.values())


def _moment(rng: np.random.Generator, day: date, zone: ZoneInfo) -> datetime:
    """Between 8 in the morning and midnight by the shop's clock, most often in the evening."""
    seconds = int((8 + 16 * rng.beta(2.4, 1.7)) * 3600)
    local = datetime.combine(day, time(), tzinfo=zone) + timedelta(seconds=min(seconds, 86_399))
    return local.astimezone(UTC)


def _refund(
    rng: np.random.Generator, at: datetime, amount: Decimal, step: Decimal, last: date, zone: ZoneInfo
) -> Refund | None:
    """All or half of it, two to three weeks later at most; not in the future."""
    when = at + timedelta(days=int(rng.integers(2, 18)), hours=int(rng.integers(5)))
    if when.astimezone(zone).date() > last:
        return None
    part = amount if rng.random() < 0.6 else (amount / 2 / step).quantize(Decimal(1), ROUND_HALF_UP) * step
    return Refund(when, max(part, step), REFUND_REASONS[rng.integers(len(REFUND_REASONS))])
