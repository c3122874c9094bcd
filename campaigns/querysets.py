"""Which messages: named sets that chain."""

from datetime import datetime
from typing import Self

from django.db.models import QuerySet

from campaigns.choices import CampaignStatus, MessageStatus

OPEN = (MessageStatus.PENDING, MessageStatus.CLAIMED, MessageStatus.SENDING)


class MessageQuerySet(QuerySet):
    def due(self, now: datetime) -> Self:
        """Waiting messages of running campaigns whose time has come, oldest first."""
        return self.filter(
            status=MessageStatus.PENDING, due_at__lte=now, campaign__status=CampaignStatus.RUNNING
        ).order_by("due_at", "pk")

    def unfinished(self) -> Self:
        """Not yet at an end: the campaign cannot be finished while there is one."""
        return self.filter(status__in=OPEN)
