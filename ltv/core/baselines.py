"""Rules a shop could follow without a model: what every model is held against.

Each gives a customer a rate of purchase days, kept for the whole horizon, and an amount per
purchase day. A history counts as one month at least (as in ``formula``), so that a customer of
yesterday is not taken for one who buys daily; a month is 365.25 / 12 days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltv.core import formula
from ltv.core.arrays import Floats
from ltv.core.candidates import Candidate, Seen

# silent for longer than so many own gaps is taken for gone
GAPS = 2.0


@dataclass(frozen=True)
class Rule:
    """Purchase days per day (n,) and money per purchase day (n,) that go on for ever.

    ``random`` says that purchases come as a Poisson process of that rate, which makes a
    probability of silence; a rule without it says how much and nothing about chance.
    """

    rate: Floats
    amounts: dict[str, Floats]
    random: bool = True
    step: str = "rule"

    def expected(self, t: float) -> Floats:
        return self.rate * t

    def p_no_purchase(self, t: float) -> Floats | None:
        return np.exp(-self.rate * t) if self.random else None

    def interval(self, t: float, coverage: float) -> None:
        return None

    def placed(self, y: Floats, t: float) -> None:
        return None


def past_rate(seen: Seen, horizon: float) -> Rule:
    """Repeat purchase days over the time observed, x / T; the own mean of all purchase days."""
    return Rule(_per_day(seen.x, seen), {"past_rate": _own_mean(seen)})


def past_rate_with_first(seen: Seen, horizon: float) -> Rule:
    """All purchase days over the time observed, (x + 1) / T; the own mean of all purchase days."""
    return Rule(_per_day(seen.x + 1.0, seen), {"past_rate_with_first": _own_mean(seen)})


def last_window(seen: Seen, horizon: float) -> Rule:
    """The same again as in the last window, purchase days and money."""
    mean = seen.window_revenue / np.maximum(seen.window_days, 1.0)
    return Rule(seen.window_days / seen.window, {"last_window": mean})


def recency(seen: Seen, horizon: float) -> Rule:
    """x / T for repeat buyers silent for at most two of their own gaps t_x / x, else nothing."""
    gap = seen.t_x / np.maximum(seen.x, 1.0)
    active = (seen.x > 0) & (seen.T - seen.t_x <= GAPS * gap)
    rate = np.where(active, _per_day(seen.x, seen), 0.0)
    return Rule(rate, {"recency": _own_mean(seen)}, random=False)


def formula_ltv(seen: Seen, horizon: float) -> Rule:
    """Average purchase x purchases per month x the horizon in months; see ``formula``."""
    rate = formula.purchases_per_month(seen.x + 1.0, seen.T) / formula.DAYS_PER_MONTH
    return Rule(rate, {"formula": _own_mean(seen)}, random=False)


def _per_day(days: Floats, seen: Seen) -> Floats:
    return days / np.maximum(seen.T, formula.DAYS_PER_MONTH)


def _own_mean(seen: Seen) -> Floats:
    return seen.revenue / (seen.x + 1.0)


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
