"""The compiled SQL, run by PostgreSQL, holds for exactly the customers a naive evaluator in Python names."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.core import rules
from customers.core.traits import Catalogue, Source, Trait

TODAY = date(2026, 3, 2)
ROWS = """
SELECT c.id, {rule} AS holds
FROM jsonb_to_recordset(%(rows)s::jsonb) AS c (id int, kind text, word text, day date, flag boolean, tags jsonb)
{joins}
"""
Row = dict[str, Any]


def _catalogue() -> Catalogue:
    made = Catalogue()
    made.add_source(
        Source(
            "value",
            "LEFT JOIN jsonb_to_recordset(%(rows)s::jsonb) AS {alias}"
            " (id int, amount numeric, share double precision) ON {alias}.id = c.id",
        )
    )
    for trait in (
        Trait("kind", "", "choice", "", "c.kind", choices=(("a", "A"), ("b", "B"))),
        Trait("word", "", "text", "", "c.word"),
        Trait("day", "", "date", "", "c.day"),
        Trait("flag", "", "bool", "", "c.flag"),
        Trait("amount", "", "money", "", "{value}.amount", "value"),
        Trait("share", "", "share", "", "{value}.share", "value"),
        Trait("tags", "", "text", "", "tag", many="FROM jsonb_array_elements_text(c.tags) AS tag WHERE true"),
    ):
        made.add_trait(trait)
    return made


CATALOGUE = _catalogue()
WORDS = ["a", "b", "KR", "kr", "o'Neil", "%(today)s", "%", "_", '"; --', "{c}", "\\", "서울"]
DAYS = [TODAY + timedelta(days=n) for n in (-400, -31, -30, -1, 0, 1, 30)]
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "kind": st.sampled_from(["a", "b"]),
    "word": st.sampled_from(WORDS),
    "day": st.sampled_from([day.isoformat() for day in DAYS]),
    "flag": st.booleans(),
    "amount": st.sampled_from([-1, 0, 1, 1.5, 2, 1000]),
    "share": st.sampled_from([0, 0.25, 0.5, 1]),
    "tags": st.sampled_from(WORDS),
}


@st.composite
def _conditions(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(VALUES)))
    op = draw(st.sampled_from(rules.operators_for(CATALOGUE.traits[name])))
    takes = rules.OPERATORS[op].takes
    made: dict[str, Any] = {"trait": name, "op": op}
    if takes == "days":
        made["value"] = draw(st.sampled_from([0, 1, 30, 36_500]))
    elif takes == "several":
        made["value"] = draw(st.lists(VALUES[name], min_size=1, max_size=3))
    elif takes == "two":
        made["value"], made["value2"] = sorted([draw(VALUES[name]), draw(VALUES[name])])
    elif takes == "one":
        made["value"] = draw(VALUES[name])
    return made


RULES = st.recursive(
    _conditions(),
    lambda inner: st.one_of(
        st.builds(lambda part: {"not": part}, inner),
        st.builds(
            lambda key, parts: {key: parts},
            st.sampled_from(["all", "any"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
    ),
    max_leaves=6,
)
ROW = st.fixed_dictionaries(
    {name: st.none() | strategy for name, strategy in VALUES.items() if name != "tags"}
    | {"tags": st.lists(VALUES["tags"], max_size=3)}
)


def _naive(rule: dict[str, Any], row: Row) -> bool:
    if "not" in rule:
        return not _naive(rule["not"], row)
    if "all" in rule:
        return all(_naive(part, row) for part in rule["all"])
    if "any" in rule:
        return any(_naive(part, row) for part in rule["any"])
    known = row[rule["trait"]]
    if rule["op"] in ("is_known", "is_unknown"):
        return (known not in (None, [])) == (rule["op"] == "is_known")
    values = known if isinstance(known, list) else [known]
    return any(value is not None and ASK[rule["op"]](value, rule) for value in values)


def _ago(value: str) -> int:
    return (TODAY - date.fromisoformat(value)).days


ASK: dict[str, Callable[[Any, dict[str, Any]], bool]] = {
    "=": lambda x, rule: x == rule["value"],
    "!=": lambda x, rule: x != rule["value"],
    "<": lambda x, rule: x < rule["value"],
    "<=": lambda x, rule: x <= rule["value"],
    ">": lambda x, rule: x > rule["value"],
    ">=": lambda x, rule: x >= rule["value"],
    "between": lambda x, rule: rule["value"] <= x <= rule["value2"],
    "in": lambda x, rule: x in rule["value"],
    "contains": lambda x, rule: rule["value"].lower() in x.lower(),
    "within_last_days": lambda x, rule: 0 <= _ago(x) <= rule["value"],
    "more_than_days_ago": lambda x, rule: _ago(x) > rule["value"],
    "within_next_days": lambda x, rule: 0 <= -_ago(x) <= rule["value"],
}


def _in_postgresql(rule: dict[str, Any], rows: list[Row]) -> dict[int, bool]:
    compiled = rules.to_sql(rules.parse(rule, CATALOGUE), CATALOGUE)
    text = ROWS.replace("{rule}", compiled.sql).replace("{joins}", CATALOGUE.joins(compiled.sources))
    with connection.cursor() as cursor:
        cursor.execute(text, {**compiled.params, "today": TODAY, "rows": json.dumps(rows)})
        return dict(cursor.fetchall())


@pytest.mark.django_db
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rule=RULES, rows=st.lists(ROW, min_size=1, max_size=8))
def test_postgresql_and_the_naive_evaluator_agree_about_every_rule_and_row(rule, rows):
    numbered = [{**row, "id": place} for place, row in enumerate(rows)]

    found = _in_postgresql(rule, numbered)

    assert found == {row["id"]: _naive(rule, row) for row in numbered}


def test_every_operator_is_tried():
    assert set(ASK) | {"is_known", "is_unknown"} == set(rules.OPERATORS)


@pytest.mark.django_db
def test_a_condition_on_an_unknown_value_is_false_and_its_negation_true():
    nobody: list[Row] = [{"id": 1, "tags": []}]

    for name, value in {
        "word": "a",
        "amount": 1,
        "share": 0.5,
        "flag": True,
        "kind": "a",
        "tags": "a",
    }.items():
        rule = {"trait": name, "op": "=", "value": value}
        assert _in_postgresql(rule, nobody) == {1: False}
        assert _in_postgresql({"not": rule}, nobody) == {1: True}
    assert _in_postgresql({"trait": "word", "op": "!=", "value": "a"}, nobody) == {1: False}
