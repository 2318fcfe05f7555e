"""Where a server listens: a socket that is there before anything heavy is loaded, and outlives who answers on it."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket

from retrofill.domain.errors import RetrofillError, UsageError, WrongStateError, shown

_BACKLOG = 2048


class AddressError(UsageError):
    """Name an address of this machine with {option.host}, and a port with {option.port}."""

    code = "bad_address"


class AddressInUseError(WrongStateError):
    """Take another port with {option.port}; 0 is any that is free."""

    code = "address_in_use"


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on an address of this machine.

    Args:
        host: a name or an address.
        port: 0 for any that is free.

    Raises:
        AddressError: it is none of this machine, or this user may not have it.
        AddressInUseError: somebody else listens there.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError):
        raise AddressError(f"{shown(host)} is no address of this machine") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host == "::" else 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _refusal(error, host, port) from None
    return listener


def _refusal(error: OSError, host: str, port: int) -> RetrofillError:
    where = f"{shown(host)}, port {port}"
    if error.errno == errno.EADDRINUSE:
        return AddressInUseError(f"something else listens on {where}")
    if error.errno == errno.EADDRNOTAVAIL:
        return AddressError(f"{shown(host)} is no address of this machine")
    if error.errno in (errno.EACCES, errno.EPERM):
        why = "ports below 1024 are for root" if port < 1024 and os.geteuid() != 0 else "it is not permitted"
        return AddressError(f"this user may not listen on {where}: {why}")
    return AddressError(f"nothing can listen on {where}: {error.strerror or error}")


def url_of(listener: socket.socket, host: str) -> str:
    """The address at which a browser of this machine reaches it, without a slash at its end."""
    port = listener.getsockname()[1]
    at = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://{f'[{at}]' if ':' in at and not at.startswith('[') else at}:{port}"


def is_local(host: str) -> bool:
    """Whether only programs of this machine reach it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
