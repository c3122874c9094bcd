"""What happened, to be looked up: nothing here can be edited."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from crm.common import money
from crm.common.admin import FactAdmin
from crm.common.models import Shop
from customers.models import Consent, Customer, Interaction, MarketingSpend, Purchase, PurchaseLine, Refund


def with_base_currency(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Each row with the shop's currency, in the same query."""
    return rows.annotate(base_currency=Subquery(Shop.objects.values("base_currency")[:1]))


class Facts(TabularInline):
    """Rows beside a record, as they are."""

    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False


class LineInline(Facts):
    model = PurchaseLine
    fields = readonly_fields = ("position", "product", "quantity", "amount")

    def get_queryset(self, request: object) -> object:
        return super().get_queryset(request).select_related("product")


class RefundInline(Facts):
    model = Refund
    fields = readonly_fields = ("external_id", "refunded_at", "amount", "reason")


@admin.display(description=_("customer"))
def customer_link(row: object) -> str:
    """The customer's own page."""
    customer: Customer = row.customer  # type: ignore[attr-defined]
    return format_html('<a href="{}">{}</a>', reverse("crm:customer", args=[customer.pk]), customer.name)


@admin.display(description=_("amount"))
def paid(row: Purchase | MarketingSpend) -> str:
    """In the currency it was paid in."""
    return money.display(row.amount, row.currency, get_language() or "en")


@admin.display(description=_("in base currency"))
def in_base(row: object) -> str:
    """What it counts as; a dash while no rate of its day is known."""
    return money.display(row.base_amount, row.base_currency, get_language() or "en")  # type: ignore[attr-defined]


@admin.display(description=_("amount"))
def refunded_amount(refund: Refund) -> str:
    return money.display(refund.amount, refund.purchase.currency, get_language() or "en")


@admin.display(description=_("refunded"))
def given_back(purchase: Purchase) -> str:
    return money.display(purchase.refunded or None, purchase.currency, get_language() or "en")


@admin.register(Purchase)
class PurchaseAdmin(FactAdmin):
    list_display = (
        "external_id",
        customer_link,
        "purchased_at",
        paid,
        in_base,
        given_back,
    )
    list_select_related = ("customer",)
    search_fields = ("external_id__exact",)
    search_help_text = _("The whole order id.")
    ordering = ("-purchased_at", "-id")
    inlines = (LineInline, RefundInline)
    fields = (
        "source",
        "external_id",
        customer_link,
        "purchased_at",
        "purchased_on",
        "amount",
        "currency",
        "cost",
        "rate",
        "base_amount",
        "base_cost",
        "refunded",
        "sales_channel",
    )
    readonly_fields = (customer_link,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Purchase]:
        return with_base_currency(super().get_queryset(request))


@admin.register(Refund)
class RefundAdmin(FactAdmin):
    list_display = ("external_id", "purchase", "refunded_at", refunded_amount, "reason")
    list_select_related = ("purchase",)
    search_fields = ("external_id__exact",)
    ordering = ("-id",)
    fields = ("purchase", "external_id", "refunded_at", "amount", "reason", "recorded_at")


@admin.register(Consent)
class ConsentAdmin(FactAdmin):
    list_display = (customer_link, "purpose", "status", "source", "stated_at", "superseded_at")
    list_select_related = ("customer",)
    ordering = ("-id",)
    fields = (
        customer_link,
        "purpose",
        "status",
        "source",
        "wording",
        "stated_at",
        "recorded_at",
        "recorded_by",
        "superseded_at",
    )
    readonly_fields = (customer_link,)


@admin.register(Interaction)
class InteractionAdmin(FactAdmin):
    list_display = (customer_link, "kind", "direction", "outcome", "staff", "occurred_at")
    list_select_related = ("customer", "staff")
    ordering = ("-id",)
    fields = (customer_link, "kind", "direction", "outcome", "note", "staff", "occurred_at", "recorded_at")
    readonly_fields = (customer_link,)
