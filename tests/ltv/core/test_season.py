"""Season and trend: recovered where they were planted, next to nothing where there are none."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from ltv.core import bgnbd, clv, mbgnbd, season
from ltv.core.season import Season, estimate, flat
from tests.ltv.core.populations import BG, GG

OPENED = float(date(2023, 3, 1).toordinal())
HORIZON = 90.0


def planted(days, swing=0.0, slope=0.0):
    """A winter peak with a shoulder in spring, and a trend in ln intensity by the year."""
    found = replace(
        flat(OPENED, OPENED + days),
        slope=slope,
        cosines=(swing, 0.0, 0.3 * swing, *(0.0,) * 7),
        sines=(0.0, 0.4 * swing, *(0.0,) * 8),
    )
    mean = found.elapsed(OPENED, OPENED + days)[0] / days
    return replace(found, level=-np.log(mean))


class SeasonalShop:
    """Customers, ever more of them, who are stationary in operational time; days are the calendar's."""

    def __init__(self, seed, days=1_000, customers=4_000, **truth):
        rng = np.random.default_rng(seed)
        self.truth, self.end = planted(days, **truth), OPENED + days
        self.first = OPENED + np.floor(days * rng.power(1.7, customers))
        self.T = self.end - self.first
        lives = bgnbd.simulate(
            BG, rng, self.truth.elapsed(self.first, self.end), self.truth.horizon(self.end, HORIZON)
        )
        self.x, self.purchases = lives.x, lives.purchases
        who = np.repeat(np.arange(customers), np.maximum(lives.x - 1, 0).astype(int))
        # purchases before the last are anywhere before it
        when = np.append(rng.random(len(who)) * lives.t_x[who], lives.t_x[lives.x > 0])
        who = np.append(who, np.flatnonzero(lives.x > 0))
        passed = self.truth.elapsed(OPENED, self.first)[who] + when
        self.repeats = OPENED + self.truth.days_after(OPENED, passed)
        self.t_x = np.zeros(customers)
        np.maximum.at(self.t_x, who, self.repeats - self.first[who])

    def season(self, model=bgnbd):
        return estimate(model, self.first, self.x, self.t_x, self.T, self.repeats)

    def forecast(self, found):
        t_x, T = found.histories(self.first, self.t_x, self.T)
        params = bgnbd.fit(self.x, t_x, T, ridge=0.05).params
        return bgnbd.expected_purchases(params, self.x, t_x, T, found.horizon(self.end, HORIZON))

    def error(self, found):
        """Of the total forecast, as a share of what was bought."""
        return self.forecast(found).sum() / self.purchases.sum() - 1.0


@pytest.mark.parametrize("slope", [0.0, 0.2, -0.3])
def test_a_planted_season_and_trend_are_recovered(slope):
    shop = SeasonalShop(3, swing=0.5, slope=slope)

    found = shop.season()

    days = np.arange(shop.end - 365, shop.end + 365)
    off = np.log(found.intensity(days)) - np.log(shop.truth.intensity(days))
    assert found.slope == pytest.approx(slope, abs=0.06)
    assert found.cosines[0] == pytest.approx(0.5, abs=0.04)
    assert off.std() < 0.06


@pytest.mark.parametrize("slope", [0.0, 0.2, -0.3])
def test_a_planted_season_no_longer_spoils_the_forecast(slope):
    shop = SeasonalShop(3, swing=0.5, slope=slope)

    plain, seasonal = (shop.error(found) for found in (flat(OPENED, shop.end), shop.season()))

    assert abs(plain) > 0.3
    assert abs(seasonal) < 0.12


def test_growth_in_customers_is_no_trend():
    found = SeasonalShop(4).season()

    assert abs(found.slope) < 0.06


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_without_a_season_little_changes(seed):
    shop = SeasonalShop(seed)

    found = shop.season()

    days = np.arange(shop.end - 365, shop.end + 365)
    assert np.abs(np.log(found.intensity(days))).max() < 0.12
    assert shop.error(found) == pytest.approx(shop.error(flat(OPENED, shop.end)), abs=0.05)


def test_one_year_and_a_half_shows_the_season_already():
    shop = SeasonalShop(3, days=550, customers=2_000, swing=0.5)

    assert shop.season().cosines[0] == pytest.approx(0.5, abs=0.1)


def test_any_transaction_model_may_say_what_a_stationary_shop_does():
    shop = SeasonalShop(3, swing=0.5)

    assert shop.season(mbgnbd).cosines == pytest.approx(shop.season().cosines, abs=0.05)


def test_less_than_a_year_is_refused_by_name():
    shop = SeasonalShop(3, days=364, swing=0.5)

    with pytest.raises(season.HistoryTooShort, match=r"36\d days of purchases, 371 needed"):
        shop.season()


def test_too_few_purchases_are_refused_by_name():
    shop = SeasonalShop(3, customers=100)

    with pytest.raises(season.TooFewPurchases, match="repeat purchases, 500 needed"):
        shop.season()


def test_nobody_has_no_season():
    with pytest.raises(season.HistoryTooShort):
        estimate(bgnbd, [], [], [], [], [])


def test_impossible_rows_are_left_out():
    shop = SeasonalShop(3, swing=0.5)

    with_bad = estimate(
        bgnbd,
        np.append(shop.first, OPENED - 9_000),
        *(np.append(column, np.nan) for column in (shop.x, shop.t_x, shop.T)),
        shop.repeats,
    )

    assert with_bad == shop.season()


def test_the_unit_of_operational_time_is_an_average_day():
    found = planted(1_000, swing=0.5, slope=0.2)

    assert found.elapsed(OPENED, OPENED + 1_000)[0] == pytest.approx(1_000.0, rel=1e-9)
    assert found.intensity(np.arange(OPENED, OPENED + 1_000) + 0.5).mean() == pytest.approx(1.0, rel=1e-9)


def test_without_a_season_operational_time_is_the_calendar():
    calendar, first = flat(OPENED, OPENED + 90), OPENED + np.array([0.0, 10.0, 30.5])
    histories = np.array([[0.0, 5.0, 20.0], [90.0, 80.0, 59.5]])

    assert np.vstack(calendar.histories(first, *histories)) == pytest.approx(histories)
    assert calendar.horizon(OPENED + 90, 365.0) == pytest.approx(365.0)


def test_operational_time_adds_up_and_never_runs_backwards():
    found, days = planted(1_000, swing=0.8, slope=-0.4), OPENED + np.linspace(0, 1_400, 57)

    passed = found.elapsed(OPENED, days)

    assert np.all(np.diff(passed) > 0)
    assert found.elapsed(days[:-1], days[1:]) == pytest.approx(np.diff(passed))
    assert found.elapsed(days[1:], days[:-1]) == pytest.approx(-np.diff(passed))
    assert found.elapsed([], []).shape == (0,)


def test_days_after_is_the_way_back():
    found, end = planted(1_000, swing=0.8), OPENED + 1_000

    waits = found.days_after(end, [0.0, 10.0, 100.0, 400.0, 1e9])

    assert found.elapsed(np.full(4, end), end + waits[:4]) == pytest.approx([0.0, 10.0, 100.0, 400.0])
    assert waits[4] == pytest.approx(10 * season.YEAR, abs=2)


def test_a_trend_is_not_extrapolated():
    found = planted(1_000, slope=0.5)

    later = found.intensity(OPENED + np.array([1_000.0, 1_400.0, 3_000.0]))

    assert later == pytest.approx(np.full(3, later[0]))


def test_the_season_returns_every_year():
    found, day = planted(1_000, swing=0.5), OPENED + 1_100

    assert found.intensity(day) == pytest.approx(found.intensity(day + 4 * season.YEAR))


def test_money_is_discounted_by_the_calendar():
    shop = SeasonalShop(3, swing=0.5, customers=500)
    t_x, T = shop.truth.histories(shop.first, shop.t_x, shop.T)
    horizon = shop.truth.horizon(shop.end, 365.0)

    rate = shop.truth.discount(0.1, shop.end, 365.0)

    assert (1 + rate) ** (horizon / 365) == pytest.approx(1.1)
    found = clv.predict(BG, None, GG, shop.x, t_x, T, np.full(500, 20.0), horizon, 90.0, 1.0, rate)
    assert np.all((found.clv < found.expected_value) & (found.clv > found.expected_value / 1.1))


def test_a_season_is_stored_as_it_is():
    found = SeasonalShop(3, swing=0.5).season()

    assert Season(**{name: getattr(found, name) for name in found.__dataclass_fields__}) == found


@pytest.mark.parametrize(
    ("plain", "seasonal", "used"),
    [
        ([10.0, 10.0, 10.0], [9.0, 9.0, 9.5], True),
        ([10.0, 10.0, 10.0], [8.0, 9.0, 10.5], True),  # better at two of three
        ([10.0, 10.0, 10.0], [7.0, 10.1, 10.1], False),  # better at one of three only
        ([10.0, 10.0, 10.0], [9.95, 9.95, 9.95], False),  # by half a per cent
        ([10.0, 10.0], [5.0, 5.0], False),  # two origins
        ([10.0, 10.0, 10.0], [5.0, 5.0], False),  # not the same origins
        ([], [], False),
    ],
)
def test_the_season_is_used_where_a_backtest_says_so(plain, seasonal, used):
    assert season.worth_it(plain, seasonal) is used


def test_a_backtest_of_a_seasonal_shop_says_so_and_of_another_does_not():
    losses = {True: ([], []), False: ([], [])}
    for seasonal, (plain, other) in losses.items():
        for seed in (3, 4, 5):
            shop = SeasonalShop(seed, swing=0.5 * seasonal)
            for into, found in ((plain, flat(OPENED, shop.end)), (other, shop.season())):
                into.append(float(np.sqrt(np.mean((shop.forecast(found) - shop.purchases) ** 2))))

    assert season.worth_it(*losses[True])
    assert not season.worth_it(*losses[False])
