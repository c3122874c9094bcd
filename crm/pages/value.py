"""Value: what the base is worth, where it is concentrated, and what each channel brings and costs."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from crm.common import sql
from crm.pages.shell import StaffRequest, page, render
from crm.templatetags.crm import month
from customers.models import AcquisitionChannel
from ltv import reports


@page("ltv.view_customerltv")
@sql.one_moment()
def value(request: StaffRequest) -> HttpResponse:
    found = reports.overview()
    channels = reports.channels() if found else []
    return render(
        request,
        "crm/value.html",
        title=_("Value"),
        overview=found,
        channels=channels,
        codes=dict(AcquisitionChannel.objects.values_list("pk", "code")),
        deciles=_deciles(found) if found else {},
        months=_months(found) if found else {},
        months_known=found.months[-2:] if found else (),
        top_share=sum(tenth.share for tenth in found.deciles[:2]) if found else 0.0,
    )


def _deciles(found: reports.Overview) -> dict[str, Any]:
    return {
        "type": "bar",
        "currency": found.currency,
        "labels": [str(tenth.decile) for tenth in found.deciles],
        "datasets": [
            {"label": _("Expected margin"), "data": [float(tenth.clv) for tenth in found.deciles]},
            {
                "label": _("Revenue so far"),
                "data": [float(tenth.revenue) for tenth in found.deciles],
                "colour": "--mc-6",
            },
        ],
    }


def _months(found: reports.Overview) -> dict[str, Any]:
    return {
        "type": "bar",
        "currency": found.currency,
        "labels": [month(one.month) for one in found.months],
        "datasets": [{"label": _("Revenue"), "data": [float(one.revenue) for one in found.months]}],
    }
