from typing import Any

from babel.dates import format_skeleton
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext_lazy as _

from crm.common.admin import HouseAdmin, ServiceAdmin
from customers.admin.records import in_base, paid, with_base_currency
from customers.models import AcquisitionChannel, MarketingSpend, Product
from customers.services import rates


@admin.register(AcquisitionChannel)
class AcquisitionChannelAdmin(HouseAdmin):
    list_display = ("name", "code", "kind")
    search_fields = ("name", "code")


@admin.display(description=_("month"), ordering="month")
def in_month(spend: MarketingSpend) -> str:
    return str(format_skeleton("yMMM", spend.month, locale=to_locale(get_language() or "en")))


@admin.register(MarketingSpend)
class MarketingSpendAdmin(ServiceAdmin):
    """Saying a month's spend again corrects it."""

    list_display = (in_month, "channel", paid, in_base)
    list_display_links = (in_month,)
    list_select_related = ("channel",)
    list_filter = ("channel",)
    fields = ("channel", "month", "amount", "currency")

    def get_queryset(self, request: HttpRequest) -> QuerySet[MarketingSpend]:
        return with_base_currency(super().get_queryset(request))

    def store(self, request: HttpRequest, form: ModelForm, *, change: bool) -> Any:
        names = ("channel", "month", "amount", "currency")
        return rates.record_spend(**{name: form.cleaned_data[name] for name in names})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A row is corrected by entering its month again: its key is what it says."""
        return obj is None and super().has_change_permission(request, obj)


@admin.register(Product)
class ProductAdmin(HouseAdmin):
    list_display = ("name", "sku", "category")
    search_fields = ("name", "sku")
    list_filter = ()
