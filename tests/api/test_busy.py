"""A database that does not answer in time is 503 and a retry, not an error page."""

import threading

import pytest
from django.db import connection, transaction

from customers.models import Customer
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def locked():
    """A customer whose row another connection holds."""
    customer, held, done = CustomerFactory(name="Kim"), threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            Customer.objects.select_for_update().get(pk=customer.pk)
            held.set()
            done.wait(timeout=30)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(timeout=20)
    yield customer
    done.set()
    thread.join(timeout=30)


def test_a_row_held_by_somebody_else_is_503_and_try_again(api, locked):
    answer = api.patch(f"/api/v1/customers/{locked.public_id}/", {"name": "Lee"}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (503, "database_busy")
    assert answer.headers["Retry-After"] == "2"
    assert Customer.objects.get(pk=locked.pk).name == "Kim"
