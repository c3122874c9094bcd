"""A night worked out again, on its page: asked for by who may, told in words, with a link to whom it is about."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from psycopg.sql import Identifier

from crm.common import sql
from crm.common.choices import JobState
from crm.common.models import JobRun
from ltv.models import CurrentRun, LtvRun, Reproduction
from ltv.services import night, publishing, reproducing
from ltv.tasks import check_nights
from tests.factories import CustomerFactory, PurchaseFactory, RefundFactory, ReproductionFactory

DAY = date(2026, 2, 20)


@pytest.fixture
def run(shop) -> LtvRun:
    """A night of a shop of three buyers, who last bought in February."""
    shop.frozen_on = DAY
    shop.save()
    for _n in range(3):
        PurchaseFactory(customer=CustomerFactory())
    night.request_recalculation(by=None, now=timezone.now())
    night.run_due(clock=timezone.now)
    return CurrentRun.objects.get().run


@pytest.fixture
def read(browser_of_staff):
    def page(run: LtvRun) -> str:
        return browser_of_staff.get(reverse("crm:night", args=[run.job_id])).content.decode()

    return page


def test_the_button_has_a_worker_check_and_the_page_follows(press, read, run, staff):
    asked = press("night_again", run.job_id).content.decode()
    again = Reproduction.objects.get()
    assert "This night is being worked out again." in asked
    assert reverse("crm:night_again_progress", args=[again.job_id]) in asked
    assert again.job.requested_by == staff

    check_nights()  # the task that the button's bell rings

    page = read(run)
    assert "Reproduced: 3 customers, every figure equal." in page
    assert "data-progress" not in page


def test_what_was_corrected_is_told_with_whom_it_is_of(press, read, run):
    purchase = PurchaseFactory(customer=CustomerFactory(name="Han Jiwoo"))
    purchase.refresh_from_db()
    RefundFactory(purchase=purchase.customer.purchases.get())
    press("night_again", run.job_id)
    reproducing.run_due(clock=timezone.now)

    page = read(run)

    assert "4 of 4 customers come out otherwise, all of them because an input was corrected since." in page
    assert "Purchases recorded since" in page
    assert "1 customer · 1 corrected input" in page
    assert "Customers compared with all the others" in page  # three purchases have no model of their own
    assert "3 customers" in page
    link = reverse("crm:customer", args=[purchase.customer_id])
    assert f'<a class="mc-chip" href="{link}">Han Jiwoo</a>' in page


def test_what_nothing_explains_is_red(read, run):
    unknown = [{"cause": "unknown", "customers": 2, "inputs": 0, "first": [10**9]}]
    ReproductionFactory(run=run, findings=unknown, differing=2, customers=3)

    page = read(run)

    assert "2 of 3 customers come out otherwise, 2 of them for no reason that is known." in page
    assert "mc-note--bad" in page
    assert f'<span class="mc-chip">#{10**9}</span>' in page


def test_a_night_that_is_not_kept_says_so_and_offers_no_check(press, read, run):
    sql.execute("ltv/table_drop", parts={"table": Identifier(publishing.table_name(run.pk))})

    page = read(run)
    pressed = press("night_again", run.job_id).content.decode()

    assert "not kept whole any more" in page
    assert reverse("crm:night_again", args=[run.job_id]) not in page
    assert "not kept whole any more" in pressed
    assert not Reproduction.objects.exists()


def test_a_run_that_a_later_one_of_its_date_replaced_says_so_and_leads_to_it(read, run):
    sql.execute("ltv/table_drop", parts={"table": Identifier(publishing.table_name(run.pk))})
    night.request_recalculation(by=None, now=timezone.now())
    night.run_due(clock=timezone.now)
    later = CurrentRun.objects.get().run
    assert later.as_of == run.as_of

    page = read(run)

    assert "A later run of this date took its place" in page
    assert "so there is nothing to compare with" not in page
    assert f'href="{reverse("crm:night", args=[later.job_id])}#again"' in page
    assert "took its place" not in read(later)


def test_after_the_button_the_page_is_where_the_answer_is(browser_of_staff, run):
    page, button = reverse("crm:night", args=[run.job_id]), reverse("crm:night_again", args=[run.job_id])

    assert browser_of_staff.post(button).url == f"{page}#again"

    sql.execute("ltv/table_drop", parts={"table": Identifier(publishing.table_name(run.pk))})
    assert browser_of_staff.post(button).url == page  # a refusal is said at the top


def test_a_check_that_failed_says_why(press, read, run):
    press("night_again", run.job_id)
    failed = {"state": JobState.FAILED, "finished_at": timezone.now(), "error": "x\nMemoryError: too much\n"}
    JobRun.objects.filter(job=reproducing.JOB).update(**failed)

    page = read(run)

    assert "The check failed." in page
    assert "too much" in page


def test_who_may_only_look_sees_the_outcome_and_no_button(as_role, run):
    fifty = [customer.pk for customer in CustomerFactory.create_batch(50)]
    finding = {"cause": "refunds", "customers": 52, "inputs": 60, "first": fifty}
    ReproductionFactory(run=run, findings=[finding])
    viewer, page = as_role("viewer"), reverse("crm:night", args=[run.job_id])

    shown = viewer.get(page).content.decode()
    pressed = viewer.post(reverse("crm:night_again", args=[run.job_id]))

    assert "60 of 1,000 customers come out otherwise" in shown
    assert "and 2 more" in shown
    assert reverse("crm:night_again", args=[run.job_id]) not in shown
    assert pressed.status_code == 403
    assert Reproduction.objects.count() == 1


def test_a_look_at_the_night_asks_for_nothing_and_as_often_for_fifty_as_for_one(browser_of_staff, run):
    page = reverse("crm:night", args=[run.job_id])

    def queries(customers: int) -> int:
        first = [one.pk for one in CustomerFactory.create_batch(customers)]
        finding = {"cause": "refunds", "customers": customers, "inputs": 9, "first": first}
        ReproductionFactory(run=run, findings=[finding])
        with CaptureQueriesContext(connection) as asked:
            assert browser_of_staff.get(page).status_code == 200
        return len([one for one in asked.captured_queries if "django_session" not in one["sql"]])

    queries(1)  # what is remembered is remembered now
    assert queries(1) == queries(50)
    assert not JobRun.objects.filter(job=reproducing.JOB, state=JobState.REQUESTED).exists()


def test_progress_is_told_while_a_worker_is_at_it(browser_of_staff, press, run):
    press("night_again", run.job_id)
    job = JobRun.objects.get(job=reproducing.JOB)
    address = reverse("crm:night_again_progress", args=[job.pk])
    waiting = browser_of_staff.get(address).json()
    began = timezone.now() - timedelta(seconds=3)
    JobRun.objects.filter(pk=job.pk).update(state=JobState.RUNNING, started_at=began)
    job.stages.create(place=0, name="read", state="done", started_at=began, finished_at=timezone.now())

    at_work = browser_of_staff.get(address).json()

    assert waiting == {"finished": False, "words": "Waiting for a worker to take it …", "percent": 5}
    assert (at_work["words"], at_work["percent"]) == ("The night is being worked out again …", 33)
