"""Header values that cannot break a header, and the label Korean law asks for. Pure."""

import re
import unicodedata

# Besides controls: separators that some readers break lines at, and marks that turn the writing direction.
_FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}
_DIRECTION = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_AD_LABEL = re.compile(r"^(?:\s*[(\[{（［【〔]\s*광\s*[.·ㆍ_-]?\s*고\s*[)\]}）］】〕]\s*)+")
AD_PREFIX = "(광고) "
LONGEST = 250  # characters; mail programs show 40 to 70


def clean(text: str) -> str:
    """One line without control characters, trimmed and of bearable length."""
    kept = "".join(" " if unicodedata.category(letter) in _FORBIDDEN else letter for letter in text)
    return " ".join(_DIRECTION.sub("", kept).split())[:LONGEST].rstrip()


def mark_as_ad(subject: str) -> str:
    """The subject with ``(광고) `` in front exactly once, whatever spelling of it the author wrote.

    Source: Network Act of Korea, art. 50(4), and annex 6 of its Enforcement Decree.
    """
    return AD_PREFIX + _AD_LABEL.sub("", subject).lstrip()
