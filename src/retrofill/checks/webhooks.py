"""Checks that are asked over HTTP: a signed POST, a time limit, retries (VER-3).

The signature is the HMAC-SHA256 of `TIMESTAMP.BODY` under the check's secret, in hexadecimal.
A delivery keeps its id over its retries; timestamp and signature are made anew.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from retrofill import __version__
from retrofill.checks.children import ask
from retrofill.domain.checks import Answer, Verdict, clipped, parse_answer
from retrofill.services.ports.secrets import FindSecret, SecretUnavailableError

if TYPE_CHECKING:
    from retrofill.services.ports import Clock

_SECRET = re.compile(r"\$\{secret:([A-Za-z_][A-Za-z0-9_]*)\}")
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 10.0


@dataclass(frozen=True, slots=True)
class WebhookSurroundings:
    """What all webhooks of a project share."""

    secrets: FindSecret  # value by name, None where there is none (SEC-3)
    allow_internal: tuple[str, ...]
    clock: Clock
    sleep: Callable[[float], None] = time.sleep


class MissingSecretError(Exception):
    """A secret that the check's settings refer to is not there; the argument is its name."""


@dataclass(frozen=True, slots=True)
class WebhookCheck:
    """One webhook; `url` and `secret` as written, with `${secret:NAME}` unresolved."""

    name: str
    url: str = field(repr=False)
    secret: str = field(repr=False)
    timeout_seconds: float
    retries: int
    around: WebhookSurroundings

    def ask(self, question: Mapping[str, Any]) -> Answer:
        """Post the question (see `services.ports.checking`)."""
        body = json.dumps(question, ensure_ascii=False).encode()
        delivery = str(uuid.uuid4())
        try:
            for attempt in range(self.retries):
                answer = self._try(body, delivery)
                if answer is not None:
                    return answer
                self.around.sleep(min(_FIRST_PAUSE_SECONDS * 2**attempt, _LONGEST_PAUSE_SECONDS))
            return self._try(body, delivery, is_last=True) or self._fail("it did not answer")
        except SecretUnavailableError as error:
            return self._fail(error.advice)
        except MissingSecretError as error:
            return self._fail(
                f"there is no secret {error}; set RETROFILL_SECRET_{error} in the environment of the command or the "
                "scheduler that asks"
            )

    def _try(self, body: bytes, delivery: str, is_last: bool = False) -> Answer | None:
        """One attempt; None where another one may do better."""
        found = ask(
            {
                "kind": "post",
                "url": self._resolve(self.url),
                "body": body.decode(),
                "headers": self._headers(body, delivery),
                "allow_internal": list(self.around.allow_internal),
            },
            self.timeout_seconds,
        )
        if "problem" in found:
            return None if found.get("again") and not is_last else self._fail(found["problem"])
        status = found["status"]
        if status >= 500:
            return self._fail(f"it answered with HTTP status {status}") if is_last else None
        if 300 <= status < 400:
            return self._fail(f"it answered with a redirect (HTTP status {status}), which is not followed")
        if status >= 400:
            return self._fail(f"it answered with HTTP status {status}")
        return parse_answer(self.name, found["body"])

    def _headers(self, body: bytes, delivery: str) -> dict[str, str]:
        timestamp = str(self.around.clock.now_ms() // 1000)
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": f"retrofill/{__version__}",
            "X-Retrofill-Delivery": delivery,
            "X-Retrofill-Timestamp": timestamp,
        }
        secret = self._resolve(self.secret)
        if secret:
            headers["X-Retrofill-Signature"] = signature(secret, timestamp, body)
        return headers

    def _resolve(self, text: str) -> str:
        def value(match: re.Match[str]) -> str:
            found = self.around.secrets(match[1])
            if found is None:
                raise MissingSecretError(match[1])
            return found

        return _SECRET.sub(value, text)

    def _fail(self, message: str) -> Answer:
        return Answer(self.name, Verdict.FAIL, clipped(message))


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What `X-Retrofill-Signature` holds."""
    signed = timestamp.encode() + b"." + body
    return f"sha256={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"
