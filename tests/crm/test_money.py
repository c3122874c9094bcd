"""Money and dates are written quickly, and exactly as babel writes them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_percent
from django.utils import timezone, translation

from crm.common.money import currencies, display, minor_digits, quantize
from crm.templatetags.crm import day, moment, money, share

AMOUNTS = ["0", "-0.001", "0.005", "7", "-12.5", "999.995", "1234.5", "-1234567.891", "123456789012.345678"]


@pytest.mark.parametrize("language", ["en", "ko", "ja", "de", "hi", "pl", "sv"])
def test_every_currency_is_written_as_babel_writes_it(language):
    written = {
        (currency, amount): display(Decimal(amount), currency, language)
        for currency in currencies()
        for amount in AMOUNTS
    }

    assert written == {
        (currency, amount): format_currency(quantize(Decimal(amount), currency), currency, locale=language)
        for currency in currencies()
        for amount in AMOUNTS
    }


@pytest.mark.parametrize(
    ("language", "currency", "text"),
    [
        ("en", "USD", "-$1,234.50"),
        ("ko", "KRW", "-₩1,235"),
        ("ja", "JPY", "-￥1,235"),
        ("de", "EUR", "-1.234,50\xa0€"),
        ("en", "KWD", "-KWD1,234.500"),
    ],
)
def test_a_debt_carries_its_sign_and_its_currency(language, currency, text):
    assert display(Decimal("-1234.5"), currency, language) == text
    assert minor_digits(currency) in (0, 2, 3)


def test_equal_numbers_of_different_length_keep_their_digits():
    short, long = share(Decimal("0.3"), 1), share(Decimal("0.300"), 1)

    assert (short, long) == tuple(
        format_percent(Decimal(digits), locale="en", decimal_quantization=False)
        for digits in ("0.3", "0.300")
    )


@pytest.mark.parametrize("language", ["en", "ko", "ja"])
def test_what_was_written_once_is_not_written_in_another_language(language):
    with translation.override("en"):
        day(date(2026, 3, 2)), share(0.34), money(12, "USD")

    with translation.override(language):
        written = day(date(2026, 3, 2)), share(0.34), money(12, "USD")

    assert written == (
        format_date(date(2026, 3, 2), "medium", locale=language),
        format_percent(0.34, locale=language),
        format_currency(12, "USD", locale=language),
    )


def test_a_moment_is_told_in_the_zone_of_the_reader():
    at = datetime(2026, 3, 1, 23, 5, tzinfo=UTC)

    with timezone.override("Asia/Seoul"):
        told, on = moment(at), day(at)
        local = timezone.localtime(at)

    assert told == f"Mar 2, 2026 {format_time(local, 'HH:mm', locale='en')} KST" == "Mar 2, 2026 08:05 KST"
    assert on == "Mar 2, 2026"
