"""A backtest as a page shows it: plain numbers by check, by tenth of the customers and by forecast.

    {"checks": [{"origin": "2026-01-05", "customers", "step", "purchases": {"predicted", "actual"},
                 "spend": {...}, "silent": {...}, "coverage", "top_fifth", "loss"}, ...],
     "spend": {"predicted": [...], "actual": [...]}, "silence": {...},
     "forecasts": [{"name", "baseline", "loss", "purchases_off", "spend_off", "top_fifth", "auc"}, ...]}

Totals of a check are over its horizon; ``silent`` are customers who buy nothing in it. ``spend`` is per customer and
``silence`` a share, by tenths of the customers, the highest forecast first. ``off`` is predicted over actual - 1.
What the data do not define is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from statistics import fmean
from typing import Any

import numpy as np

from ltv.core import champion
from ltv.core.backtest import Backtest, Check, Score
from ltv.core.champion import Champion
from ltv.core.measures import Accuracy, Deciles


def figures(found: Backtest, best: Champion | None) -> dict[str, Any]:
    """The figures behind a verdict on ``best``; without one there is nothing to show."""
    if best is None:
        return {"checks": [], "spend": _tenths([]), "silence": _tenths([]), "forecasts": []}
    checks = champion.compared(found)
    scores = [(check, score) for check in checks if (score := check.score(best.name))]
    return {
        "checks": [_check(check, score) for check, score in scores],
        "spend": _tenths([score.spend.deciles for _, score in scores]),
        "silence": _tenths([score.silence.deciles for _, score in scores if score.silence.deciles]),
        "forecasts": [_forecast(row.name, row.baseline, row.loss, checks) for row in best.table],
    }


def _check(check: Check, score: Score) -> dict[str, Any]:
    risks = score.silence.deciles
    silent = None if risks is None else {"predicted": _total(risks), "actual": _total(risks, actual=True)}
    return {
        "origin": str(np.datetime64(check.origin, "D")),
        "customers": check.customers,
        "step": score.step,
        "purchases": _totals(score.purchases),
        "spend": _totals(score.spend),
        "silent": silent,
        "coverage": score.ranges.coverage if score.ranges else None,
        "top_fifth": score.spend.top_fifth,
        "loss": score.loss,
    }


def _totals(one: Accuracy) -> dict[str, float]:
    return {"predicted": one.predicted_total, "actual": one.actual_total}


def _total(tenths: Deciles, actual: bool = False) -> float:
    means = tenths.actual if actual else tenths.predicted
    return sum(mean * customers for mean, customers in zip(means, tenths.customers, strict=True))


def _tenths(checks: list[Deciles]) -> dict[str, list[float]]:
    """All checks together: means over customers, tenth by tenth."""
    places = range(min((len(one.customers) for one in checks), default=0))
    weights = [sum(one.customers[place] for one in checks) for place in places]

    def means(values: Callable[[Deciles], tuple[float, ...]]) -> list[float]:
        return [
            sum(values(one)[place] * one.customers[place] for one in checks) / weights[place]
            for place in places
        ]

    return {"predicted": means(lambda one: one.predicted), "actual": means(lambda one: one.actual)}


def _forecast(name: str, baseline: bool, loss: float, checks: tuple[Check, ...]) -> dict[str, Any]:
    scores = [score for check in checks if (score := check.score(name))]
    return {
        "name": name,
        "baseline": baseline,
        "loss": loss,
        "purchases_off": _off([score.purchases for score in scores]),
        "spend_off": _off([score.spend for score in scores]),
        "top_fifth": _mean(score.spend.top_fifth for score in scores),
        "auc": _mean(score.silence.auc for score in scores),
    }


def _off(found: list[Accuracy]) -> float | None:
    actual = sum(one.actual_total for one in found)
    return sum(one.predicted_total for one in found) / actual - 1.0 if actual else None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
