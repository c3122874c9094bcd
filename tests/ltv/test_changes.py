"""Why a value changed since the night before: each reason in its own column, together exactly the change."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from ltv.choices import ModelStep
from ltv.core import uncertainty
from ltv.models import CurrentRun, CustomerOutlook
from ltv.services import night
from tests.factories import CustomerFactory, RefundFactory
from tests.ltv.test_night import a_base_of, buy

pytestmark = pytest.mark.django_db
REASONS = ("time", "purchases", "refunds", "rates", "refit")


@pytest.fixture(autouse=True)
def _shop(shop):
    return shop


def run_night(now: datetime, days: int = 0):
    night.run_due(clock=lambda: now + timedelta(days=days))
    return CurrentRun.objects.get().run


def reasons(customer) -> dict[str, Decimal]:
    row = CustomerOutlook.objects.get(customer=customer)
    found = {name: getattr(row, f"change_{name}") for name in REASONS}
    assert row.clv == (row.clv_before or 0) + sum(found.values())
    return found


def regular():
    """Somebody who bought every two weeks, until yesterday."""
    customer = CustomerFactory()
    for n in range(8):
        buy(customer, date(2026, 3, 1) - timedelta(days=14 * n), "50")
    return customer


def test_the_first_night_has_nothing_to_compare_with(now):
    customer = regular()
    a_base_of(20)

    run = run_night(now)

    row = CustomerOutlook.objects.get(customer=customer)
    assert run.compared_with is None
    assert row.clv_before is None
    assert row.change_time is None


def test_a_day_of_silence_is_time_passed(now):
    customer = regular()
    a_base_of(30)
    run_night(now)

    run = run_night(now, days=1)

    found = reasons(customer)
    assert run.compared_with_id == run.pk - 1
    assert found["time"] < 0
    assert (found["purchases"], found["refunds"], found["rates"]) == (0, 0, 0)


def test_a_purchase_of_the_day_is_a_purchase(now):
    customer = regular()
    a_base_of(30)
    run_night(now)
    buy(customer, date(2026, 3, 2), "400")

    run_night(now, days=1)

    found = reasons(customer)
    assert found["purchases"] > abs(found["time"])
    assert (found["refunds"], found["rates"]) == (0, 0)


def test_money_given_back_is_a_refund_and_a_purchase_of_the_same_day_a_purchase(now):
    customer = regular()
    a_base_of(30)
    run_night(now)
    buy(customer, date(2026, 3, 2), "400")
    RefundFactory(purchase=customer.purchases.order_by("purchased_on").last(), amount=Decimal("380"))

    run_night(now, days=1)

    found = reasons(customer)
    assert found["refunds"] < 0 < found["purchases"]


def test_beside_a_refund_a_purchase_of_the_nights_own_day_is_no_reason_yet(now):
    customer = regular()
    a_base_of(30)
    run_night(now)
    RefundFactory(purchase=customer.purchases.order_by("purchased_on").last(), amount=Decimal("20"))
    buy(customer, date(2026, 3, 3), "400")

    run_night(now, days=1)

    found = reasons(customer)
    assert found["refunds"] < 0
    assert found["purchases"] == 0


def test_everything_given_back_leaves_nothing_and_says_why(now):
    customer = CustomerFactory()
    only = buy(customer, date(2026, 2, 1), "90")
    a_base_of(30)
    run_night(now)
    RefundFactory(purchase=only, amount=Decimal("90"))

    run_night(now, days=1)

    row, found = CustomerOutlook.objects.get(customer=customer), reasons(customer)
    assert row.clv == 0 < row.clv_before
    assert found["refunds"] < 0
    assert (found["purchases"], found["rates"], found["refit"]) == (0, 0, 0)


def test_another_margin_rate_is_a_rate(now, shop):
    customer = regular()
    a_base_of(30)
    run_night(now)
    before = CustomerOutlook.objects.get(customer=customer).clv
    shop.margin_rate *= 2
    shop.save()

    run_night(now)
    night.request_recalculation(by=None, now=now)
    run_night(now)

    found = reasons(customer)
    assert found["rates"] == pytest.approx(before, abs=Decimal("0.01"))
    assert (found["time"], found["purchases"], found["refunds"]) == (0, 0, 0)


def test_while_the_data_do_not_speak_against_them_parameters_stay_and_nothing_is_a_refit(now, monkeypatch):
    """A day on which nobody buys is no news of a shop's customers, only time."""
    monkeypatch.setattr(uncertainty, "MATTERS_UP_TO", 0)  # as in a shop of thousands
    customer = regular()
    a_base_of(250)
    first = run_night(now)

    second = run_night(now, days=1)

    assert first.step == ModelStep.OWN_FIT
    assert second.parameters == first.parameters
    assert reasons(customer)["time"] != 0
    assert not CustomerOutlook.objects.exclude(change_refit=0).exists()


def test_other_parameters_are_a_refit(now):
    customer = regular()
    a_base_of(210)
    run_night(now)
    for stranger in CustomerFactory.create_batch(40):
        buy(stranger, date(2026, 2, 20), "900")
        buy(stranger, date(2026, 3, 2), "900")

    run_night(now, days=1)

    found = reasons(customer)
    assert found["refit"] != 0
    assert (found["purchases"], found["refunds"], found["rates"]) == (0, 0, 0)


def test_a_new_customer_came_from_nothing(now):
    a_base_of(30)
    run_night(now)
    customer = regular()

    run_night(now, days=1)

    assert CustomerOutlook.objects.get(customer=customer).clv_before is None
    assert reasons(customer)["purchases"] > 0


def test_the_reasons_add_up_for_everybody_through_a_week_of_everything(now, shop):
    people = a_base_of(40)
    run_night(now)
    for day in range(1, 8):
        when = date(2026, 3, 1) + timedelta(days=day)
        buy(people[day], when, "33.33")
        RefundFactory(purchase=people[day + 10].purchases.first(), amount=Decimal("0.01"))
        people[day + 20].purchases.order_by("pk").last().delete()
        shop.margin_rate = Decimal("0.3") + Decimal(day) / 100
        shop.save()
        run_night(now, days=day)

        earlier = {row.pk: row.clv for row in CustomerOutlook.objects.all()}
        assert len(earlier) == 40
        for person in people:
            reasons(person)
