"""What is stored of a backfill: the tabs analysis and settings, and the report of one page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

from retrofill.domain.planning.options import ASKED, CHANGEABLE
from retrofill.domain.running.searches import InstanceSearch, OperationSearch
from retrofill.domain.running.states import State
from retrofill.web.looks import HELD_UP
from retrofill.web.pages.backfill_frame import BackfillTab, Head, Tab, head_of
from retrofill.web.rendering import Page
from retrofill.web.visits import page

if TYPE_CHECKING:
    from starlette.responses import Response

    from retrofill.services.reading.documents import (
        Alert,
        Analysis,
        InstanceRow,
        OperationRow,
        RowReason,
    )
    from retrofill.web.visits import PageVisit

_REASONS = {
    "intermediate": "lies between chosen tasks",
    "blacklisted": "is on the blacklist",
    "no_permission": "you, or who created it, may not backfill it",
    "mode": "its mode is dry run",
}
_CHOICE = {
    "manual": "chosen one by one",
    "link": "everything on the ways from a start to ends",
    "workspace": "descendants in workspaces",
    "all_descendants": "a task and everything below it, looked up when it starts",
}
_VALUES = {
    ("order", "asc"): "oldest bizdate first",
    ("order", "desc"): "newest bizdate first",
    ("barrier", "date"): "the next bizdate of a group begins when the one before is complete",
    ("barrier", "task"): "a task's next bizdate begins when its own one before is complete",
    ("across_groups", "wait"): "a group waits for the one before where its first bizdate depends on that",
    ("across_groups", "ignore"): "groups do not wait for each other",
    ("on_failure", "stop"): "the next bizdates of the group wait until it is mended",
    ("on_failure", "continue"): "the next bizdates of the group go on",
    ("priority", None): "each task's own",
    ("resource_group", None): "each task's own",
    ("max_failures", None): "however many fail, it does not pause by itself",
    ("window", None): "at any time of the day",
}
_OF_REPORT = 20  # failures, and acts of people


# Analysis

# What a summary that an older program has stored, or one without checks, has not.
_MAY_LACK: Mapping[str, Any] = MappingProxyType(
    {"tasks": (), "groups": (), "kinds": None, "checks": (), "first_run_date": None, "last_run_date": None}
)


class Bar(NamedTuple):
    """One bizdate in a drawing 100 high: what runs below, what passes without running above."""

    bizdate: str
    runs: int
    passes: int
    x: float
    width: float
    runs_height: float
    passes_height: float


@dataclass(frozen=True, kw_only=True)
class AnalysisTab(BackfillTab):
    """What was found when it was created (VER-1).

    Attributes:
        bars: one a bizdate, ascending.
        idle: what passes without running: task, reason, instances.
    """

    template: ClassVar[str] = "backfill_analysis.html"
    found: Analysis
    bars: Sequence[Bar]
    idle: Sequence[tuple[str, str, int]]


def analysis(visit: PageVisit, head: Head, around: Mapping[str, Any]) -> AnalysisTab:
    """As it is stored."""
    found = visit.center.backfills.analysis(head.id)
    whole = cast("Analysis", {**_MAY_LACK, **found})
    return AnalysisTab(**around, found=whole, bars=_bars(found), idle=[*_idle(found)])


def _bars(found: Analysis) -> list[Bar]:
    total = found.get("by_bizdate", {})
    runs = found.get("runs_by_bizdate", total)
    highest, step = max(total.values(), default=0) or 1, 1_000 / (len(total) or 1)
    gap = min(step / 5, 4)
    return [
        Bar(
            bizdate,
            runs.get(bizdate, 0),
            number - runs.get(bizdate, 0),
            round(place * step, 2),
            round(step - gap, 2),
            round(100 * runs.get(bizdate, 0) / highest, 2),
            round(100 * (number - runs.get(bizdate, 0)) / highest, 2),
        )
        for place, (bizdate, number) in enumerate(sorted(total.items()))
    ]


def _idle(found: Analysis) -> Iterator[tuple[str, str, int]]:
    for task in found.get("tasks", ()):
        if task.get("dry_run"):
            yield task["task"], _REASONS.get(task["dry_run"] or "", ""), task["instances"]
        if task.get("off_days"):
            yield task["task"], "its schedule leaves these dates out", task["off_days"]
        if task.get("virtual"):
            yield task["task"], "it is virtual: it has no code", task["virtual"]
        if task.get("frozen"):
            yield task["task"], "it was frozen when the backfill was created", task["frozen"]


# Settings


class Setting(NamedTuple):
    """One thing that was asked for.

    Attributes:
        tasks: names, where it names tasks.
    """

    label: str
    words: str
    tasks: Sequence[str] = ()
    is_changeable: bool = False


@dataclass(frozen=True, kw_only=True)
class SettingsTab(BackfillTab):
    """Everything that it was asked for, as it stands now (BF-2), and its messages (POL-9)."""

    template: ClassVar[str] = "backfill_settings.html"
    choice: Sequence[Setting]
    settings: Sequence[Setting]
    overrides: Sequence[tuple[str, str, str]]
    alerts: Sequence[Alert]


def settings(visit: PageVisit, head: Head, around: Mapping[str, Any]) -> SettingsTab:
    """Changes since it was created count."""
    request = head.shown["request"]
    return SettingsTab(
        **around,
        choice=[*_choice(request["selection"])],
        settings=[*settings_of(request)],
        overrides=[
            (task, name, value)
            for task, texts in request["overrides"].items()
            for name, value in texts.items()
        ],
        alerts=head.shown["alerts"],
    )


def settings_of(request: Mapping[str, Any]) -> Iterator[Setting]:
    """What can be said of a policy, in words."""
    changeable = {option.name for option in CHANGEABLE}
    seen = set()
    for option in (*CHANGEABLE, *ASKED):
        if option.name in seen or option.name not in request or option.name == "overrides":
            continue
        seen.add(option.name)
        value = request[option.name]
        words = option.without or "none" if value is None else _words(value)
        if isinstance(value, str | None):
            words = _VALUES.get((option.name, value), words)
        yield Setting(
            option.name.replace("_", " ").capitalize(), words, is_changeable=option.name in changeable
        )


def _words(value: Any) -> str:
    if isinstance(value, dict) and "timezone" in value:
        return f"{value['period']}{' on weekends' if value['weekends'] else ''} ({value['timezone']})"
    if isinstance(value, dict):
        return " ".join(_words(one) for one in value.values() if one is not False)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _choice(selection: Mapping[str, Any]) -> Iterator[Setting]:
    from retrofill.domain.selection.ways import NAMES_TASKS

    yield Setting("Way", _CHOICE.get(selection["way"], selection["way"]))
    for key, value in selection.items():
        if key == "way" or value in (None, [], ""):
            continue
        names = [value] if isinstance(value, str) else value
        if key in NAMES_TASKS:
            yield Setting(key.capitalize(), "", names)
        else:
            yield Setting(key.replace("_", " ").capitalize(), _words(value))


# The report


@dataclass(frozen=True, kw_only=True)
class ReportPage(Page):
    """One page to print or send: what ran, what failed, when, by whom.

    Attributes:
        failed: the first instances that failed, each with its reason.
        acts: the last things that people did to the whole of it or to its instances.
        has_more_acts: whether there were others before.
    """

    template: ClassVar[str] = "backfill_report.html"
    nav: ClassVar[str] = "backfills"
    head: Head
    failed: Sequence[tuple[InstanceRow, RowReason | None]]
    acts: Sequence[OperationRow]
    has_more_acts: bool
    settings: Sequence[Setting]
    held_up: str = HELD_UP


def report(visit: PageVisit, backfill_id: int) -> Response:
    """As it stands now."""
    head = head_of(visit, backfill_id)
    search = InstanceSearch(backfills=(backfill_id,), states=(State.FAILED,))
    rows = visit.center.instances.list(search, _OF_REPORT)["items"]
    reasons = visit.center.backfills.reasons(backfill_id, [row["id"] for row in rows])
    why = {one["id"]: one for one in reasons}
    acts = visit.center.operations.list(OperationSearch(backfill_id=backfill_id), _OF_REPORT)
    shown = ReportPage(
        title=f"Report of backfill {backfill_id} {head.shown['name']}",
        head=head,
        failed=[(row, why.get(row["id"])) for row in rows],
        acts=acts["items"],
        has_more_acts=acts["next"] is not None,
        settings=[*settings_of(head.shown["request"])],
    )
    return visit.show(shown)


TABS = (
    Tab("analysis", "Analysis", analysis, lambda head: head.finding_count),
    Tab("settings", "Settings", settings),
)
ROUTES = [page("/backfills/{backfill_id:int}/report", report)]
