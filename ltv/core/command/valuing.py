"""A purchase log valued from end to end, as the command line shows it: arrays in, one dataclass out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ltv.core import backtest, champion, clv, fallback, gamma_gamma, summary, uncertainty, verdict
from ltv.core.arrays import Floats
from ltv.core.backtest import Backtest
from ltv.core.candidates import ALL_DAYS
from ltv.core.champion import Champion
from ltv.core.fallback import Choice
from ltv.core.models import MODELS, Model
from ltv.core.summary import Summary
from ltv.core.uncertainty import Point, Total
from ltv.core.verdict import Verdict

COVERAGE = 0.8
CHURN_DAYS = 90
# a check looks so far ahead, less in a history that would not hold four checks of it
CHECK_DAYS, SHORTEST_CHECK, CHECKS_FIT_IN = 90, 14, 3.5
# where the parameters themselves are worth doubting
FEW_CUSTOMERS = 2_000
# who says who is still a customer: BG/NBD calls every one-time buyer alive
STAYING = "mbgnbd"
Say = Callable[[str], None]


class NobodyBought(ValueError):
    """No purchase is left to value."""

    def __init__(self) -> None:
        super().__init__("nobody bought anything that was not given back")


@dataclass(frozen=True)
class Asked:
    """Horizon in days, margin as a share of revenue, discount a year (.1 is 10 %)."""

    horizon: int = 365
    margin: float = 1.0
    discount: float = 0.1


@dataclass(frozen=True)
class Stand:
    """A model with the step of the ladder it stands on; log_likelihood: of the log at its
    parameters, 0 where there are none."""

    name: str
    choice: Choice[Any]
    log_likelihood: float


@dataclass(frozen=True)
class Forecast:
    """A total over the horizon and its range at ``COVERAGE``, None where no model is behind it."""

    expected: float
    range: tuple[float, float] | None

    @classmethod
    def of(cls, total: Total) -> Forecast:
        return cls(total.expected, total.range(COVERAGE))


@dataclass(frozen=True)
class Valuation:
    """Everything the command shows.

    models: one stand for each transaction model; spend: that of gamma-gamma; used: the name of the
    model behind the predictions, "" where the formula is; best: None where nothing could be
    checked.
    """

    asked: Asked
    histories: Summary
    models: tuple[Stand, ...]
    spend: Stand
    used: str
    predictions: clv.Predictions
    purchases: Forecast
    revenue: Forecast
    checked: Backtest
    best: Champion | None
    verdict: Verdict


def value(log: summary.Log, until: int, asked: Asked, say: Say) -> Valuation:
    """Value every customer of the log as of the end of the day ``until``; ``say`` hears what goes on.

    Raises:
        NobodyBought: nobody has a purchase day by then.
    """
    histories = summary.summarise(log, until)
    if not len(histories.x):
        raise NobodyBought
    say("fitting")
    seen = histories.x, histories.t_x, histories.T
    models = tuple(_stand(name, model, seen) for name, model in MODELS.items())
    spend = _spending(histories.x, histories.m)
    say("checking against the past")
    checked = check(log, until)
    best = champion.choose(checked)
    used = _used(models, best)
    say("predicting")
    predictions, purchases, revenue = _ahead(histories, models, used, spend, asked)
    return Valuation(
        asked=asked,
        histories=histories,
        models=models,
        spend=spend,
        used=used.name if used else "",
        predictions=predictions,
        purchases=purchases,
        revenue=revenue,
        checked=checked,
        best=best,
        verdict=verdict.judge(checked, best),
    )


def _stand(name: str, model: Model[Any], seen: tuple[Floats, Floats, Floats]) -> Stand:
    choice = fallback.climb(model, *seen)
    params = choice.params
    return Stand(name, choice, 0.0 if params is None else model.log_likelihood(params, *seen))


def _spending(x: Floats, m: Floats) -> Stand:
    choice, known = fallback.climb_spending(x, m), gamma_gamma.spenders(x, m)
    params = choice.params
    likelihood = 0.0 if params is None else gamma_gamma.log_likelihood(params, x[known], m[known])
    return Stand("gamma-gamma", choice, likelihood)


def check(log: summary.Log, until: int) -> Backtest:
    """The backtest over as long a horizon as leaves room for four checks; of none in a short history."""
    history = until - int(log.days.min())
    horizon = min(CHECK_DAYS, int(history / CHECKS_FIT_IN))
    days = backtest.origins(log, horizon, until) if horizon >= SHORTEST_CHECK else ()
    return backtest.backtest(log, days, max(horizon, SHORTEST_CHECK), until)


def _used(models: tuple[Stand, ...], best: Champion | None) -> Stand | None:
    """The champion if it is a model that holds, else the first that does."""
    holding = [stand for stand in models if stand.choice.params is not None]
    wanted = best.name.removesuffix(ALL_DAYS) if best else ""
    return next((stand for stand in holding if stand.name == wanted), holding[0] if holding else None)


def _ahead(
    histories: Summary, models: tuple[Stand, ...], used: Stand | None, spend: Stand, asked: Asked
) -> tuple[clv.Predictions, Forecast, Forecast]:
    """Every customer's predictions, and the totals of purchase days and of revenue."""
    seen = histories.x, histories.t_x, histories.T, histories.m
    terms = asked.horizon, CHURN_DAYS, asked.margin, asked.discount
    if used is None:
        found = fallback.heuristic(*seen, *terms)
        return found, _sum(found.expected_purchases), _sum(found.expected_value)
    staying = next(stand.choice.params for stand in models if stand.name == STAYING)
    spending = spend.choice.params
    points = _points(used, spend, spending, len(histories.x))
    found = clv.predict(used.choice.params, staying, spending, *seen, *terms, COVERAGE, points)
    purchases = Forecast.of(uncertainty.total_purchases(points, *seen[:3], asked.horizon))
    if spending is None:
        return found, purchases, _sum(found.expected_value)
    return found, purchases, Forecast.of(uncertainty.total_spend(points, *seen, asked.horizon))


def _points(used: Stand, spend: Stand, spending: Any, customers: int) -> tuple[Point, ...]:
    """All likely parameters of a small shop; those of a large one are as good as certain."""
    if customers >= FEW_CUSTOMERS:
        return uncertainty.best(used.choice.params, spending)
    return uncertainty.likely(used.choice.params, used.choice.covariance, spending, spend.choice.covariance)


def _sum(values: Floats) -> Forecast:
    return Forecast(float(values.sum()), None)
