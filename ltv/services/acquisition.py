"""What it cost to win a customer of each channel: its CAC."""

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from crm.common import sql
from crm.common.models import Shop
from ltv.models import LtvRun
from ltv.services.histories import MONEY


def channel_cac(run: LtvRun, shop: Shop) -> dict[int, int]:
    """Each channel's spend over the customers it brought in the months it was spent, thousandths, by its id.

    Without a channel that spent nothing, or brought nobody in those months. Months of the shop's time zone.
    """
    spends = sql.rows("ltv/channel_spend", {"last_day": run.as_of - timedelta(days=1)})
    brought = _brought({row["month"] for row in spends} | {row["next_month"] for row in spends}, shop)
    spent: dict[int, Decimal] = {}
    customers: dict[int, int] = {}
    for row in spends:
        channel = row["channel_id"]
        spent[channel] = spent.get(channel, Decimal(0)) + row["spend"]
        customers[channel] = customers.get(channel, 0) + brought.get((channel, row["month"]), 0)
    costs = {channel: spent[channel] * MONEY / count for channel, count in customers.items() if count}
    return {channel: int(cost.quantize(Decimal(1), ROUND_HALF_UP)) for channel, cost in costs.items()}


def _brought(months: set[date], shop: Shop) -> dict[tuple[int, date], int]:
    """Customers acquired by channel between each of these days and the next of them."""
    if not months:
        return {}
    days = sorted(months)
    begins = [datetime(day.year, day.month, day.day, tzinfo=shop.zone) for day in days]
    found = sql.rows("ltv/channel_brought", {"begins": begins})
    return {(row["channel_id"], days[row["place"] - 1]): row["customers"] for row in found}
