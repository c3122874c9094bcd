"""The shop, staff and roles in the admin; who was locked out; and the groups without raw forms."""

from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from crm.common.admin import FactAdmin, HouseAdmin
from crm.common.models import Shop, User
from crm.roles import in_words

for model in (Group, AccessAttempt, AccessFailureLog, AccessLog):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(Shop)
class ShopAdmin(HouseAdmin):
    """There is one shop, so its list is its form."""

    fieldsets = (
        (None, {"fields": ("name", "base_currency", "time_zone", "is_demo")}),
        (_("Mails"), {"fields": ("sender_name", "sender_email", "postal_address", "phone")}),
        (_("Value"), {"fields": ("margin_rate", "annual_discount_rate", "retention_months")}),
    )
    readonly_fields = ("is_demo",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        return HttpResponseRedirect(reverse("admin:common_shop_change", args=[True]))


class RoleFilter(admin.RelatedFieldListFilter):
    """Roles by their names in the reader's language."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[Any]:
        return [(pk, in_words(str(name))) for pk, name in super().field_choices(field, request, model_admin)]


class RoleField(ModelMultipleChoiceField):
    def label_from_instance(self, group: Any) -> str:
        return in_words(group.name)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, HouseAdmin):  # type: ignore[misc]
    """Staff. Only a superuser makes superusers or hands out single permissions; owners hand out roles."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "name", "email", "roles", "is_active", "last_login")
    list_filter = ("is_active", ("groups", RoleFilter))
    search_fields = ("username", "first_name", "last_name", "email")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email", "language", "time_zone")}),
        (_("Role"), {"fields": ("is_active", "is_staff", "groups")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:  # whoever is entered here works here
            obj.is_staff = True
        super().save_model(request, obj, form, change)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["form_class"] = RoleField
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_queryset(self, request: HttpRequest) -> Any:
        users = super().get_queryset(request).prefetch_related("groups")
        return users if request.user.is_superuser else users.filter(is_superuser=False)

    @admin.display(description=_("name"))
    def name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description=_("roles"))
    def roles(self, user: User) -> str:
        return ", ".join(sorted(in_words(group.name) for group in user.groups.all()))


@admin.register(Group)
class GroupAdmin(FactAdmin, DjangoGroupAdmin):  # type: ignore[misc]
    """Roles are a table in the code; here they can be read."""

    list_display = ("role", "people")
    filter_horizontal = ()

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("user_set")

    @admin.display(description=_("name"), ordering="name")
    def role(self, group: Group) -> str:
        return in_words(group.name)

    @admin.display(description=_("people"))
    def people(self, group: Group) -> str:
        return ", ".join(sorted(user.username for user in group.user_set.all()))


@admin.register(AccessAttempt)
class AccessAttemptAdmin(FactAdmin):
    """Failed sign-ins; deleting one lifts its lock at once."""

    list_display = ("attempt_time", "username", "ip_address", "failures_since_start")
    search_fields = ("username", "ip_address")
    fields = ("attempt_time", "username", "ip_address", "user_agent", "failures_since_start")
    readonly_fields = fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("axes.delete_accessattempt")
