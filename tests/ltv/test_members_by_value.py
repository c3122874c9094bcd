"""A segment's members by what they are expected to be worth."""

import pytest

from ltv import reports
from tests.factories import CustomerLtvFactory, MembershipFactory, SegmentFactory

pytestmark = pytest.mark.django_db


def test_members_come_by_value_page_by_page_and_those_without_figures_last(now):
    segment = SegmentFactory()
    low, high = (CustomerLtvFactory(clv=clv).customer for clv in (10, 99))
    unvalued = MembershipFactory(segment=segment).customer
    for customer in (low, high):
        MembershipFactory(segment=segment, customer=customer)
    MembershipFactory(segment=segment, customer=CustomerLtvFactory(clv=500).customer, left_at=now)
    MembershipFactory(customer=CustomerLtvFactory(clv=700).customer)

    assert reports.members_by_value(segment.pk, limit=2) == [high.pk, low.pk]
    assert reports.members_by_value(segment.pk, skip=2, limit=2) == [unvalued.pk]
