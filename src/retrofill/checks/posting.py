"""One POST to an address that somebody else wrote down, in the process that was made for it.

The name is resolved once, every address that it has is judged, and the connection goes to one
of these: what the name stands for a moment later does not matter. Redirects are not followed,
proxies of the environment are not used, certificates are verified for the name, and no more is
read than an answer may have.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, SSLError

from retrofill.domain.addresses import check_host, read_address
from retrofill.domain.errors import Kind, RetrofillError

LONGEST_ANSWER = 64 * 1024  # bytes
_MOST_ADDRESSES = 4
_PORTS = {"http": 80, "https": 443}

Resolve = Callable[[str, int], Sequence[str]]


class TargetError(RetrofillError):
    """Correct the address where it is written: under `checks` or `webhooks` in retrofill.yaml, or with the backfill."""

    code = "bad_target"
    kind = Kind.USAGE


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: the name for the certificate and the header, the addresses for the connection."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...] = ()

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def post(
    url: str, body: bytes, headers: Mapping[str, str], allow_internal: tuple[str, ...]
) -> dict[str, Any]:
    """Send the request: `{"status": CODE, "body": TEXT}`, or `{"problem": SENTENCE, "again": BOOL}`."""
    try:
        target = resolved(read_target(url), allow_internal)
        with _connected(target, body, headers) as response:
            return _read(response)
    except RetrofillError as error:
        return _problem(error.advice)
    except OSError as error:
        return _problem(f"its name cannot be resolved: {error.strerror or error}", again=True)
    except SSLError as error:
        return _problem(f"its certificate is not accepted: {_reason(error)}")
    except HTTPError as error:
        return _problem(f"it cannot be reached: {_reason(error)}", again=True)


def read_target(url: str) -> Target:
    """The parts of a web address.

    Raises:
        TargetError: it is no http or https address, or holds a user name. The address itself is not
            shown, because it may hold a secret.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise TargetError("its address cannot be read") from None
    if not url.isprintable() or " " in url or parts.scheme not in _PORTS or not parts.hostname:
        raise TargetError("its address is none that begins with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise TargetError("its address holds a user name or a password, which would end up in logs")
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    return Target(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], path)


def look_up(host: str, port: int) -> list[str]:
    """What the system's resolver says, each address once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def resolved(target: Target, allow_internal: tuple[str, ...], resolve: Resolve = look_up) -> Target:
    """The target with its addresses, all of which webhooks may reach.

    Raises:
        InternalAddressError: one of them is internal and not in `allow_internal`.
        OSError: the name stands for no address.
    """
    literal = read_address(target.host)
    addresses = [str(literal)] if literal is not None else list(resolve(target.host, target.port))
    check_host(target.host, addresses, allow_internal)
    return Target(target.scheme, target.host, target.port, target.path, tuple(addresses[:_MOST_ADDRESSES]))


def _connected(target: Target, body: bytes, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
    """The beginning of the answer, from the first address that takes the connection."""
    first: Exception | None = None
    for address in target.addresses:
        try:
            return _pool(target, address).urlopen(
                "POST",
                target.path,
                body=body,
                headers={**headers, "Host": target.authority},
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
            )
        except SSLError:
            raise
        except NewConnectionError as error:
            first = first or error
    assert first is not None
    raise first


def _pool(target: Target, address: str) -> urllib3.HTTPConnectionPool:
    if target.scheme == "http":
        return urllib3.HTTPConnectionPool(address, target.port)
    return urllib3.HTTPSConnectionPool(
        address,
        target.port,
        cert_reqs="CERT_REQUIRED",
        server_hostname=target.host,
        assert_hostname=target.host,
    )


def _read(response: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    body = response.read(LONGEST_ANSWER + 1)
    if len(body) > LONGEST_ANSWER:
        return _problem(f"its answer is longer than {LONGEST_ANSWER // 1024} KiB")
    return {"status": response.status, "body": body.decode("utf-8", "replace")}


def _problem(sentence: str, again: bool = False) -> dict[str, Any]:
    return {"problem": sentence, "again": again}


def _reason(error: Exception) -> str:
    """The innermost cause in words, without the address."""
    inner: BaseException = error
    while isinstance(inner.args[-1] if inner.args else None, BaseException):
        inner = inner.args[-1]
    while inner.__cause__ is not None:
        inner = inner.__cause__
    reason = getattr(inner, "verify_message", None) or getattr(inner, "strerror", None) or str(inner)
    return str(reason)
