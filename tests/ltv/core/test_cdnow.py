"""What the papers found of CDNOW with each of the models, and what its customers are worth."""

from dataclasses import astuple
from functools import cache

import numpy as np
import pytest

from ltv.core import gamma_gamma, paretonbd, summary
from ltv.core.gamma_gamma import GammaGamma
from ltv.core.models import MODELS
from ltv.core.paretonbd import ParetoNbd
from tests.reference import backtest, cdnow, cohort

LOGS = {"sample": cdnow.purchases, "master": backtest.master}
CALIBRATION = "1997-09-30"


@cache
def histories(which, until):
    """The summary of a log, in days."""
    return summary.summarise(summary.purchase_log(*LOGS[which]()), until)


@cache
def fitted(name, which="sample", until=CALIBRATION):
    seen = histories(which, until)
    return MODELS[name].fit(seen.x, seen.t_x / 7, seen.T / 7)


@cache
def forecast(name):
    """E[Y] of the 39 weeks after."""
    x, t_x, T, _ = cdnow.sample()
    return MODELS[name].expected_purchases(fitted(name).params, x, t_x, T, 39)


@pytest.mark.parametrize("name", cdnow.HOLDOUT)
def test_the_forecast_of_the_holdout_is_as_good_as_others_measured(name):
    actual, expected = cdnow.bought_in_holdout(), forecast(name)

    assert np.corrcoef(expected, actual)[0, 1] == pytest.approx(cdnow.HOLDOUT[name]["correlation"], abs=1e-3)
    assert expected.sum() / actual.sum() - 1 == pytest.approx(cdnow.HOLDOUT[name]["bias"], abs=1e-3)
    error = np.abs(expected - actual).mean()
    assert error == pytest.approx(cdnow.HOLDOUT[name]["mean_absolute_error"], abs=1e-3)


@pytest.mark.parametrize("name", cdnow.HOLDOUT)
def test_one_time_buyers_are_expected_to_buy_as_the_paper_says(name):
    once = cdnow.sample()[0] == 0

    assert (cdnow.bought_in_holdout()[once].sum(), once.sum()) == cdnow.ONE_TIME_BUYERS
    assert forecast(name)[once].mean() == pytest.approx(cdnow.HOLDOUT[name]["one_time_buyers"], abs=0.005)


def test_two_of_the_models_say_nearly_the_same():
    correlation = np.corrcoef(forecast("bgnbd"), forecast("paretonbd"))[0, 1]

    assert correlation == pytest.approx(cdnow.CORRELATION_OF_BG_AND_PARETO, abs=5e-4)


@pytest.mark.parametrize("name", cdnow.CHI_SQUARE)
def test_the_histogram_of_repeat_purchases_is_fitted_as_well_as_published(name):
    x, _, T, _ = cdnow.sample()
    seen = np.bincount(np.minimum(x.astype(int), 7), minlength=8)

    model, params = MODELS[name], fitted(name).params
    expected = np.array([model.pmf(params, n, T).sum() for n in range(7)])
    expected = np.append(expected, len(T) - expected.sum())

    chi_square = np.sum((seen - expected) ** 2 / expected)
    assert chi_square == pytest.approx(cdnow.CHI_SQUARE[name], abs=0.005)


@pytest.mark.parametrize("which", LOGS)
@pytest.mark.parametrize("name", MODELS)
def test_repeat_sales_are_tracked_to_week_78(name, which):
    seen = histories(which, cohort.LAST_WEEK)

    expected = MODELS[name].expected_purchases_new(fitted(name, which).params, seen.T / 7).sum()

    assert seen.x.sum() == cdnow.REPEAT_SALES_78[which]
    assert expected / seen.x.sum() - 1 == pytest.approx(cdnow.TRACKING_78[which][name], abs=5e-4)


def test_78_weeks_give_the_parameters_of_the_cohort():
    seen = histories("sample", cohort.LAST_WEEK)
    x, t_x, T, _ = cdnow.sample()

    buying = fitted("paretonbd", until=cohort.LAST_WEEK).params
    spending = gamma_gamma.fit(seen.x, seen.m).params

    assert astuple(buying) == pytest.approx(list(cdnow.PARETO_78.values()), rel=5e-4)
    assert paretonbd.log_likelihood(ParetoNbd(**cdnow.PARETO_78), x, t_x, T) == pytest.approx(
        cdnow.PARETO_78_LOG_LIKELIHOOD_39, abs=0.005
    )
    assert astuple(spending) == pytest.approx(list(cdnow.GG_78.values()), abs=5e-4)
    assert spending.mean == pytest.approx(cdnow.GG_78_MEAN, abs=0.005)


@pytest.fixture(scope="module")
def base():
    """The customers of the cohort but its biggest spenders, and what each is worth in dollars."""
    seen = histories("master", cohort.LAST_WEEK)
    still_to_come = paretonbd.residual_value(
        ParetoNbd(**cdnow.PARETO_78), seen.x, seen.t_x / 7, seen.T / 7, cohort.DELTA
    )
    value = (
        cohort.MARGIN * gamma_gamma.expected_spend(GammaGamma(**cdnow.GG_78), seen.x, seen.m) * still_to_come
    )
    kept = np.sort(np.argsort(-seen.revenue)[cohort.BIGGEST_SPENDERS :])
    return {"x": seen.x[kept], "t_x": seen.t_x[kept], "m": seen.m[kept], "value": value[kept]}


def test_the_customer_base_is_worth_what_the_paper_says(base):
    assert len(base["value"]) == cohort.CUSTOMERS
    assert base["value"].mean() == pytest.approx(cohort.AVERAGE, rel=1e-3)
    assert base["value"].sum() == pytest.approx(cohort.TOTAL, rel=1e-3)


def test_one_time_buyers_are_worth_little_each_and_something_together(base):
    once = base["x"] == 0

    assert once.sum() == cohort.ONE_TIME_BUYERS
    assert base["value"][once].mean() == pytest.approx(cohort.THEIR_AVERAGE, rel=1e-3)


@pytest.mark.parametrize(("by", "column"), [("recency", "t_x"), ("frequency", "x"), ("money", "m")])
def test_recency_frequency_and_money_each_tell_the_thirds_apart(base, by, column):
    again = base["x"] > 0
    order = np.argsort(base[column][again], kind="stable")

    thirds = [third.mean() for third in np.array_split(base["value"][again][order], 3)]

    assert thirds == pytest.approx(cohort.TERCILES[by], abs=0.1, rel=1e-3)


def test_the_best_of_all_three_hold_more_than_a_third_of_the_value(base):
    again = base["x"] > 0
    highest = [base[column][again] > np.quantile(base[column][again], 2 / 3) for column in ("t_x", "m")]
    best = base["value"][again][highest[0] & highest[1] & (base["x"][again] >= 4)]

    assert best.mean() == pytest.approx(cohort.BEST_CELL_AVERAGE, rel=0.01)
    assert best.sum() / base["value"].sum() == pytest.approx(cohort.BEST_CELL_SHARE, abs=0.02)
