"""`/healthz` and `/readyz`: asked by machines, without signing in; they tell no names."""

from __future__ import annotations

import time
from threading import Lock

from fastapi import FastAPI, Request, Response

from retrofill.api.answers import encode
from retrofill.bootstrap.deployment import Deployment
from retrofill.bootstrap.measuring import Readiness, readiness

_HOLDS_SECONDS = 1.0


def mount(app: FastAPI, deployment: Deployment) -> None:
    """Let an application say how it is."""
    look = _Look(deployment)

    async def live(request: Request) -> Response:
        """Answered by the loop itself: who answers is alive, whatever its threads wait for."""
        return _answer({"status": "ok"})

    def ready(request: Request) -> Response:
        """503 where the store cannot be read, or nobody schedules."""
        found = look.now()
        words = {name: text or "ok" for name, text in found._asdict().items()}
        return _answer(
            {"status": "ok" if found.is_ready else "not ready", **words}, 200 if found.is_ready else 503
        )

    app.add_route("/healthz", live, include_in_schema=False)
    app.add_route("/readyz", ready, include_in_schema=False)


def _answer(document: dict[str, str], status: int = 200) -> Response:
    return Response(encode(document), status, media_type="application/json")


class _Look:
    """One look a second, however many ask; while it lasts the others hear of the last one."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._lock = Lock()
        self._found: Readiness | None = None
        self._at = 0.0

    def now(self) -> Readiness:
        if self._is_young() or not self._lock.acquire(blocking=self._found is None):
            assert self._found is not None
            return self._found
        try:
            if not self._is_young():
                self._found, self._at = readiness(self._deployment), time.monotonic()
            assert self._found is not None
            return self._found
        finally:
            self._lock.release()

    def _is_young(self) -> bool:
        return self._found is not None and time.monotonic() - self._at < _HOLDS_SECONDS
