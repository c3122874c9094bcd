"""What a customer is worth: summaries, runs, and the current run's figures.

``ltv_customerltv`` is partitioned by run: each night builds its own table, attaches it and moves the pointer in
one short transaction, so that readers see yesterday whole, then today whole. ``CustomerLtv`` reads the view
``ltv_current``: the rows of the run the pointer names.
"""

from datetime import date, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.common.fields import ThousandthsField
from crm.common.models import JobRun
from crm.common.orm import filled_when
from ltv.choices import Light, ModelStep, RunState


class PurchaseSummary(models.Model):
    """One row per customer with a purchase day: the input of every value formula and model.

    A purchase day is a business day whose purchases net of refunds are above zero; a purchase without an
    exchange rate does not count. Money is in base currency.
    """

    customer = models.OneToOneField(
        "customers.Customer",
        on_delete=models.CASCADE,
        db_constraint=False,  # a first night writes millions; a trigger on customers deletes them with the customer
        primary_key=True,
        related_name="summary",
    )
    first_day = models.DateField()
    last_day = models.DateField()
    days = models.IntegerField()  # purchase days; frequency x = days - 1
    orders = models.IntegerField()
    first_revenue = ThousandthsField()  # of the first day: the repeat mean leaves it out
    revenue = ThousandthsField()  # net of refunds
    margin = ThousandthsField()  # cost known: revenue - cost; else revenue x margin rate

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="summary_days_positive", condition=Q(days__gt=0, orders__gte=F("days"))
            ),
            models.CheckConstraint(name="summary_days_in_order", condition=Q(last_day__gte=F("first_day"))),
        ]


class DailyRevenue(models.Model):
    """Revenue net of refunds of a business day, base currency: the ledger by day, added up from every write.

    Kept apart from the summaries on purpose: that both come to the same sum is what the night checks.
    """

    day = models.DateField(primary_key=True)
    revenue = models.DecimalField(max_digits=20, decimal_places=3)
    purchases = models.IntegerField()


class LtvRun(models.Model):
    """One valuation of every customer: as of which day, on which model, and how it went."""

    as_of = models.DateField(_("as of"))
    job = models.ForeignKey(
        JobRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="valuations"
    )  # by which a killed run is found again
    state = models.CharField(_("state"), max_length=10, choices=RunState, default=RunState.BUILDING)
    step = models.CharField(_("model"), max_length=10, choices=ModelStep, blank=True)
    step_reason = models.CharField(_("why this model"), max_length=300, blank=True)
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    scales = models.JSONField(default=dict, blank=True)  # what everybody is ranked by: services.scales
    currency = models.CharField(_("currency"), max_length=3)
    horizon_days = models.PositiveSmallIntegerField(_("horizon, days"), default=365)
    churn_days = models.PositiveSmallIntegerField(_("churn window, days"), default=90)
    margin_rate = models.DecimalField(_("margin rate"), max_digits=5, decimal_places=4)
    discount_rate = models.DecimalField(_("annual discount rate"), max_digits=5, decimal_places=4)
    retention_months = models.DecimalField(_("expected retention, months"), max_digits=6, decimal_places=2)
    customers = models.IntegerField(_("customers"), default=0)
    buyers = models.IntegerField(_("buyers"), default=0)
    revenue = models.DecimalField(_("revenue so far"), max_digits=20, decimal_places=3, default=0)
    expected_value = models.DecimalField(_("expected revenue"), max_digits=20, decimal_places=3, default=0)
    clv = models.DecimalField(_("expected margin"), max_digits=20, decimal_places=3, default=0)
    figures = models.JSONField(_("figures"), default=dict, blank=True)  # see reports.Overview
    started_at = models.DateTimeField(_("started"))
    cut_at = models.DateTimeField(_("purchases known until"), null=True, blank=True)
    compared_with = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )  # the run whose expected margin this one's changes start from
    published_at = models.DateTimeField(_("published"), null=True, blank=True)

    class Meta:
        verbose_name = _("valuation")
        verbose_name_plural = _("valuations")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["job"], name="ltv_run_published_once_per_job", condition=Q(state=RunState.PUBLISHED)
            ),
            models.CheckConstraint(name="ltv_run_state_known", condition=Q(state__in=RunState.values)),
            models.CheckConstraint(
                name="ltv_run_published_has_time",
                condition=filled_when("published_at", state=RunState.PUBLISHED),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} ({self.as_of})"

    @property
    def last_day(self) -> date:
        """The last day whose purchases it counts: as of a day, that day has not begun."""
        return self.as_of - timedelta(days=1)


class CurrentRun(models.Model):
    """The pointer: which run readers see."""

    only_row = models.BooleanField(primary_key=True, default=True, editable=False)
    run = models.ForeignKey(LtvRun, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.CheckConstraint(name="current_run_only_one", condition=Q(only_row=True))]


class CustomerLtv(models.Model):
    """A customer's figures in the current run (view ``ltv_current``). Money in the run's currency.

    Every customer has a row, also those who never bought: frequency 0, revenue 0, no prediction (NULL).
    """

    customer = models.OneToOneField(
        "customers.Customer",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="ltv",
    )
    run = models.ForeignKey(LtvRun, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    orders = models.IntegerField(_("orders"))
    frequency = models.IntegerField(_("repeat purchase days"))
    recency_days = models.IntegerField(_("days since last purchase"), null=True)
    age_days = models.IntegerField(_("days since first purchase"), null=True)
    revenue = ThousandthsField(_("revenue so far"))
    margin = ThousandthsField(_("margin so far"))
    average_purchase = ThousandthsField(_("average purchase"), null=True)
    purchases_per_month = models.FloatField(_("purchases a month"), null=True)
    formula_ltv = ThousandthsField(_("formula LTV"), null=True)
    margin_clv = ThousandthsField(_("margin CLV"), null=True)  # formula LTV x margin rate
    channel_cac = ThousandthsField(_("CAC of the channel"), null=True)
    ltv_to_cac = models.FloatField(_("LTV : CAC"), null=True)
    expected_purchases = models.FloatField(_("expected purchases, 12 months"), null=True)
    expected_value = ThousandthsField(_("expected revenue, 12 months"), null=True)
    expected_value_low = ThousandthsField(null=True)  # 80 % predictive interval
    expected_value_high = ThousandthsField(null=True)
    clv = ThousandthsField(_("expected margin, 12 months"))  # discounted; 0 if never bought
    p_alive = models.FloatField(_("probability of being a customer still"), null=True)
    p_no_purchase = models.FloatField(_("probability of no purchase in 90 days"), null=True)
    next_purchase_on = models.DateField(_("expected next purchase"), null=True)
    clv_decile = models.SmallIntegerField(
        _("decile of expected margin"), null=True
    )  # 1: the best tenth of the buyers
    r_score = models.SmallIntegerField(_("recency score"), null=True)  # 1 to 5, 5 the best fifth
    f_score = models.SmallIntegerField(_("frequency score"), null=True)
    m_score = models.SmallIntegerField(_("monetary score"), null=True)

    class Meta:
        managed = False
        db_table = "ltv_current"
        verbose_name = _("customer value")
        verbose_name_plural = _("customer values")


class CustomerOutlook(models.Model):
    """What else the current run says of a customer: other horizons, the next purchase, why the value changed.

    Apart from ``CustomerLtv`` so that lists do not carry it. Intervals hold 80 %. Money in the run's currency;
    ``value_<days>`` is expected revenue, undiscounted. The changes add up: ``clv`` = ``clv_before`` + all of them.
    """

    customer = models.OneToOneField(
        "customers.Customer",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="outlook",
    )
    run = models.ForeignKey(LtvRun, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    purchases_low = models.FloatField(null=True)  # of the next 365 days, as the two after it
    purchases_high = models.FloatField(null=True)
    purchases_30 = models.FloatField(null=True)
    purchases_30_low = models.FloatField(null=True)
    purchases_30_high = models.FloatField(null=True)
    value_30 = models.FloatField(null=True)
    value_30_low = models.FloatField(null=True)
    value_30_high = models.FloatField(null=True)
    purchases_90 = models.FloatField(null=True)
    purchases_90_low = models.FloatField(null=True)
    purchases_90_high = models.FloatField(null=True)
    value_90 = models.FloatField(null=True)
    value_90_low = models.FloatField(null=True)
    value_90_high = models.FloatField(null=True)
    purchases_1095 = models.FloatField(null=True)
    purchases_1095_low = models.FloatField(null=True)
    purchases_1095_high = models.FloatField(null=True)
    value_1095 = models.FloatField(null=True)
    value_1095_low = models.FloatField(null=True)
    value_1095_high = models.FloatField(null=True)
    # half of the customers like this one buy between these days
    next_purchase_from = models.DateField(null=True)
    next_purchase_to = models.DateField(null=True)
    clv = ThousandthsField()
    clv_before = ThousandthsField(null=True)
    change_time = ThousandthsField(null=True)
    change_purchases = ThousandthsField(null=True)
    change_refunds = ThousandthsField(null=True)
    change_rates = ThousandthsField(null=True)
    change_refit = ThousandthsField(null=True)

    class Meta:
        managed = False
        db_table = "ltv_current"


class ReportCard(models.Model):
    """What the shop's own past says of its forecast: a light, findings, and the figures behind them.

    ``findings``: [{"code", "light", "values"}], the worst first, said in words by whoever shows them.
    ``scores``: see ``ltv.core.scorecard``. Money in ``currency``. The newest card decides whether predictions may
    drive offers: ``reports.predictions_may_drive_offers``.
    """

    run = models.OneToOneField(JobRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    as_of = models.DateField(_("as of"))
    light = models.CharField(_("verdict"), max_length=6, choices=Light)
    findings = models.JSONField(_("findings"), default=list)
    model = models.CharField(_("forecast in use"), max_length=40)
    champion = models.CharField(_("best of all tried"), max_length=40, blank=True)
    horizon_days = models.PositiveSmallIntegerField(_("horizon, days"))
    checks = models.PositiveSmallIntegerField(_("checks"))
    customers = models.IntegerField(_("customers looked at"))
    buyers = models.IntegerField(_("buyers of the shop"))  # above ``customers`` where a sample was enough
    currency = models.CharField(_("currency"), max_length=3)
    scores = models.JSONField(_("scores"), default=dict)
    created_at = models.DateTimeField(_("checked"))
    allowed_at = models.DateTimeField(_("allowed in spite of it"), null=True, blank=True)
    allowed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    allowed_reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("report card")
        verbose_name_plural = _("report cards")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="report_card_light_known", condition=Q(light__in=Light.values)),
            models.CheckConstraint(
                name="report_card_allowed_has_reason",
                condition=Q(allowed_at__isnull=True) | (Q(light=Light.RED) & ~Q(allowed_reason="")),
            ),
            models.CheckConstraint(
                name="report_card_part_of_the_buyers",
                condition=Q(customers__gte=0, customers__lte=F("buyers")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.as_of} {self.light}"


class Reproduction(models.Model):
    """A published run worked out once more from the ledger as it is: the same, or what was corrected since.

    ``findings``: [{"cause", "customers", "inputs", "first"}] in the order of ``Cause``: how many customers, by how many
    corrected inputs, and the ids of the first of them. A customer may be under several causes.
    """

    run = models.ForeignKey(LtvRun, on_delete=models.CASCADE, related_name="reproductions")
    job = models.ForeignKey(JobRun, on_delete=models.CASCADE, related_name="reproductions")
    checked_at = models.DateTimeField(null=True, blank=True)
    customers = models.IntegerField(default=0)  # compared
    differing = models.IntegerField(default=0)
    findings = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["job", "run"], name="reproduction_once_per_job"),
            models.CheckConstraint(
                name="reproduction_part_of_the_customers",
                condition=Q(differing__gte=0, differing__lte=F("customers")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run} {self.differing}/{self.customers}"
