"""What Ctrl-K finds besides pages: customers, segments and campaigns by name."""

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from unfold.dataclasses import SearchResult

from campaigns.models import Campaign
from customers.core.builtin import BUILT_IN
from customers.models import Customer, Segment

EACH = 8


def results(request: HttpRequest, text: str) -> list[SearchResult]:
    """The first few of each kind that the user may see."""
    clean = "".join(letter for letter in text if letter.isprintable()).strip()[:100]
    found: list[SearchResult] = []
    if not clean:
        return found
    if request.user.has_perm("customers.view_customer"):
        matching = Customer.objects.search(clean).only("name", "email")[:EACH]
        found += [
            _result(one.name, one.email or _("Customer"), "crm:customer", one.pk, "person")
            for one in matching
        ]
    if request.user.has_perm("customers.view_segment"):
        ours = [one.key for one in BUILT_IN if clean.casefold() in _(one.name).casefold()]
        called_so = Q(name__icontains=clean) | Q(key__in=ours)
        named = Segment.objects.filter(called_so).only("key", "name")[:EACH]
        found += [_result(one.title, _("Segment"), "crm:segment", one.pk, "scatter_plot") for one in named]
    if request.user.has_perm("campaigns.view_campaign"):
        called = Campaign.objects.filter(name__icontains=clean).only("name")[:EACH]
        found += [_result(one.name, _("Campaign"), "crm:campaign", one.pk, "campaign") for one in called]
    return found


def _result(title: str, description: str, route: str, pk: int, icon: str) -> SearchResult:
    return SearchResult(title=title, description=description, link=reverse(route, args=[pk]), icon=icon)
