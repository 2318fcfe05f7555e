"""The record of what people did, over everything (OPS-8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from retrofill.api.errors import STATUSES
from retrofill.domain.errors import InvalidValueError, RetrofillError
from retrofill.domain.running.searches import OperationSearch
from retrofill.web import looks
from retrofill.web.rendering import Page, sentence
from retrofill.web.visits import page

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.services.reading.documents import OperationRow
    from retrofill.web.visits import PageVisit

_LIMIT = 100
_VERBS = frozenset({"add", "create", "end", "remove", "revoke", "set"})
_NAMES = ("user", "action", "backfill", "instance", "task")


class ShownOperation(NamedTuple):
    """A line: when, who, what, of what, and what it has changed."""

    at: str
    user: str
    what: str
    action: str
    backfill: int | None
    instance: int | None
    task: str | None
    before: str
    after: str
    comment: str


@dataclass(frozen=True, kw_only=True)
class OperationsPage(Page):
    """The record.

    Attributes:
        given: which lines, by name.
        older: the address of the next page; empty: there is none.
        error: why there are no lines.
    """

    template: ClassVar[str] = "operations.html"
    nav: ClassVar[str] = "operations"
    given: Mapping[str, str]
    asked: str
    rows: Sequence[ShownOperation]
    users: Sequence[tuple[str, str]]
    older: str
    is_first: bool
    error: str


def operations(visit: PageVisit) -> Response:
    """A page of the record, newest first."""
    given = {name: text for name in _NAMES if (text := (visit.query.get(name) or "").strip()[:1_000])}
    before = visit.query.get("before")
    try:
        start = None if not before else _number("before", before)
        found = visit.center.operations.list(_search(given), _LIMIT, start)
        error = None
    except RetrofillError as refusal:
        found, error = {"items": [], "next": None}, refusal
    following = found["next"]
    shown = OperationsPage(
        title="Operations",
        events="/api/v1/backfills/events",
        given=given,
        asked=looks.query(dict(given)),
        rows=[_shown(row) for row in found["items"]],
        users=[(name, "me" if name == visit.user else name) for name in visit.center.names.users()],
        older="" if following is None else f"/operations{looks.query({**given, 'before': following})}",
        is_first=not before,
        error="" if error is None else sentence(error.text),
    )
    return visit.show(shown, 200 if error is None else STATUSES[error.kind])


def _search(given: Mapping[str, str]) -> OperationSearch:
    return OperationSearch(
        user=given.get("user"),
        action=given.get("action"),
        backfill_id=_number("backfill", given["backfill"]) if "backfill" in given else None,
        instance_id=_number("instance", given["instance"]) if "instance" in given else None,
        task=given.get("task"),
    )


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidValueError(f"{name} is no id: {text[:40]!r}", "Write digits, as 42.")
    return int(text)


def _shown(row: OperationRow) -> ShownOperation:
    return ShownOperation(
        row["at"],
        row["user"],
        _what(row["action"]),
        row["action"],
        row["backfill"],
        row["instance"],
        row["task"],
        (row["from_state"] or "").replace("_", " "),
        (row["to_state"] or "").replace("_", " "),
        row["comment"],
    )


def _what(action: str) -> str:
    """`Create link` of `link-create`, `Pause schedule` of `pause-schedule`: the verb first."""
    words = action.split("-")
    if words[-1] in _VERBS:
        words = [words[-1], *words[:-1]]
    return " ".join(words).capitalize()


ROUTES = [page("/operations", operations)]
