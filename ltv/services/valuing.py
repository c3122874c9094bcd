"""One run worked out in numpy: the model fitted to all buyers, then everybody's row written, range by range.

Whoever fits leaves the parameters and the scales with the run; from them any worker values any range of customers,
in one transaction with the part it answers, into a table that readers do not see.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from crm.common import parts, sql
from crm.common.jobs import Progress
from crm.common.models import JobPart, Shop
from crm.common.ranges import ranges
from customers.models import Customer
from ltv.choices import ModelStep
from ltv.models import LtvRun
from ltv.services import acquisition, changes, figures, histories, predictions, publishing, sharing
from ltv.services.histories import thousandths
from ltv.services.scales import Scales

PART = 250_000  # customers; fewer cost more calls of the model, more cost memory
MOST = 16  # parts: each is a table that readers' statements are planned for


def fit(run: LtvRun, shop: Shop, previous: LtvRun | None) -> int:
    """Find what the run stands on, the parameters and the scales; returns how many buyers they were found from."""
    columns = histories.read_buyers()
    buyers = figures.seen_by(run, columns)
    with ThreadPoolExecutor(1) as beside:
        fitting = beside.submit(predictions.fit, buyers, previous)
        cac = acquisition.channel_cac(run, shop)  # PostgreSQL counts while numpy fits
        fitted = fitting.result()
    run.step, run.parameters = fitted.step, fitted.as_json()
    if fitted.step == ModelStep.FORMULA and previous and previous.parameters:
        run.parameters = previous.parameters  # a bad night does not forget the last good fit
    run.step_reason = "; ".join(fitted.reasons)[:300]
    stood_on = predictions.Fitted.of_run(run)
    margin = figures.expected_margin(run, buyers, stood_on.forecast(buyers))
    run.scales = Scales.of(columns["customer_id"], buyers, margin, cac).as_json()
    run.save(update_fields=["step", "parameters", "step_reason", "scales"])
    return len(buyers)


def build(run: LtvRun, previous: LtvRun | None, progress: Progress, clock: Callable[[], datetime]) -> int:
    """Write every customer's row, and the totals of them all; returns how many. Readers see nothing yet."""
    assert progress.row is not None
    if not progress.row.parts.exists():
        _plan(run, previous, progress)
    found = parts.finish(progress, work=value_part, clock=clock)
    run.figures = figures.totals(found.facts)
    run.save(update_fields=["figures"])
    publishing.attach(run, list(progress.row.parts.order_by("number")))
    return found.rows


def _plan(run: LtvRun, previous: LtvRun | None, progress: Progress) -> None:
    """Say what the changes are counted from, cut the parts, ring: all of it or nothing."""
    publishing.drop_tables(run)
    known = previous is not None and changes.comparable(run, previous) and publishing.has_table(previous)
    with sql.patient(60):
        run.compared_with = previous if known else None
        run.save(update_fields=["compared_with"])
        assert progress.row is not None
        count = parts.cut(progress.row, ranges(Customer, PART, most=MOST if _apart(run) else 1))
        parts.ring(sharing.TASK, count)


def _apart(run: LtvRun) -> bool:
    """Whether ranges can be valued apart, by this run's model and by the one that the changes start from.

    The ranges of a small shop's predictions hold the doubt about its parameters, found from all its buyers.
    """
    runs = [run, run.compared_with] if run.compared_with else [run]
    fitted = [predictions.Fitted.of_run(one) for one in runs]
    return all(one.alone and not one.points for one in fitted)


def value_part(part: JobPart) -> parts.Outcome:
    """Write the rows of a range of customers in the part's transaction.

    The valuation's row is held, so that nobody gives it up before this part is done.
    """
    held = sql.rows("ltv/valuing_hold", {"stage_id": part.stage_id})
    if not held:
        raise parts.Late
    run = LtvRun.objects.select_related("compared_with").get(pk=held[0]["run_id"])
    found = _figures(run, part)
    rows = publishing.build(run, part, found.blocks(), alone=held[0]["parts"] == 1)
    return parts.Outcome(rows, found.sums())


def _figures(run: LtvRun, part: JobPart) -> figures.Figures:
    base = figures.Base.of(histories.read(part.low, part.high), run)
    scales = Scales.of_run(run)
    ahead = predictions.Fitted.of_run(run).forecast(base.buyers)
    revenue = figures.expected_revenue(run, ahead)
    margin = thousandths(revenue * base.buyers.margin_share)
    why = None
    if run.compared_with:
        today = changes.Today(base.customer_id, base.bought, base.buyers, revenue, base.spread(margin))
        table = publishing.table_name(run.compared_with.pk)
        why = changes.explain(run, run.compared_with, table, today, part.low, part.high)
    return figures.Figures(run, base, ahead, margin, why, scales, scales.channel_cac(base.channel_id))
