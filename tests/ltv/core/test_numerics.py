"""Every public function of the transaction models against fifty digits, where doubles are hardest.

The values come from ``tests/reference/stress.py``; mpmath takes minutes for all of them, so they are
stored, and some are computed anew here.
"""

from functools import cache
from itertools import islice, product

import numpy as np
import pytest

from ltv.core.models import MODELS
from tests.reference import stress

TABLES = list(product(stress.MODELS, stress.QUANTITIES))
NAMES = [".".join(table) for table in TABLES]


@cache
def stored():
    return stress.stored()


def points_of(model, quantity):
    return [row for row in stored() if (row[0].model, row[0].quantity) == (model, quantity)]


def computed(point):
    model = MODELS[point.model]
    params = model.Params(point.one, point.two, point.three, point.four)
    return getattr(model, point.quantity)(params, *point.arguments())[0]


def test_there_are_two_thousand_points_on_all_functions_of_all_models():
    assert len(stored()) >= 2000
    assert {(point.model, point.quantity) for point, _ in stored()} == set(TABLES)
    assert set(stress.MODELS) == set(MODELS)


@pytest.mark.parametrize(("model", "quantity"), TABLES, ids=NAMES)
def test_relative_errors_stay_below_one_in_a_hundred_million(model, quantity):
    points = points_of(model, quantity)

    found = np.array([computed(point) for point, _ in points])

    exact = np.array([value for _, value in points])
    # a log-likelihood passes through 0: there the error of the likelihood itself counts
    size = np.maximum(np.abs(exact), 1.0 if quantity == "log_likelihood_each" else 0.0)
    error = np.abs(found - exact) / size
    assert error.max() < 1e-8, points[int(error.argmax())]


@pytest.mark.parametrize(("model", "quantity"), TABLES, ids=NAMES)
def test_stored_values_are_those_mpmath_computes(model, quantity):
    at = [3] if quantity in ("residual_value", "pmf") else [0, 1, 2, 3, 4, 5, 50, 111]

    for point, value in (points_of(model, quantity)[place] for place in at):
        assert float(point.value()) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(("model", "quantity"), TABLES, ids=NAMES)
def test_stored_points_are_those_of_the_program(model, quantity):
    kept = {point for point, _ in points_of(model, quantity)}

    # some are left out, too small for doubles
    tried = list(islice(stress.candidates(model, quantity), 2 * len(kept)))
    assert len(kept) == stress.EACH
    assert kept <= set(tried)


@pytest.mark.parametrize("point", [1, 5, 9], ids="n={}".format)
def test_the_integral_over_the_time_of_leaving_is_the_published_sum(point):
    for candidate in islice(stress.candidates("paretonbd", "pmf"), 4 * point, 4 * point + 2):
        value, published = candidate.value(), candidate.published_pmf()

        assert float(abs(value / published - 1)) < 1e-25
