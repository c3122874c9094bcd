"""Texts people and programs send: what PostgreSQL, mails and screens can carry safely. Pure."""

import re
import unicodedata

# Controls, and the marks that turn the reading direction of what follows: a name must not rewrite its page.
_STRAY = re.compile("[\x01-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class NotText(ValueError):
    """The text cannot be kept: NUL, half a character, or longer than allowed."""


def gettext_noop(text: str) -> str:
    """Marks a text for the translators' catalogue; whoever shows it looks it up."""
    return text


def line(text: str, longest: int) -> str:
    """One line: composed (NFC), runs of white space made one, stray controls taken out.

    Raises:
        NotText: see there.
    """
    return _checked(" ".join(_STRAY.sub(" ", _composed(text, longest)).split()), longest)


def paragraphs(text: str, longest: int) -> str:
    """Several lines, their breaks kept as ``\\n``.

    Raises:
        NotText: see there.
    """
    plain = _composed(text, longest).replace("\r\n", "\n").replace("\r", "\n")
    return _checked(_STRAY.sub("", plain).strip(), longest)


def _composed(text: str, longest: int) -> str:
    if len(text) > 4 * longest:
        raise NotText("too long")
    if _UNSTORABLE.search(text):
        raise NotText("not storable")
    return unicodedata.normalize("NFC", text)


def _checked(text: str, longest: int) -> str:
    if len(text) > longest:
        raise NotText("too long")
    return text
