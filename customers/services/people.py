"""Customers: made known and corrected."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from crm.common.errors import DomainError, InvalidInput
from customers import events
from customers.choices import Language
from customers.core.addresses import LONGEST, NotAnAddress, normalise_email
from customers.models import AcquisitionChannel, Customer
from customers.services import checks


class DuplicateEmail(DomainError):
    """Another customer has this address; ``detail["customer"]`` is their public id."""

    code = "duplicate_email"
    message = _("Another customer has this e-mail address.")


class DuplicateExternalId(DomainError):
    """Another customer has this external id; ``detail["customer"]`` is their public id."""

    code = "duplicate_external_id"
    message = _("Another customer has this external id.")


def create_customer(
    *,
    name: str,
    at: datetime,
    email: str = "",
    language: str = Language.ENGLISH,
    country: str = "",
    time_zone: str = "UTC",
    external_id: str | None = None,
    given_name: str = "",
    family_name: str = "",
    phone: str = "",
    channel: AcquisitionChannel | None = None,
    acquired_at: datetime | None = None,
    referred_by: Customer | None = None,
) -> Customer:
    """Make a person known to the shop. ``acquired_at`` is ``at`` unless they came earlier.

    Raises:
        InvalidInput: a value is malformed; ``detail["field"]`` names it.
        DuplicateEmail: another customer has the address, however it is written.
        DuplicateExternalId: another customer has the id.
    """
    given = {
        "name": name, "email": email, "language": language, "country": country, "time_zone": time_zone,
        "external_id": external_id, "given_name": given_name, "family_name": family_name, "phone": phone,
        "channel": channel, "acquired_at": acquired_at or at, "referred_by": referred_by,
    }  # fmt: skip
    customer = Customer(**_checked(given, at))
    _save(customer)
    return customer


@transaction.atomic
def update_customer(*, customer: Customer, changes: Mapping[str, Any], at: datetime) -> Customer:
    """Correct what is known of a person; only the fields in ``changes`` are touched.

    A changed address sends ``customer_email_changed``: mail waiting for the old one must not go out.

    Raises:
        InvalidInput, DuplicateEmail, DuplicateExternalId: as for a new customer; also for an unknown field.
        CustomerErased: there is nobody to correct.
    """
    values = _checked(changes, at)
    stored = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    checks.somebody(stored)
    if values.get("referred_by") is not None and values["referred_by"].pk == stored.pk:
        raise InvalidInput(_("A customer cannot have referred themselves."), field="referred_by")
    old = stored.email_normalised
    for field, value in values.items():
        setattr(stored, field, value)
    _save(stored)
    if stored.email_normalised != old:
        events.customer_email_changed.send(
            sender=None, customer_id=stored.pk, old_normalised=old or "", at=at
        )
    return stored


def _save(customer: Customer) -> None:
    """Store it, and let the database say who is there already: asking first would be a race."""
    try:
        with transaction.atomic():
            customer.save()
    except IntegrityError:
        _say_who_is_there(customer)
        raise


def _say_who_is_there(customer: Customer) -> None:
    others = Customer.objects.exclude(pk=customer.pk)
    if customer.email_normalised:
        other = others.filter(email_normalised=customer.email_normalised).first()
        if other:
            raise DuplicateEmail(field="email", customer=str(other.public_id)) from None
    if customer.external_id:
        other = others.filter(external_id=customer.external_id).first()
        if other:
            raise DuplicateExternalId(field="external_id", customer=str(other.public_id)) from None


def _checked(given: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Every given field in the form it is stored in."""
    values: dict[str, Any] = {}
    for field, value in given.items():
        if field == "email":
            values |= _address(value)
        elif field == "acquired_at":
            values[field] = checks.past(value, field, at)
        elif field in _FIELDS:
            values[field] = _FIELDS[field](value, field)
        else:
            raise InvalidInput(_("There is no such field."), field=field)
    return values


def _address(value: Any) -> dict[str, str | None]:
    text = checks.line(value, "email", LONGEST)
    if not text:
        return {"email": "", "email_normalised": None}
    try:
        return {"email": text, "email_normalised": normalise_email(text)}
    except NotAnAddress as error:
        raise InvalidInput(_("This is not one e-mail address."), field="email") from error


def _text(longest: int, *, required: bool = False) -> Callable[[Any, str], str]:
    return lambda value, field: checks.line(value, field, longest, required=required)


def _external_id(value: Any, field: str) -> str | None:
    return None if value is None else checks.line(value, field, 100) or None


def _one_of(allowed: Callable[[], set[str]], message: Any) -> Callable[[Any, str], str]:
    def check(value: Any, field: str) -> str:
        if not isinstance(value, str) or value not in allowed():
            raise InvalidInput(message, field=field)
        return str(value)

    return check


def _country(value: Any, field: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"([A-Z]{2})?", value):
        raise InvalidInput(_("This must be a country code such as KR."), field=field)
    return value


def _row(model: type[Any]) -> Callable[[Any, str], Any]:
    def check(value: Any, field: str) -> Any:
        if value is not None and not isinstance(value, model):
            raise InvalidInput(field=field)
        return value

    return check


_FIELDS: dict[str, Callable[[Any, str], Any]] = {
    "name": _text(160, required=True),
    "given_name": _text(80),
    "family_name": _text(80),
    "phone": _text(32),
    "external_id": _external_id,
    "language": _one_of(lambda: set(Language.values), _("This language is not spoken here.")),
    "time_zone": _one_of(available_timezones, _("This must be a time zone such as Asia/Seoul.")),
    "country": _country,
    "channel": _row(AcquisitionChannel),
    "referred_by": _row(Customer),
}
