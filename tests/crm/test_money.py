"""Money and dates are written quickly, and exactly as babel writes them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_percent
from django.utils import timezone, translation

from crm.common.money import currencies, display, minor_digits, quantize
from crm.templatetags.crm import (
    before,
    chance,
    day,
    days_since,
    fixed,
    is_far,
    moment,
    money,
    number,
    share,
    short_money,
    signed_share,
)

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


@pytest.mark.parametrize(
    ("probability", "written"),
    [
        (0, "0%"), (1e-9, "< 1%"), (0.0049, "< 1%"), (0.006, "1%"), (0.5, "50%"),
        (0.994, "99%"), (0.996, "> 99%"), (1 - 1e-9, "> 99%"), (1.0, "100%"), (None, "–"),
    ],
)  # fmt: skip
def test_a_chance_is_not_rounded_to_certainty(probability, written):
    assert chance(probability) == written


def test_a_difference_says_its_direction():
    assert [signed_share(one) for one in (0.31, -0.04, 0.0, -0.004, None)] == ["+31%", "−4%", "0%", "0%", "–"]


@pytest.mark.parametrize("language", ["en", "ko", "ja"])
def test_what_is_below_zero_has_the_same_minus_everywhere(language):
    with translation.override(language):
        written = [
            money(Decimal(-3), "USD"), short_money(-3, "USD"), short_money(-30_000, "USD"), number(-3),
            fixed(-3, 1), share(-0.03),
        ]  # fmt: skip

    assert ["−" in one and "-" not in one for one in written] == [True] * 6


@pytest.mark.parametrize(
    ("language", "ago", "ahead", "since"),
    [
        ("en", "2 weeks ago", "in 2 weeks", "2 weeks"),
        ("ko", "2주 전", "2주 후", "2주"),
        ("ja", "2週間前", "2週間後", "2週間"),
    ],
)
def test_spans_of_time_are_written_as_the_language_spaces_them(language, ago, ahead, since):
    earlier, today = date(2026, 3, 2), date(2026, 3, 16)

    with translation.override(language):
        assert (before(earlier, today), before(today, earlier)) == (ago, ahead)
        assert days_since(earlier, today) == since


def test_far_is_more_than_two_years_ahead():
    today = date(2026, 3, 2)

    assert [is_far(one, today) for one in (date(2028, 3, 1), date(2028, 3, 2), None)] == [False, True, False]
