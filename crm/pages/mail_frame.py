"""Showing a mail inside a page without trusting a single tag of it."""

import email
import email.policy
from dataclasses import dataclass
from email.message import EmailMessage

# Inside a sandboxed srcdoc frame: no script, no form, nothing from anywhere.
POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; form-action 'none'\">"
)


@dataclass(frozen=True)
class ReadMail:
    """A mail taken apart: headers as they came, the text part, the HTML part."""

    headers: tuple[tuple[str, str], ...]
    text: str
    html: str


def mail_document(html: str) -> str:
    """The HTML for an ``<iframe sandbox srcdoc>``: our policy first, so that it governs what follows."""
    return f"<!doctype html><html><head>{POLICY}</head><body>{html}</body></html>"


def read(raw: bytes) -> ReadMail:
    """Take a mail apart; what cannot be decoded is shown with replacement characters."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return ReadMail(
        headers=tuple((name, str(value)) for name, value in message.items()),
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError):
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
