"""The notifier that sends through Apprise, whose URLs name a service and how to reach it.

Only text is sent: nothing in it is taken for markup, templates or escapes. No redirects
are followed, nothing is kept on disk, and Apprise's own log goes nowhere, because it may
hold parts of URLs.
"""

from __future__ import annotations

import contextlib
import logging
import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from retrofill.alerts.pinning import pinned
from retrofill.alerts.urls import (
    WEBHOOK_SCHEMES,
    host_of,
    scheme_of,
    with_argument,
    with_recipient,
    with_secrets,
    without_secrets,
)
from retrofill.domain.addresses import InternalAddressError, check_host
from retrofill.services.ports.notifying import Message, NotSentError, UndeliverableError

if TYPE_CHECKING:
    from apprise import NotifyBase

_CONNECT_SECONDS, _READ_SECONDS, _SEND_SECONDS = 15.0, 30.0, 90.0
_TARGETS = {"email": ("email",), "sms": ("phone", "sms")}  # words in the names of Apprise's targets
_LONGEST_REASON = 300
_DETAIL = re.compile(r"^Socket Exception: (.*)", re.DOTALL)

Resolve = Callable[[str], Sequence[str]]


def resolve(host: str) -> list[str]:
    """The addresses of a host."""
    return sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})


class AppriseNotifier:
    """Sends by the URLs of the setting `alerts`.

    Args:
        urls: by method, secrets unresolved.
        secrets: the value of a secret by name, None where there is none; asked when something is sent.
        allow_internal: networks that webhooks may reach although they are internal.
    """

    def __init__(
        self,
        urls: Mapping[str, str],
        secrets: Callable[[str], str | None],
        allow_internal: Sequence[str] = (),
        resolve: Resolve = resolve,
    ) -> None:
        self._urls = urls
        self._secrets = secrets
        self._allow_internal = tuple(allow_internal)
        self._resolve = resolve

    def obstacle(self, method: str) -> str | None:
        if method not in self._urls:
            return f"the setting `alerts` has no `{method}`, so there is nothing to send it with"
        from importlib.util import find_spec

        if find_spec("apprise") is None:
            return "Apprise is not installed: `pip install 'retrofill[alerts]'`"
        return None

    def send(self, method: str, address: str, message: Message) -> None:
        obstacle = self.obstacle(method)
        if obstacle is not None:
            raise UndeliverableError(obstacle)
        url = with_secrets(self._urls[method], self._secrets)
        service = self.service(url, method, address)
        judged = self._judged(url)
        way = contextlib.nullcontext() if judged is None else pinned(host_of(url), judged)
        with _recorded() as log, way:
            sent = _notify(service, method, message)
        if not sent:
            raise NotSentError(f"{_name(service)} did not take it: {_reason(log, url)}")

    def service(self, url: str, method: str, address: str) -> NotifyBase:
        """The service, with the recipient where the URL does not name one."""
        addressed = with_recipient(url, address)
        if addressed is not None:
            found = _instantiate(addressed)
        elif scheme_of(url) in WEBHOOK_SCHEMES:
            found = _instantiate(with_argument(url, ":to", address))
        else:
            found = _instantiate(url)
            if found is None or _takes(found, method):
                found = _instantiate(with_argument(url, "to", address))
        if found is None:
            raise UndeliverableError(f"the URL of `alerts.{method}` is none that Apprise understands")
        return found

    def _judged(self, url: str) -> Sequence[str] | None:
        """The addresses that a webhook may be reached at; None for what is none (mail servers often are internal).

        Raises:
            UndeliverableError: one of them is internal.
            NotSentError: there is none.
        """
        host = host_of(url)
        if scheme_of(url) not in WEBHOOK_SCHEMES:
            return None
        try:
            addresses = self._resolve(host)
            check_host(host, addresses, self._allow_internal)
        except InternalAddressError as error:
            raise UndeliverableError(error.advice) from None
        except (OSError, UnicodeError):
            raise NotSentError(f"{host} has no address that could be found") from None
        return addresses


def _instantiate(url: str) -> NotifyBase | None:
    """Apprise's object for the URL; None where it understands it not."""
    import apprise

    asset = apprise.AppriseAsset(
        app_id="Retrofill",
        app_desc="Retrofill",
        app_url="",
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        http_redirects=False,
        allow_templates=False,
        interpret_escapes=False,
        interpret_emojis=False,
        service_timeout=_SEND_SECONDS,
        async_mode=False,
    )
    with _recorded():
        service: Any = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if service is None:
        return None
    if scheme_of(url) in WEBHOOK_SCHEMES:
        service.redirects = False  # whatever the URL says: the address was checked, another one was not
    service.socket_connect_timeout = max(service.socket_connect_timeout, _CONNECT_SECONDS)
    service.socket_read_timeout = max(service.socket_read_timeout, _READ_SECONDS)
    return service  # type: ignore[no-any-return]


def _takes(service: NotifyBase, method: str) -> bool:
    """Whether the service sends to addresses of this kind."""
    targets = [name for name, token in service.template_tokens.items() if token.get("map_to") == "targets"]
    return any(word in name for name in targets for word in _TARGETS[method])


def _notify(service: NotifyBase, method: str, message: Message) -> bool:
    import apprise

    sender = apprise.Apprise(asset=service.asset)
    sender.add(service)
    title, body = (message.title, message.body) if method == "email" else ("", message.short)
    return bool(sender.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT))


def _name(service: NotifyBase) -> str:
    host = getattr(service, "smtp_host", None) or getattr(service, "host", None)
    name = str(service.service_name)
    return f"{name} at {host}" if host else name


class _Log(logging.Handler):
    """Keeps what Apprise says, for the sentence that tells why something was not sent."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.levelno, record.getMessage()))


@contextlib.contextmanager
def _recorded() -> Iterator[_Log]:
    """Apprise's log while something is done; neither it nor that of what it uses goes elsewhere."""
    log = _Log()
    with contextlib.ExitStack() as stack:
        for name in ("apprise", "urllib3", "requests"):
            logger = logging.getLogger(name)
            stack.callback(setattr, logger, "propagate", logger.propagate)
            logger.propagate = False
        apprise = logging.getLogger("apprise")
        stack.callback(apprise.setLevel, apprise.level)
        stack.callback(apprise.removeHandler, log)
        apprise.setLevel(logging.DEBUG)
        apprise.addHandler(log)
        yield log


def _reason(log: _Log, url: str) -> str:
    """Why it failed: the fault of the connection where Apprise names one, else its last warning."""
    details = [match[1] for _, line in log.lines if (match := _DETAIL.match(line))]
    warnings = [line for level, line in log.lines if level >= logging.WARNING]
    reason = without_secrets((details or warnings or ["it gave no reason"])[-1], url)
    return " ".join(reason.split())[:_LONGEST_REASON]
