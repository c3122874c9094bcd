"""Sending: claim, render, the one step of no return, SMTP, record. At most one DATA a customer and campaign.

No transaction is open while a mail server is talked to. Killed anywhere, a worker leaves a claim that lapses
(nothing was sent), or one single message in ``sending`` that becomes ``unknown`` and is never sent again by itself.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.choices import CampaignStatus, MessageStatus, SuppressionReason
from campaigns.core.replies import Outcome, Stage, Verdict, next_try
from campaigns.models import Campaign, Message
from campaigns.services import suppression, sweeping
from campaigns.services.mails import Composer, Mail, load
from campaigns.services.sweeping import sweep
from campaigns.services.transport import MailServer, ServerAway
from crm.common import sql
from crm.common.claims import claim
from crm.common.errors import DomainError
from crm.common.models import Shop, User
from crm.common.wake import wake

__all__ = ["Counts", "NotUnknown", "deliver_due", "lease", "resend", "sweep"]

logger = logging.getLogger(__name__)
BATCH = 100
START_WITHIN = 5.0  # seconds from the committed decision to DATA: nobody who opted out before that is mailed
PATIENCE = 5  # connections lost in a row before the server counts as away
TASK = "campaigns.deliver_due"
Clock = Callable[[], datetime]


class NotUnknown(DomainError):
    code = "message_not_unknown"
    message = _("Only a message whose fate is unknown can be sent again.")


@dataclass
class Counts:
    """What one run did, by what became of the messages. ``away``: the mail server could not be used."""

    by_status: Counter[str] = field(default_factory=Counter)
    away: str = ""


def lease() -> timedelta:
    """How long a claim holds; tests shorten it."""
    return timedelta(seconds=settings.CAMPAIGN_LEASE_SECONDS)


def deliver_due(
    *, clock: Clock, stopping: Callable[[], bool] = lambda: False, budget: timedelta = timedelta(seconds=50)
) -> Counts:
    """Send what is due until nothing is, the mail server is away, ``stopping`` says so or ``budget`` is spent.

    A mail server that is away costs no message anything: nothing is claimed before the server has let us in.

    Raises:
        NoMailServer: SMTP_URL is unset or unusable, and something is due.
    """
    counts, ends = Counts(), time.monotonic() + budget.total_seconds()
    if not Message.objects.due(clock()).exists():
        return counts
    run = _Run(MailServer(), clock, stopping, counts)
    try:
        while not stopping() and run.batch():
            if time.monotonic() > ends:
                wake(TASK)  # the rest is the next ring's, so that other work gets its turn
                break
    except ServerAway as error:
        counts.away = str(error)
        logger.warning("mail server away: %s", error)
    finally:
        run.server.close()
    return counts


class _Run:
    """One connection and the batches sent over it."""

    def __init__(
        self, server: MailServer, clock: Clock, stopping: Callable[[], bool], counts: Counts
    ) -> None:
        self.server, self.clock, self.stopping, self.counts = server, clock, stopping, counts
        self.lost_in_a_row = 0

    def batch(self) -> int:
        """Claim and work off one batch; returns how many were claimed.

        Raises:
            ServerAway: what was not sent is waiting again.
        """
        self.server.open()
        now = self.clock()
        token, ids = claim(
            Message.objects.due(now), limit=BATCH, lease=lease(), now=now, status=MessageStatus.CLAIMED
        )
        bad: set[int] = set()
        enough = time.monotonic() + 0.8 * lease().total_seconds()
        try:
            messages = load(ids)
            composer = Composer(Shop.current(), [message.campaign for message in messages])
            for message in messages:
                if self.stopping() or time.monotonic() > enough:
                    break  # a slow server: the rest is claimed afresh before its lease lapses
                if self._one(message, token, composer) in (MessageStatus.FAILED, MessageStatus.UNKNOWN):
                    bad.add(message.campaign_id)
        finally:
            _release(token)
        for campaign_id in bad:
            sweeping.pause_on_errors(campaign_id=campaign_id, at=self.clock())
        return len(ids)

    def _one(self, message: Message, token: int, composer: Composer) -> str:
        """Work off one message, so that whatever is wrong with it stays its own trouble."""
        try:
            status = self._render_and_send(message, token, composer)
        except (ServerAway, DatabaseError):
            raise
        except Exception as error:  # poison: a text, a name, an address nobody thought of
            logger.exception("message %s cannot be sent", message.pk)
            status = _record(message, token, _Poisoned.of(error), at=self.clock())
        self.counts.by_status[status] += 1
        return status

    def _render_and_send(self, message: Message, token: int, composer: Composer) -> str:
        mail = composer.compose(message, at=self.clock())
        self.server.open()
        decided = time.monotonic()
        until = self.clock() + lease()
        params = {"message": message.pk, "token": token, "until": until}
        if not sql.execute("campaigns/begin_sending", params):
            return _give_up(message, token)
        outcome = self._send(mail, composer.shop.sender_email, decided)
        status = _record(message, token, outcome, at=self.clock())
        self._mind_the_server(outcome)
        return status

    def _send(self, mail: Mail, sender: str, decided: float) -> Outcome:
        return self.server.send(
            sender=sender,
            recipient=mail.recipient,
            data=mail.data,
            may_start=lambda: time.monotonic() - decided < START_WITHIN,
        )

    def _mind_the_server(self, outcome: Outcome) -> None:
        """Stop the run when the server keeps going away: the circuit is open until the next ring."""
        self.lost_in_a_row = self.lost_in_a_row + 1 if outcome.verdict is Verdict.AWAY else 0
        if self.lost_in_a_row >= PATIENCE:
            raise ServerAway(f"lost {self.lost_in_a_row} connections in a row: {outcome.reply}")


class _Poisoned(Outcome):
    """The message could not be made or handed over; ``reply`` says what went wrong, for staff."""

    @classmethod
    def of(cls, error: Exception) -> "_Poisoned":
        return cls(Verdict.REFUSED, Stage.MAIL, f"{type(error).__name__}: {error}")


def _record(message: Message, token: int, outcome: Outcome, *, at: datetime) -> str:
    """Write the outcome down if the message is still ours; the status it has now as far as we know."""
    change = _change(message, outcome, at)
    params = {
        "message": message.pk,
        "token": token,
        "from_status": _came_from(message, outcome),
        "reply": outcome.reply.replace("\x00", "")[:300],
        "sent_at": at if change["status"] == MessageStatus.SENT else None,
        **change,
    }
    if not sql.rows("campaigns/record_outcome", params)[0]["changed"]:
        return "lost"  # our lease ran out and somebody else has settled it
    if outcome.bounced:
        suppression.suppress(
            address=message.address, reason=SuppressionReason.BOUNCED, at=at, detail=outcome.reply
        )
    return str(change["status"])


def _came_from(message: Message, outcome: Outcome) -> str:
    if isinstance(outcome, _Poisoned):
        return str(Message.objects.values_list("status", flat=True).get(pk=message.pk))
    return MessageStatus.SENDING


def _change(message: Message, outcome: Outcome, at: datetime) -> dict[str, object]:
    """Status, reason, tries and next time for an outcome."""
    stage = f"refused_{outcome.stage.value}"
    if outcome.verdict is Verdict.LATER:
        wait = next_try(message.attempts + 1)
        if wait is None:
            return {"status": MessageStatus.FAILED, "reason": "gave_up", "tries": 1, "due_at": None}
        return {"status": MessageStatus.PENDING, "reason": "", "tries": 1, "due_at": at + wait}
    changes = {
        Verdict.ACCEPTED: (MessageStatus.SENT, "", 1, None),
        Verdict.UNKNOWN: (MessageStatus.UNKNOWN, "reply_lost", 1, None),
        Verdict.AWAY: (MessageStatus.PENDING, "", 0, at + timedelta(seconds=30)),
        Verdict.REFUSED: (MessageStatus.FAILED, stage, 1, None),
    }
    status, reason, tries, due_at = changes[outcome.verdict]
    if isinstance(outcome, _Poisoned):
        reason = "cannot_be_made"
    return {"status": status, "reason": reason, "tries": tries, "due_at": due_at}


def _give_up(message: Message, token: int) -> str:
    """The decision was no: not sent with the reason, or waiting again where the campaign is paused."""
    settled = sql.rows("campaigns/give_up_claim", {"message": message.pk, "token": token})
    return str(settled[0]["status"]) if settled else "lost"


def _release(token: int) -> None:
    """What was claimed and not begun waits again at once."""
    Message.objects.filter(lease_token=token, status=MessageStatus.CLAIMED).update(
        status=MessageStatus.PENDING, leased_until=None
    )


@transaction.atomic
def resend(*, message: Message, by: User, at: datetime) -> Message:
    """A person decides to send a message of unknown fate again: same Message-ID, same coupon.

    Raises:
        NotUnknown: it is not unknown, its campaign was stopped, or its customer erased.
    """
    campaign = Campaign.objects.select_for_update().get(pk=message.campaign_id)
    unknown = Message.objects.filter(pk=message.pk, status=MessageStatus.UNKNOWN)
    changed = unknown.exclude(address="").update(
        status=MessageStatus.PENDING,
        reason="",
        due_at=at,
        lease_token=None,  # a late answer to the first try must not settle the second
        leased_until=None,
        resent_at=at,
        resent_by=by,
    )
    if not changed or campaign.status == CampaignStatus.STOPPED:
        raise NotUnknown
    Campaign.objects.filter(pk=campaign.pk, status=CampaignStatus.FINISHED).update(
        status=CampaignStatus.RUNNING, finished_at=None
    )
    wake(TASK)
    message.refresh_from_db()
    return message
