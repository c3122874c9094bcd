"""Which forecast a shop should use, and by how much it is better than a rule of thumb.

The rule: over the origins at which all took part, the lowest mean ``combined_loss`` leads. Whoever
is behind the leader by no more than one standard error of the difference is as good. Of those the
champion in office stays; without one among them the simplest is taken, rules before models. So
noise does not change the forecast every week, and a rule of thumb is not given up for nothing.

Neighbouring origins share part of their horizon: k of them count as the number of horizons they
span, 1 + (latest - oldest) / horizon.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit

from ltv.core.arrays import Floats
from ltv.core.backtest import Backtest, Check

# of the interval around the margin
CONFIDENCE = 0.8
# a perfect forecast is taken to be off by this, so that ratios exist
NO_LOSS = 1e-9

LEADS, STAYS, SIMPLER = "leads", "stays", "simpler"
IN_USE = "in_use"


@dataclass(frozen=True)
class Standing:
    """A forecast in the table: mean loss, and how far it is behind the leader, with the standard
    error of that difference (0 where one horizon is all there is)."""

    name: str
    baseline: bool
    loss: float
    behind: float
    error: float


@dataclass(frozen=True)
class Margin:
    """By which share the champion's loss is below the best baseline's, .2 is 20 %; negative: above.

    low, high: its interval at ``CONFIDENCE`` over the origins by Student's t, None when they span
    less than two horizons.
    """

    baseline: str
    share: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Champion:
    """The forecast to use; reason: "leads", "stays" (in office) or "simpler", or "in_use" for one that
    was not chosen here; margin None where no
    baseline took part; table: all forecasts, the best first; origins: how many were compared."""

    name: str
    baseline: bool
    reason: str
    margin: Margin | None
    origins: int
    table: tuple[Standing, ...]


def choose(found: Backtest, in_office: str | None = None) -> Champion | None:
    """The champion of a backtest; ``in_office`` is the name of the forecast used until now.

    None when no forecast could be judged: no origin, or nobody differed at any.
    """
    checks = compared(found)
    if not checks:
        return None
    losses = _losses(checks)
    rules = [score.name for score in checks[-1].scores if score.baseline and score.name in losses]
    independent = _independent(checks, found.horizon)
    table = _table(losses, rules, independent)
    equals = {row.name for row in table if row.behind <= row.error}
    name, reason = _pick(table[0].name, [name for name in losses if name in equals], in_office)
    return Champion(
        name=name,
        baseline=name in rules,
        reason=reason,
        margin=_margin(losses, rules, name, independent),
        origins=len(checks),
        table=table,
    )


def in_use(found: Backtest, name: str) -> Champion | None:
    """The forecast ``name`` with its margin, chosen or not: what a shop stands on today is to be judged.

    None when it could not be judged at the latest check.
    """
    best = choose(found)
    checks = compared(found)
    if best is None or name not in _names(checks[-1]):
        return None
    losses = _losses(checks)
    rules = [row.name for row in best.table if row.baseline]
    return replace(
        best,
        name=name,
        baseline=name in rules,
        reason=IN_USE,
        margin=_margin(losses, rules, name, _independent(checks, found.horizon)),
    )


def _table(losses: dict[str, Floats], rules: list[str], independent: float) -> tuple[Standing, ...]:
    """The best first; of equals the simplest."""
    leader = min(losses, key=lambda name: losses[name].mean())
    rows = [
        Standing(
            name=name,
            baseline=name in rules,
            loss=float(loss.mean()),
            behind=float((loss - losses[leader]).mean()),
            error=_error(loss - losses[leader], independent),
        )
        for name, loss in losses.items()
    ]
    return tuple(sorted(rows, key=lambda row: row.behind))


def compared(found: Backtest) -> tuple[Check, ...]:
    """The checks at which everything that took part in the latest one could be judged."""
    judged = [check for check in found.checks if _names(check)]
    if not judged:
        return ()
    wanted = _names(judged[-1])
    return tuple(check for check in judged if wanted <= _names(check))


def _names(check: Check) -> set[str]:
    return {score.name for score in check.scores if score.loss is not None}


def _losses(checks: tuple[Check, ...]) -> dict[str, Floats]:
    """Losses over the checks by name, simplest first."""
    return {
        score.name: np.array([_loss(check, score.name) for check in checks])
        for score in checks[-1].scores
        if score.loss is not None
    }


def _loss(check: Check, name: str) -> float:
    loss = next(score.loss for score in check.scores if score.name == name and score.loss is not None)
    return max(loss, NO_LOSS)


def _independent(checks: tuple[Check, ...], horizon: int) -> float:
    """How many horizons that do not overlap the checks are worth."""
    return min(float(len(checks)), 1.0 + (checks[-1].origin - checks[0].origin) / horizon)


def _error(differences: Floats, independent: float) -> float:
    """Standard error of a mean over origins; 0 for a single one, which says nothing of spread."""
    if len(differences) < 2:
        return 0.0
    return float(differences.std(ddof=1) / np.sqrt(independent))


def _pick(leader: str, equals: list[str], in_office: str | None) -> tuple[str, str]:
    if in_office in equals and in_office != leader:
        return str(in_office), STAYS
    if equals[0] != leader and in_office != leader:
        return equals[0], SIMPLER
    return leader, LEADS


def _margin(losses: dict[str, Floats], rules: list[str], name: str, independent: float) -> Margin | None:
    """On the logarithms of the ratios of losses, which treat twice and half alike."""
    if not rules:
        return None
    baseline = min(rules, key=lambda rule: losses[rule].mean())
    ratios = np.log(losses[name] / losses[baseline])
    middle = float(ratios.mean())
    if independent < 2.0:
        return Margin(baseline, 1.0 - float(np.exp(middle)), None, None)
    reach = float(stdtrit(independent - 1.0, (1.0 + CONFIDENCE) / 2)) * _error(ratios, independent)
    low, share, high = (1.0 - float(np.exp(middle + away)) for away in (reach, 0.0, -reach))
    return Margin(baseline, share, low, high)
