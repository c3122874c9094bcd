"""Addresses never to be mailed, kept as keyed hashes so that a block outlives the customer's erasure."""

import hashlib
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.choices import SuppressionReason
from campaigns.core import hashing
from campaigns.models import Suppression
from crm.common import sql
from crm.common.errors import DomainError, InvalidInput


class NotSuppressed(DomainError):
    code = "not_suppressed"
    message = _("This address is not blocked.")


def key() -> bytes:
    """The hash key, from the oldest secret key still listed: rotating SECRET_KEY must not lift every block."""
    oldest = settings.SECRET_KEY_FALLBACKS[-1] if settings.SECRET_KEY_FALLBACKS else settings.SECRET_KEY
    return hashlib.sha256(b"campaigns.suppression:" + oldest.encode()).digest()


def hash_address(normalised: str) -> str:
    """What a normalised address is kept under."""
    return hashing.address_hash(normalised, key())


def hash_params() -> dict[str, bytes]:
    """The parameters with which ``campaigns/address_hash`` computes the same hash in PostgreSQL."""
    inner, outer = hashing.pads(key())
    return {"hash_inner": inner, "hash_outer": outer}


def suppress(
    *, address: str, reason: SuppressionReason, at: datetime, purpose: str = "", detail: str = ""
) -> bool:
    """Block a normalised address for ``purpose``, or for everything; False when it was blocked already."""
    _, new = Suppression.objects.get_or_create(
        address_hash=hash_address(address),
        purpose=purpose,
        lifted_at=None,
        defaults={"reason": reason, "detail": detail[:240], "created_at": at},
    )
    return new


@transaction.atomic
def lift(*, address: str, reason: str, at: datetime) -> int:
    """Allow a normalised address again, for a reason staff write down; returns how many blocks were lifted.

    Raises:
        InvalidInput: without a reason.
        NotSuppressed: nothing to lift.
    """
    if not reason.strip():
        raise InvalidInput(_("Write why the address may be mailed again."), field="reason")
    lifted = Suppression.objects.filter(address_hash=hash_address(address), lifted_at=None).update(
        lifted_at=at, lifted_reason=reason.strip()[:240]
    )
    if not lifted:
        raise NotSuppressed
    return lifted


def take_out_of_queue(
    *,
    reason: str,
    campaign_id: int | None = None,
    customer_id: int | None = None,
    purpose: str | None = None,
    address: str | None = None,
    only_stopped: bool = False,
) -> int:
    """Suppress waiting messages, of a campaign, of a customer, or of all stopped campaigns; returns how many."""
    params = {
        "campaign": campaign_id,
        "customer": customer_id,
        "purpose": purpose,
        "address": address,
        "only_stopped": only_stopped,
        "reason": reason,
    }
    return int(sql.rows("campaigns/suppress_waiting", params)[0]["taken"])
