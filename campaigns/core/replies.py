"""What an SMTP reply means for the mail it answers. Pure."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

# RFC 5321, 4.5.4.1: not at once, and ever more patiently. After the last one the mail has failed.
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720))
_ENHANCED = re.compile(r"^\s*([245])\.(\d{1,3})\.(\d{1,3})\b")
_NO_MAILBOX = (550, 551, 553)


class Stage(Enum):
    """Where in the conversation the reply came, or did not come."""

    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"  # after the final dot: the only place where silence is ambiguous


class Verdict(Enum):
    ACCEPTED = "accepted"
    LATER = "later"  # refused for now; the try counts
    REFUSED = "refused"  # for good
    UNKNOWN = "unknown"  # the mail may or may not have been taken
    AWAY = "away"  # the server went before it knew the recipient: nobody's try


@dataclass(frozen=True)
class Outcome:
    verdict: Verdict
    stage: Stage
    reply: str = ""
    bounced: bool = False  # the address does not exist


def judge(stage: Stage, code: int, reply: str) -> Outcome:
    """Classify a reply that should have been a yes. ``code`` is -1 where it could not be read."""
    if stage is Stage.DOT and 200 <= code < 300:
        return Outcome(Verdict.ACCEPTED, stage, f"{code} {reply}")
    if 400 <= code < 500:
        away = code == 421 and stage is Stage.MAIL
        return Outcome(Verdict.AWAY if away else Verdict.LATER, stage, f"{code} {reply}")
    if 500 <= code < 600:
        return Outcome(Verdict.REFUSED, stage, f"{code} {reply}", bounced=_is_bounce(stage, code, reply))
    return lost(stage, f"{code} {reply}")


def lost(stage: Stage, why: str) -> Outcome:
    """The connection broke, or the reply made no sense."""
    verdicts = {Stage.MAIL: Verdict.AWAY, Stage.DOT: Verdict.UNKNOWN}
    return Outcome(verdicts.get(stage, Verdict.LATER), stage, why)


def _is_bounce(stage: Stage, code: int, reply: str) -> bool:
    """The mailbox does not exist; a refusal by policy (5.7.x) or a full mailbox (5.2.x) says nothing of it."""
    if stage is not Stage.RCPT:
        return False
    enhanced = _ENHANCED.match(reply)
    return enhanced[2] == "1" if enhanced else code in _NO_MAILBOX


def next_try(attempts: int) -> timedelta | None:
    """How long to wait after the ``attempts``-th refusal for now; None: give up."""
    return BACKOFF[attempts - 1] if attempts <= len(BACKOFF) else None
