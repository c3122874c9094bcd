"""The segments every shop starts with. Their figures are thresholds to begin with; staff change them. Pure."""

from dataclasses import dataclass
from typing import Any

Rule = dict[str, Any]


@dataclass(frozen=True)
class BuiltIn:
    key: str
    name: str
    description: str
    rule: Rule


def _is(trait: str, op: str, value: object, **more: object) -> Rule:
    return {"trait": trait, "op": op, "value": value, **more}


BUILT_IN: tuple[BuiltIn, ...] = (
    BuiltIn(
        "new",
        "New customers",
        "First purchase less than 30 days ago.",
        {"all": [_is("ltv.age_days", "<", 30)]},
    ),
    BuiltIn(
        "going-quiet",
        "One-time buyers going quiet",
        "Bought on one day only, 45 days to a year ago: the moment for a second purchase.",
        {"all": [_is("ltv.frequency", "=", 0), _is("ltv.recency_days", "between", 45, value2=365)]},
    ),
    BuiltIn(
        "loyal",
        "Loyal",
        "Came back on five days or more and is very probably a customer still.",
        {"all": [_is("ltv.frequency", ">=", 5), _is("ltv.p_alive", ">=", 0.8)]},
    ),
    BuiltIn(
        "champions",
        "Champions",
        "The tenth of all buyers with the highest expected margin over the next 12 months.",
        {"all": [_is("ltv.clv_decile", "=", 1)]},
    ),
    BuiltIn(
        "at-risk",
        "At risk",
        "Came back before, spent at least as much as the average buyer, and will as likely as not stay away.",
        {
            "all": [
                _is("ltv.p_no_purchase", ">=", 0.5),
                _is("ltv.frequency", ">=", 1),
                _is("ltv.revenue_to_average", ">=", 1),
            ]
        },
    ),
    BuiltIn(
        "win-back",
        "Win-back",
        "Came back before and will probably not buy in the next 90 days.",
        {"all": [_is("ltv.frequency", ">=", 1), _is("ltv.p_no_purchase", ">=", 0.7)]},
    ),
    BuiltIn(
        "never-bought",
        "Never bought",
        "Known to the shop, without a purchase that counts.",
        {"all": [_is("ltv.orders", "=", 0)]},
    ),
    BuiltIn(
        "promoters",
        "Promoters",
        "Last said 9 or 10 out of 10.",
        {"all": [_is("feedback.nps_score", ">=", 9)]},
    ),
    BuiltIn(
        "detractors",
        "Detractors",
        "Last said 0 to 6 out of 10.",
        {"all": [_is("feedback.nps_score", "<=", 6)]},
    ),
    BuiltIn(
        "no-marketing-consent",
        "No marketing consent",
        "Never agreed to offers by e-mail, or took it back.",
        {"all": [_is("customers.marketing_consent", "=", False)]},
    ),
)
