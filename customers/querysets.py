"""Which customers, purchases, follow-ups: named sets that chain."""

from datetime import date, datetime
from typing import Self

from django.db.models import Exists, Q, QuerySet

from crm.common.orm import related
from customers.choices import ConsentStatus, FollowUpStatus


class CustomerQuerySet(QuerySet):
    def consenting(self, purpose: str) -> Self:
        """Who has an address and said yes to ``purpose`` and has not taken it back."""
        current = related(self, "consents").filter(
            purpose=purpose, superseded_at__isnull=True, status=ConsentStatus.GRANTED
        )
        return self.filter(Exists(current), email_normalised__isnull=False)

    def in_segment(self, segment_id: int) -> Self:
        """Who is in the segment now."""
        return self.filter(
            Exists(related(self, "memberships").filter(segment_id=segment_id, left_at__isnull=True))
        )

    def lapsed(self, since: datetime) -> Self:
        """Who bought before ``since`` and not after."""
        purchases = related(self, "purchases")
        return self.filter(Exists(purchases), ~Exists(purchases.filter(purchased_at__gte=since)))

    def search(self, text: str) -> Self:
        """Name or address contains the text, or the external id is exactly it."""
        return self.filter(Q(name__icontains=text) | Q(email__icontains=text) | Q(external_id=text))


class PurchaseQuerySet(QuerySet):
    def without_rate(self) -> Self:
        """Purchases no exchange rate was known for: listed for staff, counted nowhere."""
        return self.filter(base_amount__isnull=True)


class FollowUpQuerySet(QuerySet):
    def open(self) -> Self:
        return self.filter(status=FollowUpStatus.OPEN)

    def due(self, today: date) -> Self:
        """Open and due today or earlier."""
        return self.open().filter(due_on__lte=today)
