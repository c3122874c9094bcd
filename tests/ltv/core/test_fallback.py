from dataclasses import asdict, astuple, replace

import numpy as np
import pytest

from ltv.core import bgnbd, fallback, gamma_gamma, simulate
from ltv.core.bgnbd import BgNbd
from ltv.core.formula import DAYS_PER_MONTH
from ltv.core.mbgnbd import MbgNbd
from ltv.core.models import MODELS
from tests.ltv.core.populations import BG, GG, HORIZON, PARAMETERS, shop
from tests.reference import cdnow


@pytest.fixture(scope="module")
def own():
    people = shop(customers=3_000, seed=12)
    return bgnbd.fit(people.x, people.t_x, people.T, ridge=fallback.NIGHTLY_RIDGE)


def small_shop(customers):
    people = simulate.population(np.random.default_rng(2), BG, GG, np.linspace(100, 700, customers), HORIZON)
    return people.x, people.t_x, people.T


def test_a_good_fit_is_used(own):
    assert fallback.choose(own, None, None) == fallback.Choice("own", own.params, (), own.covariance)


def test_a_good_fit_near_yesterdays_is_used(own):
    last = replace(own.params, r=own.params.r * 1.5)

    assert fallback.choose(replace(own, at_start=own.log_likelihood - 3.0), last, None).step == "own"


def test_a_flagged_fit_gives_way_to_yesterdays_parameters(own):
    odd = replace(own, flags=("r_at_bound",))

    assert fallback.choose(odd, BG, None) == fallback.Choice("last", BG, ("r_at_bound",))


def test_an_unconverged_fit_gives_way_even_without_a_flag(own):
    choice = fallback.choose(replace(own, converged=False), BG, None)

    assert (choice.step, choice.reasons) == ("last", ("not_converged",))


def test_a_fit_worse_than_yesterdays_parameters_gives_way(own):
    choice = fallback.choose(replace(own, at_start=own.log_likelihood + 5.0), own.params, None)

    assert choice.step == "last"
    assert choice.reasons == ("fits today's data worse than the parameters in use",)


@pytest.mark.parametrize("name", MODELS)
def test_a_fit_knows_what_todays_data_say_of_yesterdays_parameters(name):
    model, people = MODELS[name], shop(customers=1_000, seed=12)
    last = replace(PARAMETERS[name], r=PARAMETERS[name].r * 1.5)
    seen = people.x, people.t_x, people.T

    fit = model.fit(*seen, start=last, ridge=fallback.NIGHTLY_RIDGE)

    assert fit.at_start == pytest.approx(model.log_likelihood(last, *seen), rel=1e-12)
    assert fit.at_start < fit.log_likelihood


def test_a_fit_of_spending_knows_it_too():
    people, last = shop(customers=1_000, seed=12), replace(GG, p=GG.p * 1.5)
    spent = people.x > 0

    fit = gamma_gamma.fit(people.x, people.m, start=last, ridge=fallback.NIGHTLY_RIDGE)

    expected = gamma_gamma.log_likelihood(last, people.x[spent], people.m[spent])
    assert fit.at_start == pytest.approx(expected, rel=1e-12)
    assert fit.at_start < fit.log_likelihood


def moved(fit, errors):
    """The parameters of a fit, the first of them so many standard errors away."""
    first, error = next(iter(asdict(fit.params))), fit.standard_errors[0]
    return replace(fit.params, **{first: getattr(fit.params, first) + errors * error})


@pytest.mark.parametrize("name", [*MODELS, "spending"])
def test_parameters_that_todays_data_do_not_speak_against_stay(name):
    people = shop(customers=3_000, seed=12)
    model = MODELS.get(name, gamma_gamma)
    seen = (people.x, people.m) if name == "spending" else (people.x, people.t_x, people.T)
    best = model.fit(*seen, ridge=fallback.NIGHTLY_RIDGE)
    near, far = moved(best, 0.05), moved(best, 2.0)

    stayed = model.fit(*seen, start=near, ridge=fallback.NIGHTLY_RIDGE, settled=fallback.SETTLED)
    left = model.fit(*seen, start=far, ridge=fallback.NIGHTLY_RIDGE, settled=fallback.SETTLED)
    asked = model.fit(*seen, start=near, ridge=fallback.NIGHTLY_RIDGE)

    assert (stayed.params, stayed.ok, stayed.iterations) == (near, True, 1)
    assert stayed.log_likelihood == pytest.approx(best.log_likelihood, abs=fallback.SETTLED + 1e-6)
    assert stayed.standard_errors == pytest.approx(best.standard_errors, rel=0.1)
    for fit in (left, asked):
        assert astuple(fit.params) == pytest.approx(astuple(best.params), rel=1e-4)
        assert fit.iterations > 1


def test_the_ladder_keeps_yesterdays_parameters_while_they_hold(own):
    people, near = shop(customers=3_000, seed=12), moved(own, 0.05)

    choice = fallback.climb(bgnbd, people.x, people.t_x, people.T, near)

    assert (choice.step, choice.params, choice.reasons) == ("own", near, ())
    assert len(choice.covariance) == 4


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
    assert choice.covariance == pooled.covariance
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

    assert choice == fallback.Choice("own", fit.params, (), fit.covariance)


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


def test_the_ladder_is_climbed_from_the_top():
    people = shop(customers=3_000, seed=12)
    histories = people.x, people.t_x, people.T
    own = bgnbd.fit(*histories, ridge=fallback.NIGHTLY_RIDGE)

    fresh, after = fallback.climb(bgnbd, *histories), fallback.climb(bgnbd, *histories, last=own.params)

    assert (fresh.step, after.step) == ("own", "own")
    assert astuple(after.params) == pytest.approx(astuple(fresh.params), rel=1e-6)


def test_the_last_good_parameters_come_before_the_prior():
    choice = fallback.climb(bgnbd, *small_shop(60), last=BG)

    assert (choice.step, choice.params, choice.covariance) == ("last", BG, ())


def test_impossible_rows_do_not_hinder_the_climb():
    x, t_x, T = small_shop(60)

    choice = fallback.climb(bgnbd, np.append(x, np.nan), np.append(t_x, 1.0), np.append(T, 5.0), last=BG)

    assert choice.step == "last"


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_prior_expects_the_purchases_the_shop_has_seen_in_any_unit(model):
    x, t_x, T = small_shop(60)

    days = fallback.public_prior(model, x, t_x, T)
    hours = fallback.public_prior(model, x, t_x * 24, T * 24)

    assert model.expected_purchases_new(days, T).sum() == pytest.approx(x.sum(), rel=1e-6)
    pure, times = astuple(days), [24.0 if name in days.times else 1.0 for name in asdict(days)]
    assert astuple(hours) == pytest.approx(np.multiply(pure, times), rel=1e-6)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_prior_is_what_published_shops_are_like(model):
    published = {"bgnbd": cdnow.BG_FULL, "mbgnbd": cdnow.MBG_FULL, "paretonbd": PARETO_PUBLISHED}

    found = asdict(fallback.PUBLIC[model.Params])

    shop_like = published[model.__name__.rsplit(".", 1)[1]]
    for name in {"a", "b", "s"} & set(found):
        assert found[name] == pytest.approx(shop_like[name], rel=1e-3)


# Fader, Hardie & Lee (2005): CDNOW
PARETO_PUBLISHED = {"s": 0.606}


def test_the_prior_of_an_empty_shop_is_the_public_one():
    assert fallback.public_prior(bgnbd, [], [], []) == fallback.PUBLIC[BgNbd]


def test_data_that_run_off_to_a_bound_are_held_more_firmly():
    identical = np.full(2_000, 5.0), np.full(2_000, 300.0), np.full(2_000, 400.0)

    loose = bgnbd.fit(*identical, ridge=0.5, prior=fallback.public_prior(bgnbd, *identical))

    assert "r_at_bound" in loose.flags
    assert fallback.pooled_fit(*identical).ok


def test_the_amounts_of_a_small_shop_are_held_near_public_ones():
    fit = fallback.pooled_spend([1.0, 2.0, 1.0, 5.0], [50.0, 40.0, 70.0, 45.0])

    assert fit.ok
    assert fit.params.mean == pytest.approx(50.0, rel=0.1)
    assert fallback.pooled_spend([0.0], [0.0]).flags == ("nobody_spent_twice",)


def test_the_ladder_of_spending_has_the_same_rungs():
    people = shop(customers=3_000, seed=12)
    few = people.x[:60], people.m[:60]

    own = fallback.climb_spending(people.x, people.m)
    last = fallback.climb_spending(*few, last=GG)
    pooled = fallback.climb_spending(*few)
    formula = fallback.climb_spending([1.0, 0.0], [-5.0, 0.0], None)

    assert [choice.step for choice in (own, last, pooled, formula)] == ["own", "last", "pooled", "formula"]
    assert astuple(own.params) == pytest.approx(astuple(GG), rel=0.15)
    assert last.params == GG
    assert pooled.params.mean == pytest.approx(GG.mean, rel=0.4)
    assert formula.params is None


@pytest.fixture(scope="module")
def small_shops():
    """Absolute errors of each customer's purchases, and of the total, over 24 shops of each size; shops
    differ from each other by a factor of 1.6 in every parameter, and half of them let one-time buyers go."""
    return {size: errors_of(size, shops=24) for size in (30, 100, 200)}


def errors_of(size, shops):
    rng, horizon, found = np.random.default_rng(size), 180.0, {}
    for number in range(shops):
        kind = (BgNbd, MbgNbd)[number % 2]
        truth = kind(*(np.array([0.6, 60.0, 0.7, 2.5]) * np.exp(0.5 * rng.normal(size=4))))
        T = np.floor(rng.uniform(20, 600, size))
        people = simulate.population(rng, truth, GG, T, horizon)
        choice = fallback.climb(bgnbd, people.x, people.t_x, T)
        assert choice.step in ("pooled", "own")
        months = np.maximum(T / DAYS_PER_MONTH, 1.0)
        predicted = {
            "ladder": bgnbd.expected_purchases(choice.params, people.x, people.t_x, T, horizon),
            "rate": people.x / T * horizon,
            "formula": (people.x + 1) / months * horizon / DAYS_PER_MONTH,
        }
        for name, expected in predicted.items():
            each = np.abs(expected - people.purchases).mean()
            total = abs(expected.sum() - people.purchases.sum())
            found.setdefault(name, []).append((each, total))
    return {name: np.mean(rows, axis=0) for name, rows in found.items()}


@pytest.mark.parametrize("size", [30, 100, 200])
@pytest.mark.parametrize("rule", ["rate", "formula"])
def test_small_shops_are_better_served_than_by_plain_rates(small_shops, size, rule):
    errors = small_shops[size]

    customers, total = errors["ladder"] / errors[rule]

    assert customers < 0.9
    assert total < 0.6


def test_the_heuristic_expects_little_of_a_shop_opened_today():
    nothing = np.zeros(2_000)

    found = fallback.heuristic(nothing, nothing, nothing, nothing, 365.0, 90.0, 0.3, 0.1)

    assert found.expected_purchases.max() < 0.01


def test_the_heuristic_interval_of_a_lapsing_customer_splits_at_the_right_count():
    # alive with probability one half: the upper end is the .8 quantile of the living
    from scipy.stats import poisson

    found = fallback.heuristic([100.0], [100.0], [104.0], [10.0], 30.0, 7.0, 0.5, 0.0)

    mean = found.expected_purchases[0] / found.p_alive[0]
    level = 1.0 - 0.1 / found.p_alive[0]
    assert found.purchases_high[0] == poisson.ppf(level, mean)
    assert found.purchases_low[0] == 0.0
