"""ACS3-HMAC-SHA256: what a client has signed, and whether with the secret that belongs to its access key.

Pure: what arrived goes in, a refusal comes out. What counts is what arrived, so that a proxy which changes the
host, the body or any other header that was signed is refused as well.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from retrofill.api.dataworks.errors import ApiError

ALGORITHM = "ACS3-HMAC-SHA256"
WINDOW_SECONDS = 15 * 60  # how far the date of a request may be off, before and after
_NEEDED = (
    "host",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
)
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=([\w.@-]{{1,128}}), ?SignedHeaders=([\w;-]{{1,2000}}), ?Signature=([0-9a-f]{{64}})",
    re.ASCII,
)
_HASH_OF_NOTHING = hashlib.sha256(b"").hexdigest()
_NONCE = re.compile(r"[\x21-\x7e]{1,128}")


class Arrived(NamedTuple):
    """A request as it arrived.

    Attributes:
        query: the raw text after `?`.
        headers: names in small letters, in their order; a name may occur several times.
        body: only `check_body` looks at it, so that the rest is checked before it is there.
    """

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes = b""


class Signature(NamedTuple):
    """What a request says of itself, not yet checked but for its form."""

    access_key_id: str
    signed_headers: tuple[str, ...]
    hex: str
    nonce: str
    at_ms: int


def read_signature(arrived: Arrived) -> Signature:
    """What is signed, by which access key, when and under which nonce.

    Raises:
        ApiError: a part is missing, is there twice or has another form, or a header that matters is not signed.
    """
    headers = _headers(arrived)
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if found is None:
        raise ApiError(
            400, "IncompleteSignature", f"the header Authorization does not say {ALGORITHM} with its parts"
        )
    signed = tuple(found[2].split(";"))
    if list(signed) != sorted(set(signed)):
        raise ApiError(400, "IncompleteSignature", "the names of signed headers are not in order")
    unsigned = [name for name in _must_be_signed(headers) if name not in signed]
    if unsigned:
        raise ApiError(400, "IncompleteSignature", f"the header {unsigned[0]} is not signed")
    missing = [name for name in signed if name not in headers]
    if missing:
        raise ApiError(400, "IncompleteSignature", f"the header {missing[0]} is signed, and is not there")
    nonce = headers["x-acs-signature-nonce"]
    if not _NONCE.fullmatch(nonce):
        raise ApiError(400, "InvalidNonce", "x-acs-signature-nonce is a text of 1 to 128 visible characters")
    return Signature(found[1], signed, found[3], nonce, _instant(headers["x-acs-date"]))


def check_date(signature: Signature, now_ms: int) -> None:
    """Refuse what was signed too long ago, or ahead of time.

    Raises:
        ApiError: the date lies outside the window.
    """
    if abs(now_ms - signature.at_ms) > WINDOW_SECONDS * 1000:
        now = datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        raise ApiError(
            400,
            "InvalidTimeStamp.Expired",
            f"x-acs-date is more than {WINDOW_SECONDS // 60} minutes away from the server's clock, which says {now}",
        )


def check_signature(arrived: Arrived, signature: Signature, secret: str) -> None:
    """Refuse what was not signed with this secret, or was changed since; of the body, what its hash is said to be.

    Raises:
        ApiError: the signature is another one.
    """
    if not hmac.compare_digest(signed_with(arrived, signature.signed_headers, secret), signature.hex):
        raise ApiError(
            400,
            "SignatureDoesNotMatch",
            "the signature is not that of this request under this access key: the secret is another one, or "
            "something changed the request on its way (a proxy must leave Host, Accept and User-Agent as they are)",
        )


def check_body(arrived: Arrived) -> None:
    """Refuse a body that is not the one whose hash was signed.

    Raises:
        ApiError: the hash of the body is another one.
    """
    claimed = _headers(arrived)["x-acs-content-sha256"]
    if not hmac.compare_digest(hashlib.sha256(arrived.body).hexdigest(), claimed.lower()):
        raise ApiError(
            400, "InvalidContentSha256", "the body is not the one whose hash x-acs-content-sha256 is"
        )


def signed_with(arrived: Arrived, signed_headers: Sequence[str], secret: str) -> str:
    """The signature of a request under a secret, in hex."""
    digest = hashlib.sha256(canonical_request(arrived, signed_headers).encode()).hexdigest()
    return hmac.new(secret.encode(), f"{ALGORITHM}\n{digest}".encode(), hashlib.sha256).hexdigest()


def canonical_request(arrived: Arrived, signed_headers: Sequence[str]) -> str:
    """The text that is hashed: method, path, query, signed headers, their names, hash of the body."""
    headers = _headers(arrived)
    lines = "".join(f"{name}:{headers[name]}\n" for name in signed_headers)
    names, payload = ";".join(signed_headers), headers["x-acs-content-sha256"]
    return "\n".join((arrived.method, arrived.path, canonical_query(arrived.query), lines, names, payload))


def canonical_query(query: str) -> str:
    """Decoded as a form (`+` is a space), encoded again by RFC 3986, in the order of names."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return "&".join(
        f"{name}={value}" for name, value in sorted((_encoded(n), _encoded(v)) for n, _, v in pairs)
    )


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text.replace("+", " ")), safe="~")


def _headers(arrived: Arrived) -> Mapping[str, str]:
    """Values by name.

    Raises:
        ApiError: one that may be signed is there twice, so that nobody can know which was meant.
    """
    found: dict[str, str] = {}
    for name, value in arrived.headers:
        if name in found and (name in ("authorization", *_NEEDED) or name.startswith("x-acs-")):
            raise ApiError(400, "IncompleteSignature", f"the header {name} is there more than once")
        found[name] = value.strip()
    return found


def _must_be_signed(headers: Mapping[str, str]) -> list[str]:
    """What decides what is done: all of it that is there, and what has to be.

    The kind of a body that is not there decides nothing; the package's own asynchronous client adds one unsigned.
    """
    has_body = headers.get("x-acs-content-sha256", "").lower() != _HASH_OF_NOTHING
    given = (name for name in headers if name.startswith("x-acs-") or (has_body and name == "content-type"))
    return sorted({*_NEEDED, *given})


def _instant(text: str) -> int:
    try:
        found = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise ApiError(
            400, "InvalidTimeStamp.Format", "x-acs-date is written as 2026-01-31T23:59:59Z"
        ) from None
    return int(found.timestamp()) * 1000
