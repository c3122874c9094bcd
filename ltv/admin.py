"""The valuations: which model, which parameters, what came out."""

from django.contrib import admin

from crm.common.admin import FactAdmin
from ltv.models import LtvRun


@admin.register(LtvRun)
class LtvRunAdmin(FactAdmin):
    list_display = ("id", "as_of", "state", "step", "customers", "buyers", "clv", "currency", "published_at")
    fields = (
        "as_of",
        "state",
        "step",
        "step_reason",
        "parameters",
        "currency",
        "horizon_days",
        "churn_days",
        "margin_rate",
        "discount_rate",
        "retention_months",
        "customers",
        "buyers",
        "revenue",
        "expected_value",
        "clv",
        "started_at",
        "published_at",
    )
