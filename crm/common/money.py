"""Money: an amount is a Decimal in a named currency, rounded to that currency's minor unit. Pure."""

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from babel import Locale
from babel.numbers import format_currency, get_currency_precision, list_currencies

# What a person or a file may write: plain digits, one point. No NaN, 1e400, 1_000, full-width or Arabic digits.
_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)


class NotAnAmount(ValueError):
    """The text is not a plain decimal number within bounds for its currency."""


@cache
def currencies() -> frozenset[str]:
    """The three-letter codes known to CLDR, such as KRW, JPY, USD."""
    return frozenset(list_currencies())


@cache
def minor_digits(currency: str) -> int:
    """Decimal places of a currency: KRW and JPY 0, USD 2, KWD 3."""
    return get_currency_precision(currency)


def quantize(amount: Decimal, currency: str) -> Decimal:
    """Round half up to the currency's minor unit."""
    return amount.quantize(Decimal(1).scaleb(-minor_digits(currency)), rounding=ROUND_HALF_UP)


def parse_amount(text: str, currency: str) -> Decimal:
    """Read a plain number such as ``1234.50``.

    Raises:
        NotAnAmount: not plain digits, too large, or finer than the currency's minor unit.
    """
    if currency not in currencies():
        raise NotAnAmount(f"unknown currency {currency!r}")
    if not _PLAIN_NUMBER.fullmatch(text):
        raise NotAnAmount(f"{text!r} is not a plain number")
    amount = Decimal(text)
    if amount != quantize(amount, currency):
        raise NotAnAmount(f"{text} has more decimals than {currency} allows")
    return quantize(amount, currency)


def display(amount: Decimal | int | float | None, currency: str, language: str = "en") -> str:
    """``₩12,000`` or ``$12.50`` as the language writes it; an en dash where there is no figure."""
    if amount is None:
        return "–"
    exact = quantize(Decimal(amount), currency)
    frame = _frame(currency, language)
    if frame is None:
        return format_currency(exact, currency, locale=_locale(language))
    before, after = frame[exact.is_signed()]
    return f"{before}{abs(exact):,.{minor_digits(currency)}f}{after}"


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(language.replace("-", "_"), sep="_")


@cache
def _frame(currency: str, language: str) -> tuple[tuple[str, str], tuple[str, str]] | None:
    """What the language writes around the digits of an amount and of a debt, asked of babel once.

    None where the digits themselves are written in another way than ``1,234,567.89``.
    """
    sample = quantize(Decimal("1234567.89"), currency)
    digits = f"{sample:,.{minor_digits(currency)}f}"
    found = []
    for amount in (sample, -sample):
        before, plain, after = format_currency(amount, currency, locale=_locale(language)).partition(digits)
        if not plain:
            return None
        found.append((before, after))
    return found[0], found[1]
