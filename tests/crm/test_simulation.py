"""The generators of the simulated shop, and the demo without data."""

from datetime import date, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.core.management import call_command

from crm.common.choices import JobState
from crm.common.models import JobRun
from crm.management.simulation.people import people
from crm.management.simulation.purchases import daily_rates, orders
from customers.models import Customer, Segment

TODAY = date(2026, 3, 2)


def _world(seed: int) -> tuple:
    chance = np.random.default_rng(seed)
    persons = people(chance, today=TODAY, count=300, days=730)
    rates = daily_rates(chance, first=TODAY - timedelta(days=731), last=TODAY)
    last = TODAY - timedelta(days=1)
    return persons, orders(chance, persons, last=last, zone=ZoneInfo("Asia/Seoul"), rates=rates)


def test_the_same_seed_makes_the_same_shop_and_another_seed_another():
    assert _world(7) == _world(7)
    assert _world(7) != _world(8)


def test_a_shop_can_be_a_day_old_and_no_purchase_is_from_the_future():
    chance = np.random.default_rng(3)
    persons = people(chance, today=TODAY, count=50, days=1)

    made = orders(chance, persons, last=TODAY - timedelta(days=1), zone=ZoneInfo("Asia/Seoul"), rates={})

    assert {one.day for one in made} == {TODAY - timedelta(days=1)}
    assert {one.at.astimezone(ZoneInfo("Asia/Seoul")).date() for one in made} == {TODAY - timedelta(days=1)}


@pytest.mark.django_db
def test_an_empty_shop_gets_its_segments_and_no_customers():
    call_command("demo", empty=True, stdout=StringIO())

    assert Segment.objects.exists()
    assert not Customer.objects.exists()
    assert JobRun.objects.get(job="first_start").state == JobState.DONE
