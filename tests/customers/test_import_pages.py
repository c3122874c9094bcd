"""Importing on the screen: upload, columns, check, confirm, progress, result."""

from datetime import datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from crm.common.models import Shop, User
from customers.choices import ImportState
from customers.models import ImportBatch, Purchase
from customers.services import imports
from tests.factories import ImportBatchFactory, UserFactory

pytestmark = pytest.mark.django_db

TEXT = "주문번호,고객번호,고객명,주문일,결제금액\nA-1,C1,김영수,2026-02-03,12000\nA-2,C2,이민아,2026-02-04,five\n"
CHOSEN = {
    "column_order_id": "#1", "column_customer_id": "#2", "column_name": "#3", "column_date": "#4",
    "column_amount": "#5", "header": "on", "date_format": "YYYY-MM-DD", "number_style": "1234.56",
    "currency": "krw", "language": "ko", "country": "kr", "encoding": "utf-8", "separator": ",",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _uploads(settings: object, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]


@pytest.fixture
def importer(client: Client, shop: Shop) -> Client:
    """A browser of somebody who may import and nothing else."""
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["add_importbatch", "view_importbatch"]))
    client.force_login(user)
    return client


def upload(client: Client, text: str = TEXT, encoding: str = "utf-8") -> ImportBatch:
    file = SimpleUploadedFile("orders.csv", text.encode(encoding))
    answer = client.post(reverse("import-new"), {"file": file, "source": "shop", "preset": ""})
    batch = ImportBatch.objects.latest("pk")
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("import-detail", args=[batch.pk])
    return batch


def page(client: Client, batch: ImportBatch, query: str = "") -> str:
    answer = client.get(reverse("import-detail", args=[batch.pk]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_import_goes_from_upload_to_done(importer: Client, now: datetime) -> None:
    batch = upload(importer)
    form = page(importer, batch)
    assert '<option value="#5" selected>결제금액 (#5)</option>' in form
    assert '<option value="YYYY-MM-DD" selected>' in form
    assert "김영수" in form

    mapped = importer.post(reverse("import-columns", args=[batch.pk]), CHOSEN)
    assert mapped.status_code == 302
    assert "Waiting for a worker to take it" in page(importer, batch)
    imports.run_due(clock=lambda: now)
    result = page(importer, batch)
    assert "Nothing has been written yet." in result
    assert "amount: “five” is not a number in the style chosen" in result
    assert Purchase.objects.count() == 0

    importer.post(reverse("import-confirm", args=[batch.pk]))
    imports.run_due(clock=lambda: now)

    batch.refresh_from_db()
    assert batch.state == ImportState.APPLIED
    assert (batch.to_create, batch.errors) == (1, 1)
    assert Purchase.objects.get().currency == "KRW"
    assert "Applied " in page(importer, batch)


def test_rows_are_filtered_by_their_verdict(importer: Client, now: datetime) -> None:
    batch = upload(importer)
    importer.post(reverse("import-columns", args=[batch.pk]), CHOSEN)
    imports.run_due(clock=lambda: now)

    errors = page(importer, batch, "?verdict=error")
    created = page(importer, batch, "?verdict=create&after=1")

    assert "A-2" in errors
    assert "A-1" not in errors
    assert "A-1" in created
    assert "A-2" not in created


def test_an_unclear_encoding_is_asked_with_previews(importer: Client) -> None:
    batch = upload(importer, encoding="cp949")

    question = page(importer, batch)
    answered = page(importer, batch, "?encoding=cp949")

    assert "Which of these reads right?" in question
    assert "주문번호,고객번호,고객명,주문일,결제금액" in question
    assert '<option value="#3" selected>고객명 (#3)</option>' in answered


def test_an_ambiguous_date_is_left_open(importer: Client) -> None:
    batch = upload(importer, "order id,customer id,date,amount\nA,C,03/04/2026,5\n")

    form = page(importer, batch)
    refused = importer.post(
        reverse("import-columns", args=[batch.pk]), {**CHOSEN, "column_amount": "#4", "date_format": ""}
    )

    assert '<option value="DD/MM/YYYY" selected>' not in form
    assert '<option value="MM/DD/YYYY" selected>' not in form
    assert refused.status_code == 422
    batch.refresh_from_db()
    assert batch.mapping == {}


def test_a_mapping_with_a_gap_is_shown_at_its_field(importer: Client) -> None:
    batch = upload(importer)

    refused = importer.post(reverse("import-columns", args=[batch.pk]), {**CHOSEN, "column_date": ""})

    assert refused.status_code == 422
    assert "date: Choose a column for this." in refused.content.decode()
    batch.refresh_from_db()
    assert batch.mapping == {}


def test_progress_is_told_in_words_and_percent(importer: Client) -> None:
    batch = ImportBatchFactory(
        state=ImportState.APPLYING, rows=200, to_create=200, next_line=50, mapping={"header": True}
    )

    answer = importer.get(reverse("import-progress", args=[batch.pk]))

    assert answer.json() == {
        "state": "applying", "finished": False, "words": "50 of 200 rows", "percent": 25,
    }  # fmt: skip


def test_the_result_is_downloaded_as_a_file(importer: Client, now: datetime) -> None:
    batch = upload(importer)
    importer.post(reverse("import-columns", args=[batch.pk]), {**CHOSEN, "currency": "USD"})
    imports.run_due(clock=lambda: now)

    answer = importer.get(reverse("import-result", args=[batch.pk]))

    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert answer.headers["Content-Disposition"] == f'attachment; filename="import-{batch.pk}-result.csv"'
    assert lines[1] == '"A-1","C1","김영수","2026-02-03","12000","create",""'
    assert lines[2].endswith('"error","amount: “five” is not a number in the style chosen"')


def test_an_empty_or_monstrous_file_is_refused_on_the_form(importer: Client) -> None:
    empty = importer.post(
        reverse("import-new"), {"file": SimpleUploadedFile("a.csv", b""), "source": "shop", "preset": ""}
    )
    large = importer.post(
        reverse("import-new"),
        {"file": SimpleUploadedFile("a.csv", b"x" * (20 * 1024 * 1024 + 1)), "source": "shop", "preset": ""},
    )

    assert (empty.status_code, large.status_code) == (422, 422)
    assert "The file is larger than 20 MB" in large.content.decode()
    assert ImportBatch.objects.count() == 0


def test_a_spreadsheet_is_told_apart(importer: Client) -> None:
    file = SimpleUploadedFile("orders.csv", b"PK\x03\x04 rest of an archive")
    importer.post(reverse("import-new"), {"file": file, "source": "shop", "preset": ""})

    shown = page(importer, ImportBatch.objects.get())

    assert "This is a spreadsheet or an archive; save it as CSV (UTF-8) first." in shown


def test_the_same_file_again_is_pointed_out(importer: Client) -> None:
    upload(importer)

    again = upload(importer)

    assert "The very same file was uploaded on" in page(importer, again)


PAGES = [
    "imports",
    "import-new",
    "import-detail",
    "import-columns",
    "import-confirm",
    "import-progress",
    "import-result",
]


@pytest.mark.parametrize("name", PAGES)
def test_staff_without_the_permission_see_nothing(name: str, client: Client, shop: Shop) -> None:
    batch = ImportBatchFactory()
    client.force_login(UserFactory(is_staff=True))
    arguments = [] if name in ("imports", "import-new") else [batch.pk]
    method = client.post if name in ("import-columns", "import-confirm") else client.get

    assert method(reverse(name, args=arguments)).status_code == 403


@pytest.mark.parametrize("name", ["import-columns", "import-confirm"])
def test_a_get_changes_nothing(name: str, importer: Client) -> None:
    batch = ImportBatchFactory(state=ImportState.CHECKED)

    assert importer.get(reverse(name, args=[batch.pk])).status_code == 405
    batch.refresh_from_db()
    assert batch.state == ImportState.CHECKED


def test_strangers_are_sent_to_the_login(client: Client) -> None:
    answer = client.get(reverse("imports"))

    assert answer.status_code == 302
    assert "login" in answer.headers["Location"]


def test_the_list_costs_the_same_queries_however_long(
    importer: Client, staff: User, django_assert_max_num_queries: object
) -> None:
    for _number in range(30):
        ImportBatchFactory(uploaded_by=staff)
    importer.get(reverse("imports"))

    with django_assert_max_num_queries(8):  # type: ignore[operator]
        answer = importer.get(reverse("imports"))

    assert answer.content.decode().count("orders.csv") == 30
