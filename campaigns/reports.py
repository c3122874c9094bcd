"""Figures of campaigns: who would get it, where it stands, what came of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from math import sqrt
from typing import Any

from psycopg.sql import Composable

from campaigns.choices import Arm, MessageStatus, Trigger
from campaigns.models import Campaign
from crm.common import sql
from crm.common.intervals import Z95, wilson
from customers.core import rules
from customers.core.traits import catalogue
from customers.models import Segment
from ltv.reports import predictions_may_drive_offers

WINDOW_DAYS = 30


@dataclass(frozen=True)
class Waterfall:
    """From everybody in the segment to who will be mailed; the steps add up."""

    in_segment: int
    no_address: int
    no_consent: int
    suppressed: int
    held_out: int
    will_be_sent: int


@dataclass(frozen=True)
class States:
    """Messages by state: ``by_status`` adds up to the campaign's audience; ``reasons`` explains the ends."""

    by_status: Mapping[str, int]
    reasons: Mapping[tuple[str, str], int]

    @property
    def total(self) -> int:
        return sum(self.by_status.values())

    @property
    def unfinished(self) -> int:
        """Waiting, claimed or being sent."""
        open_states = (MessageStatus.PENDING, MessageStatus.CLAIMED, MessageStatus.SENDING)
        return sum(self.by_status[status] for status in open_states)


@dataclass(frozen=True)
class ArmResult:
    people: int = 0
    buyers: int = 0
    orders: int = 0
    revenue: Decimal = Decimal(0)
    variance: float = field(default=0.0, repr=False)  # of revenue between people

    @property
    def buyer_share(self) -> float | None:
        return self.buyers / self.people if self.people else None

    @property
    def revenue_per_person(self) -> float | None:
        return float(self.revenue) / self.people if self.people else None


@dataclass(frozen=True)
class Difference:
    """Treated minus held out, with a 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """The interval leaves zero out."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Results:
    """Intention to treat: both arms as the hash made them, whatever happened to the mails. Base currency."""

    currency: str
    window_days: int
    treated: ArmResult
    control: ArmResult
    buyer_share: Difference | None  # in shares, -1 to 1; None while an arm is empty
    revenue_per_person: Difference | None  # None with fewer than two people in an arm
    coupons_issued: int
    coupons_redeemed: int
    coupons_expired: int

    @property
    def redemption_share(self) -> float | None:
        return self.coupons_redeemed / self.coupons_issued if self.coupons_issued else None

    @property
    def extra_revenue(self) -> Difference | None:
        """What the campaign brought in all: the difference a person, times the people treated."""
        per = self.revenue_per_person
        if per is None:
            return None
        return Difference(*(self.treated.people * part for part in (per.value, per.low, per.high)))


def waterfall(campaign: Campaign, *, hash_params: Mapping[str, bytes], why_not: Composable) -> Waterfall:
    """Who would be mailed now; ``hash_params`` and ``why_not`` come from ``services`` (see campaigns.preflight)."""
    params: dict[str, Any] = {
        "segment": campaign.segment_id,
        "salt": campaign.salt,
        "control_share": campaign.control_share,
        "purpose": campaign.purpose,
        **hash_params,
    }
    return Waterfall(**sql.rows("campaigns/preflight", params, {"why_not": why_not})[0])


def states(campaign: Campaign) -> States:
    """Where the campaign's messages stand; one query."""
    by_status = {status.value: 0 for status in MessageStatus}
    reasons: dict[tuple[str, str], int] = {}
    for row in sql.rows("campaigns/states", {"campaign": campaign.pk}):
        by_status[row["status"]] += row["messages"]
        if row["reason"]:
            reasons[row["status"], row["reason"]] = row["messages"]
    return States(by_status, reasons)


def results(campaign: Campaign, *, at: datetime, currency: str, window_days: int = WINDOW_DAYS) -> Results:
    """What each arm bought within ``window_days`` of enrolment, up to ``at``."""
    params = {"campaign": campaign.pk, "days": window_days, "at": at}
    arms = {row.pop("arm"): _arm(row) for row in sql.rows("campaigns/results", params)}
    treated, control = arms.get(Arm.TREATED, ArmResult()), arms.get(Arm.CONTROL, ArmResult())
    coupons = sql.rows("campaigns/coupons", {"campaign": campaign.pk, "at": at})[0]
    return Results(
        currency=currency,
        window_days=window_days,
        treated=treated,
        control=control,
        buyer_share=share_difference(treated, control),
        revenue_per_person=mean_difference(treated, control),
        coupons_issued=coupons["issued"],
        coupons_redeemed=coupons["redeemed"],
        coupons_expired=coupons["expired"],
    )


def _arm(row: Mapping[str, Any]) -> ArmResult:
    return ArmResult(
        people=row["people"],
        buyers=row["buyers"],
        orders=row["orders"],
        revenue=row["revenue"],
        variance=row["revenue_variance"],
    )


def share_difference(treated: ArmResult, control: ArmResult) -> Difference | None:
    """Difference of the buyers' shares with Newcombe's interval.

    Source: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
    """
    if not (treated.people and control.people):
        return None
    p1, p2 = treated.buyers / treated.people, control.buyers / control.people
    (l1, u1), (l2, u2) = wilson(treated.buyers, treated.people), wilson(control.buyers, control.people)
    low = p1 - p2 - sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2)
    high = p1 - p2 + sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2)
    return Difference(p1 - p2, low, high)


def mean_difference(treated: ArmResult, control: ArmResult) -> Difference | None:
    """Difference of the mean revenues a person, with Welch's standard error and the normal quantile."""
    if treated.people < 2 or control.people < 2:
        return None
    value = float(treated.revenue) / treated.people - float(control.revenue) / control.people
    spread = Z95 * sqrt(treated.variance / treated.people + control.variance / control.people)
    return Difference(value, value - spread, value + spread)


def asks_forecasts(segment: Segment) -> bool:
    """Whether who is in the segment depends on what is only expected of people."""
    return bool(rules.forecasts(segment.rule, catalogue()))


def waiting_for_forecast(campaigns: Iterable[Campaign]) -> list[Campaign]:
    """Of these, those that take nobody in now: they would by themselves, by a forecast that did not hold."""
    by_forecast = [
        one for one in campaigns if one.trigger == Trigger.ON_ENTRY and asks_forecasts(one.segment)
    ]
    return by_forecast if by_forecast and not predictions_may_drive_offers().allowed else []
