"""Backtests of CDNOW: fitted on weeks 1-39 of 1997, held against the 39 weeks after.

Computed with programs written independently of this one; BG/NBD with lifetimes too, which finds
the same optimum to six digits. As printed: a digit more or less is the precision known. Where a
rule predicts the same for many customers, gini, top tenth, decile error and deciles took equal
predictions in the order of the customers.

Spend is E[Y] times the gamma-gamma mean for models and times the own mean of all purchase days for
rules. "-" stands for a rule that gives no probability.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

END_OF_CALIBRATION = np.datetime64("1997-09-30")
HORIZON = 273

COLUMNS = (
    "mae", "rmse", "bias", "correlation", "gini", "top_tenth", "decile_error", "auc", "brier",
    "spend_mae", "spend_rmse", "spend_bias", "spend_gini", "spend_top_tenth",
)  # fmt: skip

# the 2,357 customers of the sample: 71.0 % buy nothing, means .798 and $30.11
SAMPLE = {
    "bgnbd": ".785 1.608 -12.1% .626 .662 .467 .140 .757 .161 30.41 72.30 -15.6% .638 .502",
    "mbgnbd": ".765 1.607 -16.2% .627 .664 .475 .162 .760 .161 29.71 71.95 -19.5% .638 .502",
    "paretonbd": ".755 1.603 -11.5% .630 .673 .470 .170 .770 .162 29.45 72.18 -14.8% .659 .503",
    "past_rate": "1.024 2.212 +55.7% .584 .651 .458 .909 .760 .212 43.46 199.2 +62.8% .664 .491",
    "past_rate_with_first": "1.922 2.723 +206% .585 .680 .458 2.06 .774 .429 73.02 219.2 +193% .684 .499",
    "last_window": "1.596 2.318 +156% .577 .640 .441 1.56 .758 .377 61.65 172.1 +144% .680 .481",
    "recency": ".789 1.906 -6.3% .600 .524 .460 .700 .694 - 31.11 90.44 -7.5% .522 .473",
    "formula": "1.922 2.723 +206% .585 .680 .458 2.06 .774 - 73.02 219.2 +193% .684 .499",
}
# predicted and actual means of the ten groups under BG/NBD
DECILES = (
    (3.65, 3.75), (1.11, 1.30), (0.62, 0.96), (0.31, 0.48), (0.25, 0.32),
    (0.24, 0.20), (0.23, 0.22), (0.22, 0.24), (0.21, 0.18), (0.19, 0.34),
)  # fmt: skip
# week after the end of calibration: purchase days of all, and as each model expected them
TRACKING = {
    13: {"actual": 726, "bgnbd": 628, "mbgnbd": 608, "paretonbd": 629},
    25: {"actual": 1329, "bgnbd": 1132, "mbgnbd": 1088, "paretonbd": 1137},
    39: {"actual": 1882, "bgnbd": 1653, "mbgnbd": 1577, "paretonbd": 1666},
}

MASTER_COLUMNS = (
    "mae", "rmse", "bias", "gini", "top_tenth", "decile_error", "auc", "brier",
    "spend_mae", "spend_rmse", "spend_bias", "spend_gini",
)  # fmt: skip

# all 23,570 customers: 70.1 % buy nothing; the AUC of paretonbd by lifetimes' P(Y = 0) at this optimum
MASTER = {
    "bgnbd": ".819 1.733 -14.3% .663 .456 .143 .747 .165 32.68 92.94 -17.3% .672",
    "mbgnbd": ".795 1.740 -19.1% .666 .459 .191 .755 .166 31.84 93.22 -21.9% .676",
    "paretonbd": ".794 1.726 -12.9% .673 .460 .163 .763 .166 31.99 92.87 -15.8% .684",
    "past_rate": "1.038 2.158 +47.4% .651 .444 .833 .754 .216 42.36 132.7 +45.6% .682",
    "formula": "1.909 2.660 +192% .664 .444 1.92 .760 - 71.43 154.1 +166% .698",
}


def printed(row: str) -> tuple[list[float], list[float]]:
    """The figures of a row and the unit of their last digit; NaN for "-"."""
    figures, units = [], []
    for text in row.split():
        percent = text.endswith("%")
        digits = text.rstrip("%").partition(".")[2]
        scale = 0.01 if percent else 1.0
        figures.append(np.nan if text == "-" else float(text.rstrip("%")) * scale)
        units.append(10.0 ** -len(digits) * scale)
    return figures, units


@cache
def master() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Customer, day and dollars of every row of the master log, weeks 1-78."""
    spec = find_spec("lifetimes")
    path = Path(spec.submodule_search_locations[0]) / "datasets" / "CDNOW_master.txt"
    rows = np.loadtxt(path, skiprows=1, usecols=(0, 1, 3))
    year, month, day = (rows[:, 1] // 10_000, rows[:, 1] // 100 % 100, rows[:, 1] % 100)
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]").astype("datetime64[D]")
    return rows[:, 0].astype(np.int64), months + (day - 1).astype(np.int64), rows[:, 2]
