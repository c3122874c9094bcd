"""What becomes of the figures when two customers turn out to be one."""

from django.utils.translation import gettext_lazy as _

from crm.common import sql
from crm.common.choices import JobState
from crm.common.errors import DomainError
from crm.common.models import JobRun
from ltv.choices import RunState
from ltv.models import LtvRun, PurchaseSummary
from ltv.services.night import JOB


class NightAtWork(DomainError):
    """Customers are being valued: none of them may disappear before that is done."""

    code = "night_at_work"
    message = _("Customers are being valued just now; try again in a few minutes.")


def follow_merge(*, other_id: int) -> None:
    """Drop the summary of a record that goes; the one kept is marked by its purchases and counted tonight.

    Raises:
        NightAtWork: a run reads customers now; one that it has read and that goes would make it fail.
    """
    unfinished = JobRun.objects.filter(job=JOB, state=JobState.RUNNING)  # also one whose worker was killed
    if not sql.advisory_lock_until_commit(JOB) or unfinished.exists():
        raise NightAtWork
    # one that failed on the way counted both apart: whoever retries it begins anew
    LtvRun.objects.filter(state=RunState.BUILDING).update(state=RunState.ABANDONED)
    PurchaseSummary.objects.filter(customer=other_id).delete()
