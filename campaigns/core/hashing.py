"""A keyed hash of an address: recognises it again, and tells nobody what it was. Pure."""

import hashlib
import hmac

_BLOCK = 64  # of SHA-256, bytes


def address_hash(address: str, key: bytes) -> str:
    """HMAC-SHA256 of a normalised address, as hex."""
    return hmac.new(key, address.encode(), hashlib.sha256).hexdigest()


def pads(key: bytes) -> tuple[bytes, bytes]:
    """HMAC's inner and outer key blocks, so that PostgreSQL can compute the same hash with two sha256().

    Source: RFC 2104, section 2.
    """
    block = key.ljust(_BLOCK, b"\0")
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)
