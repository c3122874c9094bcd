"""Predictions of a run: summaries out by COPY, one fit in numpy, predictions back by COPY."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from crm.common import sql
from ltv.choices import ModelStep
from ltv.core import bgnbd, clv, fallback, mbgnbd, uncertainty
from ltv.core.bgnbd import BgNbd
from ltv.core.gamma_gamma import GammaGamma
from ltv.core.mbgnbd import MbgNbd
from ltv.models import LtvRun

SUMMARY = np.dtype(
    [
        ("customer_id", "i8"),
        ("x", "f8"),
        ("t_x", "f8"),
        ("t_observed", "f8"),
        ("m", "f8"),
        ("margin_rate", "f8"),
    ]
)
_FIGURES = (
    "expected_purchases",
    "expected_value",
    "expected_value_low",
    "expected_value_high",
    "clv",
    "p_alive",
    "p_no_purchase",
    "next_purchase_days",
)
PREDICTION = np.dtype([("run_id", "i8"), ("customer_id", "i8"), *((name, "f8") for name in _FIGURES)])
STEPS = {
    fallback.OWN: ModelStep.OWN_FIT,
    fallback.LAST: ModelStep.LAST_GOOD,
    fallback.POOLED: ModelStep.POOLED,
    fallback.FORMULA: ModelStep.FORMULA,
}
FOREVER_DAYS = 1e6  # a wait without a median, as the staging table holds it


@dataclass(frozen=True)
class Fitted:
    """The parameters a run stands on; None where the ladder ended at a formula."""

    step: ModelStep
    reasons: tuple[str, ...]
    bg: BgNbd | None
    mbg: MbgNbd | None
    gg: GammaGamma | None
    # what else the parameters of a small shop may be
    points: tuple[uncertainty.Point, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What is stored on the run, read back by ``_last``."""
        models = {"bg": self.bg, "mbg": self.mbg, "gg": self.gg}
        return {name: asdict(params) for name, params in models.items() if params is not None}


def read_summaries(run: LtvRun) -> np.ndarray:
    """The histories of all buyers up to the run's last whole day, shape (n,), dtype SUMMARY; days."""
    params = {"last_day": run.as_of - timedelta(days=1), "margin_rate": run.margin_rate}
    return sql.copy_out("ltv/summaries_read", SUMMARY, params)


def fit(summaries: np.ndarray, previous: LtvRun | None) -> Fitted:
    """Climb the ladder for the transaction models, then the spend model; see ``ltv.core.fallback``."""
    x, t_x, observed = summaries["x"], summaries["t_x"], summaries["t_observed"]
    last = previous.parameters if previous else {}
    choice = fallback.climb(bgnbd, x, t_x, observed, BgNbd(**last["bg"]) if "bg" in last else None)
    spending = fallback.climb_spending(x, summaries["m"], GammaGamma(**last["gg"]) if "gg" in last else None)
    points: tuple[uncertainty.Point, ...] = ()
    if choice.params is not None and len(x) <= uncertainty.MATTERS_UP_TO:
        points = uncertainty.likely(choice.params, choice.covariance, spending.params, spending.covariance)
    return Fitted(
        step=STEPS[choice.step],
        reasons=choice.reasons,
        bg=choice.params,
        mbg=_second_model(choice.step, x, t_x, observed, last),
        gg=spending.params,
        points=points,
    )


def _second_model(
    step: str, x: np.ndarray, t_x: np.ndarray, observed: np.ndarray, last: dict
) -> MbgNbd | None:
    """MBG/NBD on the same step as BG/NBD: it answers who is still a customer."""
    if step == fallback.FORMULA:
        return None
    if step == fallback.LAST:
        return MbgNbd(**last["mbg"]) if "mbg" in last else None
    if step == fallback.POOLED:
        found = fallback.pooled_fit(x, t_x, observed, mbgnbd)
    else:
        found = mbgnbd.fit(x, t_x, observed, ridge=fallback.NIGHTLY_RIDGE)
    return found.params if found.ok else None


def predict(run: LtvRun, summaries: np.ndarray, fitted: Fitted) -> np.ndarray:
    """What each buyer will do within the run's horizon, shape (n,), dtype PREDICTION."""
    history = (summaries["x"], summaries["t_x"], summaries["t_observed"], summaries["m"])
    policy = (run.horizon_days, run.churn_days, summaries["margin_rate"], float(run.discount_rate))
    if fitted.bg is None:
        found = fallback.heuristic(*history, *policy)
    else:
        found = clv.predict(fitted.bg, fitted.mbg, fitted.gg, *history, *policy, points=fitted.points)
    return _as_records(run, summaries["customer_id"], found)


def _as_records(run: LtvRun, customer_ids: np.ndarray, found: clv.Predictions) -> np.ndarray:
    records = np.empty(len(customer_ids), dtype=PREDICTION)
    records["run_id"], records["customer_id"] = run.pk, customer_ids
    records["expected_purchases"] = found.expected_purchases
    records["expected_value"] = found.expected_value
    records["expected_value_low"] = np.minimum(found.value_low, found.value_high)
    records["expected_value_high"] = found.value_high
    records["clv"] = found.clv
    records["p_alive"] = np.clip(found.p_alive, 0, 1)
    records["p_no_purchase"] = np.clip(found.p_no_purchase, 0, 1)
    records["next_purchase_days"] = np.minimum(found.next_purchase_days, FOREVER_DAYS)
    return records[found.usable]


def store(records: np.ndarray) -> int:
    """Put the predictions where the partition is made from, in place of the last run's."""
    with sql.patient(300):
        sql.execute("ltv/prediction_clear")
        return sql.copy_in("ltv_prediction", records) if len(records) else 0
