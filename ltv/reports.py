"""What the figures say: of one customer, of the whole base, of the channels that brought it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from psycopg.sql import Identifier, Literal

from crm.common import sql
from crm.common.fields import ThousandthsField
from crm.common.orm import Prepared
from ltv.choices import Light
from ltv.core import formula
from ltv.models import CurrentRun, CustomerLtv, CustomerOutlook, LtvRun, ReportCard

Row = TypeVar("Row", CustomerLtv, CustomerOutlook)


@dataclass(frozen=True)
class ValueCard:
    """One customer's figures with what they stand on. Money in ``run.currency`` as of ``run.as_of``."""

    run: LtvRun
    figures: CustomerLtv
    outlook: CustomerOutlook | None = None
    updated_on: date | None = None  # the last day in it, where purchases since the night are counted already

    @property
    def has_bought(self) -> bool:
        return self.figures.orders > 0

    @property
    def last_day(self) -> date:
        """The last day whose purchases are in it."""
        return self.updated_on or self.run.last_day


@dataclass(frozen=True)
class KeptRun:
    """A run whose figures are kept whole, in the table ``name``."""

    run_id: int
    as_of: date
    currency: str
    name: str


@dataclass(frozen=True)
class Point:
    """A customer in a kept run. Money in the run's currency."""

    as_of: date
    clv: Decimal
    clv_before: Decimal | None
    p_no_purchase: float | None


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
    """What a channel brings and costs. ``ltv_to_cac`` compares the mean formula LTV of its buyers with its CAC.

    Without ``channel_id`` and name: the customers of no known channel.
    """

    channel_id: int | None
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

    @property
    def only_on_revenue(self) -> bool:
        """Whether three to one holds on revenue, and not on margin."""
        if not self.healthy or self.cac is None or self.affordable_cac is None:
            return False
        return self.cac > self.affordable_cac


_pointer = Prepared(lambda: CurrentRun.objects.select_related("run"))
_figures = Prepared(lambda customer: CustomerLtv.objects.select_related("run").filter(pk=customer), int)
_outlook = Prepared(lambda customer: CustomerOutlook.objects.filter(pk=customer), int)


def current_run() -> LtvRun | None:
    """The run readers see; None before the first night."""
    pointer = _pointer.first()
    return pointer.run if pointer else None


def jobs_published_at(moments: Collection[datetime]) -> dict[datetime, int]:
    """Which run of the night moved the pointer, and the segments with it, at each of these instants."""
    runs = LtvRun.objects.filter(published_at__in=moments).values_list("published_at", "job_id")
    return {at: job for at, job in runs if at and job}


def value_card(customer_id: int, *, as_of: date | None = None, outlook: bool = False) -> ValueCard | None:
    """The customer's figures; None before the first night that knew them.

    With a date those of the newest run kept that is not later, or None. ``outlook`` comes with a date, or if asked for.
    """
    if as_of:
        kept = next((run for run in kept_runs() if run.as_of <= as_of), None)
        return _card_at(customer_id, kept) if kept else None
    figures = _figures.first(customer_id)
    if figures is None:
        return None
    return ValueCard(figures.run, figures, _outlook.first(customer_id) if outlook else None)


def kept_runs() -> list[KeptRun]:
    """The nights whose figures can still be asked for, the newest first."""
    return [KeptRun(**row) for row in sql.rows("ltv/kept_runs")]


def value_history(customer_id: int, runs: list[KeptRun]) -> list[Point]:
    """The customer in each of these runs that knew them, the oldest first: one statement."""
    if not runs:
        return []
    points = [sql.compose("ltv/value_point", _of_kept(run)) for run in runs]
    as_of = {run.run_id: run.as_of for run in runs}
    found = sql.rows("ltv/value_history", {"customer_id": customer_id}, {"points": sql.union(points)})
    return [Point(as_of[row["run_id"]], row["clv"], row["clv_before"], row["p_no_purchase"]) for row in found]


def _card_at(customer_id: int, kept: KeptRun) -> ValueCard | None:
    rows = sql.rows("ltv/value_at_run", {"customer_id": customer_id}, _of_kept(kept))
    if not rows:
        return None
    run = LtvRun.objects.get(pk=kept.run_id)
    return ValueCard(run, as_row(CustomerLtv, rows[0]), as_row(CustomerOutlook, rows[0]))


def _of_kept(run: KeptRun) -> sql.Parts:
    return {"partition": Identifier(run.name), "run_id": Literal(run.run_id)}


def as_row(model: type[Row], values: Mapping[str, Any]) -> Row:
    """A row of either model over the run's columns, out of values by column as PostgreSQL has them."""
    fields = model._meta.concrete_fields
    return model(**{field.attname: _as_seen(field, values[field.attname]) for field in fields})


def _as_seen(field: Any, value: Any) -> Any:
    return field.from_db_value(value) if isinstance(field, ThousandthsField) else value


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
