"""Fifty-digit values of the transaction models where double precision is hardest.

The published formulas (gamma functions, 2F1, Psi) are evaluated with mpmath at fifty digits and more,
so they share nothing with the quadratures of ``ltv.core``. Run as a program this file writes
``stress.csv``, which the tests read because most points take mpmath seconds:

    python -m tests.reference.stress

Sources: Fader, Hardie & Lee (2005), Marketing Science 24; Batislam, Denizel & Filiztekin (2007);
Fader & Hardie (2005), "A note on deriving the Pareto/NBD model"; Fader & Hardie (2006), "Deriving an
expression for P(X(t) = x) under the Pareto/NBD model".
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, fields
from itertools import count, islice, product
from pathlib import Path

from mpmath import beta as beta_function
from mpmath import exp, expm1, gamma, hyp2f1, hyperu, log, log1p, mp, mpf, power, quad

PATH = Path(__file__).with_name("stress.csv")
DIGITS = 50
EACH = 112
MODELS = ("bgnbd", "mbgnbd", "paretonbd")
QUANTITIES = (
    "log_likelihood_each", "p_alive", "expected_purchases", "p_no_purchase", "pmf", "residual_value",
)  # fmt: skip
SMALLEST = mpf(10) ** -250
# where a formula has a removable singularity (a = 1, a + b = 1, s = 1) it is taken this near
NEARLY = mpf(10) ** -40


@dataclass(frozen=True)
class Point:
    """One value: the parameters in their order, a history, a horizon (or t), a discount, a count."""

    model: str
    quantity: str
    one: float
    two: float
    three: float
    four: float
    x: float
    t_x: float
    T: float
    horizon: float
    delta: float
    n: float

    def arguments(self) -> tuple[float, ...]:
        """What the quantity takes after the parameters."""
        history = self.x, self.t_x, self.T
        return {
            "log_likelihood_each": history,
            "p_alive": history,
            "expected_purchases": (*history, self.horizon),
            "p_no_purchase": (*history, self.horizon),
            "pmf": (self.n, self.horizon),
            "residual_value": (*history, self.delta, self.horizon),
        }[self.quantity]

    def value(self) -> mpf:
        """The quantity to fifty digits."""
        kind = _Pareto if self.model == "paretonbd" else _BetaGeometric
        with mp.workdps(DIGITS + 30):
            return +getattr(kind(self), self.quantity)()

    def published_pmf(self) -> mpf:
        """The pmf of Pareto/NBD by its published sum, whose terms cancel."""
        with mp.workdps(150):
            return +_Pareto(self).published_pmf()


class _BetaGeometric:
    def __init__(self, point: Point) -> None:
        self.r, self.alpha, self.a, self.b = map(mpf, (point.one, point.two, point.three, point.four))
        self.x, self.t_x, self.T, self.t = map(mpf, (point.x, point.t_x, point.T, point.horizon))
        self.delta, self.n = mpf(point.delta), mpf(point.n)
        self.first = 1 if point.model == "mbgnbd" else 0
        self.k = self.x + self.first

    def _odds(self) -> mpf:
        if not self.k:
            return mpf(0)
        silence = power((self.alpha + self.T) / (self.alpha + self.t_x), self.r + self.x)
        return self.a / (self.b + self.k - 1) * silence

    def log_likelihood_each(self) -> mpf:
        r, x = self.r, self.x
        stay = log(beta_function(self.a, self.b + self.k)) - log(beta_function(self.a, self.b))
        buy = log(gamma(r + x)) - log(gamma(r)) + r * log(self.alpha) - (r + x) * log(self.alpha + self.T)
        return stay + buy + log1p(self._odds())

    def p_alive(self) -> mpf:
        return 1 / (1 + self._odds())

    def expected_purchases(self) -> mpf:
        a, n = self.a + (NEARLY if self.a == 1 else 0), self.r + self.x
        b, at = self.b + self.k, self.alpha + self.T
        c = a + b - 1
        c = c if c else NEARLY
        series = hyp2f1(n, b, c, self.t / (at + self.t), maxterms=10**6)
        return self.p_alive() * c / (a - 1) * (1 - power(at / (at + self.t), n) * series)

    def p_no_purchase(self) -> mpf:
        at = self.alpha + self.T
        return 1 - self.p_alive() * (1 - power(at / (at + self.t), self.r + self.x))

    def pmf(self) -> mpf:
        with mp.workdps(400):  # the sum of what is bought before is nearly 1
            k, z = self.n + self.first, self.t / (self.alpha + self.t)
            term, before = power(1 - z, self.r), mpf(0)
            for j in range(int(self.n)):
                before += term
                term *= (self.r + j) / (j + 1) * z
            stays = beta_function(self.a, self.b + k) * term
            leaves = beta_function(self.a + 1, self.b + k - 1) * (1 - before) if k else 0
            return (stays + leaves) / beta_function(self.a, self.b)

    def residual_value(self) -> mpf:
        """Integral of the rate of buying n/at 2F1(n+1, a; a+b; -t/at), in v = ln(1 + t/at)."""
        n, a, b, at = self.r + self.x, self.a, self.b + self.k, self.alpha + self.T

        def bought(v: mpf) -> mpf:
            series = hyp2f1(a, a + b - n - 1, a + b, -expm1(-v), maxterms=10**6)
            return n * exp((1 - a) * v - self.delta * at * expm1(v)) * series

        with mp.workdps(30):
            return self.p_alive() * _integral(bought, self.t / at, self.delta * at, n)


class _Pareto:
    def __init__(self, point: Point) -> None:
        self.r, self.alpha, self.s, self.beta = map(mpf, (point.one, point.two, point.three, point.four))
        self.x, self.t_x, self.T, self.t = map(mpf, (point.x, point.t_x, point.T, point.horizon))
        self.delta, self.n = mpf(point.delta), mpf(point.n)

    def _leaving(self, y: mpf, n: mpf, alpha: mpf, beta: mpf) -> mpf:
        """Integral over w > y of (alpha+w)^-n (beta+w)^-(s+1): the published 2F1."""
        c = n + self.s
        if alpha >= beta:
            return hyp2f1(c, self.s + 1, c + 1, (alpha - beta) / (alpha + y)) / (c * power(alpha + y, c))
        return hyp2f1(c, n, c + 1, (beta - alpha) / (beta + y)) / (c * power(beta + y, c))

    def _terms(self, n: mpf, alpha: mpf, beta: mpf, since: mpf, until: mpf) -> tuple[mpf, mpf]:
        """Silent from ``since`` to ``until``: still there, and left in between."""
        stays = power(alpha + until, -n) * power(beta + until, -self.s)
        ends = (self._leaving(y, n, alpha, beta) for y in (since, until))
        return stays, self.s * (next(ends) - next(ends))

    def _history(self) -> tuple[mpf, mpf]:
        with mp.workdps(DIGITS + 60):
            return self._terms(self.r + self.x, self.alpha, self.beta, self.t_x, self.T)

    def log_likelihood_each(self) -> mpf:
        shape = log(gamma(self.r + self.x)) - log(gamma(self.r))
        scale = self.r * log(self.alpha) + self.s * log(self.beta)
        return shape + scale + log(sum(self._history()))

    def p_alive(self) -> mpf:
        stays, left = self._history()
        return stays / (stays + left)

    def _without_leaving(self) -> mpf:
        return (self.r + self.x) * (self.beta + self.T) / (self.alpha + self.T)

    def expected_purchases(self) -> mpf:
        e = self.s - 1 if self.s != 1 else NEARLY
        grown = 1 - power(1 + self.t / (self.beta + self.T), -e)
        return self.p_alive() * self._without_leaving() * grown / e

    def p_no_purchase(self) -> mpf:
        n, alpha, beta = self.r + self.x, self.alpha + self.T, self.beta + self.T
        silent = sum(self._terms(n, alpha, beta, mpf(0), self.t)) * power(alpha, n) * power(beta, self.s)
        return 1 - self.p_alive() * (1 - silent)

    def pmf(self) -> mpf:
        """Stayed with n purchases, or left at w with n; the published sum for small n agrees."""
        ways = gamma(self.r + self.n) / gamma(self.r) / gamma(self.n + 1)
        at, until = self.t / (self.alpha + self.t), self.beta + self.t
        stays = power(1 - at, self.r) * power(at, self.n) * power(self.beta / until, self.s)

        def left(v: mpf) -> mpf:
            w = self.t * exp(-v)
            z = w / (self.alpha + w)
            gone = self.s * w / (self.beta + w) * power(1 + w / self.beta, -self.s)
            return power(1 - z, self.r) * power(z, self.n) * gone

        with mp.workdps(DIGITS):
            return ways * (stays + _bump(left, 3 / mp.sqrt(1 + self.n)))

    def published_pmf(self) -> mpf:
        """As printed in the note of 2006."""
        r, s, n, t = self.r, self.s, self.n, self.t
        ways = gamma(r + n) / gamma(r) / gamma(n + 1)
        at, until = t / (self.alpha + t), self.beta + t
        stays = power(1 - at, r) * power(at, n) * power(self.beta / until, s)
        larger, other = (self.alpha, s + 1) if self.alpha >= self.beta else (self.beta, r + n)
        gap, c = abs(self.alpha - self.beta), r + s + n + 1
        sums = hyp2f1(r + s, other, c, gap / larger) / power(larger, r + s)
        for i in range(int(n) + 1):
            term = hyp2f1(r + s + i, other, c, gap / (larger + t)) / power(larger + t, r + s + i)
            sums -= gamma(r + s + i) / gamma(r + s) * power(t, i) / gamma(i + 1) * term
        scale = power(self.alpha, r) * power(self.beta, s)
        return ways * stays + scale * beta_function(r + n, s + 1) / beta_function(r, s) * sums

    def residual_value(self) -> mpf:
        kappa, e = self.delta * (self.beta + self.T), 1 - self.s
        if mp.isinf(self.t):
            worth = power(kappa, self.s - 1) * hyperu(self.s, self.s, kappa)
        else:
            with mp.workdps(30):
                end = self.t / (self.beta + self.T)
                worth = _integral(lambda v: exp(e * v - kappa * expm1(v)), end, kappa, self.s)
        return self.p_alive() * self._without_leaving() * worth


def _integral(function: Callable[[mpf], mpf], end: mpf, kappa: mpf, steep: mpf) -> mpf:
    """Over 0 < v < ln(1 + end), in pieces over which the function does not change its kind."""
    last = log1p(min(end, 120 / kappa) if kappa else end)
    knots = [mpf(0)]
    width = min(1 / (1 + steep), mpf(1))
    while knots[-1] < last:
        knots.append(min(knots[-1] + width, last))
        width = min(2 * width, mpf(2))
    return _quad(function, knots, function(mpf(0)))


def _quad(function: Callable[[mpf], mpf], knots: list[mpf], unit: mpf) -> mpf:
    """mpmath's errors are absolute, so the function is divided by its size."""
    return unit * quad(lambda v: function(v) / unit, knots, method="gauss-legendre")


def _bump(function: Callable[[mpf], mpf], longest: mpf) -> mpf:
    """Integral over v > 0 of what rises and falls, in pieces over which it changes by e^6 at most."""
    knots, values = [mpf(0)], [function(mpf(0))]
    step = longest
    while values[-1] > mpf(10) ** -35 * max(values):
        step = min(2 * step, longest)
        while abs(log(function(knots[-1] + step) / values[-1])) > 6:
            step /= 2
        knots.append(knots[-1] + step)
        values.append(function(knots[-1]))
    return _quad(function, knots, max(values))


def candidates(model: str, quantity: str) -> Iterator[Point]:
    """Points of one quantity under every kind of stress, the same every time."""
    rng = random.Random(f"{model} {quantity}")
    for number in count():
        yield _point(rng, model, quantity, number)


def _point(rng: random.Random, model: str, quantity: str, number: int) -> Point:
    parameters = (_pareto if model == "paretonbd" else _beta_geometric)(rng, number)
    r, alpha, three, four = parameters
    x = (0, rng.randint(1, 20), rng.randint(20, 500), rng.randint(500, 5000))[number // 2 % 4]
    T = alpha * 10 ** rng.uniform(-1, 1.7)
    if not x and rng.random() < 0.1:
        T = 0.0
    # silent for so long that P(alive) can still be written as a double
    silence = (
        min(0.999, rng.random() ** 2 * 300.0 / (r + x + 300.0)) if number % 4 else 10 ** rng.uniform(-12, -4)
    )
    t_x = T * (1.0 - silence) if x else 0.0
    near_one = number % 7 == 3
    horizon = (alpha + T) * 10 ** (rng.uniform(2, 5) if near_one else rng.uniform(-3, 1))
    delta = 10 ** rng.uniform(-4, 0) / (alpha + T)
    if quantity == "residual_value" and number % 2:
        horizon = float("inf")
    n = float(
        (rng.randint(0, 3), rng.randint(0, 30), rng.randint(30, 300), rng.randint(300, 1500))[number % 4]
    )
    unit = (1.0, 604_800.0, 1 / 52)[number % 3]
    if model == "paretonbd":
        four *= unit
    return Point(
        model, quantity, r, alpha * unit, three, four, float(x), t_x * unit, T * unit,
        horizon * unit, delta / unit, n,
    )  # fmt: skip


def _beta_geometric(rng: random.Random, number: int) -> tuple[float, float, float, float]:
    r, alpha = 10 ** rng.uniform(-1.5, 0.7), 10 ** rng.uniform(-0.5, 1.5)
    a, b = 10 ** rng.uniform(-1.3, 0.8), 10 ** rng.uniform(-1, 1.2)
    stress = number % 8
    if stress == 1:
        a = rng.choice((1.0, 1.0 + 1e-9, 1.0 - 1e-6, 1.0 + 1e-13))
    elif stress == 2:
        a = rng.uniform(0.05, 0.9)
        b = 1.0 - a + rng.choice((0.0, 1e-9, -1e-9, 1e-4))
    elif stress == 3:
        r, b = rng.uniform(20, 200), rng.uniform(0.1, 2)
    elif stress == 4:
        a, b = rng.uniform(30, 200), rng.uniform(20, 400)
    return r, alpha, a, b


def _pareto(rng: random.Random, number: int) -> tuple[float, float, float, float]:
    r, alpha = 10 ** rng.uniform(-1.5, 0.7), 10 ** rng.uniform(-0.5, 1.5)
    s, beta = 10 ** rng.uniform(-1.3, 0.8), 10 ** rng.uniform(-0.5, 1.5)
    stress = number % 8
    if stress == 1:
        s = rng.choice((1.0, 1.0 + 1e-9, 1.0 - 1e-6, 1.0 + 1e-13))
    elif stress == 2:
        beta = alpha * rng.choice((1.0, 1.0 + 1e-12, 1.0 - 1e-7, 1.001))
    elif stress == 3:
        r, alpha = rng.uniform(20, 200), rng.uniform(1, 300)
    elif stress == 4:
        s, beta = rng.uniform(20, 100), rng.uniform(1, 2000)
    elif stress == 5:
        beta = alpha * 10 ** rng.choice((rng.uniform(-4, -2), rng.uniform(2, 4)))
    return r, alpha, s, beta


def stored() -> list[tuple[Point, float]]:
    """The points of ``stress.csv`` with their values, rounded to doubles."""
    with PATH.open(newline="") as file:
        lines = list(csv.reader(file))[1:]
    return [(Point(*row[:2], *map(float, row[2:-1])), float(row[-1])) for row in lines]


def computed(model: str, quantity: str) -> Iterator[tuple[Point, mpf]]:
    """Points with their values, those too small for doubles left out."""
    for point in candidates(model, quantity):
        value = point.value()
        if abs(value) > SMALLEST:
            yield point, value


def main() -> None:
    """Write ``stress.csv``."""
    with PATH.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*(field.name for field in fields(Point)), "value"])
        for model, quantity in product(MODELS, QUANTITIES):
            print(model, quantity, file=sys.stderr, flush=True)
            for point, value in islice(computed(model, quantity), EACH):
                writer.writerow([*astuple(point), mp.nstr(value, 20)])


if __name__ == "__main__":
    main()
