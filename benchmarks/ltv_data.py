"""The purchase logs that everybody is measured on, as plain .npy files in a folder."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ltv.core import bgnbd, summary
from ltv.core.bgnbd import BgNbd

CDNOW = 2_357
# some ten purchase days a customer over two years, an eighth of them one-time buyers
SHOP = BgNbd(r=0.9, alpha=24.0, a=0.5, b=6.0)
SPEND_SHAPE, SPEND_SPREAD, SPEND_SCALE = 6.25, 3.74, 15.44
DAYS, FIRST_DAY, SEED = 730, 19_358, 20_260_302


@dataclass(frozen=True)
class Log:
    """Rows in no order: customers, days since 1970-01-01, amounts; and the last day of all."""

    customers: np.ndarray
    days: np.ndarray
    amounts: np.ndarray
    until: int


def write(folder: Path, customers: int) -> int:
    """The log and its histories, for as many customers; the number of rows. 2,357 are CDNOW's sample."""
    log = cdnow() if customers == CDNOW else simulated(customers)
    histories = summary.summarise(summary.purchase_log(log.customers, log.days, log.amounts), until=log.until)
    arrays = {name: getattr(log, name) for name in ("customers", "days", "amounts")}
    arrays |= {name: getattr(histories, name) for name in ("x", "t_x", "T", "m")}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    (folder / "until").write_text(str(log.until))
    return len(log.days)


def cdnow() -> Log:
    """39 weeks of a music shop, from the file in the wheel of lifetimes."""
    package = find_spec("lifetimes")
    if package is None or not package.submodule_search_locations:
        raise RuntimeError("the package lifetimes, whose wheel has CDNOW's log, is not installed")
    path = Path(package.submodule_search_locations[0]) / "datasets" / "CDNOW_sample.txt"
    rows = [line.split() for line in path.read_text().splitlines()]
    days = np.array([f"{on[:4]}-{on[4:6]}-{on[6:]}" for _, _, on, _, _ in rows], "datetime64[D]")
    until = np.datetime64("1997-09-30")
    seen = days <= until
    return Log(
        np.array([int(row[1]) for row in rows])[seen],
        days.astype(np.int64)[seen],
        np.array([float(row[4]) for row in rows])[seen],
        int(until.astype(np.int64)),
    )


def simulated(customers: int) -> Log:
    """A shop that follows BG/NBD and gamma-gamma, its customers acquired evenly over two years."""
    rng = np.random.default_rng(SEED)
    joined = rng.integers(0, DAYS, customers)
    lives = bgnbd.simulate(SHOP, rng, (DAYS - joined).astype(np.float64), 1.0)
    repeats = lives.x.astype(np.int64)
    who = np.repeat(np.arange(customers), repeats)
    # the last purchase is at t_x, the others anywhere before it
    last = np.zeros(len(who), dtype=bool)
    last[np.cumsum(repeats)[repeats > 0] - 1] = True
    when = np.where(last, 1.0, rng.random(len(who))) * lives.t_x[who]
    who = np.concatenate([np.arange(customers), who])
    days = FIRST_DAY + joined[who] + np.concatenate([np.zeros(customers), np.floor(when)]).astype(np.int64)
    scale = 1.0 / rng.gamma(SPEND_SPREAD, 1.0 / SPEND_SCALE, customers)
    amounts = np.round(rng.gamma(SPEND_SHAPE, scale[who]), 2)
    order = rng.permutation(len(who))
    return Log(who[order], days[order], amounts[order], FIRST_DAY + DAYS)
