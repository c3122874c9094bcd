"""Keeping what the embedded mailbox took, so that staff of a demo shop can read it."""

from datetime import datetime
from email import message_from_bytes
from email.errors import MessageError
from email.policy import default

from campaigns.core import headers
from campaigns.models import MailboxMessage


def keep(*, envelope_from: str, recipients: list[str], raw: bytes, at: datetime) -> MailboxMessage:
    """Store a mail exactly as it came over the wire, with the two headers it is found by."""
    subject, message_id = _found_by(raw)
    return MailboxMessage.objects.create(
        received_at=at,
        envelope_from=envelope_from[:254],
        recipients=[recipient[:254] for recipient in recipients],
        message_id=message_id,
        subject=subject,
        raw=raw,
    )


def _found_by(raw: bytes) -> tuple[str, str]:
    """Subject and Message-ID; empty where a header cannot be read, since the mail is kept all the same."""
    try:
        parsed = message_from_bytes(raw, policy=default)
        return headers.clean(str(parsed["Subject"] or "")), headers.clean(str(parsed["Message-ID"] or ""))[
            :200
        ]
    except (MessageError, ValueError, LookupError):
        return "", ""
