"""The key of a server, from which the secrets of access keys come, so that none of them is kept (decision 0020)."""

from __future__ import annotations

import base64
import hashlib
import hmac

BYTES = 32


class ServerKey:
    """Random bytes that the servers of one deployment share, and nobody else knows."""

    def __init__(self, key: bytes) -> None:
        assert len(key) == BYTES
        self._key = key

    def __repr__(self) -> str:
        return f"ServerKey({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        """Tells two keys apart, and nothing of either."""
        return self._derived("fingerprint")[:8].hex()

    def secret_of(self, key_id: str) -> str:
        """The secret of an access key, 256 bits as text."""
        return base64.urlsafe_b64encode(self._derived(f"access-key:{key_id}")).decode().rstrip("=")

    def sign(self, purpose: str, text: str) -> str:
        """What proves that a text comes from here; two purposes have nothing in common."""
        return hmac.new(self._derived(f"sign:{purpose}"), text.encode(), hashlib.sha256).hexdigest()

    def is_signed(self, purpose: str, text: str, signature: str) -> bool:
        return hmac.compare_digest(self.sign(purpose, text).encode(), signature.encode())

    def _derived(self, label: str) -> bytes:
        return hmac.new(self._key, label.encode(), hashlib.sha256).digest()


def parse_server_key(text: str) -> ServerKey | None:
    """The key of a text of 64 hexadecimal digits; None for another text."""
    digits = text.strip()
    if len(digits) != 2 * BYTES or not digits.isascii():
        return None
    try:
        return ServerKey(bytes.fromhex(digits))
    except ValueError:
        return None
