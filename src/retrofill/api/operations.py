"""How a route is declared: an `Operation`, and `Routes`, which carries it out.

To add a route, in the module of its noun below `routes/`:

1. `routes = Routes("backfills")` is the noun's path below `/api/v1`, and its place in OpenAPI.
2. `@routes.get("/{backfill_id}", "backfills.show", BackfillPage)` above a plain `def`. The id is
   `<desk>.<method>` of the operation center; the third is the type of what is answered, from which the schema
   in OpenAPI is made. Also `post`, `patch`, `delete`; `scope=` is READ for `get`, else OPERATE; None: public.
3. Its first parameter is `visit: Asking` (of `requests`), which signs in and holds the scope before anything else
   is looked at. Parameters of the path, `Annotated[Model, Query()]` and bodies follow, as FastAPI reads them; models
   inherit `Asked`, so that what they do not know is refused.
4. It calls one method of `visit.center` and returns its document: plain values, `Text`s and `Step`s. Errors of the
   core are raised through. Named tuples become documents in `results` first.
5. A new module stands in `routes/__init__.py`. Who may is decided in `tests/api/matrix.py`; what nobody may ask over
   HTTP stands in `tests/api/only_local.py`.

A handler runs in a thread of the pool, and its answer is encoded there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import wraps
from threading import BoundedSemaphore
from typing import Any, ParamSpec, TypeVar

from fastapi import APIRouter, FastAPI, Response
from fastapi.routing import APIRoute

from retrofill.api.answers import answer_of
from retrofill.domain.people.roles import Action
from retrofill.domain.people.scopes import Scope

_P = ParamSpec("_P")
_T = TypeVar("_T")
_MARK = "operation"
# Questions that are answered at once. Threads of Python that work at the same time get in each other's way: with each row
# that one of them reads, it may have to wait for another. What is done, and may take long, waits for none of them.
_LOOKING = BoundedSemaphore(2)
JSON = "application/json"
EVENTS = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Operation:
    """What one route does.

    Attributes:
        id: `<desk>.<method>` of the operation center.
        scope: that who asks must have; None: anybody may, without signing in.
        answer: the type of what is answered; None: nothing.
        status: of what is done as it was asked.
        media: what the answer is; of another type than JSON, a handler makes it itself.
        also: of what other type it may be, where who asks wants that.
        is_quick: whether it takes a moment, and takes turns with others that do.
        needs: what who asks must be permitted somewhere, or nothing else of the request is looked at.
        turns: of those that are carried out at the same time there are only so many.
    """

    id: str
    scope: Scope | None
    answer: Any
    status: int
    media: str = JSON
    also: str | None = None
    is_quick: bool = False
    needs: Action | None = None
    turns: BoundedSemaphore | None = None


class Routes:
    """The routes of one noun.

    Args:
        noun: the first part of their paths; empty for none.
    """

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self._declared: list[tuple[str, str, Operation, Callable[..., Any]]] = []

    @property
    def declared(self) -> list[tuple[str, str, Operation, Callable[..., Any]]]:
        """Method, path below the prefix, operation and handler of each."""
        noun = f"/{self.noun}" if self.noun else ""
        return [
            (method, noun + path, operation, handler) for method, path, operation, handler in self._declared
        ]

    @property
    def operations(self) -> list[tuple[str, str, Operation]]:
        """Method, path below the prefix, and operation of each."""
        return [(method, path, operation) for method, path, operation, _ in self.declared]

    def mount(self, router: APIRouter, prefix: str, admitted: type[APIRoute]) -> None:
        """Let a router answer them.

        Args:
            prefix: of their paths.
            admitted: a route that lets somebody in; public ones let in everybody.
        """
        for method, path, operation, handler in self.declared:
            router.add_api_route(
                prefix + path,
                _carried_out(operation, handler),
                methods=[method],
                operation_id=operation.id,
                status_code=operation.status,
                summary=summary_of(handler).rstrip("."),
                tags=[self.noun or "server"],
                response_model=None,
                response_class=Response,
                route_class_override=APIRoute if operation.scope is None else admitted,
            )

    def get(
        self,
        path: str,
        operation_id: str,
        answer: Any,
        *,
        scope: Scope | None = Scope.READ,
        media: str = JSON,
        also: str | None = None,
        is_long: bool = False,
    ) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
        """A question."""
        operation = Operation(operation_id, scope, answer, 200, media, also, is_quick=not is_long)
        return self._declare("GET", path, operation)

    def post(
        self,
        path: str,
        operation_id: str,
        answer: Any,
        *,
        scope: Scope | None = Scope.OPERATE,
        status: int = 200,
        media: str = JSON,
        needs: Action | None = None,
        turns: BoundedSemaphore | None = None,
    ) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
        """Something that is done; `status` is 201 where something is made."""
        operation = Operation(operation_id, scope, answer, status, media, needs=needs, turns=turns)
        return self._declare("POST", path, operation)

    def patch(
        self, path: str, operation_id: str, answer: Any, *, scope: Scope = Scope.OPERATE
    ) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
        """A change of what there is."""
        return self._declare("PATCH", path, Operation(operation_id, scope, answer, 200))

    def delete(
        self, path: str, operation_id: str, answer: Any, *, scope: Scope = Scope.OPERATE
    ) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
        """Something that is taken away."""
        return self._declare("DELETE", path, Operation(operation_id, scope, answer, 200))

    def _declare(
        self, method: str, path: str, operation: Operation
    ) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
        def declare(handler: Callable[_P, _T]) -> Callable[_P, _T]:
            self._add(method, path, operation, handler)
            return handler

        return declare

    def _add(self, method: str, path: str, operation: Operation, handler: Callable[..., Any]) -> None:
        if not summary_of(handler):
            raise TypeError(f"{operation.id} does not say what it does: its docstring is missing")
        if operation.scope is not None and [*inspect.signature(handler).parameters][:1] != ["visit"]:
            raise TypeError(f"{operation.id} asks nobody who they are: its first parameter is to be `visit`")
        self._declared.append((method, path, operation, handler))


def summary_of(handler: Callable[..., Any]) -> str:
    """What it does, in a line."""
    return (inspect.getdoc(handler) or "").partition("\n")[0]


def _carried_out(operation: Operation, handler: Callable[..., Any]) -> Callable[..., Response]:
    """The handler as a route calls it: it answers ready bytes."""

    @wraps(handler)
    def carry_out(**given: Any) -> Response:
        with _LOOKING if operation.is_quick else nullcontext():
            found = handler(**given)
            if isinstance(found, Response):
                return found
            visit = given.get("visit")
            return answer_of(found, operation.status, in_parts=visit is not None and visit.wants_parts)

    setattr(carry_out, _MARK, operation)
    return carry_out


def operation_of(endpoint: object) -> Operation:
    """What a route does.

    Raises:
        TypeError: it was not declared by `Routes`.
    """
    found = getattr(endpoint, _MARK, None)
    if not isinstance(found, Operation):
        raise TypeError(f"{endpoint} is no operation")
    return found


def id_of(endpoint: object) -> str | None:
    """The id of what a route does; None where it was not declared by `Routes`."""
    found = getattr(endpoint, _MARK, None)
    return found.id if isinstance(found, Operation) else None


def operations_of(app: FastAPI) -> Iterator[tuple[str, str, Operation]]:
    """Method, path and operation of every route that `Routes` has made."""
    for route in app.routes:
        if isinstance(route, APIRoute) and isinstance(getattr(route.endpoint, _MARK, None), Operation):
            for method in route.methods or ():
                yield method, route.path, operation_of(route.endpoint)
