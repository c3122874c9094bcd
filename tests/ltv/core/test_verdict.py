"""What the owner of a shop is told, on shops with nothing and with something planted."""

import json
from dataclasses import asdict, replace
from functools import cache
from string import Formatter

import numpy as np
import pytest

from ltv.core import backtest, champion, measures, verdict
from ltv.core.baselines import BASELINES
from ltv.core.candidates import MODELLED
from ltv.core.champion import Margin
from ltv.core.verdict import AMBER, GREEN, RED
from tests.ltv.core import shops

HORIZON = 90
FEW = (*BASELINES, *(one for one in MODELLED if one.name == "mbgnbd"))


@cache
def checks_of(rows=None, most=6, end=shops.END):
    log = (rows or shops.healthy()).log()
    days = backtest.origins(log, HORIZON, end, most=most)
    return backtest.backtest(log, days, HORIZON, end, FEW)


def judged(found):
    return verdict.judge(found, champion.choose(found))


def lights(found):
    """Light by code, the worst first."""
    return {finding.code: finding.light for finding in found.findings}


@cache
def healthy():
    found = checks_of()
    return found, champion.choose(found)


def with_scores(found, change):
    """The backtest with every score of every check changed."""
    return replace(
        found,
        checks=tuple(
            replace(check, scores=tuple(change(score) for score in check.scores)) for check in found.checks
        ),
    )


def test_a_shop_that_follows_the_model_is_green():
    found = judged(checks_of())

    assert found.light == GREEN
    assert lights(found) == {
        "purchases_high": GREEN, "spend_high": GREEN, "ranges_held": GREEN, "beats_rule": GREEN,
    }  # fmt: skip


def test_the_owner_reads_sentences():
    assert judged(checks_of()).sentence == (
        "Over the last 6 checks the forecast of purchases was 5% high. "
        "The forecast of spend was 3% high. "
        "The 80% ranges held 80% of customers. "
        "The forecast beats the simple rule (customers silent for twice their usual gap are gone, "
        "the others go on) by 25%, between 21 and 28%."
    )


@pytest.mark.parametrize("most", [1, 2, 3])
def test_fewer_than_four_checks_are_never_green(most):
    found = judged(checks_of(most=most))

    assert found.light == AMBER
    assert found.findings[0].code == "few_checks"
    assert found.findings[0].values == {"checks": most, "needed": 4}


def test_four_checks_may_be_green():
    assert judged(checks_of(most=4)).light == GREEN


def test_a_single_check_is_called_the_only_one():
    assert "In the only check so far the forecast of purchases was" in judged(checks_of(most=1)).sentence


@pytest.mark.parametrize("since", [810, 840])
def test_demand_that_halves_is_red(since):
    found = judged(checks_of(shops.halved(shops.healthy(), since)))

    assert found.light == RED
    broke = found.findings[0]
    assert (broke.code, broke.values["days"]) == ("purchases_broke_down", 30)
    assert 45 <= broke.values["percent"] <= 55


def test_demand_that_doubles_is_red():
    once = shops.healthy()
    late = once.keep(once.days > 810)
    again = replace(late, days=(late.days + 1).clip(max=shops.END))
    columns = (
        np.append(getattr(once, name), getattr(again, name)) for name in ("customers", "days", "amounts")
    )
    both = shops.Rows(*columns)

    assert lights(judged(checks_of(both)))["purchases_broke_up"] == RED


@pytest.mark.parametrize(
    ("by", "code"),
    [
        (-365, "nothing_happened"), (-90, "nothing_happened"), (-30, "nothing_since"),
        (-10, "nothing_since"), (10, "dates_after_end"), (365, "dates_after_end"),
    ],
)  # fmt: skip
def test_dates_that_are_all_wrong_are_red(by, code):
    found = judged(checks_of(shops.shifted(shops.healthy(), by)))

    assert found.light == RED
    assert found.findings[0].code == code


@pytest.mark.parametrize("since", [600, 810, 870])
def test_prices_in_another_unit_are_red(since):
    found = judged(checks_of(shops.dearer(shops.healthy(), since, 100.0)))

    assert found.light == RED
    assert lights(found)["spend_broke_up"] == RED
    assert not any(finding.code.startswith("purchases_broke") for finding in found.findings)


def test_prices_that_fall_to_a_hundredth_are_red():
    found = judged(checks_of(shops.dearer(shops.healthy(), 810, 0.01)))

    assert lights(found)["spend_broke_down"] == RED


def test_where_no_model_beats_a_rule_it_is_red():
    log = shops.regular().log()
    found = judged(
        backtest.backtest(log, backtest.origins(log, HORIZON, shops.END), HORIZON, shops.END, BASELINES)
    )

    assert found.light == RED
    assert lights(found)["not_better"] == RED
    assert lights(found)["no_ranges"] == AMBER
    assert "No model beats the simple rule: customers go on at their past rate." in found.sentence


def test_on_customers_who_buy_on_a_schedule_ranges_too_wide_are_red():
    found = judged(checks_of(shops.regular()))

    assert lights(found) == {
        "ranges_held": RED, "purchases_low": GREEN, "spend_low": GREEN, "beats_rule": GREEN,
    }  # fmt: skip
    assert found.findings[0].values == {"nominal": 80, "percent": 100}


def test_a_forecast_in_use_is_judged_although_another_one_leads():
    found = checks_of()

    said = verdict.judge(found, champion.in_use(found, "last_window"))

    assert (said.light, lights(said)["not_better"]) == (RED, RED)


@pytest.mark.parametrize(("by", "light"), [(0.1, GREEN), (0.35, AMBER), (0.6, RED)])
def test_a_latest_check_far_off_is_not_hidden_by_the_average_of_all(by, light):
    """Two bad months, and a last one as before: nothing looks broken, and all checks together are not far off."""
    found = judged(checks_of(shops.thinned(shops.healthy(), 810, by, until=870)))

    assert lights(found)["purchases_high"] != RED
    assert not any("broke" in code for code in lights(found))
    assert lights(found).get("latest_purchases_high", GREEN) == light
    assert found.light == light


def test_what_may_be_chance_in_the_latest_check_is_not_said():
    found, best = healthy()

    def off_by_a_fifth(score, error):
        one = score.purchases
        return replace(
            score, purchases=replace(one, predicted_total=1.2 * one.actual_total, bias=0.2, bias_error=error)
        )

    sure = verdict.judge(with_scores(found, lambda score: off_by_a_fifth(score, 0.01)), best)
    unsure = verdict.judge(with_scores(found, lambda score: off_by_a_fifth(score, 0.03)), best)

    assert lights(sure)["latest_purchases_high"] == AMBER
    assert "latest_purchases_high" not in lights(unsure)


def test_a_small_shop_is_amber():
    found = judged(checks_of(shops.healthy(120, 5)))

    assert found.light == AMBER
    assert found.findings[0].code == "few_customers"


def test_a_shop_without_history_is_amber_and_says_so():
    found = judged(checks_of(shops.healthy(20, 5)))

    assert (found.light, found.sentence) == (AMBER, "The history is too short to check the forecast.")


@pytest.mark.parametrize(
    ("margin", "code", "light"),
    [
        (Margin("recency", 0.22, 0.1, 0.3), "beats_rule", GREEN),
        (Margin("recency", 0.22, 0.0, 0.4), "beats_rule_so_far", AMBER),
        (Margin("recency", 0.22, None, None), "beats_rule_so_far", AMBER),
        (Margin("recency", 0.0, -0.1, 0.1), "behind_rule", RED),
        (Margin("recency", -0.3, None, None), "behind_rule", RED),
        (None, "no_rule", AMBER),
    ],
)
def test_the_light_of_the_margin(margin, code, light):
    found, best = healthy()

    said = verdict.judge(found, replace(best, margin=margin))

    assert lights(said)[code] == light
    assert said.light == light


@pytest.mark.parametrize(
    ("factor", "code", "light"),
    [
        (1.0, "right", GREEN), (0.86, "low", GREEN), (1.14, "high", GREEN),
        (0.84, "low", AMBER), (1.16, "high", AMBER), (1.3, "high", AMBER),
        (0.55, "low", RED), (1.45, "high", RED),
    ],
)  # fmt: skip
@pytest.mark.parametrize("what", ["purchases", "spend"])
def test_the_light_of_the_level(what, factor, code, light):
    found, best = healthy()

    def level(score):
        one = getattr(score, what)
        return replace(score, **{what: replace(one, predicted_total=factor * one.actual_total)})

    said = verdict.judge(with_scores(found, level), best)

    assert lights(said)[f"{what}_{code}"] == light


def test_what_may_be_chance_is_not_red():
    found, best = healthy()

    def off_by_half(score, error):
        one = score.purchases
        return replace(
            score, purchases=replace(one, predicted_total=1.5 * one.actual_total, bias_error=error)
        )

    sure = verdict.judge(with_scores(found, lambda score: off_by_half(score, 0.05)), best)
    unsure = verdict.judge(with_scores(found, lambda score: off_by_half(score, 0.10)), best)

    assert (lights(sure)["purchases_high"], lights(unsure)["purchases_high"]) == (RED, AMBER)


@pytest.mark.parametrize(
    ("coverage", "light"),
    [(0.8, GREEN), (0.76, GREEN), (0.84, GREEN), (0.74, AMBER), (0.86, AMBER), (0.61, RED), (0.99, RED)],
)
def test_the_light_of_the_ranges(coverage, light):
    found, best = healthy()

    def held(score):
        return replace(score, ranges=score.ranges and replace(score.ranges, coverage=coverage))

    said = verdict.judge(with_scores(found, held), best)

    assert lights(said)["ranges_held"] == light


def test_spend_that_never_came_is_neither_high_nor_low():
    found, best = healthy()
    nothing = measures.accuracy([], [])

    said = verdict.judge(with_scores(found, lambda score: replace(score, spend=nothing)), best)

    assert lights(said)["spend_right"] == GREEN


def test_a_champion_absent_from_the_latest_check_is_not_asked_about_it():
    found, best = healthy()
    latest = found.checks[-1]
    silent = replace(
        found, checks=(*found.checks[:-1], replace(latest, scores=tuple(replace(one, loss=None) for one in latest.scores if one.baseline)))
    )  # fmt: skip

    said = verdict.judge(silent, best)

    assert said.light == GREEN
    assert said.findings[0].values["checks"] == 5


def test_the_worst_comes_first():
    found = judged(checks_of(shops.halved(shops.healthy(), 810), most=3))

    order = [finding.light for finding in found.findings]
    assert order == sorted(order, key=[RED, AMBER, GREEN].index)
    assert set(order) == {RED, AMBER, GREEN}


@pytest.mark.parametrize("code", verdict.SENTENCES)
def test_every_sentence_can_be_said_from_its_values(code):
    fields = {name for _, name, _, _ in Formatter().parse(verdict.SENTENCES[code]) if name}

    assert fields <= {
        "checks", "needed", "customers", "percent", "nominal", "rule", "low", "high", "days",
        "expected", "count",
    }  # fmt: skip


def test_every_rule_has_words():
    assert list(verdict.RULES) == [rule.name for rule in BASELINES]


def test_a_finding_says_its_sentence_with_its_values():
    for finding in judged(checks_of()).findings:
        words = {**finding.values, "rule": verdict.RULES.get(finding.values.get("rule"), "")}
        assert finding.sentence == verdict.SENTENCES[finding.code].format(**words)


def test_a_verdict_is_stored_as_json():
    found = judged(checks_of())

    stored = json.loads(json.dumps(asdict(found), allow_nan=False))

    assert stored["light"] == "green"
    assert stored["findings"][-1]["values"]["rule"] == "recency"
