"""The rows of the customer list as HTML.

Fifty rows of eight cells are the one loop of the site that a template walks ten times slower than Python: the words
are translated once for the table, not once a row.
"""

from dataclasses import dataclass, field
from datetime import date
from functools import cache
from html import escape
from typing import NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.pages.paging import link
from crm.templatetags.crm import NOTHING, chance, country, day, initials, is_far, money
from customers.choices import Language, Purpose
from customers.models import Customer
from ltv.models import CustomerLtv, LtvRun


@dataclass
class Row:
    """A customer with what the list shows of them."""

    customer: Customer
    figures: CustomerLtv | None = None
    segments: list[tuple[str, str]] = field(default_factory=list)  # key and name
    consents: set[str] = field(default_factory=set)
    last_purchase_on: date | None = None


class Words(NamedTuple):
    """What the table says in the reader's language, ready to stand in HTML."""

    place: str
    segments: str
    margin: str
    risk: str
    last: str
    next: str
    far: str
    consent: str
    no_email: str
    languages: dict[str, str]
    chips: tuple[tuple[str, str], ...]  # a purpose and the chip of who gave consent for it


def _words() -> Words:
    return _words_in(get_language() or "en")


@cache
def _words_in(language: str) -> Words:
    """``language`` is the active one: gettext reads it, the cache keeps one set of words for each."""
    offers = _chip("good", _("offers"), _("Offers and news by e-mail"))
    surveys = _chip("good", _("surveys"), _("Surveys by e-mail"))
    return Words(
        place=escape(_("Country, language")),
        segments=escape(_("Segments")),
        margin=escape(_("Expected margin")),
        risk=escape(_("Risk")),
        last=escape(_("Last purchase")),
        next=escape(_("Next expected")),
        far=escape(_("in over 2 years")),
        consent=escape(_("Consent")),
        no_email=escape(_("no e-mail")),
        languages={key: escape(str(label)) for key, label in Language.choices},
        chips=((Purpose.MARKETING, offers), (Purpose.SURVEY, surveys)),
    )


def table_body(request: HttpRequest, rows: list[Row], run: LtvRun | None) -> SafeString:
    """The ``<tr>`` of every row; whatever a customer may have written is escaped here."""
    words = _words()
    home = reverse("crm:customers")
    segments = {key: name for row in rows for key, name in row.segments}
    chips = {key: _segment(request, key, name) for key, name in segments.items()}
    return mark_safe("\n".join(_row(row, words, home, chips, run) for row in rows))  # noqa: S308


def _row(row: Row, words: Words, home: str, segments: dict[str, str], run: LtvRun | None) -> str:
    who, figures = row.customer, row.figures
    worth = escape(money(figures.clv, run.currency)) if figures and run else NOTHING
    language = words.languages.get(who.language) or escape(who.language)
    return (
        f'<tr><td><div class="mc-person"><span class="mc-face mc-face--small" aria-hidden="true">'
        f'{escape(initials(who.name))}</span><span><a class="mc-person__name" href="{home}{who.pk}/">'
        f'{escape(who.name)}</a><span class="mc-person__mail">{escape(who.email or "") or words.no_email}</span>'
        f'</span></div></td><td data-label="{words.place}"><span>{escape(country(who.country))}<br>'
        f'<span class="mc-small mc-soft">{language}</span></span></td>'
        f'<td data-label="{words.segments}"><span class="mc-chips">{_stays(row, segments)}</span></td>'
        f'<td class="mc-r mc-strong" data-label="{words.margin}">{worth}</td>'
        f'<td class="mc-r" data-label="{words.risk}">{_risk(figures)}</td>'
        f'<td class="mc-num" data-label="{words.last}">{escape(day(row.last_purchase_on))}</td>'
        f'<td class="mc-num" data-label="{words.next}">{_ahead(figures, words, run)}</td>'
        f'<td data-label="{words.consent}"><span class="mc-chips">{_consents(row, words)}</span></td></tr>'
    )


def _chip(tone: str, text: str, title: str = "") -> str:
    hint = f' title="{escape(title)}"' if title else ""
    return f'<span class="mc-chip mc-chip--{tone}"{hint}>{escape(text)}</span>'


def _segment(request: HttpRequest, key: str, name: str) -> str:
    href = link(request, segment=key, after=None, **{"from": None})
    return f'<a class="mc-chip mc-chip--main" href="{escape(href)}">{escape(name)}</a>'


def _stays(row: Row, segments: dict[str, str]) -> str:
    """The first two segments, and how many more."""
    more = len(row.segments) - 2
    shown = "".join(segments[key] for key, _name in row.segments[:2])
    return f'{shown}<span class="mc-chip">+{more}</span>' if more > 0 else shown


def _risk(figures: CustomerLtv | None) -> str:
    if figures is None or figures.p_no_purchase is None:
        return NOTHING
    risk = figures.p_no_purchase
    return _chip("bad" if risk >= 0.75 else "warm" if risk >= 0.5 else "good", chance(risk))


def _ahead(figures: CustomerLtv | None, words: Words, run: LtvRun | None) -> str:
    if figures is None or run is None:
        return NOTHING
    expected = figures.next_purchase_on
    return words.far if is_far(expected, run.as_of) else escape(day(expected))


def _consents(row: Row, words: Words) -> str:
    if not row.consents:
        return f'<span class="mc-soft">{NOTHING}</span>'
    return "".join(chip for purpose, chip in words.chips if purpose in row.consents)
