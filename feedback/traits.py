"""What a customer told us last, offered to segment rules."""

from django.utils.translation import gettext_lazy as _

from customers.core.traits import Source, Trait, register_source, register_trait

SOURCES = (
    Source(
        "last_score",
        "LEFT JOIN (SELECT DISTINCT ON (customer_id) customer_id, score FROM feedback_response"
        " WHERE score IS NOT NULL ORDER BY customer_id, submitted_at DESC, id DESC) {alias}"
        " ON {belongs}",
    ),
    Source(
        "answered",
        "LEFT JOIN (SELECT customer_id, max(submitted_at) AS last_at,"
        " coalesce(bool_or(score <= 6 AND case_status IN ('new', 'in_contact')), false) AS open_detractor"
        " FROM feedback_response GROUP BY customer_id) {alias} ON {belongs}",
    ),
)
TRAITS = (
    Trait(
        "feedback.nps_score",
        _("Last recommendation score"),
        "number",
        "",
        "{last_score}.score",
        "last_score",
        description=_("0 to 10: how likely to recommend us. Promoters say 9 or 10, detractors 0 to 6."),
    ),
    Trait(
        "feedback.days_since_answer",
        _("Days since last survey answer"),
        "days",
        "days",
        "(%(today)s::date - ({answered}.last_at AT TIME ZONE %(zone)s)::date)",
        "answered",
    ),
    Trait(
        "feedback.open_detractor_case",
        _("Has an open case after a low score"),
        "bool",
        "",
        "coalesce({answered}.open_detractor, false)",
        "answered",
    ),
)


def register() -> None:
    """Add them to the catalogue; called once at start-up."""
    for source in SOURCES:
        register_source(source)
    for trait in TRAITS:
        register_trait(trait)
