"""A real Chromium that remembers everything a page complained about: script errors, broken policy, failed loads."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, sync_playwright

from tests.services import BROWSER

PATIENCE_MS = 20_000
# Raised where the policy stops something, also where the browser prints nothing.
POLICY = """addEventListener("securitypolicyviolation", event =>
  console.error(`policy: ${event.violatedDirective} stopped ${event.blockedURI} in ${event.sourceFile}`))"""


class Complaints(list[str]):
    """What went wrong in any page of a browser; an answer of 422 is a form that refused, told on the page."""

    def of_console(self, message: ConsoleMessage) -> None:
        refused_form = "status of 422" in message.text
        if message.type == "error" and not refused_form:
            self.append(f"console: {message.text} ({message.location.get('url')})")

    def of_answer(self, answer: Response) -> None:
        if answer.status >= 400 and answer.status != 422:
            self.append(f"{answer.status}: {answer.request.method} {answer.url}")

    def of_page(self, page: Page) -> None:
        page.on("console", self.of_console)
        page.on("response", self.of_answer)
        page.on("pageerror", lambda error: self.append(f"script: {error}"))


def fresh_context(browser: Browser, complaints: Complaints) -> BrowserContext:
    """Somebody else's browser: no cookies, and watched."""
    context = browser.new_context(locale="en-US", viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(POLICY)
    context.on("page", complaints.of_page)
    return context


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()
