from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import factory

from crm.common.models import Shop
from customers import models
from customers.choices import ChannelKind, ConsentStatus, InteractionKind, Purpose
from tests.factories.base import Factory
from tests.factories.common import UserFactory

JANUARY = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)  # a Monday, noon in Seoul
FEBRUARY = datetime(2026, 2, 2, 3, 0, tzinfo=UTC)


class ChannelFactory(Factory):
    class Meta:
        model = models.AcquisitionChannel

    code = factory.Sequence(lambda n: f"channel-{n}")
    name = factory.Sequence(lambda n: f"Channel {n}")
    kind = ChannelKind.PAID


class SpendFactory(Factory):
    class Meta:
        model = models.MarketingSpend

    channel = factory.SubFactory(ChannelFactory)
    month = date(2026, 1, 1)
    amount = Decimal("100.00")
    currency = "USD"
    base_amount = factory.LazyAttribute(lambda o: o.amount if o.currency == "USD" else None)


class ExchangeRateFactory(Factory):
    class Meta:
        model = models.ExchangeRate

    currency = "KRW"
    day = factory.Sequence(lambda n: date(2025, 1, 1) + timedelta(days=n % 366))
    rate = Decimal("0.00075")


class CustomerFactory(Factory):
    """An English-speaking customer with an address of their own, acquired in January, who agreed to nothing."""

    class Meta:
        model = models.Customer

    name = factory.Sequence(lambda n: f"Customer {n}")
    given_name = factory.Sequence(lambda n: f"Given{n}")
    email = factory.Sequence(lambda n: f"customer{n}@mail.example")
    email_normalised = factory.LazyAttribute(lambda o: o.email.lower() or None)
    external_id = factory.Sequence(lambda n: f"C-{n}")
    country = "US"
    acquired_at = JANUARY


class ProductFactory(Factory):
    class Meta:
        model = models.Product

    sku = factory.Sequence(lambda n: f"SKU-{n}")
    name = factory.Sequence(lambda n: f"Product {n}")
    category = "Tea"


class PurchaseFactory(Factory):
    """A purchase of 50.00 USD in February. In another currency it has no rate unless the test gives one."""

    class Meta:
        model = models.Purchase

    customer = factory.SubFactory(CustomerFactory)
    source = "shop"
    external_id = factory.Sequence(lambda n: f"order-{n}")
    purchased_at = FEBRUARY
    purchased_on = factory.LazyAttribute(lambda o: Shop.current().business_date(o.purchased_at))
    amount = Decimal("50.00")
    currency = "USD"
    rate = factory.LazyAttribute(lambda o: Decimal(1) if o.currency == "USD" else None)
    base_amount = factory.LazyAttribute(lambda o: None if o.rate is None else round(o.amount * o.rate, 3))


class PurchaseLineFactory(Factory):
    class Meta:
        model = models.PurchaseLine

    purchase = factory.SubFactory(PurchaseFactory)
    position = factory.Sequence(lambda n: n % 30_000)
    product = factory.SubFactory(ProductFactory)
    quantity = Decimal(1)
    amount = Decimal("50.00")


class RefundFactory(Factory):
    class Meta:
        model = models.Refund

    purchase = factory.SubFactory(PurchaseFactory)
    external_id = factory.Sequence(lambda n: f"refund-{n}")
    refunded_at = factory.LazyAttribute(lambda o: o.purchase.purchased_at)
    amount = Decimal("10.00")


class InteractionFactory(Factory):
    class Meta:
        model = models.Interaction

    customer = factory.SubFactory(CustomerFactory)
    kind = InteractionKind.CALL
    note = "Asked about delivery."
    staff = factory.SubFactory(UserFactory)
    occurred_at = FEBRUARY
    recorded_at = factory.SelfAttribute("occurred_at")


class FollowUpFactory(Factory):
    class Meta:
        model = models.FollowUp

    customer = factory.SubFactory(CustomerFactory)
    text = "Call back."
    due_on = date(2026, 3, 2)


class ConsentFactory(Factory):
    """A current yes to marketing mails."""

    class Meta:
        model = models.Consent

    customer = factory.SubFactory(CustomerFactory)
    purpose = Purpose.MARKETING
    status = ConsentStatus.GRANTED
    source = "checkout form"
    wording = "Send me offers by e-mail."
    stated_at = JANUARY
    recorded_at = factory.SelfAttribute("stated_at")


class SegmentFactory(Factory):
    class Meta:
        model = models.Segment

    key = factory.Sequence(lambda n: f"segment-{n}")
    name = factory.Sequence(lambda n: f"Segment {n}")
    rule = factory.LazyFunction(lambda: {"all": []})


class MembershipFactory(Factory):
    class Meta:
        model = models.SegmentMembership

    segment = factory.SubFactory(SegmentFactory)
    customer = factory.SubFactory(CustomerFactory)
    entered_at = FEBRUARY


class ImportBatchFactory(Factory):
    class Meta:
        model = models.ImportBatch

    file_name = "orders.csv"
    file_path = factory.Sequence(lambda n: f"imports/{n}.csv")
    sha256 = factory.Sequence(lambda n: f"{n:064x}")
    source = "shop"
    uploaded_at = FEBRUARY
