"""What we sent a customer and what came of it, offered to segment rules."""

from django.utils.translation import gettext_lazy as _

from customers.core.traits import Source, Trait, register_source, register_trait

SOURCES = (
    Source(
        "mailed",
        "LEFT JOIN (SELECT m.customer_id, max((m.sent_at AT TIME ZONE %(zone)s)::date) AS last_on, count(*)"
        " FILTER (WHERE (m.sent_at AT TIME ZONE %(zone)s)::date > %(today)s::date - 30) AS recent"
        " FROM campaigns_message m JOIN campaigns_campaign campaign ON campaign.id = m.campaign_id"
        " WHERE m.status = 'sent' AND campaign.purpose = 'marketing' GROUP BY m.customer_id) {alias}"
        " ON {belongs}",
    ),
    Source(
        "coupons",
        "LEFT JOIN (SELECT customer_id, count(*) AS redeemed FROM campaigns_coupon"
        " WHERE status = 'redeemed' GROUP BY customer_id) {alias}"
        " ON {belongs}",
    ),
)
TRAITS = (
    Trait(
        "campaigns.days_since_mail",
        _("Days since last marketing mail"),
        "days",
        "days",
        "(%(today)s::date - {mailed}.last_on)",
        "mailed",
    ),
    Trait(
        "campaigns.mails_30_days",
        _("Marketing mails in the last 30 days"),
        "number",
        "",
        "coalesce({mailed}.recent, 0)",
        "mailed",
    ),
    Trait(
        "campaigns.coupons_redeemed",
        _("Coupons redeemed"),
        "number",
        "",
        "coalesce({coupons}.redeemed, 0)",
        "coupons",
    ),
)


def register() -> None:
    """Add them to the catalogue; called once at start-up."""
    for source in SOURCES:
        register_source(source)
    for trait in TRAITS:
        register_trait(trait)
