"""What becomes of invitations and answers when two customers turn out to be one, or one is erased."""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Greatest

from feedback.models import Answer, Invitation, Response


def follow_merge(*, keep_id: int, other_id: int) -> None:
    """Move what ``other`` was asked and said to ``keep``; asked twice from one source, both stay."""
    asked = Invitation.objects.filter(customer=other_id)
    same = Invitation.objects.filter(
        customer=keep_id, survey=OuterRef("survey"), source=OuterRef("source"), merged_from=None
    )
    asked.filter(Exists(same), merged_from=None).update(merged_from=other_id)
    asked.update(customer=keep_id)
    Response.objects.filter(customer=other_id).update(customer=keep_id)


def forget(*, customer_id: int, at: datetime) -> None:
    """Take the words out of a customer's answers and end their invitations; scores and choices stay."""
    words = Answer.objects.filter(response__customer=customer_id).exclude(text="")
    words.filter(number=None).delete()  # an answer says something
    words.update(text="")
    Response.objects.filter(customer=customer_id).update(comment="")
    shortest = F("invited_at") + timedelta(microseconds=1)
    open_ones = Invitation.objects.filter(customer=customer_id, expires_at__gt=at)
    open_ones.update(expires_at=Greatest(at, shortest))
