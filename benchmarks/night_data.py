"""A shop's three years as arrays: customers, purchases in the order of their times, refunds. No database here."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from benchmarks.ltv_data import SEED, SPEND_SCALE, SPEND_SHAPE, SPEND_SPREAD
from ltv.core import bgnbd
from ltv.core.bgnbd import BgNbd

FIRST_NIGHT = date(2025, 9, 2)  # a Tuesday: the weekly audit of Mondays is not among the nights that follow
DAYS = 3 * 365
NEVER_BOUGHT, SAME_DAY, REFUNDED, HALF_REFUNDED = 0.02, 0.06, 0.02, 0.01
SHAPE, DROPOUT_A, DROPOUT_B = 0.55, 0.5, 5.0  # a fifth buys on one day only, one customer in a hundred on 75
EPOCH = date(2000, 1, 1)  # PostgreSQL counts days and microseconds from here
DAY = 86_400_000_000
CENT = 10  # amounts are in thousandths of the base currency, as the columns are


def day_number(day: date) -> int:
    return (day - EPOCH).days


@dataclass(frozen=True)
class World:
    """Customer n of ``joined`` has id n + 1; purchase k has id k + 1. Times in microseconds, money in thousandths."""

    joined: np.ndarray
    customer: np.ndarray
    at: np.ndarray
    amount: np.ndarray
    refunded: np.ndarray

    @property
    def day(self) -> np.ndarray:
        return (self.at // DAY).astype(np.int32)


def simulated(customers: int, purchases_each: float) -> World:
    """A shop that follows BG/NBD and gamma-gamma up to the day before the first night."""
    rng = np.random.default_rng(SEED)
    start = day_number(FIRST_NIGHT - timedelta(days=DAYS))
    joined = np.sort(rng.integers(0, DAYS, customers))
    buyers = np.flatnonzero(rng.random(customers) >= NEVER_BOUGHT)
    params = _with_mean(purchases_each * customers / len(buyers) / (1 + SAME_DAY))
    lives = bgnbd.simulate(params, rng, (DAYS - 1 - joined[buyers]).astype(np.float64), 1.0)
    who, days = _purchase_days(rng, lives.x.astype(np.int64), lives.t_x)
    again = np.flatnonzero(rng.random(len(who)) < SAME_DAY)
    who, days = buyers[np.concatenate([who, who[again]])], np.concatenate([days, days[again]])
    at = (start + joined[who] + days) * DAY + rng.integers(0, DAY, len(who))
    order = np.argsort(at)
    who, at = who[order], at[order]
    amount = _amounts(rng, customers, who)
    return World((start + joined) * DAY, who + 1, at, amount, _refunds(rng, amount))


def _with_mean(purchase_days: float) -> BgNbd:
    """The model whose customers buy on so many days on average: its alpha sets the pace."""
    low, high = 0.5, 500.0
    for _step in range(20):
        alpha = (low * high) ** 0.5
        rng = np.random.default_rng(SEED)
        observed = rng.integers(0, DAYS, 20_000).astype(np.float64)
        lives = bgnbd.simulate(BgNbd(SHAPE, alpha, DROPOUT_A, DROPOUT_B), rng, observed, 1.0)
        low, high = (alpha, high) if 1 + lives.x.mean() > purchase_days else (low, alpha)
    return BgNbd(SHAPE, (low * high) ** 0.5, DROPOUT_A, DROPOUT_B)


def _purchase_days(
    rng: np.random.Generator, repeats: np.ndarray, last: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Who bought how many days after their first purchase: at 0, at ``last``, the others anywhere between."""
    who = np.repeat(np.arange(len(repeats)), repeats)
    at_last = np.zeros(len(who), dtype=bool)
    at_last[np.cumsum(repeats)[repeats > 0] - 1] = True
    days = np.floor(np.where(at_last, 1.0, rng.random(len(who))) * last[who]).astype(np.int64)
    return np.concatenate([np.arange(len(repeats)), who]), np.concatenate([np.zeros(len(repeats), int), days])


def _amounts(rng: np.random.Generator, customers: int, who: np.ndarray) -> np.ndarray:
    scale = 1.0 / rng.gamma(SPEND_SPREAD, 1.0 / SPEND_SCALE, customers)
    spent = np.clip(rng.gamma(SPEND_SHAPE, scale[who]), 0.5, 50_000)
    return np.round(spent * 100).astype(np.int64) * CENT


def _refunds(rng: np.random.Generator, amount: np.ndarray) -> np.ndarray:
    dice = rng.random(len(amount))
    half = amount // (2 * CENT) * CENT
    return np.where(dice < REFUNDED, amount, np.where(dice < REFUNDED + HALF_REFUNDED, half, 0))


def one_day(night: int, customers: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Who buys on the day before a later night, and for how much: ``share`` of all customers, each once."""
    rng = np.random.default_rng([SEED, night])
    who = rng.choice(customers, max(1, round(share * customers)), replace=False) + 1
    amount = np.round(rng.lognormal(3.4, 0.6, len(who)) * 100).astype(np.int64) * CENT
    return who, amount
