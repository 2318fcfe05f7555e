"""Webhooks out: what becomes of backfills, posted as questions of checks are, and signed the same way (POL-9).

One POST a try: who tries again, and when, is the outbox's affair. The id of a delivery stays over its tries.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from retrofill import __version__
from retrofill.checks.children import ask
from retrofill.checks.webhooks import signature
from retrofill.services.ports.notifying import Delivered, NotSentError, UndeliverableError
from retrofill.services.ports.secrets import SecretUnavailableError

if TYPE_CHECKING:
    from retrofill.services.ports import Clock
    from retrofill.services.ports.secrets import FindSecret
    from retrofill.settings.outer_forms import Receiver

_SECRET = re.compile(r"\$\{secret:([A-Za-z_][A-Za-z0-9_]*)\}")
_AGAIN = (408, 425, 429)  # of the statuses below 500


class WebhookPoster:
    """Posts to the addresses of the setting `webhooks`, and to those of backfills.

    Args:
        receivers: by name; secrets unresolved.
        own: what holds for the addresses of backfills; its URL is theirs.
        allow_internal: networks that may be reached although they are internal.
    """

    def __init__(
        self,
        receivers: Mapping[str, Receiver],
        own: Receiver,
        secrets: FindSecret,
        allow_internal: tuple[str, ...],
        clock: Clock,
    ) -> None:
        self._receivers = receivers
        self._own = own
        self._secrets = secrets
        self._allow_internal = allow_internal
        self._clock = clock

    def obstacle(self, name: str) -> str | None:
        if name and name not in self._receivers:
            return f"the setting `webhooks` has no `{name}`"
        if find_spec("urllib3") is None:
            return "urllib3 is not installed: `pip install 'retrofill[checks]'`"
        return None

    def post(self, name: str, address: str | None, delivered: Delivered) -> None:
        obstacle = self.obstacle(name)
        if obstacle is not None:
            raise UndeliverableError(obstacle)
        receiver = self._receivers[name] if name else self._own
        body = json.dumps(delivered.document, ensure_ascii=False).encode()
        found = ask(
            {
                "kind": "post",
                "url": self._resolved(receiver.url) if name else address,
                "body": body.decode(),
                "headers": self._headers(receiver, delivered, body),
                "allow_internal": list(self._allow_internal),
            },
            receiver.timeout_seconds,
        )
        _judge(found)

    def _headers(self, receiver: Receiver, delivered: Delivered, body: bytes) -> dict[str, str]:
        timestamp = str(self._clock.now_ms() // 1000)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"retrofill/{__version__}",
            "X-Retrofill-Delivery": delivered.id,
            "X-Retrofill-Timestamp": timestamp,
        }
        secret = self._resolved(receiver.secret)
        if secret:
            headers["X-Retrofill-Signature"] = signature(secret, timestamp, body)
        return headers

    def _resolved(self, text: str) -> str:
        def value(match: re.Match[str]) -> str:
            try:
                found = self._secrets(match[1])
            except SecretUnavailableError as error:
                raise NotSentError(error.advice) from None
            if found is None:
                raise NotSentError(f"there is no secret {match[1]}: RETROFILL_SECRET_{match[1]} is not set")
            return found

        return _SECRET.sub(value, text)


def _judge(found: Mapping[str, Any]) -> None:
    """Whether it was taken; what it answered is not looked at.

    Raises:
        NotSentError: not now; it may have been taken where no answer came in time.
        UndeliverableError: no later try can succeed.
    """
    if "problem" in found:
        is_final = found.get("again") is False
        raise (UndeliverableError if is_final else NotSentError)(str(found["problem"]))
    status = found["status"]
    if status >= 500 or status in _AGAIN:
        raise NotSentError(f"it answered with HTTP status {status}")
    if status >= 300:
        what = "a redirect, which is not followed" if status < 400 else "a refusal"
        raise UndeliverableError(f"it answered with {what} (HTTP status {status})")
