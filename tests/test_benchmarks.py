"""What a benchmark prints, for people and for programs."""

import json

from benchmarks.figures import Figure, as_json, as_table


def test_a_goal_is_as_short_as_the_ratio_it_stands_beside() -> None:
    rate = Figure("web", "customer list", 61.2, "requests/s", "bare view", 1000.0, 1 / 21, True)
    time = Figure("web", "customer list", 12.0, "ms p50", "bare view", 1.0, 13.0)

    _head, first, second = as_table([rate, time]).splitlines()

    assert first.split()[-4:] == ["0.0612", "≥", "0.0476", "yes"]
    assert second.split()[-4:] == ["12", "≤", "13", "yes"]


def test_a_program_reads_three_decimals() -> None:
    rate = Figure("web", "customer list", 30.0, "requests/s", "bare view", 1000.0, 1 / 21, True)

    found = json.loads(as_json([rate]))

    assert (found["ratio"], found["goal"], found["met"]) == (0.03, 0.048, False)
