"""What it cost to win each customer: the CAC of the channel that brought them."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np

from crm.common import sql
from crm.common.columns import Column
from crm.common.models import Shop
from ltv.models import LtvRun
from ltv.services.figures import Base
from ltv.services.histories import MONEY


def channel_cac(run: LtvRun, shop: Shop, base: Base) -> Column:
    """Each customer's channel's CAC: its spend over the customers it brought in the months it was spent.

    NULL where a channel has no spend or brought nobody in those months. Months of the shop's time zone.
    """
    last_day = run.as_of - timedelta(days=1)
    spent: dict[int, Decimal] = {}
    brought: dict[int, int] = {}
    of_channel = {int(one): base.acquired_at[base.channel_id == one] for one in np.unique(base.channel_id)}
    for row in sql.rows("ltv/channel_spend", {"last_day": last_day}):
        channel, acquired = row["channel_id"], of_channel.get(row["channel_id"])
        spent[channel] = spent.get(channel, Decimal(0)) + row["spend"]
        if acquired is not None:
            begin, end = (_instant(day, shop) for day in (row["month"], row["next_month"]))
            came = np.count_nonzero((acquired >= begin) & (acquired < end))
            brought[channel] = brought.get(channel, 0) + int(came)
    values, null = np.zeros(len(base.channel_id), dtype=np.int64), np.ones(len(base.channel_id), dtype=bool)
    for channel, customers in brought.items():
        if customers:
            theirs = base.channel_id == channel
            cost = (spent[channel] * MONEY / customers).quantize(Decimal(1), ROUND_HALF_UP)
            values[theirs], null[theirs] = int(cost), False
    return Column(values, null, money=True)


def _instant(day: Any, shop: Shop) -> int:
    """A day's first moment in the shop's zone, as the arrays have it."""
    at = datetime(day.year, day.month, day.day, tzinfo=shop.zone)
    return (at - datetime.fromisoformat("2000-01-01T00:00+00:00")) // timedelta(microseconds=1)
