from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import factory
from django.db import connection
from psycopg import sql

from crm.common.choices import JobState
from crm.common.models import JobRun
from ltv import models
from ltv.choices import Cause, Light, ModelStep, RunState
from tests.factories.base import Factory
from tests.factories.customers import CustomerFactory

PUBLISHED = datetime(2026, 3, 1, 17, 15, tzinfo=UTC)


class LtvRunFactory(Factory):
    """A published run; ``publish(run)`` makes it the one readers see."""

    class Meta:
        model = models.LtvRun

    as_of = date(2026, 3, 1)
    state = RunState.PUBLISHED
    step = ModelStep.OWN_FIT
    currency = "USD"
    margin_rate = Decimal("0.3")
    discount_rate = Decimal("0.1")
    retention_months = Decimal(24)
    started_at = PUBLISHED
    published_at = factory.LazyAttribute(lambda o: PUBLISHED if o.state == RunState.PUBLISHED else None)


class PurchaseSummaryFactory(Factory):
    class Meta:
        model = models.PurchaseSummary

    customer = factory.SubFactory(CustomerFactory)
    first_day = date(2026, 1, 5)
    last_day = date(2026, 2, 2)
    days = 2
    orders = 2
    first_revenue = Decimal("50.00")
    revenue = Decimal("100.00")
    margin = Decimal("30.00")


TENTHS = {"predicted": [200 - 20.0 * n for n in range(10)], "actual": [190 - 18.0 * n for n in range(10)]}
RISKS = {"predicted": [0.95 - 0.08 * n for n in range(10)], "actual": [0.93 - 0.07 * n for n in range(10)]}


def _scores(checks: int) -> dict[str, Any]:
    totals = {"predicted": 1_040.0, "actual": 1_000.0}
    one = {"customers": 500, "step": "own", "purchases": totals, "spend": totals, "silent": totals}
    rule = {"loss": 0.7, "purchases_off": 0.31, "spend_off": 0.4, "top_fifth": 0.55, "auc": 0.7}
    return {
        "checks": [
            {"origin": f"2025-{month:02}-01", **one, "coverage": 0.8, "top_fifth": 0.6, "loss": 0.5}
            for month in range(1, checks + 1)
        ],
        "spend": TENTHS,
        "silence": RISKS,
        "forecasts": [
            {"name": "bgnbd", "baseline": False, **rule, "loss": 0.5},
            {"name": "recency", "baseline": True, **rule, "purchases_off": None, "auc": None},
        ],
    }


class ReportCardFactory(Factory):
    """The newest verdict on the forecast."""

    class Meta:
        model = models.ReportCard

    as_of = date(2026, 3, 2)
    light = Light.GREEN
    findings = factory.LazyAttribute(
        lambda o: [
            {"code": "purchases_high", "light": o.light, "values": {"checks": o.checks, "percent": 4}},
            {
                "code": "beats_rule",
                "light": "green",
                "values": {"rule": "recency", "percent": 25, "low": 21, "high": 28},
            },
        ]
    )
    model = "bgnbd"
    champion = "paretonbd_all_days"
    horizon_days = 90
    checks = 6
    customers = 500
    buyers = 500
    currency = "USD"
    scores = factory.LazyAttribute(lambda o: _scores(o.checks))
    created_at = PUBLISHED


class _JobRunFactory(Factory):
    class Meta:
        model = JobRun

    job = "ltv.reproduce"
    business_date = date(2026, 3, 1)
    occurrence = factory.Sequence(lambda n: n + 1)
    state = JobState.DONE
    requested_at = PUBLISHED
    finished_at = PUBLISHED


class ReproductionFactory(Factory):
    """A night worked out again: every cause was found, each with the customer ``of``."""

    class Meta:
        model = models.Reproduction

    class Params:
        of = factory.SubFactory(CustomerFactory)

    run = factory.SubFactory(LtvRunFactory)
    job = factory.SubFactory(_JobRunFactory)
    checked_at = PUBLISHED
    customers = 1_000
    differing = 60
    findings = factory.LazyAttribute(
        lambda o: [{"cause": cause, "customers": 52, "inputs": 70, "first": [o.of.pk]} for cause in Cause]
    )


def publish(run: models.LtvRun | None = None) -> models.LtvRun:
    """Give ``run`` (a new one when omitted) its partition and point readers at it."""
    run = run or LtvRunFactory()
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                "CREATE TABLE IF NOT EXISTS {part} PARTITION OF ltv_customerltv FOR VALUES IN ({run})"
            ).format(part=sql.Identifier(f"ltv_customerltv_{run.pk}"), run=sql.Literal(run.pk))
        )
    models.CurrentRun.objects.update_or_create(only_row=True, defaults={"run": run})
    return run


def _current_run() -> models.LtvRun:
    pointer = models.CurrentRun.objects.select_related("run").first()
    return pointer.run if pointer else publish()


class CustomerLtvFactory(Factory):
    """A buyer's figures in the current run (published by the way if there is none)."""

    class Meta:
        model = models.CustomerLtv

    customer = factory.SubFactory(CustomerFactory)
    run = factory.LazyFunction(_current_run)
    orders = 3
    frequency = 2
    recency_days = 27
    age_days = 120
    revenue = Decimal("150.000")
    margin = Decimal("45.000")
    average_purchase = Decimal("50.000")
    purchases_per_month = 0.75
    formula_ltv = Decimal("900.000")
    margin_clv = Decimal("270.000")
    expected_purchases = 6.5
    expected_value = Decimal("325.000")
    expected_value_low = Decimal("200.000")
    expected_value_high = Decimal("450.000")
    clv = Decimal("92.500")
    p_alive = 0.9
    p_no_purchase = 0.2
    next_purchase_on = date(2026, 3, 20)

    @classmethod
    def _create(cls, model_class: type, *args: Any, **kwargs: Any) -> models.CustomerLtv:
        """Written into the run's partition: the model itself reads a view."""
        made = model_class(*args, **kwargs)
        fields = made._meta.concrete_fields
        statement = sql.SQL("INSERT INTO ltv_customerltv ({columns}) VALUES ({values})").format(
            columns=sql.SQL(", ").join(sql.Identifier(f.column) for f in fields),
            values=sql.SQL(", ").join(sql.Placeholder() for _f in fields),
        )
        with connection.cursor() as cursor:
            cursor.execute(
                statement, [f.get_db_prep_save(f.pre_save(made, True), connection) for f in fields]
            )
        return made
