"""E-mail addresses: one text for every way of writing the same mailbox. Pure; asks no DNS."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

LONGEST = 254


class NotAnAddress(ValueError):
    """The text is not exactly one e-mail address."""


def normalise_email(text: str) -> str:
    """The form an address is compared by: NFKC, lower case, the domain in ASCII.

    ``Kim@한글.KR`` and ``ｋｉｍ@xn--bj0bj06e.kr`` are one mailbox. The part before the @ is lowered too: no
    provider in use tells ``Kim`` from ``kim``, and two customers with one mailbox would get every mail twice.

    Raises:
        NotAnAddress: anything else than a single plain address: no list, no display name, no quoting, no IP domain.
    """
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
