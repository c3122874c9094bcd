"""The staff site's name, colours and sidebar, as Unfold reads them from the settings."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def _may(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)


# The admin's own lists of an app live below the app's page: /admin/customers/purchase/.
_OF_THE_ADMIN = ("_changelist", "_change", "_add", "_delete", "_history")
_SETTINGS = ("shop", "user", "group", "acquisitionchannel", "marketingspend", "accessattempt")


def _under(name: str) -> Callable[[HttpRequest], bool]:
    """Active on the page itself and on every page of ours below it."""

    def active(request: HttpRequest) -> bool:
        return request.path.startswith(str(reverse_lazy(name))) and not _listed(request)

    return active


def _listed(request: HttpRequest) -> str:
    """The model whose list or form in the admin is open; empty on a page of ours."""
    found = request.resolver_match
    route = (found.url_name or "") if found and found.app_name == "admin" else ""
    ending = next((end for end in _OF_THE_ADMIN if route.endswith(end)), "")
    return route.removesuffix(ending).rpartition("_")[2] if ending else ""


def _settings_open(request: HttpRequest) -> bool:
    return _listed(request) in _SETTINGS or request.path.startswith(str(reverse_lazy("crm:settings")))


def _records_open(request: HttpRequest) -> bool:
    listed = _listed(request)
    return bool(listed and listed not in (*_SETTINGS, "offer")) or request.path == str(
        reverse_lazy("crm:records")
    )


def _offers_open(request: HttpRequest) -> bool:
    return _listed(request) == "offer" or request.path.startswith(str(reverse_lazy("crm:offers")))


def _item(title: Any, icon: str, link: str, permission: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(link),
        "permission": _may(permission),
        "active": _under(link),
    }


def _today_is_open(request: HttpRequest) -> bool:
    return request.path == str(reverse_lazy("admin:index"))


_DAILY = [
    {"title": _("Today"), "icon": "wb_sunny", "link": reverse_lazy("admin:index"), "active": _today_is_open},
    _item(_("Customers"), "group", "crm:customers", "customers.view_customer"),
    _item(_("Segments"), "scatter_plot", "crm:segments", "customers.view_segment"),
    _item(_("Value"), "insights", "crm:value", "ltv.view_customerltv"),
]
_ACTING = [
    _item(_("Campaigns"), "campaign", "crm:campaigns", "campaigns.view_campaign"),
    _item(_("Offers and coupons"), "sell", "crm:offers", "campaigns.view_offer") | {"active": _offers_open},
    _item(_("Outbox"), "outbox", "crm:outbox", "campaigns.view_mailboxmessage"),
    _item(_("Suppressions"), "block", "crm:suppressions", "campaigns.view_suppression"),
]
_LISTENING = [
    _item(_("Surveys"), "sentiment_satisfied", "crm:surveys", "feedback.view_survey"),
    _item(_("Detractors"), "support_agent", "crm:cases", "feedback.view_response"),
    _item(_("You said, we did"), "handshake", "crm:themes", "feedback.view_theme"),
]
_RUNNING = [
    {
        "title": _("Imports"),
        "icon": "upload_file",
        "link": "/admin/imports/",
        "permission": _may("customers.view_importbatch"),
    },
    _item(_("Runs of the night"), "bedtime", "crm:nights", "common.view_jobrun"),
    _item(_("Report card"), "fact_check", "crm:report_card", "ltv.view_reportcard"),
    _item(_("Records"), "receipt_long", "crm:records", "customers.view_purchase") | {"active": _records_open},
    _item(_("Settings"), "tune", "crm:settings", "common.view_shop") | {"active": _settings_open},
]

UNFOLD: dict[str, object] = {
    "SITE_TITLE": "Mini CRM",
    "SITE_HEADER": "Mini CRM",
    "SITE_URL": None,
    "SITE_LOGO": {
        "light": lambda request: static("crm/wordmark.svg"),
        "dark": lambda request: static("crm/wordmark-dark.svg"),
    },
    "LOGIN": {"image": lambda request: static("crm/welcome.svg")},
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("crm/mark.svg")},
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": False,
    "BORDER_RADIUS": "8px",
    "STYLES": [lambda request: static("crm/crm.css"), lambda request: static("crm/nights.css")],
    "SCRIPTS": [lambda request: static("crm/crm.js"), lambda request: static("crm/charts.js")],
    "DASHBOARD_CALLBACK": "crm.pages.today.dashboard",
    "COMMAND": {"search_models": False, "search_callback": "crm.pages.search.results", "show_history": False},
    "ACCOUNT": {
        "navigation": [
            {"title": _("Language and time zone"), "link": reverse_lazy("crm:preferences")},
            {"title": _("Change password"), "link": reverse_lazy("admin:password_change")},
        ],
    },
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": [
            {"items": _DAILY},
            {"title": _("Act"), "separator": True, "items": _ACTING},
            {"title": _("Listen"), "separator": True, "items": _LISTENING},
            {"title": _("Run the shop"), "separator": True, "items": _RUNNING},
        ],
    },
    # Warm paper and pine: calm for a day's work; persimmon (crm.css) is kept for what needs a person.
    "COLORS": {
        "base": {
            "50": "oklch(98.3% .004 95)",
            "100": "oklch(96.2% .006 95)",
            "200": "oklch(91.9% .009 92)",
            "300": "oklch(86.2% .012 90)",
            "400": "oklch(71% .016 88)",
            "500": "oklch(54.5% .017 86)",
            "600": "oklch(44% .017 85)",
            "700": "oklch(36.5% .016 84)",
            "800": "oklch(27% .013 82)",
            "900": "oklch(21% .011 80)",
            "950": "oklch(15% .009 80)",
        },
        "primary": {
            "50": "oklch(97.4% .018 172)",
            "100": "oklch(94.3% .038 172)",
            "200": "oklch(88.8% .066 172)",
            "300": "oklch(81.5% .092 173)",
            "400": "oklch(72.8% .106 174)",
            "500": "oklch(62.5% .103 176)",
            "600": "oklch(50.5% .088 178)",
            "700": "oklch(43.5% .075 180)",
            "800": "oklch(37.2% .062 182)",
            "900": "oklch(31.8% .05 184)",
            "950": "oklch(23.5% .038 186)",
        },
    },
}
