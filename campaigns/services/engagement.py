"""What customers did after a mail, as far as it is told to us and no machine can have done it."""

from datetime import datetime

from campaigns.choices import EngagementKind
from campaigns.models import Engagement, Message


def survey_answered(*, invitation_id: int, at: datetime) -> int:
    """Note, once, that the customer of a mailed invitation answered; 0 when no mail carried it or it is noted."""
    message = Message.objects.filter(invitation=invitation_id).values_list("pk", flat=True).first()
    if message is None:
        return 0
    _, new = Engagement.objects.get_or_create(
        message_id=message, kind=EngagementKind.ANSWERED, defaults={"happened_at": at}
    )
    return int(new)
