from dataclasses import astuple, replace

import numpy as np
import pytest

from ltv.core import bgnbd, fallback, gamma_gamma, simulate
from ltv.core.bgnbd import BgNbd
from tests.ltv.core.populations import BG, GG, HORIZON, shop


@pytest.fixture(scope="module")
def own():
    people = shop(customers=3_000, seed=12)
    return bgnbd.fit(people.x, people.t_x, people.T, ridge=fallback.NIGHTLY_RIDGE)


def small_shop(customers):
    people = simulate.population(np.random.default_rng(2), BG, GG, np.linspace(100, 700, customers), HORIZON)
    return people.x, people.t_x, people.T


def test_a_good_fit_is_used(own):
    assert fallback.choose(own, None, None) == fallback.Choice("own", own.params, ())


def test_a_good_fit_near_yesterdays_is_used(own):
    last = replace(own.params, r=own.params.r * 1.5)

    assert fallback.choose(own, last, None, own.log_likelihood - 3.0).step == "own"


def test_a_flagged_fit_gives_way_to_yesterdays_parameters(own):
    odd = replace(own, flags=("r_at_bound",))

    assert fallback.choose(odd, BG, None) == fallback.Choice("last", BG, ("r_at_bound",))


def test_an_unconverged_fit_gives_way_even_without_a_flag(own):
    choice = fallback.choose(replace(own, converged=False), BG, None)

    assert (choice.step, choice.reasons) == ("last", ("not_converged",))


def test_a_fit_worse_than_yesterdays_parameters_gives_way(own):
    choice = fallback.choose(own, own.params, None, own.log_likelihood + 5.0)

    assert choice.step == "last"
    assert choice.reasons == ("fits today's data worse than the parameters in use",)


def test_a_parameter_that_moved_by_more_than_three_gives_way(own):
    last = replace(own.params, alpha=own.params.alpha * 4)

    choice = fallback.choose(own, last, None)

    assert (choice.step, choice.params) == ("last", last)
    assert choice.reasons == (f"alpha moved from {last.alpha:.4g} to {own.params.alpha:.4g}",)


def test_too_few_customers_are_said_to_be_too_few():
    assert fallback.enough_data(200, 50) == ()
    assert fallback.enough_data(199, 49) == (
        "199 customers, 200 needed",
        "49 customers with a repeat purchase, 50 needed",
    )


def test_a_small_shop_gets_a_fit_held_by_the_prior():
    histories = small_shop(60)
    own, pooled = bgnbd.fit(*histories, ridge=0.05), fallback.pooled_fit(*histories)

    choice = fallback.choose(own, None, pooled)

    assert (choice.step, choice.params) == ("pooled", pooled.params)
    assert "60 customers, 200 needed" in choice.reasons
    assert choice.reasons[-1] == "no earlier parameters"


def test_a_tiny_shop_gets_the_formula():
    histories = small_shop(6)

    choice = fallback.choose(bgnbd.fit(*histories), None, fallback.pooled_fit(*histories))

    assert (choice.step, choice.params) == ("formula", None)
    assert "too few customers even for a pooled fit" in choice.reasons


def test_without_any_fit_the_formula_remains():
    choice = fallback.choose(None, None, None)

    assert choice == fallback.Choice(
        "formula", None, ("no own fit", "no earlier parameters", "no pooled fit")
    )


def test_the_ladder_serves_spending_too():
    people = shop(customers=3_000, seed=12)
    fit = gamma_gamma.fit(people.x, people.m)

    choice = fallback.choose(fit, GG, None)

    assert choice == fallback.Choice("own", fit.params, ())


def test_the_heuristic_answers_for_every_customer():
    people = shop(customers=3_000, seed=12)

    found = fallback.heuristic(people.x, people.t_x, people.T, people.m, HORIZON, 90.0, 0.3, 0.1)

    for column in astuple(found):
        assert column.shape == (3_000,)
        assert np.isfinite(column).all()
    assert np.all((found.p_alive > 0) & (found.p_alive <= 1))
    assert np.all((found.p_no_purchase >= 0) & (found.p_no_purchase <= 1))
    assert np.all(found.purchases_low <= found.purchases_high)


def test_the_heuristic_counts_four_silent_gaps_as_half_active():
    # one purchase a day seen 200 times: the shop's rate is the customer's own
    x, t_x, T = np.array([100.0, 100.0]), np.array([100.0, 100.0]), np.array([100.0, 104.0])

    found = fallback.heuristic(x, t_x, T, [10.0, 10.0], 30.0, 7.0, 0.5, 0.0)

    assert found.p_alive == pytest.approx([1.0, 0.5], abs=0.03)
    assert found.expected_purchases[0] == pytest.approx(30.0, rel=0.03)
    assert found.expected_spend_per_purchase.tolist() == [10.0, 10.0]
    assert found.clv == pytest.approx(found.expected_purchases * 5.0)


def test_the_heuristic_interval_is_that_of_a_poisson_count():
    from scipy.stats import poisson

    found = fallback.heuristic([50.0], [100.0], [100.0], [10.0], 30.0, 7.0, 0.5, 0.0)

    mean = found.expected_purchases[0]
    assert found.purchases_low[0] == poisson.ppf(0.1, mean)
    assert found.purchases_high[0] == poisson.ppf(0.9, mean)


def test_the_heuristic_knows_nothing_of_an_empty_shop():
    found = fallback.heuristic([0.0], [0.0], [0.0], [0.0], 365.0, 90.0, 0.3, 0.1)

    assert np.isfinite(found.expected_purchases).all()
    assert found.expected_value.tolist() == [0.0]


def test_a_choice_keeps_the_kind_of_the_parameters(own):
    assert isinstance(fallback.choose(own, None, None).params, BgNbd)
