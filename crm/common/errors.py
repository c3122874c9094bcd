"""Refusals by name. ``crm.common.api`` turns them into problem+json, ``crm.common.admin`` into a message."""

from typing import ClassVar

from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """A rule of the business refused the request; nothing was changed.

    Subclasses set ``code`` (stable, for machines), ``message`` (for people) and, rarely, ``status``.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    message = _("The request was refused.")

    def __init__(self, message: object = None, **detail: object) -> None:
        self.text = message or self.message
        self.detail = detail
        super().__init__(str(self.text))


class InvalidInput(DomainError):
    """A value is malformed; ``field`` names where."""

    code = "invalid_input"
    status = 400
    message = _("A value is not valid.")
