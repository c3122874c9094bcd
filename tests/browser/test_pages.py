"""Every page in a real Chromium: quiet console, no policy broken, nobody else asked, nothing wider than the window."""

import pytest

from tests.admin.world import PAGES

LOOKS = [(1440, "light"), (390, "light"), (1440, "dark"), (390, "dark")]
NOT_PAGES = {"night_progress", "check_progress", "campaign_states"}  # what a page's script asks for
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


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_page_is_quiet_and_fits(width, scheme, open_as, site, world):
    page, watch = open_as(width=width, scheme=scheme)
    wide, unread = {}, {}

    for name in ["today", *PAGES]:
        if name in NOT_PAGES:
            continue
        watch.place = name
        address = "/admin/" if name == "today" else world.url(name)
        answer = page.goto(site + address)
        page.wait_for_load_state("networkidle")
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert answer is not None and answer.status == 200, name
        if over > 0:
            wide[name] = over
        if missing := page.evaluate(WITHOUT_NAMES):
            unread[name] = missing

    assert unread == {}
    assert [name for name, problem in watch.problems if SANDBOXED in problem] == ["mail"]
    assert [(name, problem) for name, problem in watch.problems if SANDBOXED not in problem] == []
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
