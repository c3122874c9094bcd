"""The segments every shop starts with. Their figures are thresholds to begin with; staff change them. Pure."""

from dataclasses import dataclass
from typing import Any

from customers.core.texts import gettext_noop

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
        gettext_noop("New customers"),
        gettext_noop("First purchase less than 30 days ago."),
        {"all": [_is("ltv.age_days", "<", 30)]},
    ),
    BuiltIn(
        "going-quiet",
        gettext_noop("One-time buyers going quiet"),
        gettext_noop("Bought on one day only, 45 days to a year ago: the moment for a second purchase."),
        {"all": [_is("ltv.frequency", "=", 0), _is("ltv.recency_days", "between", 45, value2=365)]},
    ),
    BuiltIn(
        "loyal",
        gettext_noop("Loyal"),
        gettext_noop("Came back on five days or more and is very probably a customer still."),
        {"all": [_is("ltv.frequency", ">=", 5), _is("ltv.p_alive", ">=", 0.8)]},
    ),
    BuiltIn(
        "champions",
        gettext_noop("Champions"),
        gettext_noop("The tenth of all buyers with the highest expected margin over the next 12 months."),
        {"all": [_is("ltv.clv_decile", "=", 1)]},
    ),
    BuiltIn(
        "at-risk",
        gettext_noop("At risk"),
        gettext_noop(
            "Came back before, spent at least as much as the average buyer, and will as likely as not stay away."
        ),
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
        gettext_noop("Win-back"),
        gettext_noop("Came back before and will probably not buy in the next 90 days."),
        {"all": [_is("ltv.frequency", ">=", 1), _is("ltv.p_no_purchase", ">=", 0.7)]},
    ),
    BuiltIn(
        "never-bought",
        gettext_noop("Never bought"),
        gettext_noop("Known to the shop, without a purchase that counts."),
        {"all": [_is("ltv.orders", "=", 0)]},
    ),
    BuiltIn(
        "promoters",
        gettext_noop("Promoters"),
        gettext_noop("Last said 9 or 10 out of 10."),
        {"all": [_is("feedback.nps_score", ">=", 9)]},
    ),
    BuiltIn(
        "detractors",
        gettext_noop("Detractors"),
        gettext_noop("Last said 0 to 6 out of 10."),
        {"all": [_is("feedback.nps_score", "<=", 6)]},
    ),
    BuiltIn(
        "no-marketing-consent",
        gettext_noop("No marketing consent"),
        gettext_noop("Never agreed to offers by e-mail, or took it back."),
        {"all": [_is("customers.marketing_consent", "=", False)]},
    ),
)

_WORDS = {one.key: (one.name, one.description) for one in BUILT_IN}


def is_ours(key: str, text: str) -> bool:
    """Whether the name or description of a segment is still the one every shop starts with."""
    return text in _WORDS.get(key, ())
