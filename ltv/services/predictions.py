"""The model of a run: one fit in numpy on the summaries, and what it foresees of every buyer."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ltv.choices import ModelStep
from ltv.core import bgnbd, clv, fallback, mbgnbd, uncertainty
from ltv.core.bgnbd import BgNbd
from ltv.core.fitting import Fit
from ltv.core.gamma_gamma import GammaGamma
from ltv.core.mbgnbd import MbgNbd
from ltv.models import LtvRun
from ltv.services.histories import Histories

STEPS = {
    fallback.OWN: ModelStep.OWN_FIT,
    fallback.LAST: ModelStep.LAST_GOOD,
    fallback.POOLED: ModelStep.POOLED,
    fallback.FORMULA: ModelStep.FORMULA,
}


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

    @property
    def alone(self) -> bool:
        """Whether what is expected of a buyer stands without the others; a formula asks what is usual among them."""
        return self.bg is not None and self.gg is not None and self.gg.has_mean

    def as_json(self) -> dict[str, Any]:
        """What is stored on the run, read back by ``of_run``."""
        models = {"bg": self.bg, "mbg": self.mbg, "gg": self.gg}
        stored: dict[str, Any] = {
            name: asdict(params) for name, params in models.items() if params is not None
        }
        if self.points:
            stored["points"] = [_stored_point(point) for point in self.points]
        return stored

    @classmethod
    def of_run(cls, run: LtvRun) -> "Fitted":
        """The parameters a run stood on."""
        stored = {} if run.step == ModelStep.FORMULA else run.parameters
        return cls(
            step=ModelStep(run.step or ModelStep.FORMULA),
            reasons=(),
            bg=BgNbd(**stored["bg"]) if "bg" in stored else None,
            mbg=MbgNbd(**stored["mbg"]) if "mbg" in stored else None,
            gg=GammaGamma(**stored["gg"]) if "gg" in stored else None,
            points=tuple(_point(stored_point) for stored_point in stored.get("points", ())),
        )

    def forecast(self, seen: Histories) -> clv.Answers:
        """What becomes of these buyers: by the model, or by plain rates where there is no model, or nobody."""
        if self.bg is None or not len(seen):
            return fallback.Heuristic.of(seen.x, seen.t_x, seen.T, seen.m)
        known = (self.bg, self.mbg, self.gg, seen.x, seen.t_x, seen.T, seen.m)
        return clv.Forecast.of(*known, points=self.points)

    def buys_as(self, other: "Fitted") -> bool:
        """Whether the other expects the same revenue of anybody."""
        return (self.bg, self.gg, self.points) == (other.bg, other.gg, other.points)


def _stored_point(point: uncertainty.Point) -> dict[str, Any]:
    spending = asdict(point.spending) if point.spending else None
    return {"weight": point.weight, "buying": asdict(point.buying), "spending": spending}


def _point(stored: dict[str, Any]) -> uncertainty.Point:
    spending = GammaGamma(**stored["spending"]) if stored["spending"] else None
    return uncertainty.Point(weight=stored["weight"], buying=BgNbd(**stored["buying"]), spending=spending)


def fit(seen: Histories, previous: LtvRun | None) -> Fitted:
    """Climb the ladder for the transaction models, then the spend model; see ``ltv.core.fallback``."""
    x, t_x, observed = seen.x, seen.t_x, seen.T
    last = previous.parameters if previous else {}
    choice = fallback.climb(bgnbd, x, t_x, observed, BgNbd(**last["bg"]) if "bg" in last else None)
    spending = fallback.climb_spending(x, seen.m, GammaGamma(**last["gg"]) if "gg" in last else None)
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
        found = _own_second(x, t_x, observed, MbgNbd(**last["mbg"]) if "mbg" in last else None)
    return found.params if found.ok else None


def _own_second(x: np.ndarray, t_x: np.ndarray, observed: np.ndarray, last: MbgNbd | None) -> Fit[MbgNbd]:
    """From yesterday's parameters, or from anywhere should they lead nowhere."""
    ridge, settled = fallback.NIGHTLY_RIDGE, fallback.SETTLED
    found = mbgnbd.fit(x, t_x, observed, start=last, ridge=ridge, settled=settled)
    return found if found.ok or last is None else mbgnbd.fit(x, t_x, observed, ridge=ridge)
