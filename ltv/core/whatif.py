"""What pulling levers does to the worth of customers, with ranges, on draws stored once.

Every draw is one possible future of a customer or of a segment's average customer. The levers act
on each draw, so the ranges before and after, and that of the change, hold the same chance. Within
the horizon of H periods a customer is there in period k = 1..H with probability
retention^(k-1), buys while there at a steady rate, and each purchase is discounted from the middle
of its period: of the purchases of the horizon period k has the share r^(k-1) / (1 + r + ... + r^(H-1)).
Figures are per customer; nothing is refitted, so a what-if takes milliseconds.

The rules, and what they leave out:

* average_purchase scales what is spent per purchase at an unchanged margin rate: a fuller basket.
  Nobody buys less often because of it, and for a higher price at unchanged unit costs the margin
  rate p has to be pulled too: after +10 % it is 1 - (1 - p) / 1.1.
* frequency scales purchases while there; the time a customer stays is left alone.
* retention_time scales how long customers stay, 1 / (1 - r) periods on average: +10 % turns the
  share that leaves each period, 1 - r, into (1 - r) / 1.1. Purchases follow the time within the
  horizon, which does not move; a retention of 1 cannot be bettered. A steady retention per
  customer; where it should rise with tenure give each customer, or each draw, a retention drawn
  from an sBG.
* margin_rate scales the share of revenue that is margin, up to all of it.
* acquisition_cost and retention_cost scale sums per customer. They grow with nothing else, but the
  retention cost is spent evenly over the horizon and follows its length.
* discount_rate and horizon are new values. A shorter horizon cuts periods off; a longer one goes on
  as the last, up to ``LONGEST_EXTENSION`` times, and rests on the retention alone.

Value rises with price, frequency, retention and margin, and falls with costs and discount, as long as
margins are not negative; on customers who cost more than they bring, more of them is worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from ltv.core.arrays import Floats
from ltv.core.formula import ROUNDING, refuse_unless
from ltv.core.levers import refuse_below_nothing

LONGEST_HORIZON = 600
LONGEST_EXTENSION = 3
# customers whose draws are multiplied at once
BLOCK = 8_192


@dataclass(frozen=True)
class Scenario:
    """Levers pulled: per cent each, 0 leaves a lever where it is; stored as it is.

    ``discount_rate`` (per period) and ``horizon`` (whole periods) are new values, None leaves them.

    Raises:
        ValueError: a lever would fall by more than 100 %, or the horizon is no number of periods.
    """

    average_purchase: float = 0.0
    frequency: float = 0.0
    retention_time: float = 0.0
    margin_rate: float = 0.0
    acquisition_cost: float = 0.0
    retention_cost: float = 0.0
    discount_rate: float | None = None
    horizon: int | None = None

    def __post_init__(self) -> None:
        *percent, _, horizon = astuple(self)
        refuse_below_nothing(percent)
        _refuse_horizon(1 if horizon is None else horizon)


def _refuse_horizon(periods: int) -> None:
    whole = isinstance(periods, int | np.integer) and 1 <= periods <= LONGEST_HORIZON
    refuse_unless(whole, f"A horizon has 1 to {LONGEST_HORIZON} whole periods.")


@dataclass(frozen=True)
class Draws:
    """Possible futures, drawn once and stored; make them with ``Draws.of``.

    purchases: in the horizon, shape (draws,) of one average customer or (draws, n) of n customers;
    average_purchase: spent per purchase, the shape of ``purchases``, or of its last axis, or ();
    margin_rate, retention (share that stays from period to period), acquisition_cost and
    retention_cost (money per customer in the horizon): shape () or of the last axis of
    ``purchases``, so per draw for one average customer and per customer for many;
    discount_rate: per period; horizon: whole periods;
    scale: what levers have made of the money spent, which is purchases x average_purchase x scale.
    """

    purchases: Floats
    average_purchase: Floats
    margin_rate: Floats
    retention: Floats
    acquisition_cost: Floats
    retention_cost: Floats
    discount_rate: float
    horizon: int
    scale: Floats

    @classmethod
    def of(
        cls,
        purchases: ArrayLike,
        average_purchase: ArrayLike,
        *,
        margin_rate: ArrayLike,
        retention: ArrayLike,
        horizon: int,
        acquisition_cost: ArrayLike = 0.0,
        retention_cost: ArrayLike = 0.0,
        discount_rate: float = 0.0,
    ) -> Draws:
        """Draws of anything array-like.

        Raises:
            ValueError: shapes that do not belong together, no draws, or values that cannot be.
        """
        made = cls(
            purchases=_amounts(purchases, "Purchases"),
            average_purchase=_amounts(average_purchase, "Average purchases"),
            margin_rate=np.asarray(margin_rate, dtype=np.float64),
            retention=np.asarray(retention, dtype=np.float64),
            acquisition_cost=_amounts(acquisition_cost, "Acquisition costs"),
            retention_cost=_amounts(retention_cost, "Retention costs"),
            discount_rate=discount_rate,
            horizon=horizon,
            scale=np.ones(()),
        )
        return _possible(made)


def _amounts(values: ArrayLike, name: str) -> Floats:
    made = np.asarray(values, dtype=np.float64)
    sound = made.min(initial=0.0) >= 0 and made.max(initial=0.0) < np.inf
    refuse_unless(sound, f"{name} are known and not negative.")
    return made


def _possible(draws: Draws) -> Draws:
    """The draws, if their shapes go together and their rates can be."""
    shape = draws.purchases.shape
    refuse_unless(len(shape) in (1, 2) and draws.purchases.size > 0, "Draws are (draws,) or (draws, n).")
    others = (draws.margin_rate, draws.retention, draws.acquisition_cost, draws.retention_cost)
    fits = draws.average_purchase.shape in ((), shape[-1:], shape)
    fits = fits and all(values.shape in ((), shape[-1:]) for values in others)
    refuse_unless(fits, f"Values of a shape that does not go with purchases of shape {shape}.")
    staying, margin = draws.retention, draws.margin_rate
    refuse_unless((staying >= 0) & (staying <= 1), "A retention is a share between 0 and 1.")
    refuse_unless((margin <= 1) & (margin > -np.inf), "A margin cannot be more than the revenue.")
    refuse_unless(0 <= draws.discount_rate < np.inf, "A discount rate cannot be negative.")
    _refuse_horizon(draws.horizon)
    return draws


@dataclass(frozen=True)
class Range:
    """Mean over the draws and a central range of them."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Payback:
    """Whole periods until the margin covers the acquisition cost, inf where not in the horizon."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Figures:
    """Per customer and draw, shape (draws,) each; money discounted to today, costs not.

    ltv: revenue of the horizon; margin: its gross margin; net: margin less acquisition and
    retention cost; ltv_to_cac: margin over acquisition cost, None when acquiring costs nothing;
    payback: periods, see ``Payback``.
    """

    ltv: Floats
    margin: Floats
    net: Floats
    ltv_to_cac: Floats | None
    payback: Floats


@dataclass(frozen=True)
class Outcome:
    """The figures with their ranges."""

    ltv: Range
    margin: Range
    net: Range
    ltv_to_cac: Range | None
    payback: Payback


@dataclass(frozen=True)
class Effect:
    """Outcome before and after, and the changes draw by draw.

    ``margin_factor`` is the mean margin after over before (1 where there was none), exactly 1 when
    no lever moved: to be multiplied with a figure shown elsewhere.
    """

    before: Outcome
    after: Outcome
    ltv_change: Range
    margin_change: Range
    net_change: Range
    margin_factor: float


def figures(*draws: Draws) -> list[Figures]:
    """Value, ratio and payback of every draw, averaged over the customers in it.

    Several are read in one pass: the same stored draws under several scenarios, see ``pull``.
    """
    return [_figures(one, money) for one, money in zip(draws, _cumulated(draws), strict=True)]


def _figures(draws: Draws, money: Floats) -> Figures:
    ltv, margins = money[:, 0], money[:, 1:]
    won, kept = _per_draw(draws, draws.acquisition_cost), _per_draw(draws, draws.retention_cost)
    covered = margins >= won[:, None] * (1 - ROUNDING)
    periods = np.where(covered.any(axis=1), covered.argmax(axis=1) + 1.0, np.inf)
    return Figures(
        ltv=ltv,
        margin=margins[:, -1],
        net=margins[:, -1] - won - kept,
        ltv_to_cac=margins[:, -1] / won if np.all(won > 0) else None,
        payback=np.where(won > 0, periods, 0.0),
    )


def _per_draw(draws: Draws, cost: Floats) -> Floats:
    """A cost per customer: its mean over many, its own value for an average one, shape (draws,)."""
    each = cost if draws.purchases.ndim == 1 else cost.mean()
    return np.broadcast_to(each, draws.purchases.shape[:1])


def _cumulated(futures: Sequence[Draws]) -> list[Floats]:
    """Per draw: the revenue of the horizon, and the margin up to the end of each period.

    Shape (draws, 1 + horizon) each, discounted, means over the customers. The futures share their
    purchases and what is spent on each.
    """
    purchases, spend = futures[0].purchases, futures[0].average_purchase
    if purchases.ndim == 1:
        return [(purchases * spend)[:, None] * _worth(draws, slice(None)) for draws in futures]
    totals = [np.zeros((len(purchases), 1 + draws.horizon)) for draws in futures]
    customers = purchases.shape[1]
    for first in range(0, customers, BLOCK):
        part = slice(first, first + BLOCK)
        spent = purchases[:, part] * _part(spend, part)
        for total, draws in zip(totals, futures, strict=True):
            worth = _worth(draws, part)
            # alike for all customers it need not be multiplied one by one
            total += spent.sum(axis=1, keepdims=True) * worth if len(worth) == 1 else spent @ worth
    return [total / customers for total in totals]


def _part(values: Floats, part: slice) -> Floats:
    return values[..., part] if values.ndim else values


def _worth(draws: Draws, part: slice) -> Floats:
    """What one unit spent in the horizon is worth: as revenue, and as margin by each period's end.

    Shape (customers or 1, 1 + horizon).
    """
    retention, margin_rate, scale = (
        np.atleast_1d(_part(values, part))[:, None]
        for values in (draws.retention, draws.margin_rate, draws.scale)
    )
    periods = np.arange(draws.horizon)
    there = np.cumprod(np.where(periods > 0, retention, 1.0), axis=1)
    discounted = np.cumsum(there * (1.0 + draws.discount_rate) ** -(periods + 0.5), axis=1)
    revenue = discounted / np.cumsum(there, axis=1)[:, -1:] * scale
    margins = revenue * margin_rate
    return np.hstack([np.broadcast_to(revenue[:, -1:], (len(margins), 1)), margins])


def pull(draws: Draws, scenario: Scenario) -> Draws:
    """The draws after levers are pulled, by the rules of this module; the stored ones are shared.

    Levers that stay where they are leave every value as it is, to the bit.

    Raises:
        ValueError: a lever ends where it cannot, such as a margin above 100 %, or the horizon grows
            more than ``LONGEST_EXTENSION``-fold.
    """
    horizon = draws.horizon if scenario.horizon is None else scenario.horizon
    refuse_unless(
        horizon <= LONGEST_EXTENSION * draws.horizon,
        f"A horizon can be stretched {LONGEST_EXTENSION}-fold at most.",
    )
    retention = _longer(draws.retention, scenario.retention_time)
    longer = _stays(retention, horizon) / _stays(draws.retention, draws.horizon)
    pulled = replace(
        draws,
        margin_rate=draws.margin_rate * _factor(scenario.margin_rate),
        retention=retention,
        acquisition_cost=draws.acquisition_cost * _factor(scenario.acquisition_cost),
        retention_cost=draws.retention_cost * (_factor(scenario.retention_cost) * horizon / draws.horizon),
        discount_rate=draws.discount_rate if scenario.discount_rate is None else scenario.discount_rate,
        horizon=horizon,
        scale=draws.scale * _factor(scenario.average_purchase) * _factor(scenario.frequency) * longer,
    )
    return _possible(pulled)


def _factor(percent: float) -> float:
    return (100.0 + percent) / 100.0


def _longer(retention: Floats, percent: float) -> Floats:
    """The retention of customers who stay longer by per cent; nobody stays less than a period."""
    if percent == 0:
        return retention
    leaving = 1.0 - retention
    return 1.0 - np.minimum(leaving / max(_factor(percent), 1e-300), 1.0)


def _stays(retention: Floats, horizon: int) -> Floats:
    """Expected periods of the horizon in which a customer is there: 1 + r + ... + r^(horizon-1)."""
    total, there = np.zeros_like(retention), np.ones_like(retention)
    for _ in range(horizon):
        total = total + there
        there = there * retention
    return total


def outcome(draws: Draws, coverage: float = 0.8) -> Outcome:
    """What the draws say a customer is worth, with central ranges of ``coverage``.

    Raises:
        ValueError: ``coverage`` is not between 0 and 1.
    """
    return _summary(figures(draws)[0], coverage)


def effect(draws: Draws, scenario: Scenario, coverage: float = 0.8) -> Effect:
    """Outcome before and after pulling levers, with central ranges of ``coverage``.

    Without any lever pulled the two are equal to the bit, and every change is 0.

    Raises:
        ValueError: ``coverage`` is not between 0 and 1, or as ``pull``.
    """
    before, after = figures(draws, pull(draws, scenario))
    was = before.margin.mean()
    return Effect(
        before=_summary(before, coverage),
        after=_summary(after, coverage),
        ltv_change=_range(after.ltv - before.ltv, coverage),
        margin_change=_range(after.margin - before.margin, coverage),
        net_change=_range(after.net - before.net, coverage),
        margin_factor=float(after.margin.mean() / was) if was else 1.0,
    )


def _summary(found: Figures, coverage: float) -> Outcome:
    refuse_unless(0 < coverage < 1, "The coverage of a range lies between 0 and 1.")
    ends = (0.5, (1 - coverage) / 2, (1 + coverage) / 2)
    # no interpolation: half of never is nothing
    waits = np.quantile(found.payback, ends, method="inverted_cdf")
    return Outcome(
        ltv=_range(found.ltv, coverage),
        margin=_range(found.margin, coverage),
        net=_range(found.net, coverage),
        ltv_to_cac=None if found.ltv_to_cac is None else _range(found.ltv_to_cac, coverage),
        payback=Payback(*(float(wait) for wait in waits)),
    )


def _range(values: Floats, coverage: float) -> Range:
    low, high = np.quantile(values, [(1 - coverage) / 2, (1 + coverage) / 2])
    return Range(mean=float(values.mean()), low=float(low), high=float(high))
