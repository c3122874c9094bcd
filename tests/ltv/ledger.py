"""The shop's books kept a second time, in plain Python, and what every customer is worth by them.

Nothing here reads the database or calls the code that is being tested: only what was said to the shop.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

MONTH = Fraction(36525, 1200)  # days
THOUSANDTH = Decimal("0.001")


@dataclass
class Order:
    """One order as it was sold or corrected; ``returned`` and ``cost`` are in its currency, ``base_cost`` in the shop's."""

    who: int
    on: date  # the shop's calendar day
    facts: tuple[datetime, Decimal, str]  # when, how much, in which currency
    rate: Decimal | None = None
    cost: Decimal | None = None
    base_cost: Decimal | None = None
    returned: Decimal = Decimal(0)

    @property
    def paid(self) -> Decimal:
        return base(self.facts[1], self.rate)

    @property
    def back(self) -> Decimal:
        return base(self.returned, self.rate)

    @property
    def left(self) -> Decimal:
        return self.paid - self.back

    def price(self, rate: Decimal | None) -> None:
        """A cost that is not known in the order's own currency stays what it is in base currency."""
        self.rate = rate
        if self.cost is not None:
            self.base_cost = None if rate is None else base(self.cost, rate)


@dataclass(frozen=True)
class Worth:
    """Exact figures of one customer; money in base currency, days up to the last whole one."""

    orders: int = 0
    days: tuple[date, ...] = ()
    first_revenue: Decimal = Decimal(0)
    revenue: Decimal = Decimal(0)
    margin: Fraction = Fraction(0)


def base(amount: Decimal, rate: Decimal | None) -> Decimal:
    """In base currency, half a thousandth rounded up."""
    assert rate is not None
    return (amount * rate + THOUSANDTH / 2) // THOUSANDTH * THOUSANDTH


@dataclass
class Ledger:
    """Orders by their id, and the rates told so far."""

    zone: ZoneInfo
    currency: str
    orders: dict[str, Order] = field(default_factory=dict)
    rates: dict[str, dict[date, Decimal]] = field(default_factory=lambda: defaultdict(dict))

    def sell(
        self, name: str, who: int, at: datetime, amount: Decimal, currency: str, cost: Decimal | None
    ) -> None:
        on = at.astimezone(self.zone).date()
        self.orders[name] = one = Order(who, on, (at, amount, currency), cost=cost)
        one.price(self._rate(currency, on))

    def correct(self, name: str, at: datetime, amount: Decimal, currency: str) -> None:
        """A file without a cost. One that says the same changes nothing; a number in another currency is none any more."""
        one, facts = self.orders[name], (at, amount, currency)
        if one.facts != facts:
            one.cost = one.cost if currency == one.facts[2] else None
            one.facts, one.on = facts, at.astimezone(self.zone).date()
            one.price(self._rate(currency, one.on))

    def tell_rate(self, currency: str, day: date, rate: Decimal) -> None:
        """Orders that have a rate keep it; those that waited take the one of their own day."""
        self.rates[currency][day] = rate
        for one in self.orders.values():
            if one.rate is None:
                one.price(self._rate(one.facts[2], one.on))

    def merge(self, *, keep: int, other: int) -> None:
        for one in self.orders.values():
            one.who = keep if one.who == other else one.who

    def _rate(self, currency: str, on: date) -> Decimal | None:
        """The latest told for that day or one before it."""
        if currency == self.currency:
            return Decimal(1)
        days = [day for day in self.rates[currency] if day <= on]
        return self.rates[currency][max(days)] if days else None

    def by_day(self) -> dict[date, tuple[Decimal, int]]:
        """Revenue and orders of each day there are orders of."""
        found: dict[date, tuple[Decimal, int]] = {}
        for one in self.orders.values():
            if one.rate is not None:
                revenue, orders = found.get(one.on, (Decimal(0), 0))
                found[one.on] = revenue + one.left, orders + 1
        return found

    def worths(self, as_of: date, margin_rate: Decimal) -> dict[int, Worth]:
        """Every customer with a purchase day before ``as_of``: the reference of the night."""
        days: dict[tuple[int, date], list[Order]] = defaultdict(list)
        for one in self.orders.values():
            if one.rate is not None and one.on < as_of:
                days[one.who, one.on].append(one)
        found: dict[int, Worth] = defaultdict(Worth)
        for (who, on), bought in sorted(days.items(), key=lambda item: item[0]):
            net = sum((one.left for one in bought), Decimal(0))
            if net > 0 or not any(one.back for one in bought):  # a day brought to nothing is none
                had = found[who]
                found[who] = Worth(
                    orders=had.orders + sum(one.left > 0 or one.back == 0 for one in bought),
                    days=(*had.days, on),
                    first_revenue=had.first_revenue if had.days else net,
                    revenue=had.revenue + net,
                    margin=had.margin + sum(Fraction(one.left) * _share(one, margin_rate) for one in bought),
                )
        return dict(found)


def _share(one: Order, margin_rate: Decimal) -> Fraction:
    """The part of an order's revenue that is margin."""
    if one.base_cost is None or not one.paid:
        return Fraction(margin_rate)
    return 1 - Fraction(one.base_cost) / Fraction(one.paid)


def months_observed(worth: Worth, as_of: date) -> Fraction:
    """From the first purchase day to the last whole one, at least one."""
    return max((as_of - worth.days[0]).days / MONTH, Fraction(1))


def formula_ltv(worth: Worth, as_of: date, retention_months: Decimal) -> Fraction:
    """Average purchase x purchases a month x months a customer stays."""
    return Fraction(worth.revenue) / months_observed(worth, as_of) * Fraction(retention_months)
