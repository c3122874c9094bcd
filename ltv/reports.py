"""What the figures say: of one customer, of the whole base, of the channels that brought it."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from crm.common import sql
from crm.common.orm import Prepared
from ltv.choices import Light
from ltv.core import formula
from ltv.models import CurrentRun, CustomerLtv, LtvRun, ReportCard


@dataclass(frozen=True)
class ValueCard:
    """One customer's figures with what they stand on. Money in ``run.currency`` as of ``run.as_of``."""

    run: LtvRun
    figures: CustomerLtv

    @property
    def has_bought(self) -> bool:
        return self.figures.orders > 0


@dataclass(frozen=True)
class Decile:
    """One tenth of the buyers by expected margin, 1 the best."""

    decile: int
    customers: int
    clv: Decimal
    revenue: Decimal
    share: float  # of the whole base's expected margin


@dataclass(frozen=True)
class Month:
    month: str  # "2026-03"
    revenue: Decimal
    purchases: int


@dataclass(frozen=True)
class Overview:
    """The base as the current run sees it. Money in ``currency``; expectations over ``horizon_days``."""

    run_id: int
    as_of: date
    published_at: datetime
    currency: str
    horizon_days: int
    churn_days: int
    step: str
    step_reason: str
    customers: int
    buyers: int
    revenue: Decimal
    expected_value: Decimal
    clv: Decimal
    active: int
    at_risk: int
    margin_at_risk: Decimal
    deciles: tuple[Decile, ...]
    months: tuple[Month, ...]


@dataclass(frozen=True)
class Channel:
    """What a channel brings and costs. ``ltv_to_cac`` compares the mean formula LTV of its buyers with its CAC."""

    channel_id: int
    name: str
    kind: str
    customers: int
    buyers: int
    repeat_rate: float | None
    formula_ltv: Decimal | None
    margin_clv: Decimal | None
    clv: Decimal | None
    spend: Decimal | None
    cac: Decimal | None
    ltv_to_cac: Decimal | None
    affordable_cac: Decimal | None

    @property
    def healthy(self) -> bool | None:
        """Three to one or better; None where there is no cost to compare with."""
        return None if self.ltv_to_cac is None else self.ltv_to_cac >= 3


_pointer = Prepared(lambda: CurrentRun.objects.select_related("run"))
_figures = Prepared(lambda customer: CustomerLtv.objects.select_related("run").filter(pk=customer), int)


def current_run() -> LtvRun | None:
    """The run readers see; None before the first night."""
    pointer = _pointer.first()
    return pointer.run if pointer else None


def value_card(customer_id: int) -> ValueCard | None:
    """The customer's figures; None before the first night that knew them."""
    figures = _figures.first(customer_id)
    return ValueCard(run=figures.run, figures=figures) if figures else None


def overview() -> Overview | None:
    """The whole base in one row's worth of reading; None before the first night."""
    run = current_run()
    if run is None or run.published_at is None:
        return None
    found = run.figures
    return Overview(
        run_id=run.pk,
        as_of=run.as_of,
        published_at=run.published_at,
        currency=run.currency,
        horizon_days=run.horizon_days,
        churn_days=run.churn_days,
        step=run.get_step_display(),
        step_reason=run.step_reason,
        customers=run.customers,
        buyers=run.buyers,
        revenue=run.revenue,
        expected_value=run.expected_value,
        clv=run.clv,
        active=found.get("active", 0),
        at_risk=found.get("at_risk", 0),
        margin_at_risk=Decimal(found.get("margin_at_risk", "0")),
        deciles=tuple(_decile(row, run.clv) for row in found.get("deciles", ())),
        months=tuple(
            Month(row["month"], Decimal(row["revenue"]), row["purchases"]) for row in found.get("months", ())
        ),
    )


def _decile(row: dict, total: Decimal) -> Decile:
    clv = Decimal(row["clv"])
    share = float(clv / total) if total else 0.0
    return Decile(row["decile"], row["customers"], clv, Decimal(row["revenue"]), share)


def channels() -> list[Channel]:
    """Every acquisition channel with its CAC, repeat rate and value, in the current run."""
    found = []
    for row in sql.rows("ltv/channels"):
        ratio = formula.ltv_to_cac(row["formula_ltv"], row["cac"]) if row["formula_ltv"] is not None else None
        affordable = (
            formula.highest_affordable_cac(row["margin_clv"]) if row["margin_clv"] is not None else None
        )
        found.append(Channel(**row, ltv_to_cac=ratio, affordable_cac=affordable))
    return found


def members_by_value(segment_id: int, *, skip: int = 0, limit: int) -> list[int]:
    """Ids of a segment's members now, by expected margin, the best first; those without figures last."""
    found = sql.rows("ltv/members_by_value", {"segment_id": segment_id, "skip": skip, "limit": limit})
    return [row["customer_id"] for row in found]


@dataclass(frozen=True)
class Trust:
    """How far the newest check trusts the forecast; ``card`` is None where none was made yet."""

    card: ReportCard | None

    @property
    def allowed(self) -> bool:
        """Red forbids, unless an owner allowed it with a reason; amber and "not checked yet" are said, and allow."""
        card = self.card
        return card is None or card.light != Light.RED or card.allowed_at is not None


def predictions_may_drive_offers() -> Trust:
    """The policy of ADR 10, in its one place: may campaigns by themselves act on what is only expected?"""
    return Trust(ReportCard.objects.order_by("-pk").first())
