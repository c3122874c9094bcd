"""What a customer is worth: the card on the customer's page, and all of it in detail, now or as of a kept night."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from crm.common import sql
from crm.pages.shell import StaffRequest, page, render
from crm.templatetags.crm import day, is_far, money, number, signed_money
from customers.models import Customer
from ltv import reports
from ltv.services.today import value_today

NAMED = 2  # reasons on the short line: the largest ones
OTHER_DAYS = (30, 90, 1095)


@dataclass(frozen=True)
class Reason:
    """One cause of change: its name, how much of it, what it means; where its bar is, as shares of the line."""

    name: str
    amount: Decimal
    meaning: str
    left: float = 0.0
    width: float = 0.0


@dataclass(frozen=True)
class Why:
    """From the night before to now, cause by cause. ``before`` and ``now`` are margins; places are shares of the line."""

    before: Decimal
    now: Decimal
    before_at: float
    now_at: float
    reasons: tuple[Reason, ...]

    @property
    def moved(self) -> bool:
        return any(one.amount for one in self.reasons)


@dataclass(frozen=True)
class Coming:
    """What is expected within a horizon: purchases and revenue, each with its 80 % range."""

    name: str
    purchases: tuple[float | None, float | None, float | None]
    revenue: tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class Score:
    name: str
    score: int
    words: str


# -- on the customer's page ---------------------------------------------------------------------------------------


def worth(person: Customer, today: date) -> dict[str, Any]:
    """The value card: the last night's figures, or newer ones where purchases came since."""
    night = reports.value_card(person.pk, outlook=True)
    if night is None:
        return {"card": None, "may_see_value": True}
    card = value_today(night, today) or night
    return {
        "card": card,
        "may_see_value": True,
        "range": _range(card),
        "mood": _mood(card.figures.p_no_purchase),
        "far": is_far(card.figures.next_purchase_on, card.run.as_of),
        "change": _change(night, card),
    }


def _range(card: reports.ValueCard) -> dict[str, float] | None:
    """The 80 % range of expected purchases as shares of a line that ends a tenth above it."""
    figures = card.figures
    low, middle, high = figures.expected_value_low, figures.expected_value, figures.expected_value_high
    if low is None or middle is None or not high:
        return None
    end = max(high, middle) * Decimal("1.1")
    return {"low": float(low / end), "width": float((high - low) / end), "middle": float(middle / end)}


def _mood(p_no_purchase: float | None) -> str:
    """The chance of staying away, in words."""
    if p_no_purchase is None:
        return _("Has not bought yet")
    for limit, words in (
        (0.25, _("Very likely to buy again")),
        (0.5, _("More likely than not to buy again")),
        (0.75, _("More likely than not to stay away")),
    ):
        if p_no_purchase < limit:
            return words
    return _("Very likely to stay away")


def _change(night: reports.ValueCard, card: reports.ValueCard) -> str:
    """The change since the run before in one line; empty where there was none to compare with."""
    currency = card.run.currency
    if card.updated_on:
        total = signed_money(card.figures.clv - night.figures.clv, currency)
        return _("Purchases since the last night are counted already: %(total)s") % {"total": total}
    reasons = [one for one in _reasons(night) if one.amount]
    if not reasons or night.outlook is None:
        return ""
    total = signed_money(night.outlook.clv - (night.outlook.clv_before or 0), currency)
    largest = sorted(reasons, key=lambda one: -abs(one.amount))[:NAMED]
    named = ", ".join(f"{one.name} {signed_money(one.amount, currency)}" for one in largest)
    return _("%(total)s in the last night: %(reasons)s") % {"total": total, "reasons": named}


# -- in detail ----------------------------------------------------------------------------------------------------


@page("customers.view_customer", "ltv.view_customerltv")
@sql.one_moment()
def value_in_detail(request: StaffRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(Customer, pk=pk)
    kept = reports.kept_runs()
    as_of = _asked(request.GET.get("as_of", ""), kept)
    night = reports.value_card(pk, as_of=as_of, outlook=True)
    card, context = night, dict[str, Any]()
    if night and night.outlook:
        today = request.shop.business_date(timezone.now())
        card = night if as_of else value_today(night, today) or night
        context = _detail(night, card)
        context["line"] = _line(pk, card, kept)
    return render(
        request,
        "crm/customer_value.html",
        title=_("Value in detail"),
        person=person,
        card=card,
        kept=kept,
        as_of=as_of,
        **context,
    )


def _asked(text: str, kept: list[reports.KeptRun]) -> date | None:
    """The night asked for, if its figures are still there."""
    try:
        found = parse_date(text)
    except ValueError:
        return None
    return found if found in [run.as_of for run in kept] else None


def _detail(night: reports.ValueCard, card: reports.ValueCard) -> dict[str, Any]:
    return {
        "why": _why(night, card),
        "coming": list(_coming(card)),
        "scores": list(_scores(card)),
        "mood": _mood(card.figures.p_no_purchase),
        "far": is_far(card.figures.next_purchase_on, card.run.as_of),
    }


def _reasons(night: reports.ValueCard) -> list[Reason]:
    """What changed the expected margin since the run before; empty where there was none."""
    found = night.outlook
    if found is None or found.change_time is None:
        return []
    told = (
        (_("time"), found.change_time, _("Days have passed. Silence counts against a customer; a purchase that is due comes nearer.")),
        (_("purchases"), found.change_purchases, _("Bought since, and purchases recorded late or corrected.")),
        (_("refunds"), found.change_refunds, _("Money given back since.")),
        (_("rates"), found.change_rates, _("The shop's margin rate or discount rate is another.")),
        (_("the model"), found.change_refit, _("The model learned from everybody's purchases and reads the same history a little differently.")),
    )  # fmt: skip
    return [Reason(name, amount or Decimal(0), meaning) for name, amount, meaning in told]


def _why(night: reports.ValueCard, card: reports.ValueCard) -> Why | None:
    """A waterfall on a line from the lowest level to the highest one."""
    reasons = _reasons(night)
    before = (night.outlook.clv_before if night.outlook else None) or Decimal(0)
    if card.updated_on:
        if not reasons:
            before = night.figures.clv
        name, words = _("today"), _("Bought or given back since the last night, and the day itself.")
        reasons.append(Reason(name, card.figures.clv - night.figures.clv, words))
    if not reasons:
        return None
    levels = [before]
    for one in reasons:
        levels.append(levels[-1] + one.amount)
    lowest, highest = min(levels), max(levels)
    length = (highest - lowest) or Decimal(1)

    def at(level: Decimal) -> float:
        return float((level - lowest) / length)

    drawn = tuple(
        Reason(one.name, one.amount, one.meaning, at(min(start, end)), abs(at(end) - at(start)))
        for one, start, end in zip(reasons, levels, levels[1:], strict=False)
    )
    return Why(before, levels[-1], at(before), at(levels[-1]), drawn)


def _coming(card: reports.ValueCard) -> Iterator[Coming]:
    figures, found = card.figures, card.outlook
    names = {30: _("30 days"), 90: _("90 days"), 1095: _("3 years")}
    for days in OTHER_DAYS:
        if days > card.run.horizon_days:
            yield Coming(
                _("12 months") if card.run.horizon_days == 365 else str(card.run.horizon_days),
                (figures.expected_purchases, found.purchases_low, found.purchases_high),  # type: ignore[union-attr]
                (figures.expected_value, figures.expected_value_low, figures.expected_value_high),  # type: ignore[arg-type]
            )
        purchases = (f"purchases_{days}", f"purchases_{days}_low", f"purchases_{days}_high")
        revenue = (f"value_{days}", f"value_{days}_low", f"value_{days}_high")
        yield Coming(
            names[days],
            tuple(getattr(found, name) for name in purchases),  # type: ignore[arg-type]
            tuple(getattr(found, name) for name in revenue),  # type: ignore[arg-type]
        )


def _scores(card: reports.ValueCard) -> Iterator[Score]:
    figures = card.figures
    if figures.r_score is None or figures.f_score is None or figures.m_score is None:
        return
    silent, bought = number(figures.recency_days), number(figures.frequency + 1)
    spent = money(figures.revenue, card.run.currency)
    yield Score(
        _("Recency"),
        figures.r_score,
        _("Days from the last purchase to %(day)s: %(n)s. Score 5 is the fifth of buyers who bought last.")
        % {"n": silent, "day": day(card.last_day)},
    )
    yield Score(
        _("Frequency"),
        figures.f_score,
        _("Days with a purchase: %(n)s. Score 5 is the fifth with the most.") % {"n": bought},
    )
    yield Score(
        _("Money"),
        figures.m_score,
        _("Revenue so far: %(n)s. Score 5 is the fifth with the most.") % {"n": spent},
    )


def _line(pk: int, card: reports.ValueCard, kept: list[reports.KeptRun]) -> dict[str, Any] | None:
    """Expected margin over the kept nights up to the card's, in its currency; None where there is nothing to see."""
    run = card.run
    same = [one for one in kept if one.as_of <= run.as_of and one.currency == run.currency]
    points = reports.value_history(pk, same)
    if len(points) < 2 or not any(point.clv for point in points):
        return None
    return {
        "first": points[0],
        "last": points[-1],
        "chart": {
            "type": "line",
            "currency": card.run.currency,
            "labels": [day(point.as_of) for point in points],
            "datasets": [
                {"label": _("Expected margin"), "data": [float(point.clv) for point in points], "points": 3}
            ],
        },
    }
