"""What becomes of mails and coupons when two customers turn out to be one, or one is erased."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from campaigns.choices import MessageStatus, SuppressionReason
from campaigns.models import Coupon, Engagement, Enrolment, MailboxMessage, Message, Suppression
from campaigns.services import suppression
from crm.common import sql


def follow_merge(
    *, keep_id: int, other_id: int, kept_address: str | None, lost_address: str | None, at: datetime
) -> None:
    """Move the ledger of ``other`` to ``keep``: every row is kept, nobody is mailed twice, every block stays.

    Where both are in a campaign ``keep``'s enrolment counts and the other's stays beside it with ``merged_from``.
    """
    if lost_address:
        suppression.take_out_of_queue(customer_id=other_id, reason="address_changed")
    of_other = Enrolment.objects.filter(customer=other_id)
    twice = Enrolment.objects.filter(customer=keep_id).values("campaign")
    of_other.filter(campaign__in=twice, merged_from=None).update(merged_from=other_id)
    sql.execute("campaigns/merge_messages", {"keep": keep_id, "other": other_id})
    of_other.update(customer=keep_id)
    Coupon.objects.filter(customer=other_id).update(customer=keep_id)
    if kept_address and lost_address:
        _carry_blocks(lost_address, kept_address, at)


def _carry_blocks(lost: str, kept: str, at: datetime) -> None:
    """A person's no goes with them to the address that stays; a bounce says something about a mailbox only."""
    blocks = Suppression.objects.filter(address_hash=suppression.hash_address(lost), lifted_at=None)
    for block in blocks.exclude(reason=SuppressionReason.BOUNCED):
        suppression.suppress(
            address=kept,
            purpose=block.purpose,
            reason=SuppressionReason(block.reason),
            at=at,
            detail="merged customer",
        )


def forget(*, customer_id: int, addresses: Sequence[str], at: datetime) -> None:
    """Stop what waits, block every address the customer had, and take addresses and mails out of the ledger."""
    suppression.take_out_of_queue(customer_id=customer_id, reason="erased")
    messages = Message.objects.filter(customer=customer_id)
    # A worker is at it: its answer is still taken, and nobody can send it again.
    messages.filter(status=MessageStatus.SENDING).update(status=MessageStatus.UNKNOWN, reason="erased")
    mailed = set(messages.exclude(address="").values_list("address", flat=True))
    known = sorted(mailed | set(addresses))
    for address in known:
        suppression.suppress(address=address, reason=SuppressionReason.ERASED, at=at)
    ids = list(messages.exclude(message_id=None).values_list("message_id", flat=True))
    MailboxMessage.objects.filter(Q(message_id__in=ids) | Q(recipients__overlap=known)).delete()
    Engagement.objects.filter(message__customer=customer_id).update(url="")
    messages.update(address="", address_hash="", smtp_reply="")
