"""The rule by which a champion is chosen, on losses written down by hand."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from scipy.stats import t as student

from ltv.core import backtest, champion, measures
from ltv.core.backtest import Backtest, Check, Score

HORIZON = 90
EMPTY = measures.accuracy([], [])


def score(name, loss, baseline):
    return Score(
        name=name, baseline=baseline, step="own", purchases=EMPTY, spend=EMPTY,
        silence=measures.Silence(None, None, None), ranges=None, pit=None, spend_pit=None,
        tracking=(), spend_tracking=(), loss=loss,
    )  # fmt: skip


def found(step=HORIZON, rules=("rule",), **losses):
    """A backtest of one check per loss, ``step`` days apart; simplest first."""
    length = len(next(iter(losses.values())))
    checks = [
        Check(
            origin=1000 + number * step, customers=500, points=(), purchases=(), spend=(),
            scores=tuple(
                score(name, values[number], name in rules)
                for name, values in losses.items()
                if values[number] != "absent"
            ),
        )
        for number in range(length)
    ]  # fmt: skip
    return Backtest(HORIZON, 5000, 0, 0, tuple(checks))


def test_the_lowest_mean_loss_leads():
    named = champion.choose(found(rule=[1.0, 1.0], simple=[0.8, 0.9], rich=[0.7, 0.6]))

    assert (named.name, named.baseline, named.reason, named.origins) == ("rich", False, "leads", 2)
    assert [row.name for row in named.table] == ["rich", "simple", "rule"]
    assert [row.loss for row in named.table] == pytest.approx([0.65, 0.85, 1.0])
    assert [row.behind for row in named.table] == pytest.approx([0.0, 0.2, 0.35])


def test_what_is_in_use_is_judged_by_its_own_margin():
    checked = found(rule=[1.0] * 4, simple=[0.8, 0.9, 0.8, 0.9], rich=[0.4] * 4)

    used = champion.in_use(checked, "simple")

    assert (used.name, used.baseline, used.reason) == ("simple", False, "in_use")
    assert used.margin.baseline == "rule"
    assert used.margin.share == pytest.approx(1 - (0.8 * 0.9) ** 0.5)
    assert used.table == champion.choose(checked).table
    assert champion.choose(checked).name == "rich"


def test_what_did_not_take_part_in_the_latest_check_cannot_be_judged():
    assert champion.in_use(found(rule=[1.0, 1.0], simple=[0.8, "absent"]), "simple") is None
    assert champion.in_use(found(rule=[1.0]), "unheard_of") is None


def test_within_one_standard_error_the_simplest_is_taken():
    # behind by .02 -+ .03
    named = champion.choose(found(rule=[1.0] * 4, simple=[0.6, 0.7, 0.6, 0.7], rich=[0.64, 0.62, 0.52, 0.74]))

    simple = next(row for row in named.table if row.name == "simple")
    differences = np.array([-0.04, 0.08, 0.08, -0.04])
    assert simple.behind == pytest.approx(0.02)
    assert simple.error == pytest.approx(differences.std(ddof=1) / 2)
    assert (named.name, named.reason) == ("simple", "simpler")


def test_beyond_one_standard_error_the_simplest_has_lost():
    named = champion.choose(
        found(rule=[1.0] * 4, simple=[0.66, 0.67, 0.66, 0.67], rich=[0.64, 0.64, 0.64, 0.64])
    )

    assert (named.name, named.reason) == ("rich", "leads")


def test_a_rule_of_thumb_as_good_as_the_models_is_kept():
    named = champion.choose(found(rule=[0.6, 0.7, 0.6, 0.7], rich=[0.64, 0.62, 0.52, 0.74]))

    assert (named.name, named.baseline, named.reason) == ("rule", True, "simpler")
    assert named.margin.share == 0.0


def test_the_champion_in_office_stays_while_it_is_as_good():
    losses = {"rule": [1.0] * 4, "simple": [0.61, 0.69, 0.6, 0.7], "rich": [0.6, 0.7, 0.6, 0.7], "best": [0.64, 0.62, 0.52, 0.74]}  # fmt: skip

    assert champion.choose(found(**losses)).name == "simple"
    stays = champion.choose(found(**losses), in_office="rich")
    assert (stays.name, stays.reason) == ("rich", "stays")
    leads = champion.choose(found(**losses), in_office="best")
    assert (leads.name, leads.reason) == ("best", "leads")


@pytest.mark.parametrize("office", ["rule", "retired"])
def test_a_champion_that_falls_behind_or_is_no_more_gives_way(office):
    losses = {"rule": [1.0] * 4, "simple": [0.66, 0.67, 0.66, 0.67], "rich": [0.64] * 4}

    assert champion.choose(found(**losses), in_office=office).name == "rich"


def test_with_a_single_check_the_lowest_loss_wins_and_nothing_is_said_of_chance():
    named = champion.choose(found(rule=[1.0], simple=[0.81], rich=[0.8]))

    assert named.name == "rich"
    assert named.margin == champion.Margin("rule", pytest.approx(0.2), None, None)


def test_the_margin_is_over_the_best_rule_with_an_interval_by_students_t():
    rules = ("poor", "good")
    named = champion.choose(
        found(rules=rules, poor=[2.0] * 4, good=[1.0, 1.1, 0.9, 1.0], rich=[0.75, 0.88, 0.63, 0.8])
    )

    ratios = np.log([0.75, 0.8, 0.7, 0.8])
    reach = student.ppf(0.9, 3) * ratios.std(ddof=1) / 2
    assert named.margin.baseline == "good"
    assert named.margin.share == pytest.approx(1 - np.exp(ratios.mean()))
    assert named.margin.low == pytest.approx(1 - np.exp(ratios.mean() + reach))
    assert named.margin.high == pytest.approx(1 - np.exp(ratios.mean() - reach))
    assert 0.19 < named.margin.low < 0.23 < named.margin.high < 0.28


def test_checks_that_overlap_count_as_the_horizons_they_span():
    losses = {"good": [1.0, 1.1, 0.9, 1.0], "rich": [0.75, 0.88, 0.63, 0.8]}
    apart = champion.choose(found(rules=("good",), **losses)).margin
    # four checks half a horizon apart span 2.5 of them
    half = champion.choose(found(rules=("good",), step=45, **losses)).margin

    ratios = np.log([0.75, 0.8, 0.7, 0.8])
    reach = student.ppf(0.9, 1.5) * ratios.std(ddof=1) / np.sqrt(2.5)
    assert half.share == apart.share
    assert half.low == pytest.approx(1 - np.exp(ratios.mean() + reach))
    assert half.low < apart.low < apart.high < half.high


def test_checks_within_less_than_two_horizons_give_no_interval():
    margin = champion.choose(found(step=30, rule=[1.0, 1.0, 1.1], rich=[0.8, 0.8, 0.8])).margin

    assert (margin.low, margin.high) == (None, None)


def test_checks_far_apart_count_once_each():
    losses = {"rule": [1.0, 1.1, 0.9], "rich": [0.75, 0.88, 0.63]}

    near, far = (champion.choose(found(step=step, **losses)).margin for step in (90, 400))

    assert near == far


def test_only_checks_at_which_all_took_part_are_compared():
    named = champion.choose(found(rule=[0.1, 1.0, 1.0], rich=["absent", 0.8, 0.9]))

    assert (named.name, named.origins) == ("rich", 2)


def test_who_is_absent_from_the_latest_check_does_not_take_part():
    named = champion.choose(found(rule=[1.0, 1.0], rich=[0.5, "absent"]))

    assert (named.name, [row.name for row in named.table]) == ("rule", ["rule"])


def test_checks_at_which_nobody_differed_are_passed_over():
    named = champion.choose(found(rule=[1.0, None], rich=[0.5, None]))

    assert (named.name, named.origins) == ("rich", 1)


@pytest.mark.parametrize("losses", [[], [None, None]])
def test_without_anything_to_compare_there_is_no_champion(losses):
    assert champion.choose(found(rule=losses, rich=losses)) is None


def test_without_a_rule_there_is_no_margin():
    assert champion.choose(found(rules=(), simple=[1.0], rich=[0.5])).margin is None


def test_of_equal_rules_the_simplest_is_named():
    equal = {name: [1.0, 1.0] for name in ("first", "second", "third")}

    margin = champion.choose(found(rules=tuple(equal), **equal, rich=[0.5, 0.6])).margin

    assert margin.baseline == "first"


def test_a_perfect_rule_cannot_be_beaten():
    named = champion.choose(found(rule=[0.0, 0.0], rich=[0.0, 0.1]))

    assert named.name == "rule"
    assert named.margin.share == 0.0


def test_the_order_of_candidates_is_from_simple_to_rich():
    rules = [candidate.baseline for candidate in backtest.CANDIDATES]

    assert rules == sorted(rules, reverse=True)


def test_a_champion_is_stored_as_json():
    named = champion.choose(found(rule=[1.0, 1.0, 1.1], rich=[0.8, 0.7, 0.8]))

    assert json.loads(json.dumps(asdict(named), allow_nan=False))["margin"]["baseline"] == "rule"
    assert replace(named, reason="leads") == named
