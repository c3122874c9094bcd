"""What-if on stored draws: worked by hand first, then what must hold for any draws."""

from dataclasses import asdict, astuple, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltv.core import whatif
from ltv.core.whatif import Draws, Payback, Range, Scenario

ANY = settings(max_examples=50, deadline=None)
NEVER = float("inf")

# one average customer in two possible futures: 4 or 8 purchases of 50 in four months, a fourth leaves each month
SEGMENT = Draws.of(
    [4.0, 8.0], 50.0, margin_rate=0.5, retention=0.75, horizon=4, acquisition_cost=80.0, retention_cost=10.0
)
# 1 + .75 + .5625 + .421875 months
STAYS = 2.734375


@st.composite
def draws(draw):
    """Draws of one average customer or of many, margins at or above 0."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.sampled_from([(1,), (40,), (30, 5), (30, 1)]))
    each = draw(st.sampled_from([(), shape[-1:]]))
    return Draws.of(
        rng.poisson(3.0, shape),
        rng.gamma(2.0, 20.0, draw(st.sampled_from([(), shape[-1:], shape]))),
        margin_rate=rng.uniform(0.0, 0.6, each),
        retention=rng.uniform(0.0, 1.0, each),
        acquisition_cost=rng.uniform(0.0, 60.0, each),
        retention_cost=rng.uniform(0.0, 9.0, each),
        discount_rate=draw(st.sampled_from([0.0, 0.01, 0.3])),
        horizon=draw(st.integers(1, 24)),
    )


scenarios = st.builds(
    Scenario,
    average_purchase=st.floats(-100, 100),
    frequency=st.floats(-100, 100),
    retention_time=st.floats(-100, 300),
    margin_rate=st.floats(-100, 60),
    acquisition_cost=st.floats(-100, 100),
    retention_cost=st.floats(-100, 100),
    discount_rate=st.none() | st.floats(0, 1),
)


# by hand


def test_todays_figures():
    outcome = whatif.outcome(SEGMENT)

    assert outcome.ltv == Range(mean=300.0, low=220.0, high=380.0)
    assert outcome.margin == Range(mean=150.0, low=110.0, high=190.0)
    assert outcome.net == Range(mean=60.0, low=20.0, high=100.0)
    assert astuple(outcome.ltv_to_cac) == pytest.approx((150 / 80, 110 / 80, 190 / 80))
    # 100 by 1, 1.75, 2.31 and 2.73 months of 2.73: 36.57, 64, 84.57, 100; twice that for the other
    assert outcome.payback == Payback(median=2.0, low=2.0, high=3.0)


@pytest.mark.parametrize("lever", ["average_purchase", "frequency"])
def test_ten_per_cent_more_of_each_purchase_or_of_purchases_is_ten_per_cent_more_value(lever):
    effect = whatif.effect(SEGMENT, Scenario(**{lever: 10}))

    assert effect.after.ltv.mean == pytest.approx(330.0)
    assert astuple(effect.margin_change) == pytest.approx((15.0, 11.0, 19.0))
    assert astuple(effect.net_change) == pytest.approx((15.0, 11.0, 19.0))
    assert effect.margin_factor == pytest.approx(1.1)


def test_customers_who_stay_twice_as_long_buy_for_more_of_the_horizon():
    effect = whatif.effect(SEGMENT, Scenario(retention_time=100))

    # an eighth leaves each month now
    stays = 1 + 0.875 + 0.875**2 + 0.875**3
    assert effect.margin_factor == pytest.approx(stays / STAYS)
    assert effect.after.ltv.mean == pytest.approx(300 * stays / STAYS)


def test_customers_who_stay_half_as_long_or_not_at_all_buy_in_the_first_month_still():
    half, none = (whatif.pull(SEGMENT, Scenario(retention_time=change)) for change in (-50, -100))

    assert half.retention == 0.5
    assert none.retention == 0.0
    assert whatif.outcome(none).ltv.mean == pytest.approx(300 / STAYS)


def test_a_margin_lever_moves_the_margin_alone():
    effect = whatif.effect(SEGMENT, Scenario(margin_rate=20))

    assert astuple(effect.ltv_change) == (0.0, 0.0, 0.0)
    assert effect.after.margin.mean == pytest.approx(180.0)


def test_costs_move_the_net_the_ratio_and_the_payback():
    effect = whatif.effect(SEGMENT, Scenario(acquisition_cost=-50, retention_cost=100))

    assert astuple(effect.margin_change) == (0.0, 0.0, 0.0)
    assert effect.after.net.mean == pytest.approx(150.0 - 40.0 - 20.0)
    assert effect.after.ltv_to_cac.mean == pytest.approx(150 / 40)
    assert effect.after.payback == Payback(median=1.0, low=1.0, high=2.0)


def test_a_discount_counts_from_the_middle_of_each_period():
    outcome = whatif.effect(SEGMENT, Scenario(discount_rate=0.1)).after

    shares = 0.75 ** np.arange(4) / STAYS
    assert outcome.ltv.mean == pytest.approx(300 * (shares / 1.1 ** (np.arange(4) + 0.5)).sum())


def test_a_shorter_horizon_cuts_periods_and_a_longer_one_goes_on_as_the_last():
    shorter = whatif.effect(SEGMENT, Scenario(horizon=2)).after
    longer = whatif.effect(SEGMENT, Scenario(horizon=8)).after

    assert shorter.margin.mean == pytest.approx(150 * 1.75 / STAYS)
    assert longer.margin.mean == pytest.approx(150 * (1 - 0.75**8) / 0.25 / STAYS)
    # the cost of keeping follows the length
    assert shorter.net.mean == pytest.approx(shorter.margin.mean - 80 - 5)
    assert longer.net.mean == pytest.approx(longer.margin.mean - 80 - 20)
    assert shorter.payback == Payback(median=2.0, low=2.0, high=NEVER)


def test_the_average_of_many_customers_is_taken_draw_by_draw():
    # 10 and 30 of revenue in one future, 50 and 70 in the other
    shop = Draws.of(
        [[1, 3], [5, 7]], 10.0, margin_rate=[1.0, 0.5], retention=[1.0, 0.0], horizon=2, acquisition_cost=[10, 30]
    )  # fmt: skip

    found = whatif.figures(shop)[0]

    assert found.ltv.tolist() == [20.0, 60.0]
    assert found.margin.tolist() == [(10 + 15) / 2, (50 + 35) / 2]
    assert found.net.tolist() == [12.5 - 20, 42.5 - 20]
    # in the first month half of what the first buys and all of what the second does
    assert found.payback.tolist() == [NEVER, 1.0]


def test_many_customers_are_read_block_by_block(monkeypatch):
    rng = np.random.default_rng(1)
    shop = Draws.of(
        rng.poisson(2.0, (50, 23)), rng.gamma(2.0, 9.0, 23), margin_rate=0.4, retention=rng.uniform(0, 1, 23), horizon=6
    )  # fmt: skip
    alike = replace(shop, retention=np.array(0.8))
    whole = whatif.figures(shop)[0], whatif.figures(alike)[0]

    monkeypatch.setattr(whatif, "BLOCK", 4)

    for found, expected in zip((whatif.figures(shop)[0], whatif.figures(alike)[0]), whole, strict=True):
        assert found.margin == pytest.approx(expected.margin, rel=1e-12)
        assert found.ltv == pytest.approx(expected.ltv, rel=1e-12)
    assert whole[1].ltv == pytest.approx((shop.purchases * shop.average_purchase).mean(axis=1))


def test_a_customer_won_for_nothing_has_paid_back_and_no_ratio():
    outcome = whatif.outcome(replace(SEGMENT, acquisition_cost=np.array(0.0)))

    assert outcome.ltv_to_cac is None
    assert outcome.payback == Payback(median=0.0, low=0.0, high=0.0)


def test_customers_who_buy_nothing_are_worth_nothing():
    effect = whatif.effect(
        Draws.of([0.0], 50.0, margin_rate=0.5, retention=0.9, horizon=3), Scenario(frequency=50)
    )

    assert effect.after.margin == Range(mean=0.0, low=0.0, high=0.0)
    assert effect.margin_factor == 1.0


def test_a_wider_coverage_gives_a_wider_range():
    rng = np.random.default_rng(2)
    segment = Draws.of(rng.gamma(9.0, 1.0, 1_000), 20.0, margin_rate=0.3, retention=0.9, horizon=12)

    narrow, wide = (whatif.outcome(segment, coverage).margin for coverage in (0.8, 0.95))

    values = segment.purchases * 6.0
    assert astuple(narrow) == pytest.approx((values.mean(), *np.quantile(values, [0.1, 0.9])))
    assert wide.low < narrow.low < narrow.high < wide.high
    assert wide.mean == narrow.mean


# what must hold


@ANY
@given(draws())
def test_no_lever_pulled_returns_todays_figures_to_the_bit(stored):
    effect = whatif.effect(stored, Scenario())

    assert asdict(effect.after) == asdict(effect.before) == asdict(whatif.outcome(stored))
    assert astuple(effect.margin_change) == (0.0, 0.0, 0.0)
    assert effect.margin_factor == 1.0


@ANY
@given(draws())
def test_todays_discount_and_horizon_are_no_change_either(stored):
    same = Scenario(discount_rate=stored.discount_rate, horizon=stored.horizon)

    effect = whatif.effect(stored, same)

    assert asdict(effect.after) == asdict(effect.before)


GAINS = ("average_purchase", "frequency", "retention_time", "margin_rate")
LOSSES = ("acquisition_cost", "retention_cost", "discount_rate")


def pulled_twice(stored, scenario, lever, more):
    """Figures under a scenario and with one lever pulled further up."""
    start = getattr(scenario, lever)
    start = stored.discount_rate if start is None else start
    further = replace(scenario, **{lever: start + (more / 100 if lever == "discount_rate" else more)})
    return whatif.figures(*(whatif.pull(stored, one) for one in (scenario, further)))


def at_most(one, other):
    return np.all(one <= other * (1 + 1e-9) + 1e-9)


@ANY
@given(draws(), scenarios, st.sampled_from(GAINS), st.floats(0, 5))
def test_value_rises_with_price_frequency_retention_and_margin(stored, scenario, lever, more):
    less, greater = pulled_twice(stored, scenario, lever, more)

    assert at_most(less.ltv, greater.ltv)
    assert at_most(less.margin, greater.margin)
    assert np.all(less.net <= greater.net + 1e-6)
    assert less.ltv_to_cac is None or at_most(less.ltv_to_cac, greater.ltv_to_cac)
    assert np.all(greater.payback <= less.payback)


@ANY
@given(draws(), scenarios, st.sampled_from(LOSSES), st.floats(0, 50))
def test_value_falls_with_costs_and_discount(stored, scenario, lever, more):
    cheap, dear = pulled_twice(stored, scenario, lever, more)

    assert at_most(dear.margin, cheap.margin)
    assert np.all(dear.net <= cheap.net + 1e-6)
    assert cheap.ltv_to_cac is None or dear.ltv_to_cac is None or at_most(dear.ltv_to_cac, cheap.ltv_to_cac)
    assert np.all(cheap.payback <= dear.payback)


@ANY
@given(draws(), scenarios)
def test_a_range_holds_its_mean_draws_and_is_finite(stored, scenario):
    after = whatif.effect(stored, scenario).after

    for found in (after.ltv, after.margin, after.net):
        assert np.isfinite(astuple(found)).all()
        assert found.low <= found.high
    assert 0 <= after.payback.low <= after.payback.median <= after.payback.high


@ANY
@given(draws(), scenarios)
def test_scenarios_and_draws_are_values(stored, scenario):
    purchases = stored.purchases.copy()

    first, second = whatif.effect(stored, scenario), whatif.effect(stored, Scenario(**asdict(scenario)))

    assert first == second
    assert stored.purchases.tolist() == purchases.tolist()


# refusals


@pytest.mark.parametrize(
    "lever",
    ["average_purchase", "frequency", "retention_time", "margin_rate", "acquisition_cost", "retention_cost"],
)
@pytest.mark.parametrize("change", [-100.5, float("nan")])
def test_no_lever_falls_below_nothing(lever, change):
    with pytest.raises(ValueError, match="more than 100 %"):
        Scenario(**{lever: change})


@pytest.mark.parametrize("periods", [0, -3, 601, 2.5, 12.0, float("nan")])
def test_a_horizon_has_whole_periods(periods):
    with pytest.raises(ValueError, match="whole periods"):
        Scenario(horizon=periods)


@pytest.mark.parametrize(
    ("scenario", "sentence"),
    [
        (Scenario(margin_rate=101), "more than the revenue"),
        (Scenario(horizon=13), "3-fold"),
        (Scenario(discount_rate=-0.1), "discount rate"),
    ],
)
def test_a_lever_cannot_end_where_it_cannot_stand(scenario, sentence):
    with pytest.raises(ValueError, match=sentence):
        whatif.effect(SEGMENT, scenario)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"purchases": []}, "Draws are"),
        ({"purchases": 3.0}, "Draws are"),
        ({"purchases": [[[1.0]]]}, "Draws are"),
        ({"purchases": [1.0, -1.0]}, "Purchases"),
        ({"purchases": [1.0, np.nan]}, "Purchases"),
        ({"average_purchase": np.inf}, "Average purchases"),
        ({"average_purchase": [1.0, 2.0, 3.0]}, "shape"),
        ({"margin_rate": [0.1, 0.2, 0.3]}, "shape"),
        ({"margin_rate": 1.1}, "margin"),
        ({"margin_rate": np.nan}, "margin"),
        ({"retention": 1.1}, "retention"),
        ({"retention": np.nan}, "retention"),
        ({"acquisition_cost": -1.0}, "Acquisition"),
        ({"retention_cost": -1.0}, "Retention costs"),
        ({"discount_rate": np.inf}, "discount"),
        ({"horizon": 0}, "whole periods"),
        ({"horizon": 601}, "whole periods"),
    ],
)
def test_draws_that_cannot_be_are_refused(wrong, sentence):
    given = {
        "purchases": [1.0, 2.0],
        "average_purchase": 5.0,
        "margin_rate": 0.5,
        "retention": 0.9,
        "horizon": 3,
    }

    with pytest.raises(ValueError, match=sentence):
        Draws.of(**(given | wrong))


@pytest.mark.parametrize("coverage", [0.0, 1.0])
def test_a_range_of_all_or_nothing_is_refused(coverage):
    with pytest.raises(ValueError, match="between 0 and 1"):
        whatif.outcome(SEGMENT, coverage)
    with pytest.raises(ValueError, match="between 0 and 1"):
        whatif.effect(SEGMENT, Scenario(), coverage)
