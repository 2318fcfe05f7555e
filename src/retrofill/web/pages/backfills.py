"""The list of backfills: searched, opened in place, chosen for acts; what is searched for can be kept under a name.

Everything stands in the address: what is searched for, which rows are open, at which bizdate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from retrofill.api.errors import STATUSES
from retrofill.domain.catalog.task_types import TASK_TYPES
from retrofill.domain.errors import InvalidValueError, RetrofillError
from retrofill.domain.running.searches import BackfillSearch
from retrofill.domain.running.status import Status
from retrofill.web import looks
from retrofill.web.forms import Form
from retrofill.web.pages.backfill_rows import ShownBackfill, shown_backfill
from retrofill.web.pages.in_place import Opened, opened
from retrofill.web.rendering import Page, sentence
from retrofill.web.visits import OF_PARTS, act, page

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams
    from starlette.responses import Response

    from retrofill.services.reading.documents import BackfillRow, SavedForm
    from retrofill.services.reading.documents import Page as Rows
    from retrofill.web.visits import PageVisit

LIMIT = 50
_MOST_OPEN = 5
_MOST_WORDS = 1_000  # characters of a filter
VIEWS = "backfills"  # what saved views are of
_TEXTS = (
    "text",
    "name",
    "creator",
    "status",
    "check_status",
    "bizdate",
    "task",
    "task_type",
    "workspace",
    "created",
)
FILTERS = (*_TEXTS, "is_open", "needs")
_SAID = {
    "text": '"{}"',
    "name": 'the name "{}"',
    "creator": "created by {}",
    "status": "the status {}",
    "check_status": "the check {}",
    "bizdate": "the bizdate {}",
    "task": "the task {}",
    "task_type": "the task type {}",
    "workspace": "the workspace {}",
    "created": "created on {}",
    "is_open": "under way",
    "needs": "need me",
}


class Choice(NamedTuple):
    """A choice that stands as a chip: where it leads, whether it is the one that is shown."""

    label: str
    path: str
    is_chosen: bool
    number: int | None = None


class Without(NamedTuple):
    """How many fit without one of the filters."""

    said: str
    number: str
    path: str


class Place(NamedTuple):
    """Where in the list a page stands: see `BackfillsPage`."""

    is_first: bool
    newest: int | None
    arrived: int


class View(NamedTuple):
    """A view that somebody keeps."""

    id: int
    name: str
    path: str
    is_chosen: bool


@dataclass(frozen=True, kw_only=True)
class BackfillsPage(Page):
    """The list.

    Attributes:
        given: what is searched for, by name.
        asked: the same, as it stands behind the path.
        rows: that fit; `opened`: what is shown beneath them, by id.
        newest: the id above which backfills wait to be shown, on the first page; None: on a later one.
        arrived: how many of those fit, at most LIMIT.
        older: the address of the next page; empty: there is none.
        is_first: whether this is the first page.
        without: where nothing fits, the filter that costs most.
        error: why there are no rows.
        is_new: whether there is no backfill at all.
    """

    template: ClassVar[str] = "backfills.html"
    nav: ClassVar[str] = "backfills"
    given: Mapping[str, str]
    asked: str
    rows: Sequence[ShownBackfill]
    opened: Mapping[int, Opened]
    open_paths: Mapping[int, str]
    choices: Sequence[Choice]
    views: Sequence[View]
    statuses: Sequence[tuple[str, str]]
    workspaces: Sequence[tuple[str, str]]
    users: Sequence[tuple[str, str]]
    task_types: Sequence[tuple[str, str]]
    newest: int | None
    arrived: int
    limit: int
    older: str
    is_first: bool
    without: Without | None
    error: str
    is_new: bool
    has_more_filters: bool


def backfills(visit: PageVisit) -> Response:
    """A page of the list; with `newest`, those that came after it are counted and not shown."""
    given = given_of(visit.query)
    before = _number(visit.query.get("before"))
    newest = None if before is not None else _number(visit.query.get("newest"))
    try:
        found, arrived = _found(visit, search_of(given), before, newest)
        error = None
    except RetrofillError as refusal:
        found, arrived, error = {"items": [], "next": None}, 0, refusal
    newest = _newest(found["items"]) if before is None and newest is None else newest
    shown = _page(visit, given, found, Place(before is None, newest, arrived), error)
    return visit.show(shown, 200 if error is None else STATUSES[error.kind])


def _found(
    visit: PageVisit, search: BackfillSearch, before: int | None, newest: int | None
) -> tuple[Rows[BackfillRow], int]:
    """A page of rows, none of them above `newest`, and how many fit above it."""
    listed = visit.center.backfills.list
    found = listed(search, LIMIT, before)
    arrived = 0 if newest is None else sum(row["id"] > newest for row in found["items"])
    return (listed(search, LIMIT, newest + 1) if newest is not None and arrived else found), arrived


def _newest(items: Sequence[BackfillRow]) -> int:
    return items[0]["id"] if items else 0


def _page(
    visit: PageVisit,
    given: Mapping[str, str],
    found: Rows[BackfillRow],
    place: Place,
    error: RetrofillError | None,
) -> BackfillsPage:
    zone, now, names = visit.frame.zone, visit.now, visit.center.names
    items, following = found["items"], found["next"]
    open_ids = [number for number in _opened_ids(visit.query) if any(row["id"] == number for row in items)]
    is_first, is_bare = place.is_first, not given
    return BackfillsPage(
        title="Backfills",
        events="/api/v1/backfills/events",
        given=given,
        asked=looks.query(dict(given)),
        rows=[shown_backfill(row, zone, now) for row in items],
        opened={
            row["id"]: opened(visit, row, visit.query.get(f"date-{row['id']}"), _here(visit))
            for row in items
            if row["id"] in open_ids
        },
        open_paths={row["id"]: _toggled(visit, row["id"], open_ids) for row in items},
        choices=_choices(visit, given),
        views=[*_views(visit, given)],
        statuses=[(status.value, looks.backfill_words(status.value)) for status in Status],
        workspaces=[(name, name) for name in names.workspaces()],
        users=[(name, "me" if name == visit.user else name) for name in names.users()],
        task_types=[(name, name) for name in TASK_TYPES],
        newest=place.newest,
        arrived=place.arrived,
        limit=LIMIT,
        older=looks.query({**given, "before": following}) if following else "",
        is_first=is_first,
        without=_costliest(visit, given) if not items and error is None and is_first else None,
        error="" if error is None else sentence(error.text),
        is_new=not items and is_bare and is_first and error is None,
        has_more_filters=any(name in given for name in ("name", "task", "task_type", "created")),
    )


# What is searched for


def given_of(query: QueryParams | Form) -> dict[str, str]:
    """The filters that are given, as they were written."""
    read = query.one if isinstance(query, Form) else lambda name: query.get(name) or ""
    return {name: text[:_MOST_WORDS] for name in FILTERS if (text := read(name).strip())}


def search_of(given: Mapping[str, str]) -> BackfillSearch:
    """What is asked of the operation center.

    Raises:
        InvalidValueError: what is yes or no is neither.
    """
    texts = {name: text for name, text in given.items() if name in _TEXTS}
    is_open = None if "is_open" not in given else _is_yes("is_open", given["is_open"])
    return BackfillSearch(**texts, is_open=is_open, needs=_is_yes("needs", given.get("needs", "false")))


def _is_yes(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise InvalidValueError(f"{name} is true or false, not {text[:40]!r}")
    return text == "true"


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 19 else None


def _choices(visit: PageVisit, given: Mapping[str, str]) -> list[Choice]:
    counts = visit.counts
    return [
        Choice("Need me", "/backfills?needs=true", given == {"needs": "true"}),
        Choice("Mine", f"/backfills{looks.query({'creator': visit.user})}", given == {"creator": visit.user}),
        Choice("Under way", "/backfills?is_open=true", given == {"is_open": "true"}, counts["under_way"]),
    ]


def _costliest(visit: PageVisit, given: Mapping[str, str]) -> Without | None:
    """Where nothing fits: the filter without which most do."""
    found: list[tuple[int, bool, str]] = []
    for name in given:
        rest = {key: text for key, text in given.items() if key != name}
        try:
            page = visit.center.backfills.list(search_of(rest), LIMIT)
        except RetrofillError:
            continue
        found.append((len(page["items"]), page["next"] is not None, name))
    if not found or max(found)[0] == 0:
        return None
    count, is_more, name = max(found)
    words = _SAID[name].format(given[name])
    rest = {key: text for key, text in given.items() if key != name}
    return Without(words, f"more than {count}" if is_more else str(count), f"/backfills{looks.query(rest)}")


# Rows that are open


def _opened_ids(query: QueryParams) -> list[int]:
    numbers = (_number(text) for text in query.getlist("open"))
    return [*dict.fromkeys(number for number in numbers if number is not None)][:_MOST_OPEN]


def _here(visit: PageVisit) -> list[tuple[str, str]]:
    return [(name, text) for name, text in visit.query.multi_items() if name not in OF_PARTS]


def _toggled(visit: PageVisit, number: int, open_ids: Sequence[int]) -> str:
    """The address at which a row is open, or not any more."""
    kept = [pair for pair in _here(visit) if pair[0] not in ("open", f"date-{number}")]
    others = [one for one in open_ids if one != number]
    ids = others if number in open_ids else [*others, number][-_MOST_OPEN:]
    return f"/backfills{looks.query([*kept, ('open', ids)])}"


# Views that are kept


def _views(visit: PageVisit, given: Mapping[str, str]) -> Iterator[View]:
    for saved in visit.center.saved.list(VIEWS):
        if saved["name"] is not None:
            fields = _fields_of(saved)
            yield View(saved["id"], saved["name"], f"/backfills{looks.query(dict(fields))}", fields == given)


def _fields_of(saved: SavedForm) -> dict[str, str]:
    return {name: values[0] for name, values in saved["fields"].items() if name in FILTERS and values}


def keep_view(visit: PageVisit, form: Form) -> Response:
    """Keep what is searched for under a name."""
    given = given_of(form)
    saved = visit.center.saved.save(VIEWS, {name: [text] for name, text in given.items()}, form.one("view"))
    return visit.goes_to(f"/backfills{looks.query(dict(given))}", said=f'Kept as "{saved["name"]}".')


def drop_view(visit: PageVisit, form: Form, view_id: int) -> Response:
    """Keep a view no longer."""
    removed = visit.center.saved.remove(view_id)
    return visit.goes_to("/backfills", said=f'The view "{removed["name"]}" is gone.')


ROUTES = [
    page("/backfills", backfills),
    act("/backfills/views", keep_view),
    act("/backfills/views/{view_id:int}/remove", drop_view),
]
