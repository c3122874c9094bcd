"""Pages for what went wrong: words and a way on, no data, no database. Programs get problem+json instead."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from crm.common.api import PROBLEM, problem_body

_CODES = {400: "bad_request", 403: "forbidden", 404: "not_found", 500: "internal_error"}


def _page(request: HttpRequest, status: int, heading: str, text: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        body = problem_body(code=_CODES[status], title=heading, http_status=status, detail=text)
        return JsonResponse(body, status=status, content_type=PROBLEM)
    context = {
        "heading": heading,
        "text": text,
        "status": status,
        "language": getattr(request, "LANGUAGE_CODE", "en"),
    }
    return HttpResponse(render_to_string("crm/alone.html", context), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(
        request,
        400,
        _("That request made no sense"),
        _("Something in the address or the form was not understood."),
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    text = _("Your role does not include this page. Ask an owner of the shop if you need it.")
    return _page(request, 403, _("Not for your role"), text)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 404, _("Nothing here"), _("The address is wrong, or what was here is gone."))


def broken(request: HttpRequest) -> HttpResponse:
    text = _("The error was recorded. Nothing half-done was saved; you can try again.")
    return _page(request, 500, _("Something broke on our side"), text)
