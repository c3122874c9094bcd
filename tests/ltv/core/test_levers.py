from decimal import Decimal

import pytest

from ltv.core import levers

SHOP = levers.Levers(
    average_purchase=Decimal(50),
    frequency=Decimal(2),
    retention_time=Decimal(12),
    margin_rate=Decimal("0.5"),
    acquisition_cost=Decimal(150),
    retention_cost=Decimal(50),
)


def test_outcome_of_a_shop():
    # 50 of margin a month pay 150 back in three
    assert levers.outcome(SHOP) == levers.Outcome(
        ltv=Decimal(1200), margin=Decimal(600), net=Decimal(400), ltv_to_cac=Decimal(4), payback=3.0
    )


def test_price_up_ten_percent():
    effect = levers.effect(SHOP, average_purchase=10)

    assert effect.before.ltv == Decimal(1200)
    assert effect.after.ltv == Decimal(1320)
    assert (effect.ltv_change, effect.margin_change, effect.net_change) == (120, 60, 60)


def test_two_levers_multiply():
    effect = levers.effect(SHOP, frequency=10, retention_time=10)

    assert effect.ltv_change == Decimal(252)


def test_a_cheaper_acquisition_changes_only_the_net_and_what_it_is_held_against():
    effect = levers.effect(SHOP, acquisition_cost=-34)

    assert (effect.ltv_change, effect.margin_change, effect.net_change) == (0, 0, 51)
    assert effect.after.ltv_to_cac == Decimal(600) / Decimal(99)
    assert effect.after.payback == 2.0


def test_no_lever_pulled_changes_nothing():
    effect = levers.effect(SHOP, average_purchase=0, acquisition_cost=0)

    assert effect.after == effect.before
    assert (effect.ltv_change, effect.margin_change, effect.net_change) == (0, 0, 0)


def test_a_customer_who_leaves_first_never_pays_back():
    assert levers.outcome(levers.pull(SHOP, retention_time=-75)).payback == 3.0
    assert levers.outcome(levers.pull(SHOP, retention_time=-76)).payback == float("inf")


def test_a_lever_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="price"):
        levers.pull(SHOP, price=10)


@pytest.mark.parametrize("change", [-101, Decimal("-100.01")])
def test_a_lever_cannot_fall_below_nothing(change):
    with pytest.raises(ValueError, match="100 %"):
        levers.pull(SHOP, frequency=change)


def test_a_margin_cannot_be_pulled_above_the_revenue():
    with pytest.raises(ValueError, match="more than the revenue"):
        levers.effect(SHOP, margin_rate=101)
