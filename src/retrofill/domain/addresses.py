"""Which addresses a webhook may reach: the public internet's, and what the deployment allows besides.

A URL that somebody wrote must not lead to the machine itself, to its neighbours or to a cloud's
metadata service. Names are resolved by the caller, who then connects to an address that
`check_host` let pass, and to no other: a name may resolve differently the next time.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

from retrofill.domain.errors import InvalidValueError, RetrofillError, shown

Address = IPv4Address | IPv6Address
LONGEST_WEB_ADDRESS = 2_000  # characters
WEB_ADDRESS = r"https?://[A-Za-z0-9\[][A-Za-z0-9.:\]_-]*([/?]((?!\$\{)[!-~])*)?"
_WEB_ADDRESS = re.compile(WEB_ADDRESS)

_PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_INTERNAL_THOUGH_GLOBAL = (
    ipaddress.IPv4Network("168.63.129.16/32"),  # Azure's host, as its guests see it
    ipaddress.IPv4Network("192.0.0.0/24"),  # protocol assignments, Oracle's metadata among them
)
_MOST_OF_LAST = {1: 2**32, 2: 2**24, 3: 2**16, 4: 2**8}


class InternalAddressError(RetrofillError):
    """If it is meant, add its network to `allow_internal` in retrofill.yaml."""

    code = "internal_address"

    def __init__(self, host: str) -> None:
        """Without what the host resolves to: whoever reads it may have no business in the network inside."""
        leads = "is" if read_address(host) is not None else "leads to"
        super().__init__(f"{shown(host)} {leads} an internal address, which webhooks may not reach")


class WebAddressError(InvalidValueError):
    """Write an address of the form https://HOST/PATH; it may hold no user, no password and no secret."""

    code = "bad_web_address"


def check_web_address(text: str) -> None:
    """Refuse what nobody could post to; what it resolves to is judged when something is sent.

    Raises:
        WebAddressError: without the address, which may hold a token.
    """
    if len(text) > LONGEST_WEB_ADDRESS:
        raise WebAddressError(f"the address has more than {LONGEST_WEB_ADDRESS:,} characters")
    if not _WEB_ADDRESS.fullmatch(text):
        raise WebAddressError("the address is none that begins with http:// or https:// and a host")


def shown_web_address(text: str) -> str:
    """Where it leads, without path and query: they may hold a token."""
    parts = urlsplit(text)
    return f"{parts.scheme}://{parts.netloc}"


def internal_host(url: str, allow_internal: Iterable[str] = ()) -> InternalAddressError | None:
    """Why a webhook will not be reached, as far as its address alone tells: names but `localhost` are not resolved."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return None
    try:
        check_host(host, ["127.0.0.1" if host == "localhost" else host], allow_internal)
    except InternalAddressError as error:
        return error
    return None


def read_address(text: str) -> Address | None:
    """The address that a host's text stands for; None for a name.

    Takes what the C library takes: IPv6 in brackets and with a zone, and IPv4 in one to four
    parts of decimal, octal (`0177`) or hexadecimal (`0x7f`) digits, the last filling the rest.
    """
    text = text.strip().removeprefix("[").removesuffix("]").partition("%")[0]
    try:
        return IPv6Address(text)
    except ValueError:
        return _read_ipv4(text)


def _read_ipv4(text: str) -> IPv4Address | None:
    parts = text.removesuffix(".").split(".")
    numbers = [_read_number(part) for part in parts]
    if len(parts) > 4:
        return None
    address = 0
    for place, number in enumerate(numbers, start=1):
        is_last = place == len(numbers)
        if number is None or number >= (_MOST_OF_LAST[place] if is_last else 256):
            return None
        address += number if is_last else number << (8 * (4 - place))
    return IPv4Address(address)


def _read_number(part: str) -> int | None:
    if not (part.isascii() and part.isalnum()):
        return None
    base = 16 if part[:2] in ("0x", "0X") else 8 if part[0] == "0" and len(part) > 1 else 10
    try:
        return int(part, base)
    except ValueError:
        return None


def forms(address: Address) -> tuple[Address, ...]:
    """The address, and the IPv4 address that it leads to where it carries one.

    IPv4-mapped and IPv4-compatible addresses, NAT64, 6to4 and Teredo.
    """
    if isinstance(address, IPv4Address):
        return (address,)
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return (address, IPv4Address(int(address) & 0xFFFFFFFF))
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address.teredo is not None:
        inner = address.teredo[1]
    return (address,) if inner is None else (address, inner)


def is_public(address: Address) -> bool:
    """Whether the address is one of the public internet, whatever it is written as."""
    outer, *inner = forms(address)
    if inner:
        return is_public(inner[0])
    if isinstance(outer, IPv6Address) and outer not in _PUBLIC_IPV6:
        return False
    is_internal = outer.is_multicast or any(outer in network for network in _INTERNAL_THOUGH_GLOBAL)
    return outer.is_global and not is_internal


def is_allowed(address: Address, allow_internal: Iterable[str] = ()) -> bool:
    """Whether a webhook may reach the address.

    Args:
        allow_internal: networks like `10.1.0.0/16`; the setting of this name.
    """
    if is_public(address):
        return True
    networks = [ipaddress.ip_network(text, strict=False) for text in allow_internal]
    return any(form in network for form in forms(address) for network in networks)


def check_host(host: str, resolved: Iterable[str], allow_internal: Iterable[str] = ()) -> None:
    """Refuse a host of which any address is internal.

    Args:
        host: as written in the URL.
        resolved: what it resolves to, as text.

    Raises:
        InternalAddressError: an address is not allowed; it is not named.
    """
    networks = tuple(allow_internal)
    for text in resolved:
        address = read_address(text)
        if address is not None and not is_allowed(address, networks):
            raise InternalAddressError(host)
