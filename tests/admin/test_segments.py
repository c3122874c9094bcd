"""A segment's page: what its members' comings and goings say."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ltv.models import LtvRun
from tests.admin.nights import a_night
from tests.factories import MembershipFactory, SegmentFactory

FIRST = datetime(2026, 3, 2, 1, 10, tzinfo=UTC)  # 10:10 in Seoul


@pytest.fixture
def read(browser_of_staff, shop):
    return lambda segment: browser_of_staff.get(reverse("crm:segment", args=[segment.pk])).content.decode()


def test_what_moved_on_one_day_is_told_apart_by_the_hour_and_leads_to_its_run(read):
    segment = SegmentFactory()
    job = a_night(date(2026, 3, 2), began=FIRST, customers=2)
    LtvRun.objects.update(published_at=FIRST)
    for at in (FIRST, FIRST + timedelta(hours=4)):  # the second time somebody changed the rule
        MembershipFactory(segment=segment, entered_at=at)

    page = read(segment)

    run = reverse("crm:night", args=[job.pk])
    assert f'<td class="mc-num"><a class="mc-link" href="{run}">Mar 2, 2026 10:10 KST</a></td>' in page
    assert '<td class="mc-num">Mar 2, 2026 14:10 KST</td>' in page


def test_the_runs_are_found_at_once(read):
    segment = SegmentFactory()

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            read(segment)
        return len(queries)

    def nights(days: range) -> None:
        for n in days:
            at = FIRST + timedelta(days=n)
            run = a_night(at.date(), began=at, customers=2)
            LtvRun.objects.filter(job=run).update(published_at=at)
            MembershipFactory(segment=segment, entered_at=at)

    nights(range(1))
    asked()  # what is remembered is remembered now
    few = asked()
    nights(range(1, 10))

    assert asked() == few
