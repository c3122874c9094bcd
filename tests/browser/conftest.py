"""A real Chromium looking at the real site. Without a browser on the machine the tests say so by name."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from django.contrib.sessions.backends.cached_db import SessionStore
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from crm.common.models import Shop, User
from tests.admin.world import World, build
from tests.factories import UserFactory

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Playwright's loop runs in this thread; Django would refuse its own queries beside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def find_browser() -> str | None:
    """CHROMIUM, else what is installed under one of the usual names."""
    names = (
        os.environ.get("CHROMIUM", ""),
        "/usr/bin/chromium",
        "chromium",
        "google-chrome",
        "chromium-browser",
    )
    return next((found for name in names if name and (found := shutil.which(name))), None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = find_browser()
    if path is None:
        pytest.skip("NO BROWSER: install chromium or set CHROMIUM=/path/to/it to run the browser tests")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def site(live_server, transactional_db, settings, tmp_path) -> str:
    """The running site with a small shop in it."""
    cache.clear()
    settings.ALLOWED_HOSTS = ["*"]
    return live_server.url


@pytest.fixture
def staff_member(transactional_db) -> User:
    return UserFactory(username="staff", is_superuser=True)


@pytest.fixture
def world(site: str, staff_member: User) -> World:
    Shop.objects.update_or_create(only_row=True, defaults={"name": "모리와 바다", "time_zone": "Asia/Seoul"})
    return build(2, staff=staff_member, name="김민수 Kim Minsu-Fernández")


class Watch:
    """What went wrong, and on which page: console errors, broken policies, requests to elsewhere."""

    def __init__(self, page: Page, site: str) -> None:
        self.place = ""
        self.site = site
        self.problems: list[tuple[str, str]] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._note(f"exception: {error}"))
        page.on("request", self._asked)

    def _note(self, problem: str) -> None:
        self.problems.append((self.place, problem))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._note(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.site, "data:", "about:")):
            self._note(f"asked {request.url}")


@pytest.fixture
def open_as(chromium: Browser, site: str, staff_member: User) -> Iterator[Callable[..., tuple[Page, Watch]]]:
    """A page of a signed-in member of staff at a width and in a colour scheme."""
    contexts: list[BrowserContext] = []

    def opened(*, width: int = 1440, scheme: str = "light") -> tuple[Page, Watch]:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        context.add_cookies([{"name": "sessionid", "value": _session(staff_member), "url": site}])
        page = context.new_page()
        return page, Watch(page, site)

    yield opened
    for context in contexts:
        context.close()


def _session(user: User) -> str:
    session = SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session["_auth_user_backend"] = "crm.common.backend.StaffBackend"
    session["_auth_user_hash"] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)
