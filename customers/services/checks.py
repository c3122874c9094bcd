"""Shapes that several services ask for; a refusal names its field."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext_lazy as _

from crm.common.errors import DomainError, InvalidInput
from customers.core import texts
from customers.models import Customer

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
CLOCKS_DIFFER = timedelta(days=1)  # another system's clock or zone may be ahead of ours


class CustomerErased(DomainError):
    """The person was erased: nothing may be written about them any more."""

    code = "customer_erased"
    status = 410
    message = _("This customer was erased.")


def somebody(customer: Customer) -> None:
    """There is a person to write about. Raises CustomerErased."""
    if customer.erased_at is not None:
        raise CustomerErased


def line(value: object, field: str, longest: int, *, required: bool = False) -> str:
    """One cleaned line. Raises InvalidInput."""
    return _text(texts.line, value, field, longest, required)


def paragraphs(value: object, field: str, longest: int, *, required: bool = False) -> str:
    """Cleaned text of several lines. Raises InvalidInput."""
    return _text(texts.paragraphs, value, field, longest, required)


def _text(clean: Callable[[str, int], str], value: object, field: str, longest: int, required: bool) -> str:
    if not isinstance(value, str):
        raise InvalidInput(_("This must be a text."), field=field)
    try:
        text = clean(value, longest)
    except texts.NotText as error:
        raise InvalidInput(
            _("This must be a text of at most %(longest)s characters.") % {"longest": longest}, field=field
        ) from error
    if required and not text:
        raise InvalidInput(_("This must not be empty."), field=field)
    return text


def past(value: object, field: str, at: datetime) -> datetime:
    """An instant with a time zone, after 1970 and not in the future as of ``at``. Raises InvalidInput."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidInput(_("This must be a time with a time zone."), field=field)
    if not EARLIEST <= value <= at + CLOCKS_DIFFER:
        raise InvalidInput(_("This time is before 1970 or in the future."), field=field)
    return value
