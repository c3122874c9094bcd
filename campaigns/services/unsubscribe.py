"""Taking a customer's no for an answer, at once and as often as it is said."""

from datetime import datetime

from django.db import transaction

from campaigns.choices import EngagementKind, SuppressionReason
from campaigns.models import Engagement, Message
from campaigns.services import suppression
from customers.choices import ConsentStatus
from customers.models import Consent
from customers.services import consent


@transaction.atomic
def unsubscribe(*, message: Message, at: datetime, source: str) -> bool:
    """Withdraw the consent the message was sent under and block its address; False when that was so already.

    Whatever else waits for the customer under that consent is taken out of the queue in the same transaction.
    """
    purpose = message.campaign.purpose
    current = Consent.objects.filter(customer=message.customer_id, purpose=purpose, superseded_at=None)
    granted = current.filter(status=ConsentStatus.GRANTED).exists()
    if granted:
        consent.withdraw(customer=message.customer, purpose=purpose, source=source, at=at)
    new = bool(message.address) and suppression.suppress(
        address=message.address, purpose=purpose, reason=SuppressionReason.UNSUBSCRIBED, at=at, detail=source
    )
    if granted or new:
        Engagement.objects.create(message=message, kind=EngagementKind.UNSUBSCRIBED, happened_at=at)
    return granted or new


def stop_mail(*, customer_id: int, purpose: str) -> int:
    """Take a customer's waiting messages under a withdrawn consent out of the queue; returns how many."""
    return suppression.take_out_of_queue(customer_id=customer_id, purpose=purpose, reason="consent_withdrawn")


def stop_mail_to_old_address(*, customer_id: int, address: str) -> int:
    """Take messages to an address that is no longer the customer's out of the queue; returns how many."""
    return suppression.take_out_of_queue(customer_id=customer_id, address=address, reason="address_changed")
