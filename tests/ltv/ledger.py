"""What every customer is worth, worked out once more in plain Python from purchases and refunds and nothing else."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from crm.common.models import Shop
from customers.models import Purchase, Refund

MONTH = Fraction(36525, 1200)  # days
THOUSANDTH = Decimal("0.001")


@dataclass(frozen=True)
class Worth:
    """Exact figures of one customer; money in base currency, days up to the last whole one."""

    orders: int = 0
    days: tuple[date, ...] = ()
    first_revenue: Decimal = Decimal(0)
    revenue: Decimal = Decimal(0)
    margin: Fraction = Fraction(0)


def base(amount: Decimal, rate: Decimal) -> Decimal:
    """In base currency, half a thousandth rounded up."""
    return (amount * rate + THOUSANDTH / 2) // THOUSANDTH * THOUSANDTH


def worths(shop: Shop, as_of: date, margin_rate: Decimal) -> dict[int, Worth]:
    """Every customer with a purchase day before ``as_of``: the reference of the night."""
    returned: dict[int, Decimal] = defaultdict(Decimal)
    for refund in Refund.objects.all():
        returned[refund.purchase_id] += refund.amount
    days: dict[tuple[int, date], list[tuple[Purchase, Decimal, Decimal]]] = defaultdict(list)
    for one in Purchase.objects.exclude(rate=None):
        on, back = one.purchased_at.astimezone(shop.zone).date(), base(returned[one.pk], one.rate)
        if on < as_of:
            days[one.customer_id, on].append((one, base(one.amount, one.rate) - back, back))
    found: dict[int, Worth] = defaultdict(Worth)
    for (who, on), bought in sorted(days.items(), key=lambda item: item[0]):
        net = sum((left for _one, left, _back in bought), Decimal(0))
        if net > 0 or not any(back for _one, _left, back in bought):  # a day brought to nothing is none
            had = found[who]
            kept = [one for one, left, back in bought if left > 0 or back == 0]
            margin = sum(
                (Fraction(left) * _share(one, margin_rate) for one, left, _back in bought), Fraction(0)
            )
            first = had.first_revenue if had.days else net
            found[who] = Worth(
                had.orders + len(kept), (*had.days, on), first, had.revenue + net, had.margin + margin
            )
    return dict(found)


def _share(one: Purchase, margin_rate: Decimal) -> Fraction:
    """The part of a purchase's revenue that is margin."""
    amount = base(one.amount, one.rate)
    if one.base_cost is None or not amount:
        return Fraction(margin_rate)
    return 1 - Fraction(one.base_cost) / Fraction(amount)


def months_observed(worth: Worth, as_of: date) -> Fraction:
    """From the first purchase day to the last whole one, at least one."""
    return max((as_of - worth.days[0]).days / MONTH, Fraction(1))


def formula_ltv(worth: Worth, as_of: date, retention_months: Decimal) -> Fraction:
    """Average purchase x purchases a month x months a customer stays."""
    return Fraction(worth.revenue) / months_observed(worth, as_of) * Fraction(retention_months)
