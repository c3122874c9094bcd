"""What the current valuation offers to segment rules."""

from datetime import date, timedelta

import pytest

from customers.core import rules
from customers.core.traits import catalogue
from customers.models import Segment
from customers.services import segments
from ltv.models import CustomerLtv, CustomerOutlook
from ltv.services import night
from tests.factories import CustomerFactory, CustomerLtvFactory, LtvRunFactory, publish
from tests.ltv.test_night import a_base_of, buy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
TODAY = date(2026, 3, 2)


def value(customer_id: int, trait: str) -> str:
    return segments.why(customer_id, Segment(rule={"trait": trait, "op": "is_known"}), TODAY)[0].value


def test_each_figure_of_the_current_run_can_be_asked():
    figures = CustomerLtvFactory(clv_decile=1, ltv_to_cac=3.5, p_alive=0.905)

    shown = {
        name: value(figures.customer_id, f"ltv.{name}")
        for name in (
            "orders",
            "frequency",
            "recency_days",
            "age_days",
            "revenue",
            "margin",
            "average_purchase",
            "formula_ltv",
            "ltv_to_cac",
            "clv",
            "clv_decile",
            "expected_value",
            "expected_value_low",
            "p_alive",
            "p_no_purchase",
            "next_purchase_on",
        )
    }

    assert shown == {
        "orders": "3",
        "frequency": "2",
        "recency_days": "27 days",
        "age_days": "120 days",
        "revenue": "150 USD",
        "margin": "45 USD",
        "average_purchase": "50 USD",
        "formula_ltv": "900 USD",
        "ltv_to_cac": "3.5",
        "clv": "92.5 USD",
        "clv_decile": "1",
        "expected_value": "325 USD",
        "expected_value_low": "200 USD",
        "p_alive": "90.5%",
        "p_no_purchase": "20%",
        "next_purchase_on": "2026-03-20",
    }


def test_only_the_run_the_pointer_names_is_asked():
    customer = CustomerFactory()
    for revenue in (100, 250):
        CustomerLtvFactory(customer=customer, run=publish(LtvRunFactory()), revenue=revenue)

    assert value(customer.pk, "ltv.revenue") == "250 USD"


def test_scores_and_their_cell_are_facts_and_the_change_of_the_expectation_a_forecast(now):
    customer = CustomerFactory()
    for n in range(8):
        buy(customer, TODAY - timedelta(days=14 * n + 2))
    a_base_of(20)
    night.run_due(clock=lambda: now)
    night.run_due(clock=lambda: now + timedelta(days=1))
    row = CustomerLtv.objects.get(customer=customer)
    told = CustomerOutlook.objects.get(customer=customer)

    shown = [value(customer.pk, f"ltv.{name}") for name in ("r_score", "f_score", "m_score", "rfm_cell")]

    assert shown[:3] == [str(row.r_score), str(row.f_score), str(row.m_score)]
    assert shown[3] == "".join(shown[:3])
    assert value(customer.pk, "ltv.change") == f"{round(told.clv - told.clv_before, 2).normalize():f} USD"
    fell = {"trait": "ltv.change", "op": "<", "value": 0}
    assert segments.preview(fell, TODAY).count > 0
    assert [trait.name for trait in rules.forecasts(fell, catalogue())] == ["ltv.change"]
    assert rules.forecasts({"trait": "ltv.rfm_cell", "op": ">=", "value": 500}, catalogue()) == []


def test_revenue_is_compared_with_the_average_of_those_who_bought():
    rich = CustomerLtvFactory(revenue=300).customer_id
    CustomerLtvFactory(revenue=100)
    never = CustomerLtvFactory(revenue=0, orders=0).customer_id

    assert value(rich, "ltv.revenue_to_average") == "1.5"
    assert value(never, "ltv.revenue_to_average") == "not known"


def test_before_the_first_valuation_nothing_is_known_of_anybody():
    customer = CustomerFactory()

    assert value(customer.pk, "ltv.orders") == "not known"
    assert segments.preview({"trait": "ltv.orders", "op": "=", "value": 0}, TODAY).count == 0
