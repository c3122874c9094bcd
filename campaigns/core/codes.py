"""Coupon codes: Crockford's base 32, 16 letters, 80 random bits. Pure.

Source: Crockford, "Base 32", https://www.crockford.com/base32.html
"""

import re

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16
_GAPS = re.compile(r"[\s\-‐-―−]+")
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_LONGEST_INPUT = 64
DISPLAYED = rf"\b[{ALPHABET}]{{4}}(?:-[{ALPHABET}]{{4}}){{{LENGTH // 4 - 1}}}\b"


def normalise(text: str) -> str:
    """The code a person meant: case, spaces and dashes do not matter; O is 0, I and L are 1."""
    return _GAPS.sub("", text[:_LONGEST_INPUT]).upper().translate(_READ_AS)[:24]


def display(code: str) -> str:
    """In groups of four, as it stands in a mail."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))
