"""What every admin class shares: Unfold's look, refusals as messages, facts that nobody edits, pages without counts."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin

from crm.common.errors import DomainError

CAP = 10_000


class CappedPaginator(Paginator):
    """Counts no further than just above the cap: a page costs the same at a million rows."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        return int(rows.order_by()[: CAP + 1].count()) if hasattr(rows, "order_by") else len(rows)


class HouseAdmin(ModelAdmin):
    """Settings a person edits. A refusal by a service becomes a message on the same page."""

    show_full_result_count = False
    paginator = CappedPaginator
    list_per_page = 50
    list_fullwidth = True
    compressed_fields = True
    warn_unsaved_form = True

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            with transaction.atomic():
                return super().changeform_view(request, *args, **kwargs)
        except DomainError as error:
            messages.error(request, str(error.text))
            return HttpResponseRedirect(request.get_full_path())

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class FactAdmin(HouseAdmin):
    """What happened. It is looked up here, never changed: services record, triggers keep sums."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ServiceAdmin(HouseAdmin):
    """Edited in a form, written by the service that ``store`` calls."""

    def store(self, request: HttpRequest, form: ModelForm, *, change: bool) -> Any:
        """Write what the form says through a service and return the row."""
        raise TypeError(f"{type(self).__name__} names no service")

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        made = self.store(request, form, change=change)
        obj.pk = made.pk
        obj.refresh_from_db()
