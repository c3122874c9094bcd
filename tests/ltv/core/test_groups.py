"""Groups of customers: their own parameters where they differ, the shop's where they do not."""

from dataclasses import astuple, replace

import numpy as np
import pytest

from ltv.core import bgnbd, groups, mbgnbd, simulate
from tests.ltv.core.populations import BG, GG, HORIZON, MBG

SLOW = replace(BG, alpha=120.0)


def customers(params, count, seed, T=None):
    rng = np.random.default_rng(seed)
    return simulate.population(rng, params, GG, np.floor(rng.uniform(30, 600, count)), HORIZON)


def shop_of(*parts):
    """Histories of several groups one after the other, and who belongs to which."""
    histories = tuple(np.concatenate([getattr(part, name) for part in parts]) for name in ("x", "t_x", "T"))
    names = np.array(["web", "store", "fair"])
    return histories, np.repeat(names[: len(parts)], [len(part.x) for part in parts])


@pytest.fixture(scope="module")
def two_channels():
    histories, labels = shop_of(customers(BG, 3_000, 1), customers(SLOW, 1_500, 2))
    return histories, labels, bgnbd.fit(*histories, ridge=0.05).params


def held_out(grouped):
    """Log-likelihood of other customers of the two channels."""
    (x, t_x, T), labels = shop_of(customers(BG, 3_000, 3), customers(SLOW, 1_500, 4))
    each = groups.each(
        grouped, labels, lambda params, rows: bgnbd.log_likelihood_each(params, x[rows], t_x[rows], T[rows])
    )
    return each.sum()


def test_channels_that_differ_move_to_their_own_parameters(two_channels):
    histories, labels, shop = two_channels

    grouped = groups.fit(bgnbd, shop, *histories, labels)

    for name, truth in (("web", BG), ("store", SLOW)):
        rate = grouped.of(name).r / grouped.of(name).alpha
        assert rate == pytest.approx(truth.r / truth.alpha, rel=0.12)
        assert abs(rate - truth.r / truth.alpha) < 0.5 * abs(shop.r / shop.alpha - truth.r / truth.alpha)


def test_channels_that_differ_are_explained_better_on_customers_not_seen(two_channels):
    histories, labels, shop = two_channels

    grouped = groups.fit(bgnbd, shop, *histories, labels)

    assert held_out(grouped) > held_out(groups.Grouped(shop, {})) + 50


def test_channels_that_do_not_differ_stay_with_the_shop():
    moved = []
    for seed in range(10):
        histories, labels = shop_of(customers(BG, 1_000, 10 + seed), customers(BG, 500, 30 + seed))
        shop = bgnbd.fit(*histories, ridge=0.05).params

        grouped = groups.fit(bgnbd, shop, *histories, labels)

        for params in grouped.own.values():
            assert np.abs(np.log(np.divide(astuple(params), astuple(shop)))).max() < 0.7
        moved.append(len(grouped.own))
    assert sum(moved) <= 3


def test_five_customers_of_another_kind_change_nothing(two_channels):
    histories, labels, shop = two_channels
    fair = customers(replace(BG, alpha=2.0), 5, 5)

    with_fair = groups.fit(
        bgnbd,
        shop,
        *(
            np.append(column, getattr(fair, name))
            for column, name in zip(histories, ("x", "t_x", "T"), strict=True)
        ),
        np.append(labels, ["fair"] * 5),
    )

    assert with_fair == groups.fit(bgnbd, shop, *histories, labels)
    assert with_fair.of("fair") == shop


def test_the_ridge_falls_with_the_size_of_the_group():
    small, large = (customers(SLOW, size, 6) for size in (150, 6_000))

    found = [
        groups.fit(bgnbd, BG, part.x, part.t_x, part.T, np.zeros(len(part.x))).of(0.0)
        for part in (small, large)
    ]

    assert BG.alpha < found[0].alpha < found[1].alpha
    assert found[1].alpha / found[1].r == pytest.approx(SLOW.alpha / SLOW.r, rel=0.1)


def test_a_fit_that_is_not_sound_is_not_taken():
    identical = np.full(20_000, 5.0), np.full(20_000, 300.0), np.full(20_000, 400.0)

    assert groups.fit(bgnbd, BG, *identical, np.zeros(20_000)).own == {}


def test_impossible_rows_belong_to_no_group():
    part = customers(SLOW, 500, 7)
    labels = np.zeros(501)

    with_bad = groups.fit(
        bgnbd, BG, np.append(part.x, np.nan), np.append(part.t_x, 0), np.append(part.T, 9), labels
    )

    assert with_bad == groups.fit(bgnbd, BG, part.x, part.t_x, part.T, labels[:500])


def test_groups_serve_every_transaction_model():
    part = customers(replace(MBG, alpha=120.0), 3_000, 8)

    grouped = groups.fit(mbgnbd, MBG, part.x, part.t_x, part.T, np.full(3_000, "web"))

    assert grouped.of("web").alpha > 80


def test_each_customer_is_answered_by_the_parameters_of_the_group():
    grouped = groups.Grouped(BG, {"store": SLOW})
    labels = np.array(["web", "store", "fair", "store", "web"])
    x, t_x, T = np.arange(5.0), np.arange(5.0) * 20, np.full(5, 150.0)

    found = groups.each(
        grouped, labels, lambda p, rows: bgnbd.expected_purchases(p, x[rows], t_x[rows], T[rows], 90.0)
    )

    expected = [
        bgnbd.expected_purchases(SLOW if label == "store" else BG, *row, 90.0)[0]
        for label, *row in zip(labels, x, t_x, T, strict=True)
    ]
    assert found == pytest.approx(expected)


def test_one_call_answers_for_all_groups_that_are_like_the_shop():
    calls = []

    def evaluate(params, rows):
        calls.append(params)
        return np.vstack([rows, -rows])

    found = groups.each(groups.Grouped(BG, {3: SLOW}), np.arange(1_000) % 10, evaluate)

    assert calls == [BG, SLOW]
    assert found.tolist() == [list(range(1_000)), [-n for n in range(1_000)]]


def test_nobody_is_answered_with_nothing():
    assert groups.each(groups.Grouped(BG, {}), [], lambda params, rows: rows * 1.0).shape == (0,)


def test_several_covariates_are_one_label():
    found = groups.combine(["web", "web", "store", "web"], [1, 2, 1, 1])

    assert found[0] == found[3]
    assert len(set(found.tolist())) == 3
