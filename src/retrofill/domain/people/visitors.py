"""Who comes to a server, as far as it is known before roles are looked at; and from where."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from retrofill.domain.people.scopes import Scope

_MOST_CHARACTERS = 200
_NETWORK_OF_ONE = 64  # bits of an IPv6 address that a single customer of a provider is given


@dataclass(frozen=True, slots=True)
class WorkerRight:
    """What a worker's token opens.

    Attributes:
        token: its id.
        groups: the resource groups whose runs it may carry out.
    """

    token: int
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who was recognised.

    Attributes:
        scope: how far this sign-in reaches, whatever the user's roles allow.
        session: the id of the browser's session; None for a program with a key.
        worker: of a worker, which acts for no user; None for everybody else.
    """

    user: str
    scope: Scope
    session: int | None = None
    worker: WorkerRight | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """A session that has begun.

    Attributes:
        secret: what the browser shows from now on.
    """

    visitor: Visitor
    secret: str
    expires_ms: int


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs with an access key, and with which secret."""

    visitor: Visitor
    secret: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from: an address, and what the browser calls itself."""

    address: str
    browser: str = ""

    @property
    def shown_browser(self) -> str:
        """What of the browser's name is kept and shown."""
        return "".join(c if c.isprintable() else "?" for c in self.browser[:_MOST_CHARACTERS])

    @property
    def neighbourhood(self) -> str:
        """The addresses that count as one: an IPv4 address, or the network of an IPv6 address."""
        try:
            found = ipaddress.ip_address(self.address.partition("%")[0])
        except ValueError:
            return "unknown"
        if isinstance(found, ipaddress.IPv6Address):
            if found.ipv4_mapped is not None:
                return str(found.ipv4_mapped)
            return str(ipaddress.ip_network((found, _NETWORK_OF_ONE), strict=False))
        return str(found)


def address_behind(peer: str, forwarded: str, proxies: Sequence[str]) -> str:
    """The address that a request really comes from.

    Args:
        peer: who has sent it to us.
        forwarded: the list of `X-Forwarded-For`, to which each proxy has added from whom it got the request.
        proxies: networks of proxies that are believed.

    Returns:
        The last one that no such proxy has; what stands before it, anybody can have written.
    """
    networks = [ipaddress.ip_network(proxy) for proxy in proxies]
    found = peer
    for claimed in reversed(forwarded.split(",")):
        if not _is_in(found, networks) or not _is_address(claimed.strip()):
            return found
        found = claimed.strip()
    return found


def _is_in(address: str, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    if not _is_address(address):
        return False
    parsed = ipaddress.ip_address(address)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return any((mapped or parsed) in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
