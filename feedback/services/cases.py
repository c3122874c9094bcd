"""Caring for one answer: who looks after it and how far they are."""

from django.utils.translation import gettext_lazy as _

from crm.common.errors import InvalidInput
from crm.common.models import User
from feedback.choices import CaseStatus
from feedback.models import Response


def move_case(*, response: Response, status: str, owner: User | None = None) -> Response:
    """Move an answer's case to ``status``; ``owner`` takes it over when given.

    Raises:
        InvalidInput: no such status.
    """
    if status not in CaseStatus.values:
        raise InvalidInput(_("Unknown status of a case."), field="status")
    response.case_status = status
    fields = ["case_status"]
    if owner is not None:
        response.case_owner = owner
        fields.append("case_owner")
    response.save(update_fields=fields)
    return response
