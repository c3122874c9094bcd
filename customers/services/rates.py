"""Exchange rates, and the amounts in base currency that wait for them."""

import re
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from crm.common import money, sql
from crm.common.errors import InvalidInput
from crm.common.models import Shop
from customers.models import AcquisitionChannel, ExchangeRate, MarketingSpend

HIGHEST = Decimal(10) ** 9
FINEST = Decimal("0.000000001")


@transaction.atomic
def set_rate(*, currency: str, day: date, rate: Decimal) -> ExchangeRate:
    """Say what one unit of ``currency`` is worth in base currency from ``day`` on.

    Purchases that waited for a rate get their base amount at once. Purchases that have one keep it: they are
    facts of their day.

    Raises:
        InvalidInput: unknown or base currency, or a rate that is not between 0 and 1,000,000,000.
    """
    _check_currency(currency)
    if currency == Shop.current().base_currency:
        raise InvalidInput(_("The base currency needs no rate."), field="currency")
    if not rate.is_finite() or not FINEST <= rate < HIGHEST or rate != rate.quantize(FINEST):
        raise InvalidInput(_("A rate is above 0, with at most nine decimals."), field="rate")
    made, _new = ExchangeRate.objects.update_or_create(currency=currency, day=day, defaults={"rate": rate})
    apply_missing_rates()
    return made


def apply_missing_rates() -> int:
    """Give every purchase and spend without a base amount its day's rate, where one is known now.

    Returns how many purchases got one.
    """
    params = {"base": Shop.current().base_currency}
    with sql.patient(seconds=600):
        sql.execute("customers/rates_apply_to_spend", params)
        return sql.execute("customers/rates_apply_to_purchases", params)


@transaction.atomic
def record_spend(
    *, channel: AcquisitionChannel, month: date, amount: Decimal, currency: str
) -> MarketingSpend:
    """Say what a channel cost in a month; saying it again corrects it.

    Raises:
        InvalidInput: unknown currency, or an amount that is negative or not a number.
    """
    _check_currency(currency)
    if not amount.is_finite() or not 0 <= amount < Decimal(10) ** 15:
        raise InvalidInput(_("This must be an amount of zero or more."), field="amount")
    spend, _new = MarketingSpend.objects.update_or_create(
        channel=channel,
        month=month.replace(day=1),
        currency=currency,
        defaults={"amount": money.quantize(amount, currency), "base_amount": None},
    )
    sql.execute("customers/rates_apply_to_spend", {"base": Shop.current().base_currency})
    spend.refresh_from_db()
    return spend


def _check_currency(currency: str) -> None:
    if not re.fullmatch("[A-Z]{3}", currency) or currency not in money.currencies():
        raise InvalidInput(_("This is not a currency code such as USD."), field="currency")
