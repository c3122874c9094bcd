"""Taking up a run that was killed or failed: which of its stages' work still stands."""

from crm.common import sql
from crm.common.choices import StageState
from crm.common.jobs import Progress
from ltv.choices import RunState
from ltv.models import LtvRun
from ltv.services import publishing


def take_up(progress: Progress) -> LtvRun | None:
    """The valuation that this job began, its stages put back as far as their work is gone; None: begin anew.

    At most one valuation is building: whoever opens another, or merges two customers, abandons it. So while ours is
    building, nobody has refreshed the summaries for another date since, and nobody whom it has counted is gone.
    """
    mine = LtvRun.objects.filter(job=progress.run)
    if published := mine.filter(state=RunState.PUBLISHED).first():
        progress.settle("publish")  # killed before it could say so; a second one would be refused
        return published
    run = mine.filter(state=RunState.BUILDING).order_by("-pk").first()
    if run is None or not _goes_on(run, progress):
        progress.start_again("summaries")
        return None
    return run


def _goes_on(run: LtvRun, progress: Progress) -> bool:
    """Put back the stages whose work is gone; False when the first one is to be done again, and so everything."""
    if progress.state("summaries") == StageState.WAITING:
        return False
    if _table(run) == "attached":  # whole, and never made a second time: readers' plans know it
        if progress.state("figures") == StageState.WAITING:
            return False
        progress.settle("figures")
        return True
    if progress.is_done("figures"):
        progress.start_again("figures")
    if progress.is_done("predictions") and not run.step:
        progress.start_again("predictions")
    return True  # ranges that were valued stand, if their parts are still there to say so


def _table(run: LtvRun) -> str | None:
    """None, built, or attached."""
    found = sql.rows("ltv/resuming_table", {"table": publishing.table_name(run.pk)})
    return found[0]["state"] if found else None
