"""The full pass over all summaries, by ranges of customers that every worker on every host takes.

The night cuts everybody into parts and works on them itself, so that it ends without anybody's help; the bells only
call others to it. The marks in the queue stay until the last part is done: whoever dies on the way, nobody is
forgotten, and to recompute somebody twice is harmless.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from crm.common import parts, sql
from crm.common.choices import StageState
from crm.common.jobs import Progress
from crm.common.models import JobPart
from crm.common.ranges import ranges
from customers.models import Customer
from ltv.choices import RunState
from ltv.models import LtvRun, PurchaseSummary
from ltv.services import sharing, summaries

logger = logging.getLogger(__name__)
PART = 50_000  # customers
AUDIT_WEEKDAY = 0  # Monday: a full pass, to find what the queue of changes may have missed
ABOVE = 0.4  # marks per customer; then a full pass is cheaper than a refresh


def reason(run: LtvRun, progress: Progress, customers: int) -> str | None:
    """Why everybody must be recomputed tonight, or None: those marked will do. A pass that was killed goes on."""
    return progress.facts.get("why") or _reason(run, customers)


def _reason(run: LtvRun, customers: int) -> str | None:
    # published or not: it left the summaries
    last = LtvRun.objects.exclude(pk=run.pk).order_by("-pk").first()
    if last is None or not PurchaseSummary.objects.exists():
        return "first"
    if last.state != RunState.PUBLISHED and not _summarised(last):
        return "interrupted"
    if last.margin_rate != run.margin_rate or last.as_of > run.as_of:
        return "policy"
    if run.as_of.weekday() == AUDIT_WEEKDAY and last.as_of < run.as_of:
        return "audit"
    return "many" if summaries.marked_share(customers) > ABOVE else None


def _summarised(run: LtvRun) -> bool:
    job = run.job
    return job is not None and job.stages.filter(name="summaries", state=StageState.DONE).exists()


def rebuild(
    *,
    run: LtvRun,
    progress: Progress,
    why: str,
    since: summaries.Since | None,
    clock: Callable[[], datetime],
) -> int:
    """Recompute every summary, writing only what differs; returns how many there are.

    Leaves the counts in the stage's facts: ``corrected`` and ``gone`` rows, and of an audit those ``missed``: they
    differed although nobody had marked them. The caller refreshes afterwards, for what was written meanwhile.
    """
    assert progress.row is not None
    if not progress.row.parts.exists():
        _plan(run, progress, why, since)
    return _finish(progress, parts.finish(progress, work=summarise_part, clock=clock))


def _plan(run: LtvRun, progress: Progress, why: str, since: summaries.Since | None) -> None:
    """Note which marks the parts will answer, cut the parts, ring: in this order, all of it or nothing."""
    audit = why == "audit"
    marked = summaries.refresh(as_of=run.as_of, margin_rate=run.margin_rate, since=since) if audit else 0
    with sql.patient(summaries.SECONDS):
        # An audit has answered the marks. Marks made from here on stay in the queue for the next night.
        seen = {"queue": "{}", "marked": marked} if audit else sql.rows("ltv/rebuild_queue")[0]
        progress.note(full=True, audit=audit, why=why, **seen)
        assert progress.row is not None
        count = parts.cut(progress.row, ranges(Customer, PART))
        parts.ring(sharing.TASK, count)


def summarise_part(part: JobPart) -> parts.Outcome:
    """Recompute the summaries of a range of customers in the part's transaction.

    The valuation's row is held, so that nobody begins another one, for another date, before this part is done.
    """
    held = sql.rows("ltv/rebuild_hold", {"stage_id": part.stage_id})
    if not held:
        raise parts.Late
    sql.rows("ltv/rebuild_settings")
    sql.know_sizes()
    found = sql.rows("ltv/rebuild_part", {**held[0], "low": part.low, "high": part.high})[0]
    return parts.Outcome(found.pop("rows"), found)


def _finish(progress: Progress, found: parts.Outcome) -> int:
    with sql.patient(summaries.SECONDS):
        sql.execute("ltv/rebuild_unmark", {"queue": progress.facts.get("queue", "{}")})
    days = summaries.correct_days() if progress.facts["why"] in ("first", "audit") else 0
    progress.facts.pop("queue", None)
    progress.facts |= found.facts | {"days": days}
    if progress.facts["audit"] and (found.facts["missed"] or days):
        logger.warning("the audit found %s summaries and %s days that differed", found.facts["missed"], days)
    return found.rows
