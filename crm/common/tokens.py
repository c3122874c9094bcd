"""Signed links for people without an account. A token is bound to one purpose; it carries ids, never an address."""

from datetime import timedelta

from django.core import signing
from django.core.signing import BadSignature, SignatureExpired

__all__ = ["BadToken", "ExpiredToken", "read", "sign"]


class BadToken(Exception):
    """Forged, damaged, or made for another purpose."""


class ExpiredToken(BadToken):
    """Genuine, but too old for what it asks."""


def sign(purpose: str, *ids: int) -> str:
    """A URL-safe token for ``ids``, valid only for ``purpose``; keys rotate with SECRET_KEY_FALLBACKS."""
    return (
        signing.TimestampSigner(salt=f"link.{purpose}").sign("-".join(str(i) for i in ids)).replace(":", "~")
    )


def read(purpose: str, token: str, max_age: timedelta | None = None) -> tuple[int, ...]:
    """The ids in ``token``.

    Raises:
        ExpiredToken: older than ``max_age``.
        BadToken: anything else that is not a token we made for ``purpose``.
    """
    # Mail programs append punctuation to a link at the end of a sentence.
    text = token.rstrip("=.>,;)").replace("~", ":")
    try:
        value = signing.TimestampSigner(salt=f"link.{purpose}").unsign(text, max_age=max_age)
        return tuple(int(part) for part in value.split("-"))
    except SignatureExpired as error:
        raise ExpiredToken from error
    except (BadSignature, ValueError) as error:
        raise BadToken from error
