"""The list of customers: found, filtered, sorted by what they are worth, page by key."""

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db.models import DateTimeField, DecimalField, Exists, F, Field, Model, OuterRef, Q, QuerySet
from django.http import HttpResponse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.common import sql
from crm.common.orm import Prepared
from crm.pages.customer_rows import Row, table_body
from crm.pages.paging import CAP, SIZE, Pages, capped_count, link, position, words
from crm.pages.shell import StaffRequest, page, render
from customers.choices import ConsentStatus, Language, Purpose, SegmentStatus
from customers.models import AcquisitionChannel, Consent, Customer, Segment, SegmentMembership
from customers.models.segments import in_words
from ltv import reports
from ltv.models import CustomerLtv, LtvRun

MATCHES = 1000  # a search that finds more is not a search yet
_SHOWN_FIGURES = ("clv", "p_no_purchase", "next_purchase_on", "recency_days")
_TOKEN = re.compile(r"[0-9.:T+e -]{1,40}", re.ASCII)


@dataclass(frozen=True)
class Sort:
    """An order of the list: the column it follows, of the customer or of the night's figures."""

    key: str
    label: object
    column: str
    descending: bool
    needs_figures: bool = True

    @property
    def model(self) -> type[Model]:
        return CustomerLtv if self.needs_figures else Customer

    @property
    def field(self) -> Field:
        return self.model._meta.get_field(self.column)  # type: ignore[return-value]

    @property
    def ordering(self) -> tuple[str, str]:
        sign = "-" if self.descending else ""
        return f"{sign}{self.column}", f"{sign}pk"


SORTS = {
    sort.key: sort
    for sort in (
        Sort("value", gettext_lazy("Expected margin"), "clv", descending=True),
        Sort("risk", gettext_lazy("Risk"), "p_no_purchase", descending=True),
        Sort("last", gettext_lazy("Last purchase"), "recency_days", descending=False),
        Sort("next", gettext_lazy("Next purchase"), "next_purchase_on", descending=False),
        Sort("newest", gettext_lazy("Newest"), "acquired_at", descending=True, needs_figures=False),
    )
}


@dataclass(frozen=True)
class Filters:
    """What the address asks for; unknown values ask for nothing."""

    text: str = ""
    segment: Segment | None = None
    channel: AcquisitionChannel | None = None
    country: str = ""
    language: str = ""
    consent: str = ""

    @property
    def any(self) -> bool:
        return bool(self.segment or self.channel or self.country or self.language or self.consent)

    def apply(self, customers: QuerySet[Customer]) -> QuerySet[Customer]:
        if self.segment:
            customers = customers.in_segment(self.segment.pk)  # type: ignore[attr-defined]
        if self.channel:
            customers = customers.filter(channel=self.channel)
        if self.country:
            customers = customers.filter(country=self.country)
        if self.language:
            customers = customers.filter(language=self.language)
        if self.consent == "none":
            return customers.filter(~Exists(_granted()))
        return customers.filter(Exists(_granted(self.consent))) if self.consent else customers


def _granted(purpose: str = "") -> QuerySet[Consent]:
    current = Consent.objects.filter(
        customer_id=OuterRef("pk"), superseded_at__isnull=True, status=ConsentStatus.GRANTED
    )
    return current.filter(purpose=purpose) if purpose else current


_active_segments = Prepared(lambda: Segment.objects.filter(status=SegmentStatus.ACTIVE))
_all_channels = Prepared(lambda: AcquisitionChannel.objects.all())
_last_valued = Prepared(lambda: CustomerLtv.objects.order_by("-pk").values_list("pk", flat=True)[:1])


@page("customers.view_customer")
@sql.one_moment()
def customers(request: StaffRequest) -> HttpResponse:
    run = reports.current_run()
    segments, channels = _active_segments(), _all_channels()
    filters = _filters(request, segments, channels)
    sort = _sort(request, run)
    pages = _found(request, filters, sort) if filters.text else _listed(request, filters, sort, run)
    rows = _rows(pages.rows, run)
    return render(
        request,
        "crm/customers.html",
        title=_("Customers"),
        rows=rows,
        body=table_body(request, rows, run),
        pages=pages,
        run=run,
        sort=sort,
        sorts=[(one, link(request, sort=one.key, after=None, **{"from": None})) for one in SORTS.values()],
        filters=filters,
        segments=segments,
        channels=channels,
        countries=_countries(),
        languages=Language.choices,
        consents=[*Purpose.choices, ("none", _("None given"))],
        newcomers=_newcomers(run) if sort.needs_figures and not filters.text else 0,
    )


def _filters(request: StaffRequest, segments: list[Segment], channels: list[AcquisitionChannel]) -> Filters:
    asked = request.GET
    text = "".join(letter for letter in asked.get("q", "") if letter.isprintable()).strip()[:100]
    country = asked.get("country", "")
    language = asked.get("language", "")
    consent = asked.get("consent", "")
    return Filters(
        text=text,
        segment=next((one for one in segments if one.key == slugify(asked.get("segment", ""))), None),
        channel=next((one for one in channels if one.code == asked.get("channel")), None),
        country=country if re.fullmatch(r"[A-Z]{2}", country) else "",
        language=language if language in Language.values else "",
        consent=consent if consent in (*Purpose.values, "none") else "",
    )


def _sort(request: StaffRequest, run: LtvRun | None) -> Sort:
    if run is None:
        return SORTS["newest"]
    return SORTS.get(request.GET.get("sort", ""), SORTS["value"])


def _countries() -> list[str]:
    """The countries in use; read once an hour, for it looks at every customer."""
    found: list[str] | None = cache.get("customers:countries")
    if found is None:
        used = Customer.objects.exclude(country="").order_by("country")
        found = list(used.values_list("country", flat=True).distinct())
        cache.set("customers:countries", found, 3600)
    return found


def _newcomers(run: LtvRun | None) -> int:
    """How many customers came since the figures were made: ids only grow."""
    if run is None:
        return 0
    return capped_count(Customer.objects.filter(pk__gt=_last_valued.first() or 0))


# -- a page of ids ------------------------------------------------------------------------------------------


def _listed(request: StaffRequest, filters: Filters, sort: Sort, run: LtvRun | None) -> Pages:
    """The next page by key in the wanted order."""
    chosen = filters.apply(Customer.objects.all())
    ordered: QuerySet[Any] = sort.model._default_manager.filter(**{f"{sort.column}__isnull": False})
    if filters.any:
        ordered = ordered.filter(pk__in=chosen.values("pk"))
    after = _token(request, sort)
    before = position(request) if after else 0
    if after:
        ordered = ordered.filter(_beyond(sort, *after))
    found = list(ordered.order_by(*sort.ordering).values_list("pk", sort.column)[: SIZE + 1])
    shown, more = found[:SIZE], len(found) > SIZE
    counted = capped_count(chosen) if filters.any or run is None else run.customers
    return Pages(
        rows=[pk for pk, _value in shown],
        first=link(request, after=None, **{"from": None}) if before else "",
        next=link(request, after=_as_token(*shown[-1]), **{"from": before + SIZE}) if more else "",
        words=_words(before, len(shown), more, counted, exact=not filters.any),
    )


def _words(before: int, shown: int, more: bool, counted: int, *, exact: bool) -> str:
    if exact and counted > CAP and shown:
        place = {"first": f"{before + 1:,}", "last": f"{before + shown:,}", "total": f"{counted:,}"}
        return _("%(first)s to %(last)s of %(total)s") % place
    return words(before, shown, more, counted)


def _beyond(sort: Sort, value: Any, pk: int) -> Q:
    """What comes after (value, pk). The first condition alone lets the index start at the right place."""
    side = "lt" if sort.descending else "gt"
    same_or_beyond = Q(**{f"{sort.column}__{side}e": value})
    return same_or_beyond & (Q(**{f"{sort.column}__{side}": value}) | Q(**{f"pk__{side}": pk}))


def _as_token(pk: int, value: Any) -> str:
    return f"{value.isoformat() if isinstance(value, date) else value!s} {pk}"


def _token(request: StaffRequest, sort: Sort) -> tuple[Any, int] | None:
    """The last row of the page before, or None when the address does not name one."""
    text = request.GET.get("after", "")
    value, _space, pk = text.rpartition(" ")
    if not _TOKEN.fullmatch(text) or not pk.isdigit() or len(pk) > 18:
        return None
    try:
        read = sort.field.to_python(value)
    except (ValidationError, ValueError, OverflowError):
        return None
    if isinstance(sort.field, DecimalField) and not abs(read) < 10**15:
        return None
    if isinstance(sort.field, DateTimeField) and (read is None or read.tzinfo is None):
        return None
    return (read, int(pk)) if read is not None else None


def _found(request: StaffRequest, filters: Filters, sort: Sort) -> Pages:
    """The matches of a search in the wanted order, those without a figure last."""
    matching = filters.apply(Customer.objects.search(filters.text))  # type: ignore[attr-defined]
    ids = list(matching.order_by().values_list("pk", flat=True)[: MATCHES + 1])
    column = F(sort.column)
    order = column.desc(nulls_last=True) if sort.descending else column.asc(nulls_last=True)
    known = sort.model._default_manager.filter(pk__in=ids[:MATCHES]).order_by(order, "-pk")
    ordered = list(known.values_list("pk", flat=True))
    ordered += sorted(set(ids[:MATCHES]) - set(ordered), reverse=True)
    before = position(request)
    shown, more = ordered[before : before + SIZE], len(ordered) > before + SIZE
    said = words(before, len(shown), more, len(ordered))
    if len(ids) > MATCHES:
        said = _("More than %(n)s match; type more to find the right ones.") % {"n": f"{MATCHES:,}"}
    return Pages(
        rows=shown,
        first=link(request, **{"from": None}) if before else "",
        next=link(request, **{"from": before + SIZE}) if more else "",
        words=said,
    )


# -- what is shown of each ----------------------------------------------------------------------------------


_people = Prepared(
    lambda ids: Customer.objects.filter(pk__among=ids).only("name", "email", "country", "language"), list
)
_figures = Prepared(lambda ids: CustomerLtv.objects.filter(pk__among=ids).only(*_SHOWN_FIGURES), list)
_stays = Prepared(
    lambda ids: (
        SegmentMembership.objects.filter(customer_id__among=ids, left_at=None)
        .order_by("segment__name")
        .values_list("customer_id", "segment__key", "segment__name")
    ),
    list,
)
_granted_by = Prepared(
    lambda ids: Consent.objects.filter(
        customer_id__among=ids, superseded_at=None, status=ConsentStatus.GRANTED
    ).values_list("customer_id", "purpose"),
    list,
)


def _rows(ids: list[int], run: LtvRun | None) -> list[Row]:
    """The customers of the page with figures, segments and consents: one query each."""
    people = {one.pk: one for one in _people(ids)}
    figures = {one.pk: one for one in _figures(ids)} if run else {}
    segments: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for customer_id, key, name in _stays(ids):
        segments[customer_id].append((key, in_words(key, name)))
    consents: dict[int, set[str]] = defaultdict(set)
    for customer_id, purpose in _granted_by(ids):
        consents[customer_id].add(purpose)
    return [
        Row(
            customer=people[pk],
            figures=figures.get(pk),
            segments=segments[pk],
            consents=consents[pk],
            last_purchase_on=last_purchase(figures.get(pk), run),
        )
        for pk in ids
        if pk in people
    ]


def last_purchase(figures: CustomerLtv | None, run: LtvRun | None) -> date | None:
    """The day of the last purchase the figures know."""
    if figures is None or run is None or figures.recency_days is None:
        return None
    return run.last_day - timedelta(days=figures.recency_days)
