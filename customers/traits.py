"""What customers itself knows of a customer, offered to segment rules."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from customers.choices import ChannelKind, Language, Purpose
from customers.core.traits import Source, Trait, register_source, register_trait
from customers.models import AcquisitionChannel, Product, Purchase

LOCAL_DAY = "({} AT TIME ZONE %(zone)s)::date"
DAYS = "days"


def _channels() -> Iterable[tuple[str, str]]:
    return AcquisitionChannel.objects.values_list("code", "name")


def _countries() -> Iterable[tuple[str, str]]:
    return [("KR", "KR"), ("JP", "JP"), ("US", "US")]


def _categories() -> Iterable[tuple[str, str]]:
    named = Product.objects.exclude(category="").order_by("category")
    return [(name, name) for name in named.values_list("category", flat=True).distinct()[:200]]


def _products() -> Iterable[tuple[str, str]]:
    return Product.objects.order_by("name").values_list("sku", "name")[:200]


def _currencies() -> Iterable[tuple[str, str]]:
    used = Purchase.objects.order_by("currency").values_list("currency", flat=True).distinct()
    return [(code, code) for code in used]


def _consent(purpose: Purpose) -> Source:
    """The one current statement about ``purpose``: consent_one_current makes it at most one."""
    return Source(
        f"{purpose}_consent",
        "LEFT JOIN customers_consent {alias} ON {belongs}"
        f" AND {{alias}}.purpose = '{purpose}' AND {{alias}}.superseded_at IS NULL",
    )


SOURCES = (
    Source("channel", "LEFT JOIN customers_acquisitionchannel {alias} ON {alias}.id = c.channel_id"),
    _consent(Purpose.MARKETING),
    _consent(Purpose.SURVEY),
    Source(
        "bought",
        "LEFT JOIN (SELECT customer_id, count(*) AS purchases, min(purchased_on) AS first_on,"
        " max(purchased_on) AS last_on FROM customers_purchase GROUP BY customer_id) {alias}"
        " ON {belongs}",
    ),
    Source(
        "contact",
        "LEFT JOIN (SELECT customer_id, max(occurred_at) AS last_at FROM customers_interaction"
        " GROUP BY customer_id) {alias} ON {belongs}",
    ),
    Source(
        "follow_up",
        "LEFT JOIN (SELECT customer_id, min(due_on) AS due_on FROM customers_followup"
        " WHERE status = 'open' GROUP BY customer_id) {alias} ON {belongs}",
    ),
)

LINES = (
    "FROM customers_purchase p JOIN customers_purchaseline l ON l.purchase_id = p.id"
    " JOIN customers_product product ON product.id = l.product_id WHERE p.customer_id = c.id"
)
CONTACT_DAY = LOCAL_DAY.format("{contact}.last_at")
ACQUIRED_DAY = LOCAL_DAY.format("c.acquired_at")

PERSON = (
    Trait("customers.language", _("Language"), "choice", "", "c.language", choices=tuple(Language.choices)),
    Trait(
        "customers.country",
        _("Country"),
        "text",
        "",
        "nullif(c.country, '')",
        description=_("Two letters: KR, JP, US."),
        suggest=_countries,
    ),
    Trait(
        "customers.channel",
        _("Acquisition channel"),
        "text",
        "",
        "{channel}.code",
        "channel",
        description=_("The channel's code."),
        suggest=_channels,
    ),
    Trait(
        "customers.channel_kind",
        _("Kind of acquisition channel"),
        "choice",
        "",
        "{channel}.kind",
        "channel",
        choices=tuple(ChannelKind.choices),
    ),
    Trait("customers.acquired_on", _("Date acquired"), "date", "", ACQUIRED_DAY),
    Trait(
        "customers.days_since_acquired",
        _("Days since acquired"),
        "days",
        DAYS,
        f"(%(today)s::date - {ACQUIRED_DAY})",
    ),
    Trait("customers.has_email", _("Has an e-mail address"), "bool", "", "c.email_normalised IS NOT NULL"),
    Trait("customers.is_referred", _("Referred by a customer"), "bool", "", "c.referred_by_id IS NOT NULL"),
)

CONTACT = (
    Trait(
        "customers.marketing_consent",
        _("Agreed to offers by e-mail"),
        "bool",
        "",
        "coalesce({marketing_consent}.status = 'granted', false)",
        "marketing_consent",
    ),
    Trait(
        "customers.survey_consent",
        _("Agreed to surveys by e-mail"),
        "bool",
        "",
        "coalesce({survey_consent}.status = 'granted', false)",
        "survey_consent",
    ),
    Trait("customers.last_contact_on", _("Date of last interaction"), "date", "", CONTACT_DAY, "contact"),
    Trait(
        "customers.days_since_contact",
        _("Days since last interaction"),
        "days",
        DAYS,
        f"(%(today)s::date - {CONTACT_DAY})",
        "contact",
    ),
    Trait(
        "customers.follow_up_due_on",
        _("Date the next follow-up is due"),
        "date",
        "",
        "{follow_up}.due_on",
        "follow_up",
        description=_("Of the open follow-ups; unknown when there is none."),
    ),
)

PURCHASES = (
    Trait(
        "customers.purchases",
        _("Purchases"),
        "number",
        "",
        "coalesce({bought}.purchases, 0)",
        "bought",
        description=_("All orders as they stand now, also those refunded or without an exchange rate."),
    ),
    Trait(
        "customers.first_purchase_on", _("Date of first purchase"), "date", "", "{bought}.first_on", "bought"
    ),
    Trait("customers.last_purchase_on", _("Date of last purchase"), "date", "", "{bought}.last_on", "bought"),
    Trait(
        "customers.product_bought",
        _("Product bought"),
        "text",
        "",
        "product.sku",
        many=LINES,
        description=_("The SKU of a product in any purchase."),
        suggest=_products,
    ),
    Trait(
        "customers.category_bought",
        _("Category bought"),
        "text",
        "",
        "product.category",
        many=f"{LINES} AND product.category <> ''",
        description=_("The category of a product in any purchase."),
        suggest=_categories,
    ),
    Trait(
        "customers.currency_used",
        _("Currency paid in"),
        "text",
        "",
        "p.currency",
        many="FROM customers_purchase p WHERE p.customer_id = c.id",
        suggest=_currencies,
    ),
)


def register() -> None:
    """Add them to the catalogue; called once at start-up."""
    for source in SOURCES:
        register_source(source)
    for trait in (*PERSON, *CONTACT, *PURCHASES):
        register_trait(trait)
