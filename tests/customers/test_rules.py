"""Rules: what is accepted, what is refused and where, the SQL they become, the words they become."""

from datetime import date
from decimal import Decimal

import pytest

from customers.core import rules
from customers.core.rule_words import OPERATOR_LABELS, Words
from customers.core.traits import Catalogue, Source, Trait


@pytest.fixture
def catalogue() -> Catalogue:
    made = Catalogue()
    made.add_source(Source("ltv", "LEFT JOIN ltv_current {alias} ON {alias}.customer_id = c.id"))
    made.add_source(
        Source("average", "CROSS JOIN (SELECT avg(clv) AS clv FROM ltv_current) {alias}", ("ltv",))
    )
    for trait in (
        Trait("country", "Country", "text", "", "nullif(c.country, '')"),
        Trait(
            "language", "Language", "choice", "", "c.language", choices=(("en", "English"), ("ko", "Korean"))
        ),
        Trait("joined", "Date acquired", "date", "", "c.acquired_on"),
        Trait("referred", "Referred", "bool", "", "c.referred_by_id IS NOT NULL"),
        Trait("orders", "Purchases", "number", "", "{ltv}.orders", "ltv"),
        Trait("quiet", "Days since last purchase", "days", "days", "{ltv}.recency_days", "ltv"),
        Trait("clv", "LTV", "money", "", "{ltv}.clv", "ltv"),
        Trait("to_average", "LTV to average", "number", "", "{ltv}.clv / {average}.clv", "average"),
        Trait("churn", "Chance of no purchase in 90 days", "share", "", "{ltv}.p_no_purchase", "ltv"),
        Trait("sku", "Product bought", "text", "", "l.sku", many="FROM lines l WHERE l.customer_id = c.id"),
    ):
        made.add_trait(trait)
    return made


def condition(trait: str, op: str, *values: object) -> dict[str, object]:
    return {"trait": trait, "op": op, **dict(zip(("value", "value2"), values, strict=False))}


def compiled(rule: object, catalogue: Catalogue) -> rules.Compiled:
    return rules.to_sql(rules.parse(rule, catalogue), catalogue)


# -- SQL -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "sql", "params"),
    [
        (condition("country", "=", "KR"), "(((nullif(c.country, '')) = %(p0)s) IS TRUE)", {"p0": "KR"}),
        (condition("country", "!=", "KR"), "(((nullif(c.country, '')) <> %(p0)s) IS TRUE)", {"p0": "KR"}),
        (
            condition("language", "in", ["en", "ko"]),
            "((c.language = ANY(%(p0)s)) IS TRUE)",
            {"p0": ["en", "ko"]},
        ),
        (
            condition("country", "contains", "k"),
            "((strpos(lower((nullif(c.country, ''))), lower(%(p0)s)) > 0) IS TRUE)",
            {"p0": "k"},
        ),
        (condition("orders", ">=", 2), "((ltv.orders >= %(p0)s) IS TRUE)", {"p0": 2}),
        (condition("clv", "<", "12.50"), "((ltv.clv < %(p0)s) IS TRUE)", {"p0": Decimal("12.5")}),
        (
            condition("quiet", "between", 30, 90),
            "((ltv.recency_days BETWEEN %(p0)s AND %(p1)s) IS TRUE)",
            {"p0": 30, "p1": 90},
        ),
        (
            condition("joined", ">", "2026-01-05"),
            "((c.acquired_on > %(p0)s) IS TRUE)",
            {"p0": date(2026, 1, 5)},
        ),
        (
            condition("joined", "within_last_days", 30),
            "((c.acquired_on BETWEEN %(today)s::date - %(p0)s AND %(today)s::date) IS TRUE)",
            {"p0": 30},
        ),
        (
            condition("joined", "more_than_days_ago", 30),
            "((c.acquired_on < %(today)s::date - %(p0)s) IS TRUE)",
            {"p0": 30},
        ),
        (
            condition("referred", "=", False),
            "(((c.referred_by_id IS NOT NULL) = %(p0)s) IS TRUE)",
            {"p0": False},
        ),
        (condition("clv", "is_unknown"), "(ltv.clv IS NULL)", {}),
        (
            condition("sku", "in", ["T-1", "T-2"]),
            "(EXISTS (SELECT 1 FROM lines l WHERE l.customer_id = c.id AND (l.sku = ANY(%(p0)s))))",
            {"p0": ["T-1", "T-2"]},
        ),
        (
            condition("sku", "is_unknown"),
            "(NOT EXISTS (SELECT 1 FROM lines l WHERE l.customer_id = c.id))",
            {},
        ),
        ({"all": []}, "(true)", {}),
    ],
)
def test_a_condition_becomes_sql_with_its_values_as_parameters(rule, sql, params, catalogue):
    result = compiled(rule, catalogue)

    assert (result.sql, result.params) == (sql, params)


def test_groups_and_negation_become_bracketed_sql_with_numbered_parameters(catalogue):
    rule = {
        "all": [
            condition("churn", ">=", 0.5),
            {"any": [condition("country", "=", "KR"), {"not": condition("orders", "<", 2)}]},
        ]
    }

    result = compiled(rule, catalogue)

    assert result.sql == (
        "(((ltv.p_no_purchase >= %(p0)s) IS TRUE)"
        " AND ((((nullif(c.country, '')) = %(p1)s) IS TRUE) OR (NOT ((ltv.orders < %(p2)s) IS TRUE))))"
    )
    assert result.params == {"p0": Decimal("0.5"), "p1": "KR", "p2": 2}
    assert result.sources == {"ltv"}


def test_only_the_sources_of_the_rule_are_joined_and_what_they_need_comes_first(catalogue):
    assert compiled(condition("country", "=", "KR"), catalogue).sources == frozenset()
    assert catalogue.joins(["average"]) == (
        "LEFT JOIN ltv_current ltv ON ltv.customer_id = c.id\n"
        "CROSS JOIN (SELECT avg(clv) AS clv FROM ltv_current) average"
    )


def test_a_source_can_be_replaced_for_one_evaluation(catalogue):
    override = {
        "ltv": "LEFT JOIN tonight {alias} ON {alias}.customer_id = c.id",
        "unused": "CROSS JOIN nowhere",
    }

    assert catalogue.joins(["ltv"], override) == "LEFT JOIN tonight ltv ON ltv.customer_id = c.id"


# -- refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("country", ""),
        ([], ""),
        (None, ""),
        ({}, ""),
        ({"all": [], "any": []}, ""),
        ({"any": []}, "any"),
        ({"all": [{"all": []}]}, "all.0.all"),
        ({"all": {"trait": "country"}}, "all"),
        ({"not": {"all": [{"nor": []}]}}, "not.all.0"),
        ({**condition("country", "=", "KR"), "sql": "1=1"}, ""),
        (condition("salary", "=", 1), "trait"),
        ({"all": [condition("country", "=", "KR"), condition("c.country", "=", "KR")]}, "all.1.trait"),
        (condition("country = country --", "=", "KR"), "trait"),
        ({"trait": ["country"], "op": "=", "value": "KR"}, "trait"),
        (condition("country", "= 'KR' OR 1", "x"), "op"),
        (condition("country", ">", "KR"), "op"),
        (condition("referred", "!=", True), "op"),
        (condition("sku", "!=", "T-1"), "op"),
        (condition("orders", "contains", 1), "op"),
        ({"trait": "orders", "op": ["="], "value": 1}, "op"),
        (condition("orders", "="), "value"),
        (condition("orders", "=", 1, 2), "value"),
        (condition("orders", "between", 1), "value"),
        (condition("orders", "between", 3, 2), "value"),
        (condition("orders", "is_known", 1), "value"),
        (condition("orders", "=", "1; DROP TABLE customers_customer"), "value"),
        (condition("orders", "=", True), "value"),
        (condition("orders", "=", float("nan")), "value"),
        (condition("orders", "=", float("inf")), "value"),
        (condition("orders", "=", "1e400"), "value"),
        (condition("orders", "=", 10**15), "value"),
        (condition("orders", "=", None), "value"),
        (condition("orders", "=", {"sql": "1"}), "value"),
        (condition("churn", ">=", 50), "value"),
        (condition("joined", "=", "2026-02-30"), "value"),
        (condition("joined", "=", "20260205"), "value"),
        (condition("joined", "within_last_days", -1), "value"),
        (condition("joined", "within_last_days", 1.5), "value"),
        (condition("joined", "within_last_days", 36_501), "value"),
        (condition("language", "=", "xx"), "value"),
        (condition("language", "in", []), "value"),
        (condition("language", "in", ["en", "xx"]), "value.1"),
        (condition("country", "in", ["KR"] * 101), "value"),
        (condition("country", "=", ""), "value"),
        (condition("country", "=", "a" * 201), "value"),
        (condition("country", "=", "K\x00R"), "value"),
        (condition("country", "=", "\ud800"), "value"),
        (condition("referred", "=", "true"), "value"),
    ],
)
def test_what_is_not_a_rule_is_refused_with_the_place(rule, path, catalogue):
    with pytest.raises(rules.BadRule) as refusal:
        rules.parse(rule, catalogue)

    assert refusal.value.path == path


def test_a_rule_may_be_eight_deep_and_not_nine(catalogue):
    eight: dict[str, object] = condition("country", "=", "KR")
    for _level in range(7):
        eight = {"not": eight}

    assert rules.parse(eight, catalogue)
    with pytest.raises(rules.BadRule, match="nested more than 8 deep"):
        rules.parse({"not": eight}, catalogue)


def test_a_rule_may_have_fifty_conditions_and_not_fifty_one(catalogue):
    kr = condition("country", "=", "KR")

    assert len(list(rules.conditions(rules.parse({"all": [kr] * 50}, catalogue)))) == 50
    with pytest.raises(rules.BadRule, match="more than 50 conditions"):
        rules.parse({"all": [{"any": [kr] * 26}, {"any": [kr] * 25}]}, catalogue)


# -- words -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (condition("churn", ">=", 0.5), "Chance of no purchase in 90 days is at least 50%"),
        (condition("clv", ">", "1234.5"), "LTV is above 1,234.5 USD"),
        (condition("quiet", "between", 30, 90), "Days since last purchase is between 30 days and 90 days"),
        (condition("language", "in", ["en", "ko"]), "Language is one of English, Korean"),
        (condition("joined", "within_last_days", 7), "Date acquired was within the last 7 days"),
        (condition("joined", "more_than_days_ago", 7), "Date acquired was more than 7 days ago"),
        (condition("referred", "=", True), "Referred: yes"),
        (condition("orders", "is_unknown"), "Purchases is not known"),
        ({"all": []}, "Every customer"),
        (
            {
                "all": [
                    condition("churn", ">=", 0.5),
                    {"any": [condition("country", "=", "KR"), condition("clv", ">", 100)]},
                    {"not": condition("orders", "<", 2)},
                ]
            },
            "Chance of no purchase in 90 days is at least 50%"
            " and (country is KR or LTV is above 100 USD) and not (purchases is below 2)",
        ),
    ],
)
def test_a_rule_is_explained_in_words(rule, words, catalogue):
    assert Words(currency="USD").rule(rules.parse(rule, catalogue)) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.9526, "95.3%"), (0.5, "50%"), (0, "0%"), (0.0001, "< 0.1%"), (0.99999, "> 99.9%"), (1, "100%"), (None, "not known")],
)  # fmt: skip
def test_a_customers_share_has_one_decimal_and_is_not_rounded_to_certainty(value, words, catalogue):
    assert Words().known(catalogue.traits["churn"], value) == words


def test_words_are_looked_up_in_the_readers_language(catalogue):
    korean = {"{label} is at least {value}": "{label}: {value} 이상"}
    node = rules.parse(condition("orders", ">=", 3), catalogue)

    assert Words(lambda text: korean.get(text, text)).rule(node) == "Purchases: 3 이상"


def test_every_operator_has_a_label():
    assert set(OPERATOR_LABELS) == set(rules.OPERATORS)


def test_a_trait_offers_the_operators_of_its_type(catalogue):
    assert rules.operators_for(catalogue.traits["referred"]) == ["=", "is_known", "is_unknown"]
    assert rules.operators_for(catalogue.traits["sku"]) == ["=", "in", "contains", "is_known", "is_unknown"]


# -- the catalogue -----------------------------------------------------------------------------------------


def test_a_name_is_given_to_one_trait_only(catalogue):
    catalogue.add_trait(Trait("country", "Country", "text", "", "nullif(c.country, '')"))

    with pytest.raises(ValueError, match="two traits are called country"):
        catalogue.add_trait(Trait("country", "Land", "text", "", "c.country"))

    assert catalogue.traits["country"].label == "Country"


def test_a_trait_without_its_source_or_of_no_type_is_refused(catalogue):
    with pytest.raises(ValueError, match="no source nps"):
        catalogue.add_trait(Trait("score", "Score", "number", "", "{nps}.score", "nps"))
    with pytest.raises(ValueError, match="no type colour"):
        catalogue.add_trait(Trait("eyes", "Eyes", "colour", "", "c.eyes"))

    assert {"score", "eyes"}.isdisjoint(catalogue.traits)
