"""A purchase of the day moves its customer's figures at once, as the coming night will move them."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ltv import reports
from ltv.models import CurrentRun, CustomerLtv, CustomerOutlook, LtvRun
from ltv.services import night, predictions, today
from ltv.services.histories import Histories
from tests.factories import CustomerFactory, RefundFactory
from tests.ltv.test_night import a_base_of, buy

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)
COMPARED = {"run_id", "customer_id", "clv_decile", "r_score", "f_score", "m_score"}


@pytest.fixture(autouse=True)
def _shop(shop):
    return shop


def run_night(now, days: int = 0) -> LtvRun:
    night.run_due(clock=lambda: now + timedelta(days=days))
    return CurrentRun.objects.get().run


def value_today(customer, on: date = TODAY) -> reports.ValueCard | None:
    return today.value_today(reports.value_card(customer.pk), on)


def stored(model, customer) -> dict:
    row = model.objects.get(customer=customer)
    return {field.attname: getattr(row, field.attname) for field in model._meta.concrete_fields}


def same(found, row: dict, beside: set[str] = COMPARED) -> None:
    """Dates, counts and money exactly; shares to what a double keeps; ranges as near as the night takes them.

    The night reads the ends of everybody's ranges off one grid, which is as fine as its customers need it.
    """
    for name, value in row.items():
        if name in beside or value is None:
            assert value is not None or getattr(found, name) is None, name
        elif name.endswith(("_low", "_high")):
            assert float(getattr(found, name)) == pytest.approx(float(value), rel=0.01, abs=0.05), name
        else:
            close = pytest.approx(value, rel=1e-6) if isinstance(value, float) else value
            assert getattr(found, name) == close, name


@pytest.fixture
def _same_parameters(monkeypatch):
    """Every night after the first stands on the first one's parameters."""
    fit = predictions.fit

    def again(seen: Histories, previous: LtvRun | None) -> predictions.Fitted:
        return predictions.Fitted.of_run(previous) if previous else fit(seen, previous)

    monkeypatch.setattr(predictions, "fit", again)


def test_nothing_bought_since_the_night_is_asked_once_and_left_alone(now):
    people = a_base_of(40)
    run_night(now)
    card = reports.value_card(people[0].pk)
    buy(people[1], TODAY)

    with CaptureQueriesContext(connection) as asked:
        found = today.value_today(card, TODAY)

    assert found is None
    assert len(asked) == 1


def test_a_purchase_recorded_now_is_in_the_figures_at_once(now):
    customer = a_base_of(40)[3]
    run_night(now)
    before = reports.value_card(customer.pk).figures
    rows = CustomerLtv.objects.count()
    buy(customer, TODAY, "500")

    card = value_today(customer)

    assert card.updated_on == TODAY
    assert card.figures.revenue == before.revenue + 500
    assert card.figures.orders == before.orders + 1
    assert card.figures.recency_days == 0
    assert card.figures.clv > before.clv
    assert card.figures.next_purchase_on != before.next_purchase_on
    assert (card.figures.clv_decile, card.figures.r_score) == (before.clv_decile, before.r_score)
    assert CustomerLtv.objects.get(customer=customer).clv == before.clv  # nothing is written
    assert CustomerLtv.objects.count() == rows


@pytest.mark.usefixtures("_same_parameters")
def test_the_night_stores_what_was_shown(now):
    people = a_base_of(40)[:4]
    run_night(now)
    for customer, refunded in zip(people, ("0", "17.25", "80", "0"), strict=True):
        bought = buy(customer, TODAY, "80")
        if Decimal(refunded):
            RefundFactory(purchase=bought, amount=Decimal(refunded))
    shown = [value_today(customer) for customer in people]

    run_night(now, days=1)

    why = {
        field.name for field in CustomerOutlook._meta.fields if field.name.startswith(("change_", "clv_b"))
    }
    for customer, card in zip(people, shown, strict=True):
        same(card.figures, stored(CustomerLtv, customer))
        same(card.outlook, stored(CustomerOutlook, customer), COMPARED | why)
        assert value_today(customer, TODAY + timedelta(days=1)) is None


def test_everything_given_back_leaves_nothing_to_expect(now):
    customer = CustomerFactory()
    only = buy(customer, date(2026, 2, 1), "90")
    a_base_of(40)
    run_night(now)
    RefundFactory(purchase=only, amount=Decimal("90"))

    figures = value_today(customer).figures

    assert (figures.orders, figures.revenue, figures.clv) == (0, 0, 0)
    assert (figures.expected_value, figures.next_purchase_on, figures.formula_ltv) == (None, None, None)


def test_a_first_purchase_is_a_customer_at_once(now):
    customer = CustomerFactory()
    a_base_of(40)
    run_night(now)
    buy(customer, TODAY, "90")

    figures = value_today(customer).figures

    assert (figures.orders, figures.revenue, figures.age_days) == (1, 90, 0)
    assert figures.clv > 0
    assert figures.clv_decile is None


def test_in_a_shop_without_a_model_the_others_say_what_is_usual(now):
    people = [buy(one, date(2026, 1, 5)).customer for one in CustomerFactory.create_batch(5)]
    run = run_night(now)
    assert predictions.Fitted.of_run(run).gg is None
    buy(people[0], TODAY, "70")
    shown = value_today(people[0]).figures

    run_night(now, days=1)

    same(shown, stored(CustomerLtv, people[0]))


def test_a_large_shop_without_a_model_is_not_read_for_one_page(now):
    people = [buy(one, date(2026, 1, 5)).customer for one in CustomerFactory.create_batch(5)]
    run_night(now)
    LtvRun.objects.update(customers=100_000)
    buy(people[0], TODAY, "70")

    assert value_today(people[0]) is None


def test_what_a_night_took_up_stays_in_the_figures_until_it_publishes(now, monkeypatch):
    customer = a_base_of(40)[3]
    run_night(now)
    buy(customer, TODAY, "80")
    shown = value_today(customer).figures

    def refuse(*_args):
        raise RuntimeError("the night stops here")

    monkeypatch.setattr("ltv.services.gates.check", refuse)
    run_night(now, days=1)

    assert value_today(customer).figures.clv == shown.clv
