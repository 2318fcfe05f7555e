"""JSON on its way in: read and judged beside the event loop where it is large, and never nested deeply.

What is wrong with it is counted, not listed: a request that is wrong in a thousand places is told of some.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

MOST_LEVELS = 50  # of lists and objects in each other
LARGE = 64 << 10  # bytes; reading more holds up others
Judge = Callable[[Any], tuple[Any, list[Any]]]


class TooDeepError(HTTPException):
    """Nobody means this. The framework takes any other error for one of its own."""

    def __init__(self) -> None:
        super().__init__(400, f"lists and objects are nested more than {MOST_LEVELS} levels")


class MisreadError(HTTPException):
    """A body that is JSON, and not what OpenAPI says."""

    def __init__(self, errors: list[Any]) -> None:
        super().__init__(422)
        self.errors = errors


class JsonRequest(Request):
    """A request whose body is read by us.

    Args:
        judge: makes what a route takes from JSON, or says what is wrong with it.
    """

    def __init__(self, request: Request, judge: Judge) -> None:
        super().__init__(request.scope, request.receive)
        self._judge = judge

    async def json(self) -> Any:
        """What the route takes: judged already, so that the framework has nothing to do about it."""
        raw = await self.body()
        if len(raw) > LARGE:
            return await run_in_threadpool(self._read, raw)
        return self._read(raw)

    def _read(self, raw: bytes) -> Any:
        value, errors = self._judge(json.loads(raw))
        if errors:
            raise MisreadError(errors)
        return value


def texts_of(data: Any) -> Iterator[str]:
    """Every text in what came as JSON, keys among them.

    Raises:
        TooDeepError: there are too many levels.
    """
    left = [(data, 0)]
    while left:
        value, level = left.pop()
        if isinstance(value, str):
            yield value
            continue
        if not isinstance(value, dict | list | tuple):
            continue
        if level == MOST_LEVELS:
            raise TooDeepError
        if isinstance(value, dict):
            yield from (key for key in value if isinstance(key, str))
            value = value.values()
        left.extend((one, level + 1) for one in value if isinstance(one, str | dict | list | tuple))


def is_writable(text: str) -> bool:
    """Whether every store takes it: JSON can hold more characters than they do."""
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return "\0" not in text
