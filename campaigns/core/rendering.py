"""From parsed words, a layout and one customer's values to a subject, a text part and an HTML part. Pure."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

import css_inline

from campaigns.core import codes, headers
from campaigns.core.merge import Words

_MARK = re.compile(r"@@([a-z_]+)@@")
_PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")
# An address, or a coupon's code outside of one.
_URL_OR_CODE = re.compile(rf"https?://[^\s<>\"']+|{codes.DISPLAYED}")
# Nothing is ever fetched: a stylesheet's address in a layout would make the server call out.
_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)


@dataclass(frozen=True)
class Layout:
    """An HTML page cut at its ``@@marks@@``: literal, mark, literal, mark, ..., literal."""

    pieces: tuple[str, ...]
    footer: str  # of the text part, with the same marks


@dataclass(frozen=True)
class Rendered:
    subject: str
    text: str
    html: str


def compile_layout(page: str, footer: str) -> Layout:
    """Inline the page's CSS and cut it at its marks: once a campaign's text and language, not once a mail."""
    return Layout(pieces=tuple(_MARK.split(_INLINER.inline(page))), footer=footer)


def render(words: Words, layout: Layout, values: Mapping[str, str], *, korean_ad: bool) -> Rendered:
    """One customer's mail. ``values`` holds every merge field the words may use and every mark of the layout.

    Raises:
        liquid.exceptions.LiquidError: a value is missing or a limit was passed.
    """
    subject = headers.clean(words.subject.render(**values))
    if korean_ad:
        subject = headers.mark_as_ad(subject)
    links = words.links | {value for key, value in values.items() if key.endswith("_url")}
    marks = {key: html.escape(value) for key, value in values.items()} | {"subject": html.escape(subject)}
    marks["body"] = _to_html(words.html.render(**values), links)
    page = "".join(marks.get(piece, "") if at % 2 else piece for at, piece in enumerate(layout.pieces))
    text = words.text.render(**values).strip() + "\n\n-- \n" + _fill(layout.footer, values) + "\n"
    return Rendered(subject=subject, text=text, html=page)


def _fill(template: str, values: Mapping[str, str]) -> str:
    return _MARK.sub(lambda found: values.get(found[1], ""), template)


def _to_html(escaped: str, links: frozenset[str]) -> str:
    """Paragraphs from blank lines; the author's and our own addresses become links, nobody else's do.

    A coupon's code stays on one line.
    """
    allowed = {html.escape(link) for link in links}

    def mark(found: re.Match[str]) -> str:
        if not found[0].startswith("http"):
            return f'<span style="white-space:nowrap">{found[0]}</span>'
        address = found[0].rstrip(".,;:!?)")
        if address not in allowed and html.unescape(address) not in links:
            return found[0]
        return f'<a href="{address}">{address}</a>{found[0][len(address) :]}'

    paragraphs = (part.strip() for part in _PARAGRAPHS.split(escaped.replace("\r\n", "\n")))
    return "\n".join(
        f'<p style="margin:0 0 16px">{_URL_OR_CODE.sub(mark, part).replace(chr(10), "<br>")}</p>'
        for part in paragraphs
        if part
    )
