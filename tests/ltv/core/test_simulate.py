import numpy as np

from ltv.core import paretonbd, simulate
from tests.ltv.core.populations import GG, HORIZON, MBG, PARETO, shop


def test_the_same_seed_gives_the_same_shop():
    first = simulate.population(np.random.default_rng(9), MBG, GG, np.full(500, 90.0), HORIZON)
    second = simulate.population(np.random.default_rng(9), MBG, GG, np.full(500, 90.0), HORIZON)

    assert first.x.tolist() == second.x.tolist()
    assert first.revenue.tolist() == second.revenue.tolist()


def test_every_model_of_buying_makes_a_shop():
    people = simulate.population(np.random.default_rng(9), PARETO, GG, np.full(500, 90.0), HORIZON)

    lives = paretonbd.simulate(PARETO, np.random.default_rng(9), np.full(500, 90.0), HORIZON)
    assert people.x.tolist() == lives.x.tolist()


def test_money_is_spent_where_something_is_bought():
    people = shop()

    assert np.all((people.x == 0) == (people.m == 0))
    assert np.all((people.purchases == 0) == (people.revenue == 0))
    assert np.all(people.m >= 0)


def test_customers_spend_what_the_model_of_spending_says():
    people = shop()
    again = people.x > 0

    error = people.m[again] - GG.mean

    assert abs(error.mean()) < 4 * error.std() / np.sqrt(again.sum())
