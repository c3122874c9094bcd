from datetime import UTC, datetime, timedelta

import pytest

from crm.common.errors import InvalidInput
from customers import events
from customers.core.addresses import NotAnAddress, normalise_email
from customers.models import Customer
from customers.services import people
from tests.factories import ChannelFactory, CustomerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def changed_addresses():
    """What customer_email_changed said."""
    heard: list[tuple[int, str]] = []

    def hear(customer_id, old_normalised, **_rest):
        heard.append((customer_id, old_normalised))

    events.customer_email_changed.connect(hear)
    yield heard
    events.customer_email_changed.disconnect(hear)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("Kim@한글.KR", "kim@xn--bj0bj06e.kr"),
        ("ｋｉｍ@xn--bj0bj06e.kr", "kim@xn--bj0bj06e.kr"),
        (" A.B+news@Example.COM ", "a.b+news@example.com"),
        ("ünal@x.com", "ünal@x.com"),
    ],
)
def test_one_mailbox_has_one_normal_form(written, normal):
    assert normalise_email(written) == normal


@pytest.mark.parametrize(
    "text",
    [
        "", "kim", "a@b", "a@b.c, evil@x.y", "a@b.c\r\nBcc: e@x", '"a\\"b"@x.com', "a@[127.0.0.1]", "a@x.com.",
        "Kim <kim@x.com>", "a\x00@x.com", "\ud800@x.com", "a" * 250 + "@x.com", "a" * 10_000,
    ],
)  # fmt: skip
def test_what_is_not_one_address_is_refused(text):
    with pytest.raises(NotAnAddress):
        normalise_email(text)


def test_a_new_customer_is_stored_as_given(now):
    channel, friend = ChannelFactory(), CustomerFactory()

    made = people.create_customer(
        name=" 김\u3000민지 ",
        email="Minji@Example.com",
        language="ko",
        country="KR",
        time_zone="Asia/Seoul",
        external_id="C-77",
        phone="+82 10 5555 0100",
        channel=channel,
        referred_by=friend,
        at=now,
    )

    stored = Customer.objects.get(pk=made.pk)
    assert stored.name == "김 민지"
    assert (stored.email, stored.email_normalised) == ("Minji@Example.com", "minji@example.com")
    assert (stored.language, stored.country, stored.time_zone) == ("ko", "KR", "Asia/Seoul")
    assert (stored.external_id, stored.phone) == ("C-77", "+82 10 5555 0100")
    assert (stored.channel, stored.referred_by) == (channel, friend)
    assert stored.acquired_at == now


def test_an_address_belongs_to_one_customer_however_it_is_written(now):
    first = CustomerFactory(email="kim@example.com")

    with pytest.raises(people.DuplicateEmail) as refusal:
        people.create_customer(name="Other", email="ＫＩＭ@EXAMPLE.com", at=now)

    assert refusal.value.detail == {"field": "email", "customer": str(first.public_id)}
    assert Customer.objects.count() == 1


def test_an_external_id_belongs_to_one_customer(now):
    first = CustomerFactory(external_id="C-1", email="")

    with pytest.raises(people.DuplicateExternalId) as refusal:
        people.create_customer(name="Other", external_id="C-1", at=now)

    assert refusal.value.detail == {"field": "external_id", "customer": str(first.public_id)}
    assert Customer.objects.count() == 1


def test_customers_without_address_and_id_do_not_collide(now):
    people.create_customer(name="One", at=now)
    people.create_customer(name="Two", at=now, external_id="")

    assert Customer.objects.filter(email_normalised=None, external_id=None).count() == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", " \u00a0\u3000 "),
        ("name", "\u202e\u200f"),
        ("name", "a\x00b"),
        ("name", "\ud800"),
        ("name", "x" * 161),
        ("name", 7),
        ("email", "a@b.c, evil@x.y"),
        ("language", "xx"),
        ("language", None),
        ("country", "kr"),
        ("country", "KOR"),
        ("time_zone", "Mars/Olympus"),
        ("external_id", "x" * 101),
        ("acquired_at", datetime(2026, 3, 1, 9, 0)),
        ("acquired_at", datetime(1, 1, 1, tzinfo=UTC)),
        ("acquired_at", datetime(9999, 12, 31, tzinfo=UTC)),
        ("channel", "web"),
        ("referred_by", 12),
    ],
)
def test_a_malformed_value_is_refused_by_the_name_of_its_field(field, value, now):
    with pytest.raises(InvalidInput) as refusal:
        people.create_customer(**{"name": "Kim", "at": now, field: value})

    assert refusal.value.detail["field"] == field
    assert Customer.objects.count() == 0


def test_a_name_cannot_turn_the_page_around(now):
    made = people.create_customer(name="Kim\u202e\u0007 gnp.exe", at=now)

    assert made.name == "Kim gnp.exe"


def test_a_decomposed_name_is_stored_composed(now):
    made = people.create_customer(name="\u1100\u1175\u11b7", at=now)

    assert made.name == "김"


def test_a_correction_touches_only_the_fields_it_names(now, changed_addresses):
    customer = CustomerFactory(name="Kim", phone="1", email="kim@example.com")

    people.update_customer(customer=customer, changes={"name": "Kim Minji"}, at=now)

    customer.refresh_from_db()
    assert (customer.name, customer.phone, customer.email) == ("Kim Minji", "1", "kim@example.com")
    assert changed_addresses == []


def test_a_changed_address_is_told_with_the_old_one(now, changed_addresses):
    customer = CustomerFactory(email="Old@example.com")

    people.update_customer(customer=customer, changes={"email": "new@example.com"}, at=now)

    customer.refresh_from_db()
    assert customer.email_normalised == "new@example.com"
    assert changed_addresses == [(customer.pk, "old@example.com")]


def test_another_spelling_of_the_same_address_is_no_change(now, changed_addresses):
    customer = CustomerFactory(email="kim@example.com")

    people.update_customer(customer=customer, changes={"email": "Kim@Example.com"}, at=now)

    customer.refresh_from_db()
    assert customer.email == "Kim@Example.com"
    assert changed_addresses == []


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"email": "taken@example.com"}, people.DuplicateEmail),
        ({"external_id": "TAKEN"}, people.DuplicateExternalId),
        ({"name": "New", "is_superuser": True}, InvalidInput),
        ({"public_id": "x"}, InvalidInput),
        ({"name": "New", "acquired_at": datetime(2026, 3, 4, tzinfo=UTC)}, InvalidInput),
    ],
)
def test_a_refused_correction_changes_nothing(changes, refusal, now, changed_addresses):
    CustomerFactory(email="taken@example.com", external_id="TAKEN")
    customer = CustomerFactory(name="Kim", email="kim@example.com")

    with pytest.raises(refusal):
        people.update_customer(customer=customer, changes=changes, at=now)

    stored = Customer.objects.get(pk=customer.pk)
    assert (stored.name, stored.email, stored.external_id) == ("Kim", "kim@example.com", customer.external_id)
    assert changed_addresses == []


def test_nobody_refers_themselves(now):
    customer = CustomerFactory()

    with pytest.raises(InvalidInput):
        people.update_customer(customer=customer, changes={"referred_by": customer}, at=now)

    customer.refresh_from_db()
    assert customer.referred_by is None


def test_somebody_may_have_come_earlier_than_we_write_it_down(now):
    made = people.create_customer(name="Kim", at=now, acquired_at=now - timedelta(days=400))

    assert made.acquired_at == now - timedelta(days=400)
