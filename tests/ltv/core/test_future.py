import numpy as np
import pytest
from scipy.special import betaln
from scipy.stats import nbinom

from ltv.core import bgnbd, future
from ltv.core.bgnbd import BgNbd


def expected_by_definition(params, x, T, horizon):
    """Sum over j of S_j P(N > j) until nothing is left: slow, positive, independent of 2F1."""
    shape, z = params.r + x, horizon / (params.alpha + T + horizon)
    last = int(nbinom(shape, 1 - z).isf(1e-14)) + 2
    j = np.arange(last)
    stays = np.exp(betaln(params.a, params.b + x + j) - betaln(params.a, params.b + x))
    return float(stays @ nbinom(shape, 1 - z).sf(j))


STRESS = [
    (BgNbd(0.243, 4.414, 0.793, 2.426), "cdnow"),
    (BgNbd(0.243, 4.414, 1.0, 2.426), "a is one"),
    (BgNbd(0.243, 4.414, 1.0 + 1e-9, 2.426), "a is nearly one"),
    (BgNbd(0.5, 4.0, 0.3, 0.7), "a + b is one"),
    (BgNbd(0.5, 4.0, 0.2, 0.3), "a + b below one"),
    (BgNbd(20.0, 50.0, 0.5, 1.0), "r large beside b"),
    (BgNbd(200.0, 9000.0, 0.04, 80.0), "homogeneous"),
    (BgNbd(0.8, 40.0, 60.0, 300.0), "a large"),
    (BgNbd(0.05, 0.5, 3.0, 0.2), "early leavers"),
]


@pytest.mark.parametrize("params", [p for p, _ in STRESS], ids=[name for _, name in STRESS])
@pytest.mark.parametrize("horizon", [0.1, 10.0, 365.0])
def test_expected_purchases_are_exact_under_stress(params, horizon):
    x = np.array([0.0, 0.0, 1.0, 5.0, 40.0, 300.0])
    T = np.array([0.0, 90.0, 30.0, 200.0, 400.0, 700.0])

    found = bgnbd.expected_purchases(params, x, T * (x > 0), T, horizon)

    alive = bgnbd.p_alive(params, x, T * (x > 0), T)
    exact = [expected_by_definition(params, a, b, horizon) for a, b in zip(x, T, strict=True)]
    assert found == pytest.approx(alive * exact, rel=1e-8)


def test_nothing_is_expected_of_no_time():
    living = future.Living(np.array([0.5]), np.array([30.0]), 0.8, np.array([2.5]))

    assert future.expected(living, 0.0).tolist() == [0.0]
    assert future.buys(living, 0.0).tolist() == [0.0]


def test_tails_and_probabilities_agree():
    living = future.Living(np.array([2.3]), np.array([30.0]), 0.8, np.array([4.5]))
    y = np.arange(60.0)
    many = living.part(np.zeros(60, dtype=int))

    below = np.cumsum(future.pmf(many, y, 365.0))

    assert below == pytest.approx(1.0 - future.exceeds(many, 365.0, y), abs=1e-12)
    assert future.buys(living, 365.0) == pytest.approx(future.exceeds(living, 365.0, 0.0), rel=1e-12)
