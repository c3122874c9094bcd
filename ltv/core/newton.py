"""Damped Newton ascent in the logarithms of positive parameters, inside a box."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ltv.core.arrays import Floats

# value, gradient (k,) and Hessian (k, k) at the given parameters, with respect to the parameters
Evaluation = tuple[float, Floats, Floats]
Objective = Callable[[Floats], Evaluation]

MAX_ITERATIONS = 100
LONGEST_STEP = 2.0
RELATIVE_GRADIENT = 1e-9
# what the value of a sum over many customers is exact to
ROUNDING = 1e-12
LOWER, UPPER = np.log(1e-5), np.log(1e5)


@dataclass(frozen=True)
class Ridge:
    """A weak normal prior on the log-parameters: subtracts weight/2 * |theta - centre|^2."""

    weight: float
    centre: Floats

    def penalty(self, theta: Floats) -> float:
        away = theta - self.centre
        return 0.5 * self.weight * float(away @ away)

    def add(self, theta: Floats, value: float, gradient: Floats, hessian: Floats) -> Evaluation:
        away = theta - self.centre
        return (
            value - self.penalty(theta),
            gradient - self.weight * away,
            hessian - self.weight * np.eye(len(theta)),
        )


@dataclass(frozen=True)
class Optimum:
    """Where the ascent ended.

    ``value`` is the objective there and ``at_start`` where it began, both without the ridge; ``hessian`` is
    with it, with respect to the log-parameters.
    """

    parameters: Floats
    value: float
    at_start: float
    hessian: Floats
    converged: bool
    iterations: int


def maximise(objective: Objective, start: Floats, ridge: Ridge, settled: float = 0.0) -> Optimum:
    """Climb from ``start``; never raises, says whether it arrived.

    It has arrived at the start, too, where a step promises to raise the value by no more than ``settled``.

    Steps are cut to ``LONGEST_STEP`` and halved until the value rises, so a bad start costs
    iterations and not the answer. Near the top, where values differ by rounding alone, a step is
    good that takes half of the slope away. Directions in which the surface curves upwards are walked along
    the gradient. A flat or unbounded surface ends at the box or unconverged; the caller flags it.
    """
    theta = np.clip(np.log(start), LOWER, UPPER)
    value, gradient, hessian = _evaluate(objective, theta, ridge)
    at_start = value + ridge.penalty(theta)

    def ended(converged: bool, iterations: int) -> Optimum:
        here = value + ridge.penalty(theta)
        return Optimum(np.exp(theta), here, at_start, hessian, converged, iterations)

    for iteration in range(1, MAX_ITERATIONS + 1):
        if _flat(theta, value, gradient) or (iteration == 1 and _promised(gradient, hessian) <= settled):
            return ended(True, iteration)
        better = _line_search(objective, theta, (value, gradient, hessian), ridge)
        if better is None:
            return ended(_nearly_flat(theta, value, gradient), iteration)
        theta, (value, gradient, hessian) = better
    return ended(False, MAX_ITERATIONS)


def _evaluate(objective: Objective, theta: Floats, ridge: Ridge) -> Evaluation:
    parameters = np.exp(theta)
    value, gradient, hessian = objective(parameters)
    in_logs = parameters * gradient
    curvature = np.outer(parameters, parameters) * hessian + np.diag(in_logs)
    return ridge.add(theta, value, in_logs, curvature)


def _pull(theta: Floats, gradient: Floats) -> float:
    """Largest component of the gradient that does not push out of the box."""
    blocked = ((theta >= UPPER) & (gradient > 0)) | ((theta <= LOWER) & (gradient < 0))
    return float(np.max(np.where(blocked, 0.0, np.abs(gradient))))


def _flat(theta: Floats, value: float, gradient: Floats) -> bool:
    return _pull(theta, gradient) <= RELATIVE_GRADIENT * max(1.0, abs(value))


def _promised(gradient: Floats, hessian: Floats) -> float:
    """What a Newton step would raise the value by; inf where the surface curves upwards."""
    if not np.isfinite(hessian).all() or np.any(np.linalg.eigvalsh(-hessian) <= 0):
        return np.inf
    return 0.5 * float(gradient @ np.linalg.solve(-hessian, gradient))


def _nearly_flat(theta: Floats, value: float, gradient: Floats) -> bool:
    """No step helps any more: rounding, not slope, when the gradient is this small."""
    return _pull(theta, gradient) <= 1e-6 * max(1.0, abs(value))


def _direction(gradient: Floats, hessian: Floats) -> Floats:
    values, vectors = np.linalg.eigh(-hessian)
    floor = 1e-8 * max(1.0, float(np.max(np.abs(values))))
    step = vectors @ ((vectors.T @ gradient) / np.maximum(np.abs(values), floor))
    longest = float(np.max(np.abs(step)))
    return step * min(1.0, LONGEST_STEP / longest) if longest > 0 else step


def _line_search(
    objective: Objective, theta: Floats, here: Evaluation, ridge: Ridge
) -> tuple[Floats, Evaluation] | None:
    value, gradient, hessian = here
    step, slope = _direction(gradient, hessian), _pull(theta, gradient)
    level = value - ROUNDING * max(1.0, abs(value))
    for _ in range(30):
        candidate = np.clip(theta + step, LOWER, UPPER)
        found = _evaluate(objective, candidate, ridge)
        finite = np.isfinite(found[0]) and np.all(np.isfinite(found[2]))
        flatter = found[0] > level and _pull(candidate, found[1]) < slope / 2
        if finite and (found[0] > value or flatter):
            return candidate, found
        step = step / 2
    return None
