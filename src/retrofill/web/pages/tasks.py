"""The catalog: tasks found and filtered, and what is done to several of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from retrofill.api.errors import STATUSES
from retrofill.domain.catalog.task_types import TASK_TYPES
from retrofill.domain.errors import InvalidValueError, LimitError, RetrofillError, UnknownNameError
from retrofill.domain.people.roles import Role
from retrofill.domain.time.cron import Cycle
from retrofill.domain.words import many
from retrofill.web.addresses import own_path
from retrofill.web.drawing.calendars import Bit, nights_line, nights_words
from retrofill.web.looks import query
from retrofill.web.rendering import Page, sentence
from retrofill.web.visits import act, page

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.domain.running.results import TaskResult
    from retrofill.services.reading.documents import ListedTask, TaskList, VersionRow, WorkspaceRow
    from retrofill.web.forms import Form
    from retrofill.web.visits import PageVisit

ROWS = 100  # on one page
_NIGHTS = 30
_MOST_CHOSEN = 500  # tasks in one address
FILTERS = ("workspace", "cycle", "owner", "type", "resource_group", "tag", "baseline")
_FILTER_WORDS = {"resource_group": "resource group", "search": "the search"}


class TaskLine(NamedTuple):
    """A row: the task, and its last nights as a line."""

    task: ListedTask
    nights: Sequence[Bit]
    nights_words: str


class Choice(NamedTuple):
    """A filter that one chooses from a list: its name, its values."""

    name: str
    label: str
    values: Sequence[str]


class Without(NamedTuple):
    """A filter that could be dropped, and how many tasks there are then."""

    words: str
    address: str
    total: int


@dataclass(frozen=True, kw_only=True)
class TasksPage(Page):
    """Tasks by workspace.

    Attributes:
        asked: filters that are set, by their names in the address.
        chips: those of them that no list of the page sets.
        total: tasks that fit; `frozen`: how many of all are.
        following: the address of the next page; None: this is the last one. `begins_later`: it is not the first one.
        has_nights: whether any night was made.
        without: which filter could be dropped, where nothing fits.
        trouble: why a filter cannot be.
    """

    template: ClassVar[str] = "tasks.html"
    nav: ClassVar[str] = "tasks"
    title: str = "Tasks"
    lines: Sequence[tuple[str, Sequence[TaskLine]]]
    asked: Mapping[str, str]
    chips: Sequence[Without]
    choices: Sequence[Choice]
    total: int
    frozen: int
    workspaces: Sequence[WorkspaceRow]
    version: VersionRow | None
    following: str | None
    begins_later: bool
    has_nights: bool
    without: Sequence[Without] = ()
    trouble: str = ""


def tasks(visit: PageVisit) -> Response:
    """Tasks that fit, by their full names."""
    asked = {
        name: text for name in ("search", "frozen", *FILTERS) if (text := visit.query.get(name, "").strip())
    }
    try:
        found, trouble, status = _list(visit, asked, ROWS, visit.query.get("cursor") or None), "", 200
    except (UnknownNameError, InvalidValueError) as error:
        found = {"items": [], "next": None, "total": 0}
        trouble, status = str(sentence(error.text)), STATUSES[error.kind]
    nights = _nights(visit, found["items"])
    newest = visit.center.versions.list(1)["items"]
    shown = TasksPage(
        lines=[
            (name, [TaskLine(task, *nights[task["task"]]) for task in of_workspace])
            for name, of_workspace in groupby(found["items"], lambda task: task["task"].partition(".")[0])
        ],
        asked=asked,
        chips=[
            Without(_words(asked, name), f"/tasks{query(_but(asked, name))}", 0)
            for name in ("tag", "baseline")
            if name in asked
        ],
        choices=_choices(visit),
        total=found["total"],
        frozen=visit.center.tasks.list(frozen=True, limit=1)["total"],
        workspaces=visit.center.tasks.workspaces(),
        version=newest[0] if newest else None,
        following=None if found["next"] is None else f"/tasks{query({**asked, 'cursor': found['next']})}",
        begins_later="cursor" in visit.query,
        has_nights=any(bits for bits, _ in nights.values()),
        without=() if found["total"] or trouble else _without(visit, asked),
        trouble=trouble,
    )
    return visit.show(shown, status)


def _list(visit: PageVisit, asked: Mapping[str, str], limit: int, after: str | None = None) -> TaskList:
    filters = {name: asked[name] for name in FILTERS if name in asked}
    return visit.center.tasks.list(
        filters, None, limit, after, asked.get("search"), True if asked.get("frozen") else None
    )


def _nights(visit: PageVisit, rows: Sequence[ListedTask]) -> dict[str, tuple[list[Bit], str]]:
    found = visit.center.tasks.nights([row["task"] for row in rows], _NIGHTS)
    cells = {one["task"]: one["cells"] for one in found["tasks"]}
    return {
        row["task"]: (nights_line(cells.get(row["task"], "")), nights_words(cells.get(row["task"], "")))
        for row in rows
    }


def _choices(visit: PageVisit) -> list[Choice]:
    workspaces = visit.center.tasks.workspaces()
    members = sorted({member for one in workspaces for member in one["members"]})
    return [
        Choice("workspace", "Workspace", [one["workspace"] for one in workspaces]),
        Choice("cycle", "Cycle", [cycle.value for cycle in Cycle]),
        Choice("type", "Type", list(TASK_TYPES)),
        Choice("owner", "Owner", members),
        Choice("resource_group", "Resource group", visit.center.names.resource_groups()),
    ]


def _without(visit: PageVisit, asked: Mapping[str, str]) -> list[Without]:
    """Filters without which something fits, that which costs most first."""
    found = []
    for name in asked:
        rest = _but(asked, name)
        if total := _list(visit, rest, 1)["total"]:
            found.append(Without(_words(asked, name), f"/tasks{query(rest)}", total))
    return sorted(found, key=lambda one: -one.total)


def _but(asked: Mapping[str, str], name: str) -> dict[str, str]:
    return {other: text for other, text in asked.items() if other != name}


def _words(asked: Mapping[str, str], name: str) -> str:
    """A filter in words."""
    words = _FILTER_WORDS.get(name, name)
    return words if name in ("search", "frozen") else f"{words} {asked[name]}"


# What is done to several


@dataclass(frozen=True, kw_only=True)
class FreezePage(Page):
    """A question: are these to be frozen, or unfrozen.

    Attributes:
        word: `freeze` or `unfreeze`.
        fits: of which it would change something; `same`: that are so already; `refused`: how many others may freeze.
    """

    template: ClassVar[str] = "task_freeze.html"
    nav: ClassVar[str] = "tasks"
    word: str
    fits: Sequence[ListedTask]
    same: Sequence[ListedTask]
    refused: int
    below: int
    back: str
    comment: str = ""
    error: str = ""


def chosen(visit: PageVisit) -> Response:
    """What the bar below the list leads to: the tasks of the boxes."""
    names = visit.query.getlist("id")[:_MOST_CHOSEN]
    to = visit.query.get("to", "backfill")
    if not names:
        return visit.goes_to("/tasks", said="No task was chosen.")
    if to == "backfill":
        return visit.goes_to(f"/backfills/new{query({'task': names})}")
    return visit.goes_to(f"/tasks/{'unfreeze' if to == 'unfreeze' else 'freeze'}{query({'task': names})}")


def ask_freeze(visit: PageVisit) -> Response:
    """Whether to freeze tasks."""
    return _asked(visit, "freeze", visit.query.getlist("task") or visit.query.getlist("id"))


def ask_unfreeze(visit: PageVisit) -> Response:
    """Whether to unfreeze tasks."""
    return _asked(visit, "unfreeze", visit.query.getlist("task") or visit.query.getlist("id"))


def freeze(visit: PageVisit, form: Form) -> Response:
    """Freeze them."""
    return _done(visit, form, "freeze")


def unfreeze(visit: PageVisit, form: Form) -> Response:
    """Unfreeze them."""
    return _done(visit, form, "unfreeze")


def _asked(
    visit: PageVisit, word: str, names: Sequence[str], comment: str = "", error: str = "", status: int = 200
) -> Response:
    wanted, to_frozen = _rows(visit, names), word == "freeze"
    changed = [row for row in wanted if row["frozen"] != to_frozen]
    fits = [row for row in changed if _may(visit, row)]
    below = {one["task"] for row in fits for one in visit.center.tasks.downstream(row["task"], _EVERY_LEVEL)}
    page_ = FreezePage(
        title=_title(word, fits),
        word=word,
        fits=fits,
        refused=len(changed) - len(fits),
        same=[row for row in wanted if row["frozen"] == to_frozen],
        below=len(below - {row["task"] for row in fits}),
        back=own_path(visit.query.get("back") or "/tasks"),
        comment=comment,
        error=error,
    )
    return visit.show(page_, status)


def _may(visit: PageVisit, row: ListedTask) -> bool:
    """SEC-4: administrators of the workspace."""
    role = visit.me["roles"].get(row["task"].partition(".")[0])
    return visit.me["administrator"] or role == Role.ADMINISTRATOR


def _rows(visit: PageVisit, names: Sequence[str]) -> list[ListedTask]:
    """Rows of tasks by what they are named by, each once.

    Raises:
        UnknownNameError: there is no such task.
    """
    if not names:
        return []
    if len(names) > _MOST_CHOSEN:
        raise LimitError(
            f"{len(names):,} tasks are more than the {_MOST_CHOSEN} of one act", "Choose fewer of them."
        )
    desk = visit.center.tasks
    listed = desk.list(name_part=names[0] if len(names) == 1 else None)["items"]
    known = {row["task"]: row for row in listed}
    full = dict.fromkeys(name if name in known else desk.show(name)["task"] for name in names)
    missing = [name for name in full if name not in known]
    known |= {row["task"]: row for name in missing for row in desk.list(name_part=name)["items"]}
    return [known[name] for name in full]


_EVERY_LEVEL = 1_000


def _title(word: str, fits: Sequence[ListedTask]) -> str:
    if not fits:
        return f"{word.capitalize()} tasks"
    return f"{word.capitalize()} {fits[0]['task'] if len(fits) == 1 else many(len(fits), 'task')}?"


def _done(visit: PageVisit, form: Form, word: str) -> Response:
    names, comment = form.all("task"), form.one("comment")
    desk = visit.center.tasks
    try:
        results = (desk.freeze if word == "freeze" else desk.unfreeze)(names, comment)
    except RetrofillError as error:
        return _asked(visit, word, names, comment, str(sentence(error.text)), STATUSES[error.kind])
    refused = [one.error for one in results if one.error is not None]
    if refused and len(refused) == len(results):
        first = refused[0]
        return _asked(visit, word, names, comment, str(sentence(first.text)), STATUSES[first.kind])
    return visit.goes_to(own_path(form.one("back") or "/tasks"), said=_said(word, results))


def _said(word: str, results: Sequence[TaskResult]) -> str:
    done = [one for one in results if one.error is None and not one.unchanged]
    refused = [one for one in results if one.error is not None]
    what = done[0].task if len(done) == 1 else many(len(done), "task")
    follows = (
        "what is made of it from now on stands still"
        if word == "freeze"
        else "what is made of it from now on runs"
    )
    rest = (
        f" {len(refused)} could not be: {refused[0].error.message}." if refused and refused[0].error else ""
    )
    return f"{'Froze' if word == 'freeze' else 'Unfroze'} {what}: {follows}.{rest}"


ROUTES = [
    page("/tasks", tasks),
    page("/tasks/chosen", chosen),
    page("/tasks/freeze", ask_freeze),
    page("/tasks/unfreeze", ask_unfreeze),
    act("/tasks/freeze", freeze),
    act("/tasks/unfreeze", unfreeze),
]
