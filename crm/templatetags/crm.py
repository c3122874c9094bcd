"""How figures, money and times are written on the staff pages, in the reader's language and zone."""

from collections.abc import Iterable
from copy import copy
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_timedelta
from babel.numbers import format_compact_currency, format_decimal, format_percent
from django import template
from django.http import HttpRequest
from django.template import Context, Node
from django.template.base import Parser, Token
from django.templatetags.i18n import TranslateNode, do_translate
from django.utils import timezone
from django.utils.translation import get_language

from campaigns.core import codes
from crm.common.money import display

register = template.Library()
# A template gives None where there is no figure, and "" where there is not even a row to have one.
NOTHING = "–"
FAR = timedelta(days=2 * 365)
Figure = Decimal | float | str | None


def _locale() -> Locale:
    return _parsed(get_language() or "en")


@cache
def _parsed(language: str) -> Locale:
    return Locale.parse(language.replace("-", "_"))


# A page writes the same few hundred days and percentages again and again; babel takes its time over each.
@lru_cache(maxsize=4096)
def _day(value: date, locale: Locale) -> str:
    return format_date(value, "medium", locale=locale)


@lru_cache(maxsize=4096)
def _percent(digits: str, locale: Locale) -> str:
    """The digits as text: 0.3 and 0.30 are one key as numbers and two ways to write."""
    return _minus(format_percent(Decimal(digits), locale=locale, decimal_quantization=False))


def _minus(figure: str) -> str:
    """With the minus of the signed figures, where the language's data have a hyphen."""
    return figure.replace("-", "−")


@register.tag
def translate(parser: Parser, token: Token) -> Node:
    """Django's own; fixed words are looked up once a language, not once a page."""
    node = do_translate(parser, token)
    words = node.filter_expression
    fixed = words.var.literal is not None and not words.filters
    return node if node.asvar or node.noop or node.message_context or not fixed else FixedWords(node)


class FixedWords(Node):
    def __init__(self, node: TranslateNode) -> None:
        self.node, self.said = node, dict[str | None, str]()

    def render(self, context: Context) -> str:
        language = get_language()
        words = self.said.get(language)
        if words is None:
            words = self.said[language] = self.node.render(context)
        return words


@register.filter
def money(amount: Figure, currency: str) -> str:
    """``$12.50``; a dash where there is no figure."""
    if amount is None or isinstance(amount, str):
        return NOTHING
    return _minus(display(amount, currency, get_language() or "en"))


@register.filter
def short_money(amount: Figure, currency: str) -> str:
    """``$1.2M``, for figures read at a glance; the exact one belongs in the tooltip."""
    if amount is None or isinstance(amount, str):
        return NOTHING
    if abs(float(amount)) < 10_000:
        whole = copy(_locale().currency_formats["standard"])
        whole.frac_prec = (0, 0)
        return _minus(whole.apply(round(amount), _locale(), currency=currency, currency_digits=False))
    return _minus(format_compact_currency(amount, currency, locale=_locale(), fraction_digits=1))


@register.filter
def number(value: Figure, digits: int = 0) -> str:
    if value is None or isinstance(value, str):
        return NOTHING
    rounded = round(Decimal(str(value)), digits).normalize()
    return _minus(format_decimal(rounded, locale=_locale(), decimal_quantization=False))


@register.filter
def fixed(value: Figure, digits: int) -> str:
    """``0.80``: with all of its decimals, for a column to be read downwards."""
    if value is None or isinstance(value, str):
        return NOTHING
    rounded = round(Decimal(str(value)), digits)
    return _minus(format_decimal(rounded, format=f"#,##0.{'0' * digits}", locale=_locale()))


@register.filter
def signed(value: float | str | None) -> str:
    """``+3``, ``−2`` or ``0``."""
    if value is None or isinstance(value, str):
        return NOTHING
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{format_decimal(abs(value), locale=_locale())}"


@register.filter
def signed_money(amount: Decimal | None, currency: str) -> str:
    """``+$12.50``, ``−$3.00`` or ``$0.00``."""
    if amount is None:
        return NOTHING
    return f"{'+' if amount > 0 else '−' if amount < 0 else ''}{money(abs(amount), currency)}"


@register.filter
def unsigned(amount: Decimal) -> Decimal:
    """How much, where words say which way."""
    return abs(amount)


@register.filter
def share(value: Figure, digits: int = 0) -> str:
    """0.34 as ``34%``, as the language writes it."""
    if value is None or isinstance(value, str):
        return NOTHING
    return _percent(str(round(value, digits + 2)), _locale())


@register.filter
def signed_share(value: Figure) -> str:
    """``+3%``, ``−2%`` or ``0%``: a difference."""
    if value is None or isinstance(value, str):
        return NOTHING
    rounded = round(float(value), 2)
    return f"{'+' if rounded > 0 else ''}{share(rounded or 0.0)}"


@register.filter
def chance(value: Figure) -> str:
    """A probability as a share; one that only rounds to 0 or 1 is ``< 1%`` or ``> 99%``, for nothing is certain."""
    if value is None or isinstance(value, str):
        return NOTHING
    rounded = round(float(value), 2)
    if rounded <= 0 < value:
        return f"< {share(0.01)}"
    return f"> {share(0.99)}" if rounded >= 1 > value else share(value)


@register.filter
def width(value: Figure) -> str:
    """0.34 as ``34.0%`` for a style attribute, whatever the language."""
    return f"{100 * min(1.0, max(0.0, float(value or 0))):.2f}%"


@register.filter
def share_of_one(value: float) -> str:
    """0.34 as ``0.34`` for a drawing, whatever the language."""
    return f"{value:.4f}"


@register.filter
def day(value: date | str | None) -> str:
    if value is None or isinstance(value, str):
        return NOTHING
    if isinstance(value, datetime):
        value = value.astimezone(timezone.get_current_timezone()).date()
    return _day(value, _locale())


@register.filter
def moment(value: datetime | str | None) -> str:
    """Date, time and the zone it is in."""
    if value is None or isinstance(value, str):
        return NOTHING
    local = value.astimezone(timezone.get_current_timezone())
    return f"{_day(local.date(), _locale())} {local:%H:%M} {local.tzname()}"


@register.filter
def clock(value: datetime | str | None) -> str:
    if value is None or isinstance(value, str):
        return NOTHING
    return format_datetime(value.astimezone(timezone.get_current_timezone()), "HH:mm", locale=_locale())


@register.filter
def month(value: date | str) -> str:
    """``Mar 2026`` for a day in it, or for ``2026-03``."""
    first = date.fromisoformat(f"{value}-01") if isinstance(value, str) else value
    return format_skeleton("yMMM", first, locale=_locale())


@register.filter
def country(code: str) -> str:
    """The country's name in the reader's language."""
    return _locale().territories.get(code, code) if code else NOTHING


@register.filter
def before(value: date, today: date) -> str:
    """``3 days ago`` or ``in 12 days``."""
    return _span(format_timedelta(value - today, granularity="day", add_direction=True, locale=_locale()))


@register.filter
def days_since(value: date, today: date) -> str:
    """``3 days`` or ``2 weeks``: how long ago, for words that say which way."""
    return _span(format_timedelta(today - value, granularity="day", locale=_locale()))


def _span(text: str) -> str:
    """The language's data write 3 日前; between Japanese words there is no space."""
    return text.replace(" ", "") if _locale().language == "ja" else text


@register.filter
def is_far(value: date | str | None, as_of: date) -> bool:
    """A day that is foreseen so late that naming it would say more than is known."""
    return isinstance(value, date) and value > as_of + FAR


@register.filter
def coupon_code(code: str) -> str:
    """In groups of four, as it stands in the mail."""
    return codes.display(code)


@register.filter
def at_key(mapping: dict[Any, Any], key: Any) -> Any:
    return mapping.get(key)


@register.filter
def initials(name: str) -> str:
    """One letter for names without spaces, two for others."""
    words = [word for word in name.split() if word]
    return "".join(word[0] for word in (words[0], words[-1])[: len(words)]).upper() if words else "?"


@register.simple_tag(takes_context=True)
def query(context: dict[str, Any], **changes: object) -> str:
    """The current query string with some parameters changed; an empty value removes one."""
    request: HttpRequest = context["request"]
    params = request.GET.copy()
    for name, value in changes.items():
        params.pop(name, None)
        if value not in (None, ""):
            params[name] = str(value)
    return f"?{params.urlencode()}"


@register.filter
def total(rows: Iterable[dict[str, Any]], key: str) -> Any:
    return sum(row[key] or 0 for row in rows)


@register.filter
def in_zone(value: datetime, zone: str) -> str:
    """``Tue 18:05`` where the customer lives; nothing for a zone nobody knows."""
    try:
        local = value.astimezone(ZoneInfo(zone))
    except (KeyError, ValueError, OSError):
        return NOTHING
    return f"{format_datetime(local, 'EEE HH:mm', locale=_locale())} {local.tzname()}"


@register.filter
def nps_at(score: float) -> str:
    """Where a score of -100 to 100 is on a line."""
    return f"{(score + 100) / 2:.2f}%"


@register.filter
def nps_from_right(score: float) -> str:
    return f"{(100 - score) / 2:.2f}%"
