"""What every page of ours shares: who may open it, how it is rendered inside the admin, how refusals are shown."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from crm.common.admin_frame import render as render  # pages take all of their shell from here
from crm.common.errors import DomainError
from crm.common.models import Shop, User

View = Callable[..., HttpResponse]


class StaffRequest(HttpRequest):
    """What a page is given: somebody signed in, for ``page`` sends others away."""

    user: User
    shop: Shop


T = TypeVar("T")


def page(*permissions: str, methods: tuple[str, ...] = ("GET", "HEAD")) -> Callable[[View], View]:
    """A screen for staff who have every one of ``permissions``; others get 403, strangers the login."""

    def decorate(view: View) -> View:
        @wraps(view)
        def allowed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.has_perms(permissions):
                raise PermissionDenied
            request.current_app = admin.site.name  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)

        opened = wraps(view)(admin.site.admin_view(require_http_methods(list(methods))(allowed)))
        opened.required_permissions = permissions  # type: ignore[attr-defined]
        opened.methods = methods  # type: ignore[attr-defined]
        return opened

    return decorate


def action(*permissions: str) -> Callable[[View], View]:
    """A button: POST only."""
    return page(*permissions, methods=("POST",))


def form_page(*permissions: str) -> Callable[[View], View]:
    """A screen with a form that posts to itself."""
    return page(*permissions, methods=("GET", "HEAD", "POST"))


@contextmanager
def refusals(request: HttpRequest) -> Iterator[None]:
    """A refusal by the business becomes a message; the caller redirects as usual."""
    try:
        yield
    except DomainError as error:
        messages.error(request, str(error.text))


def attempt(form: Form, work: Callable[[], T]) -> T | None:
    """Run ``work``; a refusal lands on the form (on its field when it names one) and None is returned."""
    try:
        return work()
    except DomainError as error:
        field = str(error.detail.get("field", ""))
        form.add_error(field if field in form.fields else None, str(error.text))
        return None


def done(form: Form, work: Callable[[], object]) -> bool:
    """The form makes sense and ``work`` was not refused."""
    return form.is_valid() and attempt(form, work) is not None


def back(request: HttpRequest, to: str, *args: Any) -> HttpResponse:
    """To where the button was pressed (``next``, only on this site), else to ``to``."""
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        return redirect(target)
    return redirect(to, *args)
