"""Rules a shop could follow without a model: what every model is held against.

Each gives a customer a rate of purchase days, kept for the whole horizon, and an amount per
purchase day. A history counts as one month at least (as in ``formula``), so that a customer of
yesterday is not taken for one who buys daily; a month is 365.25 / 12 days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltv.core import amounts, formula
from ltv.core.amounts import Amounts
from ltv.core.arrays import Floats, Ints
from ltv.core.candidates import Candidate, Seen

# silent for longer than so many own gaps is taken for gone
GAPS = 2.0


@dataclass(frozen=True)
class Rule:
    """Purchase days per day (n,) and money per purchase day (n,) that go on for ever.

    ``p_no_purchase`` (n,) where the rule says something of chance, else None.
    """

    rate: Floats
    amounts: dict[str, Amounts]
    p_no_purchase: Floats | None = None
    step: str = "rule"

    @classmethod
    def at_random(cls, rate: Floats, amounts: dict[str, Amounts], horizon: float) -> Rule:
        """Purchases come as a Poisson process of that rate."""
        return cls(rate, amounts, np.exp(-rate * horizon))

    def expected(self, t: float) -> Floats:
        return self.rate * t

    def interval(self, coverage: float) -> None:
        return None

    def placed(self, y: Floats) -> None:
        return None

    def placed_spend(self, name: str, rows: Ints, spend: Floats) -> None:
        return None


def past_rate(seen: Seen, horizon: float) -> Rule:
    """Repeat purchase days over the time observed, x / T; the own mean of all purchase days."""
    return Rule.at_random(_per_day(seen.x, seen), {"past_rate": _own_mean(seen)}, horizon)


def past_rate_with_first(seen: Seen, horizon: float) -> Rule:
    """All purchase days over the time observed, (x + 1) / T; the own mean of all purchase days."""
    rate = _per_day(seen.x + 1.0, seen)
    return Rule.at_random(rate, {"past_rate_with_first": _own_mean(seen)}, horizon)


def last_window(seen: Seen, horizon: float) -> Rule:
    """The same again as in the last window, purchase days and money."""
    mean = seen.window_revenue / np.maximum(seen.window_days, 1.0)
    rate = seen.window_days / seen.window
    return Rule.at_random(rate, {"last_window": amounts.plain(mean)}, horizon)


def recency(seen: Seen, horizon: float) -> Rule:
    """x / T for repeat buyers silent for at most two of their own gaps t_x / x, else nothing."""
    gap = seen.t_x / np.maximum(seen.x, 1.0)
    active = (seen.x > 0) & (seen.T - seen.t_x <= GAPS * gap)
    rate = np.where(active, _per_day(seen.x, seen), 0.0)
    return Rule(rate, {"recency": _own_mean(seen)})


def formula_ltv(seen: Seen, horizon: float) -> Rule:
    """Average purchase x purchases per month x the horizon in months; see ``formula``."""
    rate = formula.purchases_per_month(seen.x + 1.0, seen.T) / formula.DAYS_PER_MONTH
    return Rule(rate, {"formula": _own_mean(seen)})


def _per_day(days: Floats, seen: Seen) -> Floats:
    return days / np.maximum(seen.T, formula.DAYS_PER_MONTH)


def _own_mean(seen: Seen) -> Amounts:
    return amounts.plain(seen.revenue / (seen.x + 1.0))


BASELINES = tuple(
    Candidate(name, rule, baseline=True)
    for name, rule in {
        "past_rate": past_rate,
        "past_rate_with_first": past_rate_with_first,
        "last_window": last_window,
        "recency": recency,
        "formula": formula_ltv,
    }.items()
)
