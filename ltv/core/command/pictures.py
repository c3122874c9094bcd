"""The latest check of a backtest as a picture: what was forecast, beside what came."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ltv.core.backtest import Backtest, Check, Score
from ltv.core.champion import Champion, compared
from ltv.core.command.report import title_of
from ltv.core.measures import Deciles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".png", ".svg")
# colours that the colour-blind tell apart (Okabe & Ito)
CAME, FORECAST, RULE = "#4d4d4d", "#0072B2", "#E69F00"
WORDS = {"purchases": "Purchases", "spend": "Revenue"}
BEST_RULE = "best rule of thumb"


class NoPicture(Exception):
    """Why there is no picture, in one line."""


def require() -> None:
    """Raises NoPicture where matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        raise NoPicture("pictures need matplotlib, which is not installed: pip install matplotlib")


def save(path: Path, checked: Backtest, best: Champion | None, currency: str) -> None:
    """Draw tracking and calibration of purchases and of revenue at the latest check.

    Raises:
        NoPicture: nothing was checked.
        OSError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    if best is None:
        raise NoPicture("the history is too short for a check, so there is nothing to draw")
    check = compared(checked)[-1]
    figure = Figure(figsize=(11, 8), layout="constrained")
    figure.suptitle(_headline(check, checked.horizon))
    figure.supxlabel(_legend(best), fontsize="medium")
    (days, groups), (money, values) = figure.subplots(2, 2)
    unit = f" ({currency})" if currency else ""
    _tracking(days, check, best, "purchases", "purchase days since then, all customers")
    _calibration(groups, check, best, "purchases", "purchase days a customer")
    _tracking(money, check, best, "spend", f"revenue since then, all customers{unit}")
    _calibration(values, check, best, "spend", f"revenue a customer{unit}")
    figure.savefig(path, dpi=150)


def _headline(check: Check, horizon: int) -> str:
    on = np.datetime64(check.origin, "D")
    return f"A forecast made on {on} for {check.customers:,} customers, and what they did in the {horizon} days after it"


def _legend(best: Champion) -> str:
    names = {"forecast": best.name}
    if best.margin is not None and best.margin.baseline != best.name:
        names[BEST_RULE] = best.margin.baseline
    return "    ".join(f"{label}: {title_of(name)}" for label, name in names.items())


def _compared(check: Check, best: Champion) -> list[tuple[Score, str, str, str]]:
    """The champion and the best rule of thumb: score, label, colour, line."""
    wanted = [(check.score(best.name), "forecast", FORECAST, "-")]
    if best.margin is not None and best.margin.baseline != best.name:
        wanted.append((check.score(best.margin.baseline), BEST_RULE, RULE, "--"))
    return [(score, *style) for score, *style in wanted if score is not None]


def _tracking(axes: Axes, check: Check, best: Champion, what: str, label: str) -> None:
    """Cumulated totals, day by day."""
    points = [0.0, *check.points]
    came = check.purchases if what == "purchases" else check.spend
    axes.plot(
        points, [0.0, *came], color=CAME, marker="o", markersize=4, clip_on=False, zorder=3, label="what came"
    )
    for score, name, colour, line in _compared(check, best):
        path = score.tracking if what == "purchases" else score.spend_tracking
        axes.plot(points, [0.0, *path], color=colour, linestyle=line, label=name)
    off = _bias(check, best, what)
    axes.set_title(f"{WORDS[what]}: {off} after {points[-1]:.0f} days")
    axes.set_xlabel("days after the forecast")
    axes.set_ylabel(label)
    axes.set_xlim(0.0, points[-1])
    axes.set_ylim(bottom=0.0)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.legend(loc="upper left", frameon=False)
    axes.grid(alpha=0.25)


def _bias(check: Check, best: Champion, what: str) -> str:
    score = check.score(best.name)
    bias = getattr(score, what).bias if score else None
    if bias is None:
        return "nothing came"
    return f"the forecast was {abs(100 * bias):.0f} % too {'low' if bias < 0 else 'high'}"


def _calibration(axes: Axes, check: Check, best: Champion, what: str, label: str) -> None:
    """Ten groups of customers, those expected to do most first."""
    score = check.score(best.name)
    groups: Deciles = getattr(score, what).deciles
    places = np.arange(1, len(groups.actual) + 1)
    axes.bar(places, groups.actual, color=CAME, alpha=0.45, width=0.75, label="what came")
    for found, name, colour, _line in _compared(check, best)[:1]:
        mean = getattr(found, what).deciles.predicted
        axes.plot(places, mean, color=colour, marker="D", linestyle="none", markersize=6, label=name)
    axes.set_title(f"{WORDS[what]} of each tenth of the customers")
    axes.set_xlabel("tenths of the customers, the highest forecast first")
    axes.set_ylabel(label)
    axes.set_xticks(places)
    axes.legend(loc="upper right", frameon=False)
    axes.grid(axis="y", alpha=0.25)
