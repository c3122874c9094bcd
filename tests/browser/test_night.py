"""A night watched while it is at work: the page follows the rows, says little, and ends by itself."""

from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import expect

from crm.common.choices import JobState, StageState
from crm.common.models import JobRun
from tests.admin.nights import a_night, share_out

# Counts how often what is read aloud was changed.
LISTEN = """() => {
  window.spoken = [];
  const said = document.querySelector("[data-said]");
  new MutationObserver(() => window.spoken.push(said.textContent)).observe(said, { childList: true, subtree: true });
}"""


def test_a_run_at_work_is_followed_and_announced_once_a_stage(open_as, site, world):
    now = timezone.now()
    run = a_night(now.date(), began=now, running="summaries", occurrence=7)
    stages = run.stages
    share_out(stages.get(name="summaries"), 8, done=2)
    page, watch = open_as()
    page.goto(f"{site}/admin/nights/{run.pk}/")
    row = page.locator("[data-stage=summaries]")
    expect(row).to_contain_text("2 of 8 parts")
    page.evaluate(LISTEN)

    for done in (300, 600):
        stages.filter(name="summaries").update(done=done, total=1000)
        expect(row).to_contain_text(f"{done} of 1,000")
        expect(row.get_by_role("progressbar")).to_have_attribute("aria-valuenow", str(done // 10))
    assert page.evaluate("window.spoken") == []  # rows are shown, not spoken

    stages.filter(name="summaries").update(state=StageState.DONE, finished_at=timezone.now())
    stages.filter(name="predictions").update(state=StageState.RUNNING, started_at=timezone.now())
    expect(row).to_have_attribute("data-state", "done")
    assert page.evaluate("window.spoken") == ["Stage 2 of 6: Predictions"]

    ended = {"state": StageState.DONE, "started_at": timezone.now(), "finished_at": timezone.now()}
    stages.exclude(state=StageState.DONE).update(**ended)
    JobRun.objects.filter(pk=run.pk).update(state=JobState.DONE, finished_at=timezone.now())

    expect(page.get_by_role("heading", name="Along the clock")).to_be_visible()
    assert page.locator("[data-progress]").count() == 0
    assert watch.problems == []


def test_a_failed_run_goes_on_after_the_question_is_answered(open_as, site, world):
    now = timezone.now()
    run = a_night(now.date() + timedelta(days=1), began=now, failed_at="publish")
    page, _watch = open_as()
    page.goto(f"{site}/admin/nights/{run.pk}/")

    page.get_by_role("button", name="Retry from the failed stage").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Publishing, segments, campaigns")
    dialog.get_by_role("button", name="Cancel").click()
    run.refresh_from_db()
    assert run.state == JobState.FAILED

    page.get_by_role("button", name="Retry from the failed stage").click()
    page.get_by_role("dialog").get_by_role("button", name="Retry").click()
    expect(page.get_by_text("The run goes on.").first).to_be_visible()
    run.refresh_from_db()
    assert run.state == JobState.REQUESTED


def test_without_scripts_the_run_is_read_by_looking_again(chromium, open_as, site, world):
    now = timezone.now()
    run = a_night(now.date(), began=now, running="summaries", occurrence=7)
    signed_in, _watch = open_as()
    context = chromium.new_context(java_script_enabled=False, storage_state=signed_in.context.storage_state())
    page = context.new_page()
    page.goto(f"{site}/admin/nights/{run.pk}/")
    run.stages.filter(name="summaries").update(done=300, total=1000)

    page.get_by_role("link", name="Look again").click()

    expect(page.locator("[data-stage=summaries]")).to_contain_text("300 of 1,000")
    context.close()
