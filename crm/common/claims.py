"""Claiming due rows: FOR UPDATE SKIP LOCKED plus a lease and a fencing token, committed before any work."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet


def claim(
    due: QuerySet[Any], *, limit: int, lease: timedelta, now: datetime, **changes: object
) -> tuple[int, list[Any]]:
    """Lease up to ``limit`` rows of ``due`` to the caller.

    Sets ``lease_token`` and ``leased_until`` (and ``changes``) on each row and commits. Whoever comes back later
    than the lease finds another token on the row, and its conditional updates touch nothing.

    Returns:
        The token and the primary keys claimed, in the queryset's order.
    """
    token = secrets.randbits(62)
    with transaction.atomic():
        picked = list(
            due.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:limit]
        )
        if picked:
            due.model._default_manager.filter(pk__in=picked).update(
                lease_token=token, leased_until=now + lease, **changes
            )
    return token, picked
