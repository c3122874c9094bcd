"""Taking up a run that was killed or failed: which of its stages' work still stands."""

from collections.abc import Callable

from psycopg.sql import Identifier

from crm.common import sql
from crm.common.choices import StageState
from crm.common.jobs import Progress
from ltv.choices import RunState
from ltv.models import LtvRun
from ltv.services import publishing


def take_up(progress: Progress) -> LtvRun | None:
    """The valuation that this job began, its stages put back as far as their work is gone; None: begin anew.

    At most one valuation is building: whoever opens another abandons it. So while ours is building, nobody has
    refreshed the summaries for another date since.
    """
    mine = LtvRun.objects.filter(job=progress.run)
    if published := mine.filter(state=RunState.PUBLISHED).first():
        progress.settle("publish")  # killed before it could say so; a second one would be refused
        return published
    run = mine.filter(state=RunState.BUILDING).order_by("-pk").first()
    if run is None or _is_to_begin_anew(run, progress):
        progress.start_again("summaries")
        return None
    for name, stands in STANDS.items():
        if progress.is_done(name) and not stands(run):
            progress.start_again(name)
    if not progress.is_done("figures"):
        _drop_table(run)
    return run


def _is_to_begin_anew(run: LtvRun, progress: Progress) -> bool:
    """Asked to start from the first stage, or its table is attached and must not be made a second time."""
    if progress.state("summaries") == StageState.WAITING:
        return True
    return _table(run) == "attached" and not _all_done(progress, "summaries", "predictions", "figures")


def _all_done(progress: Progress, *names: str) -> bool:
    return all(progress.is_done(name) for name in names)


def _table(run: LtvRun) -> str | None:
    """None, built, or attached."""
    found = sql.rows("ltv/resuming_table", {"table": publishing.table_name(run.pk)})
    return found[0]["state"] if found else None


def _drop_table(run: LtvRun) -> None:
    with sql.patient(60):
        sql.execute("ltv/table_drop", parts={"table": Identifier(publishing.table_name(run.pk))})


STANDS: dict[str, Callable[[LtvRun], bool]] = {
    "predictions": lambda run: bool(run.step),
    "figures": lambda run: _table(run) == "attached",
}
