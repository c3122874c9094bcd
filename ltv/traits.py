"""What the current valuation says of a customer, offered to segment rules. Money in the shop's base currency."""

from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from customers.core.traits import Source, Trait, register_source, register_trait

SOURCES = (
    Source("ltv", "LEFT JOIN ltv_current {alias} ON {belongs}"),
    Source(
        "average_buyer",
        "CROSS JOIN (SELECT avg(revenue) AS revenue FROM ltv_current WHERE orders > 0) {alias}",
        needs=("ltv",),
    ),
)

# of thousandths: as doubles, which tell any two amounts below 9 x 10^12 apart and are compared sooner than numerics
IN_UNITS = "{} / 1000::float8"


def _trait(name: str, label: object, kind: str, unit: str = "", description: object = "") -> Trait:
    """A column of the current valuation under its own name."""
    column = f"{{ltv}}.{name}"
    text = IN_UNITS.format(column) if kind == "money" else column
    return Trait(f"ltv.{name}", label, kind, unit, text, "ltv", description=description)


PAST = (
    _trait("orders", _("Purchases that count"), "number", description=_("Orders with revenue left.")),
    _trait(
        "frequency",
        _("Repeat purchase days"),
        "number",
        description=_("Days with a purchase after the first one: 0 for who bought on one day only."),
    ),
    _trait("recency_days", _("Days since last purchase"), "days", "days"),
    _trait("age_days", _("Days since first purchase"), "days", "days"),
    _trait("revenue", _("Revenue so far"), "money"),
    Trait(
        "ltv.revenue_to_average",
        _("Revenue so far, times the average buyer's"),
        "number",
        "",
        "CASE WHEN {ltv}.orders > 0 THEN {ltv}.revenue / nullif({average_buyer}.revenue, 0) END",
        "average_buyer",
        description=_("1 is exactly the average of everyone who bought."),
    ),
    _trait("margin", _("Margin so far"), "money"),
    _trait("average_purchase", _("Average purchase"), "money"),
    _trait("formula_ltv", _("Formula LTV"), "money"),
    _trait("ltv_to_cac", _("LTV : CAC"), "number"),
    _trait(
        "r_score",
        _("Recency score"),
        "number",
        description=_("1 to 5; 5 is the fifth of buyers who bought last."),
    ),
    _trait(
        "f_score",
        _("Frequency score"),
        "number",
        description=_("1 to 5; 5 is the fifth of buyers with the most purchase days."),
    ),
    _trait(
        "m_score",
        _("Monetary score"),
        "number",
        description=_("1 to 5; 5 is the fifth of buyers with the most revenue."),
    ),
    Trait(
        "ltv.rfm_cell",
        _("RFM cell"),
        "number",
        "",
        "{ltv}.r_score * 100 + {ltv}.f_score * 10 + {ltv}.m_score",
        "ltv",
        description=_("The three scores as digits: 543 is recency 5, frequency 4, money 3."),
    ),
)

FUTURE = (
    _trait("clv", _("Expected margin, 12 months"), "money"),
    _trait(
        "clv_decile",
        _("Tenth of buyers by expected margin"),
        "number",
        description=_("1 is the best tenth, 10 the last; unknown for who never bought."),
    ),
    _trait("expected_value", _("Expected revenue, 12 months"), "money"),
    _trait(
        "expected_value_low",
        _("Expected revenue, 12 months, low estimate"),
        "money",
        description=_("The lower end of the 80% interval."),
    ),
    Trait(
        "ltv.change",
        _("Change of expected margin in the last night"),
        "money",
        "",
        IN_UNITS.format("({ltv}.clv - {ltv}.clv_before)"),
        "ltv",
        description=_("Below 0 where it fell; unknown for who was new that night."),
    ),
    _trait("p_alive", _("Chance of being a customer still"), "share"),
    _trait("p_no_purchase", _("Chance of no purchase in 90 days"), "share"),
    _trait("next_purchase_on", _("Expected date of next purchase"), "date"),
)


def register() -> None:
    """Add them to the catalogue; called once at start-up."""
    for source in SOURCES:
        register_source(source)
    for trait in PAST:
        register_trait(trait)
    for trait in FUTURE:
        register_trait(replace(trait, forecast=True))
