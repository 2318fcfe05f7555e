"""Why a server could not be asked, in a sentence that says what to look at."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from retrofill.domain.errors import Kind, RetrofillError, shown
from retrofill.domain.texts import Step, Text


class ServerUnreachableError(RetrofillError):
    """Look whether the server runs, and whether RETROFILL_URL is its address; nothing is known to have been done."""

    code = "server_unreachable"
    kind = Kind.UNREACHABLE


def still_away(error: RetrofillError, going_on: Step) -> RetrofillError:
    """The same trouble, told to who has waited through it: what they waited for may go on all the same."""
    hint = Text("{going_on} goes on waiting; what the server carries out goes on.", going_on=going_on)
    found = type(error)(error.text, hint)
    found.code, found.kind = error.code, error.kind
    return found


def why_unreachable(url: str, error: Exception) -> ServerUnreachableError:
    """The trouble of a request, whatever library it comes from."""
    for cause in _causes(error):
        found = _of_certificate(url, cause) or _of_connection(url, cause)
        if found is not None:
            return found
    return ServerUnreachableError(f"{url} cannot be reached: {shown(str(error))}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error with what led to it, however it is wrapped, the innermost one first."""
    inner: list[BaseException] = []
    while error is not None and error not in inner:
        inner.append(error)
        wrapped = getattr(error, "reason", None) or next(
            (one for one in reversed(error.args) if isinstance(one, BaseException)), None
        )
        error = (
            (wrapped if isinstance(wrapped, BaseException) else None) or error.__cause__ or error.__context__
        )
    yield from reversed(inner)


def _of_certificate(url: str, cause: BaseException) -> ServerUnreachableError | None:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return ServerUnreachableError(
            f"the certificate of {url} is not accepted: {shown(cause.verify_message)}",
            "Set SSL_CERT_FILE to the file of the authority that signed it, or use the name that it is for.",
        )
    if not isinstance(cause, ssl.SSLError):
        return None
    if "WRONG_VERSION_NUMBER" in str(cause) or "HTTP_REQUEST" in str(cause):
        return ServerUnreachableError(
            f"{url} does not speak TLS", "Where that is right, begin RETROFILL_URL with http:// instead."
        )
    return ServerUnreachableError(f"TLS with {url} fails: {shown(cause.reason or str(cause))}")


def _of_connection(url: str, cause: BaseException) -> ServerUnreachableError | None:
    import socket

    if isinstance(cause, socket.gaierror):
        return ServerUnreachableError(f"{url} cannot be reached: nobody knows that name")
    if isinstance(cause, ConnectionRefusedError):
        return ServerUnreachableError(f"{url} cannot be reached: nothing listens there")
    if isinstance(cause, TimeoutError):
        return ServerUnreachableError(f"{url} does not answer in time")
    if isinstance(cause, ConnectionError):
        return ServerUnreachableError(f"{url} broke off the connection")
    return None
