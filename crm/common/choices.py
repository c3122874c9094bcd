from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class JobState(TextChoices):
    REQUESTED = "requested", _("Requested")  # a row waiting for a worker
    RUNNING = "running", _("Running")  # found running by the holder of the lock: it was killed, so resume
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


OPEN_JOBS = (JobState.REQUESTED, JobState.RUNNING)


class StageState(TextChoices):
    """Of a job's stages, and of the parts of a stage."""

    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
