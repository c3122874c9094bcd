"""Every page in a real Chromium: quiet console, no policy broken, nobody else asked, nothing wider than the window."""

import pytest
from playwright.sync_api import Page

from tests.admin.world import PAGES
from tests.browser.conftest import Watch

# A page is loaded once, as narrow as a phone, then shown in the other looks: what is as wide as it was made for
# the look before shows in the next one.
LOADED = (390, "light")
LOOKS = [(1440, "light"), (1440, "dark"), (390, "dark")]
TABS = 4  # while one page is waited for to fall quiet, the others load
# What a page's script asks for.
NOT_PAGES = {"night_progress", "night_again_progress", "check_progress", "campaign_states"}
# The mail of the test shop brings a script; the sandbox of its frame says that it was not run.
SANDBOXED = "Blocked script execution in 'about:srcdoc'"
# What a screen reader would miss: exactly one heading of the page, and a name for whatever can be used.
WITHOUT_NAMES = """() => {
  const shown = (selector) => [...document.querySelectorAll(selector)].filter((one) => one.offsetParent);
  const spoken = (one) => {
    const copy = one.cloneNode(true);
    copy.querySelectorAll("[aria-hidden=true], .material-symbols-outlined").forEach((mark) => mark.remove());
    return copy.textContent.trim() || one.ariaLabel || one.title || one.querySelector("img[alt]");
  };
  const headings = shown("h1").map((one) => one.textContent.trim());
  const fields = shown("input:not([type=hidden]), select, textarea")
    .filter((one) => !(one.labels && one.labels.length) && !one.ariaLabel && !one.title);
  const controls = shown("a, button").filter((one) => !spoken(one));
  return [...(headings.length === 1 ? [] : [`h1: ${headings}`]), ...fields.concat(controls).map((one) => one.outerHTML)];
}"""


DRAWN = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"


def too_wide(page: Page) -> dict[tuple[int, str], int]:
    """By how many pixels the page is wider than its window, for each look it does not fit in."""
    over = {LOADED: page.evaluate("document.documentElement.scrollWidth - window.innerWidth")}
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.evaluate(DRAWN)
        over[width, scheme] = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return {look: pixels for look, pixels in over.items() if pixels > 0}


def test_every_page_is_quiet_and_fits(open_as, site, world):
    first, watch = open_as(width=LOADED[0], scheme=LOADED[1])
    tabs = [(first, watch)]
    for _more in range(TABS - 1):
        page = first.context.new_page()
        tabs.append((page, Watch(page, site)))
    names = ["today", *(name for name in PAGES if name not in NOT_PAGES)]
    wide, unread = {}, {}

    for place in range(0, len(names), TABS):
        opened = list(zip(names[place:], tabs, strict=False))
        for name, (page, heard) in opened:
            heard.place = name
            page.set_viewport_size({"width": LOADED[0], "height": 900})
            page.emulate_media(color_scheme=LOADED[1])
            answer = page.goto(
                site + ("/admin/" if name == "today" else world.url(name)), wait_until="commit"
            )
            assert answer is not None and answer.status == 200, name
        for name, (page, _heard) in opened:
            page.wait_for_load_state("networkidle")
            page.bring_to_front()
            if missing := page.evaluate(WITHOUT_NAMES):
                unread[name] = missing
            if over := too_wide(page):
                wide[name] = over

    problems = [found for _page, heard in tabs for found in heard.problems]
    assert unread == {}
    assert [name for name, problem in problems if SANDBOXED in problem] == ["mail"]
    assert [(name, problem) for name, problem in problems if SANDBOXED not in problem] == []
    assert wide == {}


@pytest.mark.parametrize("width", [1440, 390])
def test_the_login_and_the_pages_alone_are_quiet_and_fit(width, chromium, site):
    context = chromium.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda m: problems.append(m.text) if "Content Security" in m.text else None)
    wide = {}

    for address in ("/admin/login/", "/nowhere/"):
        page.goto(site + address)
        page.wait_for_load_state("networkidle")
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if over > 0:
            wide[address] = over

    context.close()
    assert (problems, wide) == ([], {})


def test_an_inline_script_is_blocked_by_the_policy(open_as, site, world):
    page, watch = open_as()
    page.goto(site + "/admin/")

    page.evaluate(
        "const s = document.createElement('script'); s.textContent = 'window.hacked = 1'; document.body.append(s)"
    )

    assert page.evaluate("window.hacked") is None
    assert any("Content Security Policy" in problem for _place, problem in watch.problems)
