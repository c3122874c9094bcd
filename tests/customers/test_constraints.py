"""What PostgreSQL itself refuses and keeps true, whoever writes."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models import Model, ProtectedError

from customers.models import ImportRow, Purchase, PurchaseChange, PurchaseCorrection, PurchaseLine, Refund
from tests.factories import (
    ChannelFactory,
    ConsentFactory,
    CustomerFactory,
    ExchangeRateFactory,
    FollowUpFactory,
    ImportBatchFactory,
    InteractionFactory,
    MembershipFactory,
    ProductFactory,
    PurchaseFactory,
    PurchaseLineFactory,
    RefundFactory,
    SegmentFactory,
    SpendFactory,
)

pytestmark = pytest.mark.django_db


def change(factory: Callable[[], Model], **values: object) -> None:
    """Give a good row a bad value past every check in Python."""
    row = factory()
    type(row)._base_manager.filter(pk=row.pk).update(**values)


def import_row_twice() -> None:
    batch = ImportBatchFactory()
    ImportRow.objects.bulk_create([ImportRow(batch=batch, line=1, cells={}) for _twice in range(2)])


def own_referrer() -> None:
    customer = CustomerFactory()
    change(lambda: customer, referred_by=customer)


def leave_before_entering() -> None:
    stay = MembershipFactory()
    change(lambda: stay, left_at=stay.entered_at - timedelta(seconds=1))


def corrected() -> PurchaseCorrection:
    change(PurchaseFactory, base_amount=40)
    return PurchaseCorrection.objects.get()


def twice(factory: type, *shared: str, **values: object) -> None:
    first = factory(**values)
    factory(**values, **{name: getattr(first, name) for name in shared})


BAD: dict[str, Callable[[], object]] = {
    "channel_kind_known": lambda: change(ChannelFactory, kind="x"),
    "spend_once_a_month": lambda: twice(SpendFactory, "channel", "month", "currency"),
    "spend_not_negative": lambda: change(SpendFactory, amount=-1),
    "spend_month_first_day": lambda: change(SpendFactory, month="2026-01-02"),
    "spend_currency_code": lambda: change(SpendFactory, currency="usd"),
    "rate_once_a_day": lambda: twice(ExchangeRateFactory, "currency", "day"),
    "rate_positive": lambda: change(ExchangeRateFactory, rate=0),
    "rate_currency_code": lambda: change(ExchangeRateFactory, currency="U$"),
    "consent_one_current": lambda: twice(ConsentFactory, "customer"),
    "consent_purpose_known": lambda: change(ConsentFactory, purpose="x"),
    "consent_status_known": lambda: change(ConsentFactory, status="x"),
    "consent_has_source": lambda: change(ConsentFactory, source=""),
    "consent_grant_has_wording": lambda: change(ConsentFactory, wording=""),
    "interaction_kind_known": lambda: change(InteractionFactory, kind="x"),
    "interaction_direction_known": lambda: change(InteractionFactory, direction="x"),
    "interaction_outcome_known": lambda: change(InteractionFactory, outcome="x"),
    "interaction_has_note": lambda: change(InteractionFactory, note=""),
    "follow_up_status_known": lambda: change(FollowUpFactory, status="x", closed_at="2026-03-02T00:00Z"),
    "follow_up_has_text": lambda: change(FollowUpFactory, text=""),
    "follow_up_closed_has_time": lambda: change(FollowUpFactory, status="done"),
    "import_state_known": lambda: change(ImportBatchFactory, state="x"),
    "import_counts_add_up": lambda: change(ImportBatchFactory, state="checked", rows=3, same=2),
    "import_row_line_once": import_row_twice,
    "customer_has_name": lambda: change(CustomerFactory, name=""),
    "customer_email_has_normal_form": lambda: change(CustomerFactory, email_normalised=None),
    "customer_language_known": lambda: change(CustomerFactory, language="xx"),
    "customer_country_code": lambda: change(CustomerFactory, country="kr"),
    "customer_not_own_referrer": own_referrer,
    "customer_erased_is_nobody": lambda: change(CustomerFactory, erased_at="2026-03-02T00:00Z"),
    "customer_external_id_filled": lambda: change(CustomerFactory, external_id=""),
    "purchase_once_per_source": lambda: twice(PurchaseFactory, "source", "external_id"),
    "purchase_amount_not_negative": lambda: change(PurchaseFactory, amount=-1, refunded=-1),
    "purchase_refund_within_amount": lambda: change(PurchaseFactory, refunded=Decimal("50.01")),
    "purchase_currency_code": lambda: change(PurchaseFactory, currency="us"),
    "purchase_rate_gives_base": lambda: change(PurchaseFactory, base_amount=None),
    "purchase_cost_not_negative": lambda: change(PurchaseFactory, base_cost=-1),
    "purchase_own_cost_not_negative": lambda: change(PurchaseFactory, cost=-1, base_cost=0),
    "purchase_rate_gives_base_cost": lambda: change(PurchaseFactory, cost=4),
    "purchase_correction_kind_known": lambda: change(corrected, kind="guess"),
    "purchase_correction_moved_has_two": lambda: change(corrected, former_customer_id=0),
    "purchase_has_order_id": lambda: change(PurchaseFactory, external_id=""),
    "purchase_year_plausible": lambda: change(PurchaseFactory, purchased_on="1969-12-31"),
    "line_position_once": lambda: twice(PurchaseLineFactory, "purchase", "position"),
    "line_quantity_positive": lambda: change(PurchaseLineFactory, quantity=0),
    "line_amount_not_negative": lambda: change(PurchaseLineFactory, amount=-1),
    "refund_once": lambda: twice(RefundFactory, "purchase", "external_id"),
    "refund_amount_positive": lambda: RefundFactory(amount=0),
    "segment_status_known": lambda: change(SegmentFactory, status="x"),
    "segment_has_name": lambda: change(SegmentFactory, name=""),
    "membership_one_open": lambda: twice(MembershipFactory, "segment", "customer"),
    "membership_leaves_after": leave_before_entering,
}


@pytest.mark.parametrize("name", BAD)
def test_the_database_refuses(name, shop):
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        BAD[name]()

    assert refusal.value.__cause__.diag.constraint_name == name


def test_every_constraint_of_customers_is_tried_here():
    declared = {
        constraint.name
        for model in apps.get_app_config("customers").get_models()
        for constraint in model._meta.constraints
    }

    assert declared - BAD.keys() == set()


@pytest.mark.parametrize(
    ("factory", "field", "value"),
    [
        (CustomerFactory, "email_normalised", "kim@example.com"),
        (CustomerFactory, "external_id", "C-1"),
        (ProductFactory, "sku", "TEA"),
        (ChannelFactory, "code", "web"),
        (SegmentFactory, "key", "vip"),
        (SegmentFactory, "name", "VIP"),
    ],
)
def test_a_name_is_given_once(factory, field, value):
    factory(**{field: value})

    with pytest.raises(IntegrityError):
        factory(**{field: value})


@pytest.mark.parametrize("amounts", [["50.01"], ["30.00", "20.01"]])
def test_refunds_cannot_add_up_to_more_than_the_purchase(amounts, shop):
    purchase = PurchaseFactory(amount=Decimal(50))
    for amount in amounts[:-1]:
        RefundFactory(purchase=purchase, amount=Decimal(amount))

    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        RefundFactory(purchase=purchase, amount=Decimal(amounts[-1]))

    purchase.refresh_from_db()
    assert refusal.value.__cause__.diag.constraint_name == "purchase_refund_within_amount"
    assert purchase.refunded == sum(Decimal(amount) for amount in amounts[:-1])


def test_a_refund_of_a_purchase_without_rate_counts_nothing_in_base_currency(shop):
    purchase = PurchaseFactory(currency="KRW", amount=Decimal(1000))

    RefundFactory(purchase=purchase, amount=Decimal(400))

    purchase.refresh_from_db()
    assert (purchase.refunded, purchase.base_refunded) == (400, 0)


@pytest.mark.parametrize(
    "act", [lambda rows: rows.update(amount=1), lambda rows: rows._raw_delete("default")]
)
def test_a_refund_is_final(act, shop):
    refund = RefundFactory(amount=Decimal(10))

    with pytest.raises(IntegrityError, match="never changed or deleted"), transaction.atomic():
        act(Refund.objects.filter(pk=refund.pk))

    assert Refund.objects.get().amount == 10


def marked() -> set[int]:
    """Whose purchases changed since the last look."""
    found = set(PurchaseChange.objects.values_list("customer_id", flat=True))
    PurchaseChange.objects.all().delete()
    return found


def test_every_write_to_a_purchase_marks_its_customers(shop):
    first, second = CustomerFactory(), CustomerFactory()
    purchases = PurchaseFactory.create_batch(2, customer=first)
    assert marked() == {first.pk}

    Purchase.objects.filter(pk=purchases[0].pk).update(customer=second)
    assert marked() == {first.pk, second.pk}

    Purchase.objects.filter(pk=purchases[1].pk).delete()
    assert marked() == {first.pk}

    RefundFactory(purchase=purchases[0])
    assert marked() == {second.pk}


def test_one_statement_over_many_purchases_marks_each_customer_once(shop):
    customer = CustomerFactory()
    PurchaseFactory.create_batch(3, customer=customer)
    PurchaseChange.objects.all().delete()

    Purchase.objects.update(sales_channel="web")

    assert PurchaseChange.objects.count() == 1


def test_a_purchase_goes_with_its_lines():
    line = PurchaseLineFactory()

    Purchase.objects.filter(pk=line.purchase_id).delete()

    assert PurchaseLine.objects.count() == 0


def test_a_customer_with_purchases_cannot_be_deleted():
    customer = PurchaseFactory().customer

    with pytest.raises(ProtectedError):
        customer.delete()

    assert Purchase.objects.get().customer == customer
