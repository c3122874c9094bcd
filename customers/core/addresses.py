"""E-mail addresses: one text for every way of writing the same mailbox. Pure; asks no DNS."""

import re
import unicodedata

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

LONGEST = 254
_SHORT = 63  # within every limit on a part of an address
_ORDINARY = re.compile(
    r"[a-z0-9]+(?:[._+-][a-z0-9]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+([a-z]{2,})", re.IGNORECASE | re.ASCII
)
_RESERVED = frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)


class NotAnAddress(ValueError):
    """The text is not exactly one e-mail address."""


def normalise_email(text: str) -> str:
    """The form an address is compared by: NFKC, lower case, the domain in ASCII.

    ``Kim@한글.KR`` and ``ｋｉｍ@xn--bj0bj06e.kr`` are one mailbox. The part before the @ is lowered too: no
    provider in use tells ``Kim`` from ``kim``, and two customers with one mailbox would get every mail twice.

    Raises:
        NotAnAddress: anything else than a single plain address: no list, no display name, no quoting, no IP domain.
    """
    if _is_ordinary(text):
        return text.lower()
    return _normalise(text)


def _is_ordinary(text: str) -> bool:
    """Letters, digits and single marks around one @, below a public ending: nothing there to look into."""
    found = _ORDINARY.fullmatch(text) if len(text) <= _SHORT else None
    return found is not None and found[1].lower() not in _RESERVED


def _normalise(text: str) -> str:
    if len(text) > 4 * LONGEST:
        raise NotAnAddress("too long")
    plain = unicodedata.normalize("NFKC", text).strip()
    try:
        found = validate_email(plain, check_deliverability=False, test_environment=True)
    except (EmailNotValidError, UnicodeError) as error:
        raise NotAnAddress(str(error)) from error
    normal = f"{found.local_part}@{found.ascii_domain}".lower()
    if len(normal) > LONGEST:
        raise NotAnAddress("too long")
    return normal
