"""What a fit says about itself, the same for every model."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Generic, TypeVar

import numpy as np

from ltv.core.newton import Optimum

Params = TypeVar("Params")

# Parameters of living data sit well inside; outside, the data do not say what the parameter is.
SMALLEST, LARGEST = 1e-3, 300.0


@dataclass(frozen=True)
class Fit(Generic[Params]):
    """Parameters with everything needed to decide whether to trust them.

    ``standard_errors`` are of the parameters themselves, in their order, ``inf`` where the data
    do not determine one. ``flags`` is empty for a fit without objections; ``customers`` and
    ``repeaters`` count the rows used, ``rejected`` the rows no purchase history can have.
    """

    params: Params
    log_likelihood: float
    standard_errors: tuple[float, ...]
    converged: bool
    iterations: int
    flags: tuple[str, ...]
    customers: int
    repeaters: int
    rejected: int

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against using the parameters."""
        return self.converged and not self.flags


def standard_errors(optimum: Optimum) -> tuple[float, ...]:
    """From the inverse Hessian, by the delta method; inf where it is not a maximum."""
    try:
        variance = np.diag(np.linalg.inv(-optimum.hessian))
    except np.linalg.LinAlgError:
        variance = np.full(len(optimum.parameters), -1.0)
    known = np.isfinite(variance) & (variance > 0)
    errors = np.where(known, optimum.parameters * np.sqrt(np.where(known, variance, 0.0)), np.inf)
    return tuple(float(error) for error in errors)


def objections(optimum: Optimum, pure: dict[str, float]) -> tuple[str, ...]:
    """Reasons not to trust an optimum, as short stable words.

    ``pure`` names the parameters that are pure numbers and so can be held against bounds; those in
    units of time or money follow them.
    """
    flags = [] if optimum.converged else ["not_converged"]
    if np.any(np.linalg.eigvalsh(-optimum.hessian) <= 0):
        flags.append("not_a_maximum")
    for name, value in pure.items():
        if not SMALLEST < value < LARGEST:
            flags.append(f"{name}_at_bound")
    return tuple(flags)


def nothing_to_fit(params: Params, reason: str, rejected: int) -> Fit[Params]:
    """The answer when no usable row is left: the given parameters, flagged."""
    return Fit(
        params=params,
        log_likelihood=0.0,
        standard_errors=(float("inf"),) * len(astuple(params)),  # type: ignore[call-overload]
        converged=False,
        iterations=0,
        flags=(reason,),
        customers=0,
        repeaters=0,
        rejected=rejected,
    )
