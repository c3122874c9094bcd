"""Importing on the screen: upload, say which column is what, read the check, confirm, watch it being applied."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm.common import admin_frame
from crm.common.errors import DomainError
from customers.choices import ImportState, Verdict
from customers.core import reading
from customers.models import ImportBatch, ImportRow
from customers.services import imports as services
from customers.views.import_forms import SEPARATORS, MappingForm, UploadForm

PAGE = 50
VIEW, ADD = "customers.view_importbatch", "customers.add_importbatch"
_BUSY = (ImportState.CHECKING, ImportState.QUEUED, ImportState.APPLYING)
View = Callable[..., HttpResponseBase]


def _staff(permission: str, *methods: str) -> Callable[[View], View]:
    """A page inside the admin for staff with ``permission``."""

    def decorate(view: View) -> View:
        @wraps(view)
        def allowed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.has_perm(permission):  # type: ignore[union-attr]
                raise PermissionDenied
            request.current_app = admin.site.name  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)

        return wraps(view)(admin.site.admin_view(require_http_methods(list(methods))(allowed)))

    return decorate


def _page(
    request: HttpRequest, template: str, title: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    return admin_frame.render(
        request, f"customers/imports/{template}.html", title=title, status=status, **context
    )


def _attempt(form: Form, work: Callable[[], Any]) -> Any:
    """Run ``work``; a refusal lands on the form, on the field it names, and None is returned."""
    try:
        return work()
    except DomainError as error:
        name = str(error.detail.get("field", ""))
        field = next((f for f in (name, f"column_{name}") if f in form.fields), None)
        form.add_error(field, str(error.text))
        return None


def _is_busy(batch: ImportBatch) -> bool:
    return batch.state in _BUSY or (batch.state == ImportState.UPLOADED and bool(batch.mapping))


@_staff(VIEW, "GET", "HEAD")
def imports(request: HttpRequest) -> HttpResponse:
    found = ImportBatch.objects.select_related("uploaded_by").order_by("-pk")
    after = request.GET.get("after", "")
    if after.isascii() and after.isdigit() and len(after) < 19:
        found = found.filter(pk__lt=int(after))
    batches = list(found[: PAGE + 1])
    return _page(
        request,
        "list",
        _("Imports"),
        batches=batches[:PAGE],
        more=batches[PAGE - 1].pk if batches[PAGE:] else None,
    )


@_staff(ADD, "GET", "HEAD", "POST")
def new(request: HttpRequest) -> HttpResponse:
    last = ImportBatch.objects.order_by("-pk").values_list("source", flat=True).first()
    form = UploadForm(request.POST or None, request.FILES or None, initial={"source": last or "shop"})
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        batch = _attempt(
            form,
            lambda: services.upload(
                file_name=chosen["file"].name,
                data=chosen["file"].chunks(),
                source=chosen["source"],
                preset=chosen["preset"],
                by=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            ),
        )
        if batch is not None:
            twin = ImportBatch.objects.filter(sha256=batch.sha256).exclude(pk=batch.pk).first()
            if twin:
                day = timezone.localdate(twin.uploaded_at)
                messages.warning(request, _("The very same file was uploaded on %(day)s.") % {"day": day})
            return redirect("import-detail", batch.pk)
    return _page(request, "new", _("New import"), status=422 if form.is_bound else 200, form=form)


@_staff(VIEW, "GET", "HEAD")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Whatever the import waits for: a mapping, a worker, a person's confirmation, or nothing any more."""
    batch = get_object_or_404(ImportBatch.objects.select_related("uploaded_by"), pk=pk)
    if _is_busy(batch):
        return _page(request, "busy", batch.file_name, batch=batch, **_progress(batch))
    remap = batch.state == ImportState.CHECKED and "map" in request.GET
    if remap or batch.state in (ImportState.UPLOADED, ImportState.FAILED):
        return _mapping_page(request, batch)
    return _page(
        request, "result", batch.file_name, batch=batch, tiles=_tiles(batch), **_rows(request, batch)
    )


@_staff(ADD, "POST")
def map_columns(request: HttpRequest, pk: int) -> HttpResponse:
    return _mapping_page(request, get_object_or_404(ImportBatch, pk=pk))


def _mapping_page(request: HttpRequest, batch: ImportBatch) -> HttpResponse:
    given = request.POST if request.method == "POST" else request.GET
    encoding, separator = given.get("encoding", ""), given.get("separator", "")
    try:
        peek = services.peek(
            batch,
            encoding if encoding in reading.ENCODINGS else batch.mapping.get("encoding", ""),
            separator if separator in dict(SEPARATORS) else batch.mapping.get("separator", ""),
        )
    except services.UnreadableFile as error:
        return _page(
            request, "unreadable", batch.file_name, batch=batch, why=str(error.text), encodings=_encodings()
        )
    context: dict[str, Any] = {
        "batch": batch,
        "peek": peek,
        "encodings": _encodings(),
        "separators": SEPARATORS,
    }
    if peek.candidates:
        return _page(request, "encoding", batch.file_name, **context)
    form = MappingForm(peek, batch, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        _attempt(form, lambda: services.choose_mapping(batch=batch, mapping=form.mapping()))
        if not form.errors:
            return redirect("import-detail", batch.pk)
    return _page(
        request, "mapping", batch.file_name, status=422 if form.is_bound else 200, form=form, **context
    )


def _encodings() -> list[str]:
    return list(reading.ENCODINGS)


@_staff(ADD, "POST")
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        services.confirm(batch=get_object_or_404(ImportBatch, pk=pk))
    except DomainError as error:
        messages.error(request, str(error.text))
    return redirect("import-detail", pk)


@_staff(VIEW, "GET", "HEAD")
def progress(request: HttpRequest, pk: int) -> JsonResponse:
    """What the page asks for while a worker is at it."""
    batch = get_object_or_404(ImportBatch, pk=pk)
    return JsonResponse({"state": batch.state, "finished": not _is_busy(batch), **_progress(batch)})


def _progress(batch: ImportBatch) -> dict[str, Any]:
    if batch.state == ImportState.CHECKING:
        return {"words": _("Checking every row …"), "percent": 40}
    if batch.state == ImportState.APPLYING and batch.rows:
        done = min(batch.next_line, batch.rows)
        words = _("%(done)s of %(rows)s rows") % {"done": f"{done:,}", "rows": f"{batch.rows:,}"}
        return {"words": words, "percent": round(100 * done / batch.rows)}
    return {"words": _("Waiting for a worker to take it …"), "percent": 2}


def _tiles(batch: ImportBatch) -> list[dict[str, Any]]:
    names = (
        (Verdict.CREATE, batch.to_create, "good"),
        (Verdict.UPDATE, batch.to_update, "info"),
        (Verdict.SAME, batch.same, ""),
        (Verdict.ERROR, batch.errors, "bad"),
    )
    return [{"verdict": v.value, "label": v.label, "rows": rows, "tone": tone} for v, rows, tone in names]


def _rows(request: HttpRequest, batch: ImportBatch) -> dict[str, Any]:
    verdict = request.GET.get("verdict", "")
    found = ImportRow.objects.filter(batch=batch).order_by("line")
    if verdict in Verdict.values:
        found = found.filter(verdict=verdict)
    after = request.GET.get("after", "")
    if after.isascii() and after.isdigit() and len(after) < 10:
        found = found.filter(line__gt=int(after))
    rows = list(found[: PAGE + 1])
    for row in rows:
        row.words = services.explain(row.reason)  # type: ignore[attr-defined]
    more = rows[PAGE - 1].line if rows[PAGE:] else None
    return {"rows": rows[:PAGE], "more": more, "verdict": verdict, "after": after}


@_staff(VIEW, "GET", "HEAD")
def download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The uploaded file with a verdict and a reason behind each row."""
    batch = get_object_or_404(ImportBatch, pk=pk)
    lines = services.results_csv(batch)
    try:
        first = next(lines)
    except (services.UnreadableFile, StopIteration):
        messages.error(request, _("The uploaded file is no longer there; it is kept for a month."))
        return redirect("import-detail", pk)

    def body() -> Iterator[str]:
        yield first
        yield from lines

    response = StreamingHttpResponse(body(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{batch.pk}-result.csv"'
    return response


urlpatterns = [
    path("", imports, name="imports"),
    path("new/", new, name="import-new"),
    path("<int:pk>/", detail, name="import-detail"),
    path("<int:pk>/columns/", map_columns, name="import-columns"),
    path("<int:pk>/confirm/", confirm, name="import-confirm"),
    path("<int:pk>/progress/", progress, name="import-progress"),
    path("<int:pk>/result.csv", download, name="import-result"),
]
