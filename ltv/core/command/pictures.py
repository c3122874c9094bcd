"""The latest check of a backtest as a picture: what was forecast, beside what came."""

from __future__ import annotations

import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ltv.core.backtest import Backtest, Check
from ltv.core.champion import Champion, compared
from ltv.core.command.report import title_of
from ltv.core.measures import Accuracy, Deciles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".png", ".svg")
CAME, FORECAST, RULE = "what came", "forecast", "best rule of thumb"
# colours that the colour-blind tell apart (Okabe & Ito)
GREY, BLUE, ORANGE = "#4d4d4d", "#0072B2", "#E69F00"
STYLES: dict[str, dict[str, Any]] = {
    FORECAST: {"color": BLUE, "linestyle": "-"},
    RULE: {"color": ORANGE, "linestyle": "--"},
}


class NoPicture(Exception):
    """Why there is no picture, in one line."""


def require() -> None:
    """Raises NoPicture where matplotlib is not installed; asked before anything is read, which may take minutes."""
    if find_spec("matplotlib") is None:
        raise NoPicture(
            "nothing was done: --plot needs matplotlib, which is not installed. Leave --plot out, or install it: "
            f"{shlex.quote(sys.executable)} -m pip install matplotlib"
        )


def draw(path: Path, checked: Backtest, best: Champion | None, currency: str) -> None:
    """Draw tracking and calibration of purchases and of revenue at the latest check.

    Raises:
        NoPicture: nothing was checked.
        OSError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    if best is None:
        raise NoPicture("the history is too short for a check, so there is nothing to draw")
    check, unit = compared(checked)[-1], f" ({currency})" if currency else ""
    scores = [score for name in _names(best).values() if (score := check.score(name)) is not None]
    figure = Figure(figsize=(11, 8), layout="constrained")
    figure.suptitle(_headline(check, checked.horizon))
    figure.supxlabel(_legend(best), fontsize="medium")
    (days, groups), (money, values) = figure.subplots(2, 2)
    _tracking(days, check.points, check.purchases, [(score.tracking, score.purchases) for score in scores])
    _tracking(money, check.points, check.spend, [(score.spend_tracking, score.spend) for score in scores])
    _calibration(groups, scores[0].purchases.deciles)
    _calibration(values, scores[0].spend.deciles)
    _label(days, groups, "Purchases", "purchase days", "")
    _label(money, values, "Revenue", "revenue", unit)
    figure.savefig(path, dpi=150)


def _headline(check: Check, horizon: int) -> str:
    on = np.datetime64(check.origin, "D")
    return f"A forecast made on {on} for {check.customers:,} customers, and what they did in the {horizon} days after it"


def _names(best: Champion) -> dict[str, str]:
    """What is drawn, by label: the champion, and the best rule of thumb where that is another."""
    rule = best.margin.baseline if best.margin else best.name
    return {FORECAST: best.name} | ({} if rule == best.name else {RULE: rule})


def _legend(best: Champion) -> str:
    return "    ".join(f"{label}: {title_of(name)}" for label, name in _names(best).items())


def _tracking(
    axes: Axes,
    points: tuple[float, ...],
    came: tuple[float, ...],
    forecasts: list[tuple[tuple[float, ...], Accuracy]],
) -> None:
    """Cumulated totals, day by day."""
    days = [0.0, *points]
    axes.plot(days, [0.0, *came], color=GREY, marker="o", markersize=4, clip_on=False, zorder=3, label=CAME)
    for (path, _accuracy), (label, style) in zip(forecasts, STYLES.items(), strict=False):
        axes.plot(days, [0.0, *path], label=label, **style)
    bias = forecasts[0][1].bias
    side = "low" if (bias or 0.0) < 0 else "high"
    off = "nothing came" if bias is None else f"the forecast was {abs(100 * bias):.0f}% too {side}"
    axes.set_title(f"{off} after {points[-1]:.0f} days")
    axes.set_xlabel("days after the forecast")
    axes.set_xlim(0.0, points[-1])
    axes.set_ylim(bottom=0.0)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.legend(loc="upper left", frameon=False)
    axes.grid(alpha=0.25)


def _calibration(axes: Axes, groups: Deciles) -> None:
    """Ten groups of customers, those expected to do most first."""
    places = np.arange(1, len(groups.actual) + 1)
    axes.bar(places, groups.actual, color=GREY, alpha=0.5, width=0.75, label=CAME)
    axes.plot(places, groups.predicted, color=BLUE, marker="D", linestyle="none", label=FORECAST)
    axes.set_xlabel("tenths of the customers, the highest forecast first")
    axes.set_xticks(places)
    axes.legend(loc="upper right", frameon=False)
    axes.grid(axis="y", alpha=0.25)


def _label(tracking: Axes, calibration: Axes, what: str, counted: str, unit: str) -> None:
    tracking.set_title(f"{what}: {tracking.get_title()}")
    tracking.set_ylabel(f"{counted} since then, all customers{unit}")
    calibration.set_title(f"{what} of each tenth of the customers")
    calibration.set_ylabel(f"{counted} a customer{unit}")
