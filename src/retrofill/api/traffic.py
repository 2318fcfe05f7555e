"""How often each operation was asked, what it answered, and how soon: counted in memory, for the metrics of this process.

Labels are ids of operations and statuses of HTTP, so that nobody makes more of them by asking for addresses.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retrofill.api.operations import id_of

BOUNDS = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0)  # seconds


class Traffic:
    """What was answered since the process started; written by the loop alone."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, int]] = Counter()  # by operation and status
        self.seconds: defaultdict[str, float] = defaultdict(float)  # all together, by operation
        self._within: dict[str, list[int]] = {}

    def note(self, operation: str, status: int, seconds: float) -> None:
        """Count an answer by the time until it began."""
        self.answers[operation, status] += 1
        self.seconds[operation] += seconds
        counts = self._within.setdefault(operation, [0] * (len(BOUNDS) + 1))
        counts[bisect_left(BOUNDS, seconds)] += 1

    def buckets(self) -> dict[str, list[tuple[str, int]]]:
        """Of each operation: how many answers began within each bound, as Prometheus has it."""
        found = {}
        for operation, counts in list(self._within.items()):
            sums = [sum(counts[: place + 1]) for place in range(len(counts))]
            found[operation] = list(zip([*map(str, BOUNDS), "+Inf"], sums, strict=True))
        return found


class Counted:
    """Around an application."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                operation = id_of(scope.get("endpoint")) or "other"
                self._traffic.note(operation, message["status"], perf_counter() - began)
            await send(message)

        await self._app(scope, receive, send_counted)
