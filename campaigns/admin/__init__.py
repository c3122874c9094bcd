"""Offers and the ledger of messages in the admin. Campaigns have pages of their own."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from campaigns.choices import REASON_WORDS
from campaigns.models import Message, Offer
from crm.common.admin import FactAdmin, HouseAdmin

_HELP = {
    "name": _("Customers read it in the mail, for example: 15% off."),
    "value": _("15 for 15 percent off, or the amount off in the currency below."),
    "currency": _("Three letters such as USD for an amount off; empty for a percentage."),
    "minimum_basket": _("Smaller orders get nothing off: in the currency above, else in the shop's own."),
    "valid_days": _("Each coupon counts from the launch of its campaign."),
}


@admin.register(Offer)
class OfferAdmin(HouseAdmin):
    list_display = ("name", "kind", "value", "currency", "minimum_basket", "valid_days")
    search_fields = ("name",)

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().get_form(request, *args, **kwargs, help_texts=_HELP)

    def response_post_save_add(self, request: HttpRequest, obj: Offer) -> HttpResponse:
        return redirect("crm:offers")

    def response_post_save_change(self, request: HttpRequest, obj: Offer) -> HttpResponse:
        return redirect("crm:offers")

    def has_change_permission(self, request: HttpRequest, obj: Offer | None = None) -> bool:
        """What was promised in a launched campaign stays as it was promised."""
        launched = obj is not None and obj.campaigns.exclude(launched_at=None).exists()
        return not launched and super().has_change_permission(request, obj)


@admin.register(Message)
class MessageAdmin(FactAdmin):
    """The ledger: one row a customer a campaign."""

    list_display = ("customer", "campaign", "address", "status", "why", "due_at", "sent_at")
    list_select_related = ("customer", "campaign")
    list_filter = ("status",)
    search_fields = ("address__exact",)
    search_help_text = _("The whole address.")
    ordering = ("-id",)
    fields = (
        "customer",
        "campaign",
        "variant",
        "address",
        "status",
        "why",
        "smtp_reply",
        "message_id",
        "due_at",
        "attempts",
        "sent_at",
    )
    readonly_fields = ("why",)

    @admin.display(description=_("reason"))
    def why(self, message: Message) -> str:
        return str(REASON_WORDS.get(message.reason, message.reason))
