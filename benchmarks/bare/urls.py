"""One indexed query and a JSON answer; one insert and an empty one."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone

from benchmarks.bare.models import Note, Row


def row(request: HttpRequest, pk: int) -> JsonResponse:
    found = Row.objects.get(pk=pk)
    return JsonResponse({"id": found.pk, "name": found.name, "email": found.email})


def note(request: HttpRequest, pk: int) -> HttpResponse:
    now = timezone.now()
    Note.objects.create(customer_id=pk, note=request.POST["note"], occurred_at=now, recorded_at=now)
    return HttpResponse(status=204)


urlpatterns = [path("row/<int:pk>/", row), path("note/<int:pk>/", note)]
