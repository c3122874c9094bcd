"""Shop, staff, jobs, API keys: what every app needs and no app owns."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.common.choices import OPEN_JOBS, JobState, StageState
from crm.common.orm import Prepared, empty_when, filled_when


class User(AbstractUser):
    """A member of staff, with the language and time zone they work in."""

    language = models.CharField(
        _("language"),
        max_length=8,
        blank=True,
        choices=[("en", "English"), ("ko", "한국어"), ("ja", "日本語")],
    )
    time_zone = models.CharField(_("time zone"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("staff member")
        verbose_name_plural = _("staff")


class Shop(models.Model):
    """The one shop this installation serves: its money, its clock, its policies."""

    only_row = models.BooleanField(primary_key=True, default=True, editable=False)
    name = models.CharField(_("name"), max_length=120, default="My shop")
    base_currency = models.CharField(_("base currency"), max_length=3, default="USD")
    time_zone = models.CharField(_("business time zone"), max_length=40, default="UTC")
    sender_name = models.CharField(_("sender name"), max_length=120, blank=True)
    sender_email = models.EmailField(_("sender e-mail"), default="shop@example.com")
    postal_address = models.CharField(_("postal address"), max_length=240, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    margin_rate = models.DecimalField(
        _("margin rate"),
        max_digits=5,
        decimal_places=4,
        default="0.3",
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("Share of revenue that is profit, used where a purchase's cost is unknown."),
    )
    annual_discount_rate = models.DecimalField(
        _("annual discount rate"),
        max_digits=5,
        decimal_places=4,
        default="0.1",
        validators=[MinValueValidator(0), MaxValueValidator(1)],
    )
    retention_months = models.DecimalField(
        _("expected retention, months"),
        max_digits=6,
        decimal_places=2,
        default="24",
        validators=[MinValueValidator(1)],
        help_text=_("How long a customer usually stays: the third factor of the formula LTV."),
    )
    is_demo = models.BooleanField(_("simulated data"), default=False)
    frozen_on = models.DateField(
        _("calendar held at"),
        null=True,
        blank=True,
        help_text=_(
            "For data that ends in the past: figures stand as of this day, whatever the calendar says."
        ),
    )

    class Meta:
        verbose_name = verbose_name_plural = _("shop")
        constraints = [
            models.CheckConstraint(name="shop_only_one", condition=Q(only_row=True)),
            models.CheckConstraint(
                name="shop_margin_rate_share", condition=Q(margin_rate__gte=0, margin_rate__lte=1)
            ),
            models.CheckConstraint(
                name="shop_discount_share",
                condition=Q(annual_discount_rate__gte=0, annual_discount_rate__lte=1),
            ),
            models.CheckConstraint(name="shop_retention_positive", condition=Q(retention_months__gt=0)),
            models.CheckConstraint(
                name="shop_base_currency_code", condition=Q(base_currency__regex=r"^[A-Z]{3}$")
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> "Shop":
        """The shop's row (migrations create it)."""
        shop = _the_shop.first()
        if shop is None:
            raise cls.DoesNotExist
        return shop

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def business_date(self, at: datetime) -> date:
        """The shop's calendar day at an instant; never later than the day its calendar is held at."""
        today = at.astimezone(self.zone).date()
        return min(today, self.frozen_on) if self.frozen_on else today


_the_shop = Prepared(lambda: Shop.objects.filter(only_row=True))


class JobRun(models.Model):
    """One run of a job: nightly ones once per business date, staff's own as further occurrences of it."""

    job = models.CharField(max_length=60)
    business_date = models.DateField(_("business date"))
    occurrence = models.PositiveIntegerField(
        _("occurrence"), default=0, help_text=_("0: the night itself; above: asked for by staff.")
    )
    state = models.CharField(_("state"), max_length=12, choices=JobState, default=JobState.REQUESTED)
    requested_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    requested_at = models.DateTimeField(_("requested"))
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        verbose_name = _("run of the night")
        verbose_name_plural = _("runs of the night")
        ordering = ["-requested_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["job", "business_date", "occurrence"], name="job_run_once_per_date"
            ),
            models.CheckConstraint(name="job_run_state_known", condition=Q(state__in=JobState.values)),
            models.CheckConstraint(
                name="job_run_end_has_time",
                condition=filled_when("finished_at", state__in=[JobState.DONE, JobState.FAILED]),
            ),
        ]
        indexes = [models.Index(fields=["job", "-requested_at"], name="job_run_recent")]

    def __str__(self) -> str:
        return f"{self.job} {self.business_date}" + (f" #{self.number}" if self.occurrence else "")

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_JOBS

    @property
    def number(self) -> int:
        """Which run of its date it is; the night itself is the first."""
        return self.occurrence + 1


_ENDED = [StageState.DONE, StageState.FAILED]


class JobStage(models.Model):
    """One stage of a run: how far it is, who works on it, how it ended. Written as it goes, for staff to watch."""

    run = models.ForeignKey(JobRun, on_delete=models.CASCADE, related_name="stages")
    place = models.PositiveSmallIntegerField()
    name = models.CharField(_("stage"), max_length=40)
    state = models.CharField(_("state"), max_length=10, choices=StageState, default=StageState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)  # 0: not known beforehand
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    worker = models.CharField(_("worker"), max_length=120, blank=True)  # host:pid
    error = models.TextField(_("error"), blank=True)
    facts = models.JSONField(default=dict, blank=True)  # counts of this stage alone, {"marked": 10000}

    class Meta:
        ordering = ["run_id", "place"]
        constraints = [
            models.UniqueConstraint(fields=["run", "name"], name="job_stage_once"),
            models.CheckConstraint(name="job_stage_state_known", condition=Q(state__in=StageState.values)),
            models.CheckConstraint(
                name="job_stage_begun_has_time",
                condition=empty_when("started_at", state=StageState.WAITING),
            ),
            models.CheckConstraint(
                name="job_stage_end_has_time",
                condition=filled_when("finished_at", state__in=_ENDED),
            ),
            models.CheckConstraint(name="job_stage_counts", condition=Q(done__gte=0, total__gte=0)),
        ]

    def __str__(self) -> str:
        return self.name


class JobPart(models.Model):
    """A range of customers of a stage, ``low <= id < high``, which any worker on any host may take."""

    stage = models.ForeignKey(JobStage, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    low = models.BigIntegerField()
    high = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=StageState, default=StageState.WAITING)
    lease_until = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=120, blank=True)  # host:pid
    attempts = models.PositiveSmallIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    facts = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["stage_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["stage", "number"], name="job_part_once"),
            models.CheckConstraint(name="job_part_state_known", condition=Q(state__in=StageState.values)),
            models.CheckConstraint(name="job_part_range", condition=Q(low__lt=F("high"))),
            models.CheckConstraint(
                name="job_part_running_has_lease",
                condition=filled_when("lease_until", state=StageState.RUNNING),
            ),
            models.CheckConstraint(
                name="job_part_end_has_time",
                condition=filled_when("finished_at", state__in=_ENDED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stage} {self.number}: {self.low}-{self.high}"


class ApiKey(models.Model):
    """A key for a program, acting as one member of staff. Only its hash is stored; it is shown once."""

    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(max_length=12, unique=True)
    key_hash = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_on = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class IdempotencyRecord(models.Model):
    """The stored answer to a request that carried an Idempotency-Key."""

    key = models.CharField(max_length=120)
    route = models.CharField(max_length=120)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    reply = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "route", "user"], name="idempotency_once")]
