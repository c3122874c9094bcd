from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from crm.common.orm import Prepared
from customers.models import Customer, Interaction, SegmentMembership
from tests.factories import CustomerFactory, InteractionFactory, MembershipFactory

pytestmark = pytest.mark.django_db


def test_it_answers_what_the_queryset_answers_for_one_value_after_another():
    stays = Prepared(
        lambda who: (
            SegmentMembership.objects.filter(customer=who).select_related("segment").order_by("-entered_at")
        ),
        int,
    )
    first, second = MembershipFactory(), MembershipFactory()

    told = [stays(customer) for customer in (first.customer_id, second.customer_id, 0)]

    assert told == [[first], [second], []]
    assert told[1][0].segment.name == second.segment.name
    with CaptureQueriesContext(connection) as asked:
        assert stays(first.customer_id)[0].segment.key == first.segment.key
    assert len(asked) == 1


def test_a_list_of_values_is_one_value():
    names = Prepared(
        lambda ids: Customer.objects.filter(pk__among=ids).order_by("pk").values_list("pk", "name"), list
    )
    one, _other, third = CustomerFactory.create_batch(3)

    assert names([third.pk, one.pk]) == [(one.pk, one.name), (third.pk, third.name)]
    assert names([]) == []


def test_the_first_row_or_nothing(now):
    since = Prepared(
        lambda at: (
            Interaction.objects.filter(occurred_at__gte=at).annotate(what=F("kind")).order_by("occurred_at")
        ),
        datetime,
    )
    called = InteractionFactory(occurred_at=now)

    found = since.first(now - timedelta(days=1))

    assert (found, found.what) == (called, called.kind)
    assert since.first(datetime(2100, 1, 1, tzinfo=UTC)) is None


def test_a_value_that_is_not_used_as_it_is_is_refused():
    half = Prepared(lambda who: Customer.objects.filter(pk=who + 1), int)

    with pytest.raises(TypeError):
        half(7)


@pytest.mark.django_db(transaction=True)
def test_every_thread_asks_on_its_own_connection():
    people = Prepared(lambda pk: Customer.objects.filter(pk=pk), int)
    person, found = CustomerFactory(), []
    people(person.pk)

    def ask() -> None:
        found.extend(people(person.pk))
        connection.close()

    thread = Thread(target=ask)
    thread.start()
    thread.join()

    assert found == [person]
