"""The options of `backfill plan` and `backfill create`, and the request that they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import click

from retrofill.cli.session import Session, integer_id, say
from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.errors import UsageError, shown
from retrofill.domain.planning import policy as policies
from retrofill.domain.time.windows import parse_window
from retrofill.domain.words import names
from retrofill.services.catalogs.deploy import find_task
from retrofill.services.people.access import unknown_backfill

if TYPE_CHECKING:
    from retrofill.domain.people.rights import Rights
    from retrofill.domain.selection import ways
    from retrofill.services.backfills.requests import Request

_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--task", "tasks", multiple=True, metavar="T", help="Manual: a root task (repeat)."),
    click.option(
        "--where", multiple=True, metavar="KEY=VALUE", help="Manual: every task that fits as a root (repeat)."
    ),
    click.option(
        "--descendants", metavar="N|all", help="Manual: descendants of the roots down to level N, or all."
    ),
    click.option(
        "--only", multiple=True, metavar="T", help="Manual: of the descendants only these (repeat)."
    ),
    click.option("--from", "start", metavar="T", help="By link: the start task."),
    click.option("--to", "ends", multiple=True, metavar="T", help="By link: an end task (repeat)."),
    click.option("--root", metavar="T", help="By workspace: the root task."),
    click.option(
        "--workspace", "workspaces", multiple=True, metavar="W", help="By workspace: take its tasks (repeat)."
    ),
    click.option("--no-root", is_flag=True, help="By workspace: leave the root itself out."),
    click.option("--include", multiple=True, metavar="T", help="By workspace: a further task (repeat)."),
    click.option("--all-descendants", metavar="T", help="A task and all its descendants."),
    click.option(
        "--exclude",
        multiple=True,
        metavar="T",
        help="Leave a task out; in the middle it is a dry run (repeat).",
    ),
    click.option("--reuse", metavar="ID", help="The tasks of an earlier backfill."),
    click.option(
        "--bizdate",
        "bizdates",
        multiple=True,
        metavar="D|D..D",
        help="Business dates: YYYY-MM-DD, yesterday, -7d..yesterday (repeat).",
    ),
    click.option(
        "--time-range", metavar="HH:MM-HH:MM", help="Only slots in this time of day, both ends included."
    ),
    click.option("--groups", metavar="N", help="Chains of dates that run side by side, 1 to 10 (default 1)."),
    click.option("--order", metavar="asc|desc", help="By business date (default asc)."),
    click.option(
        "--run-future",
        is_flag=True,
        help="Start future dates as soon as they have elapsed, not at their time.",
    ),
    click.option("--window", metavar="HH:MM-HH:MM", help="Start instances only in this time of day."),
    click.option("--weekends", is_flag=True, help="The window is open on weekends only."),
    click.option("--resource-group", metavar="G", help="Run in this resource group."),
    click.option("--alert", metavar="success|failure|either", help="Tell the creator how it ended."),
    click.option("--alert-by", metavar="email|sms|both", help="How to tell (default both)."),
    click.option(
        "--barrier", metavar="date|task", help="What the next date of a group waits for (default date)."
    ),
    click.option(
        "--across-groups", metavar="wait|ignore", help="Previous-cycle waits between groups (default wait)."
    ),
    click.option(
        "--on-failure",
        metavar="stop|continue",
        help="Whether the next dates of a group wait until what failed is mended (default stop).",
    ),
    click.option("--max-failures", metavar="N", help="Pause by itself when so many instances have failed."),
    click.option("--allow-risks", is_flag=True, help="Run although verification finds a risk."),
    click.option(
        "--set", "overrides", multiple=True, metavar="T.PARAM=VALUE", help="Override a parameter (repeat)."
    ),
    click.option("--deployed", is_flag=True, help="Work on the deployed version, whatever the folder holds."),
    click.option("--name", metavar="TEXT", help="The backfill's name (default: made from the first root)."),
)


def request_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add all options that say what to backfill, and how."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def request_of(
    session: Session, catalog: Catalog, ids: Mapping[str, int], options: Mapping[str, Any], today: date
) -> Request:
    """The request that the options mean; names are resolved to full ones.

    Args:
        today: from which relative bizdates count.

    Raises:
        UsageError: options that do not go together, values in a wrong form.
        UnknownNameError: a task, workspace or backfill that does not exist.
    """
    from retrofill.services.backfills.requests import Request, check_name

    if options["name"] is not None:
        check_name(options["name"])
    return Request(
        selection=_selection(session, catalog, ids, options),
        policy=_policy(session, catalog, ids, options, today),
        name=options["name"],
    )


def _selection(
    session: Session, catalog: Catalog, ids: Mapping[str, int], o: Mapping[str, Any]
) -> ways.Selection:
    from retrofill.domain.selection import ways

    given = {
        "--task": bool(o["tasks"] or o["where"]),
        "--from/--to": bool(o["start"] or o["ends"]),
        "--root": bool(o["root"]),
        "--all-descendants": bool(o["all_descendants"]),
        "--reuse": bool(o["reuse"]),
    }
    named = [name for name, is_given in given.items() if is_given]
    if len(named) != 1:
        problem = "no tasks are chosen" if not named else f"{' and '.join(named)} do not go together"
        raise UsageError(
            problem,
            "Choose by --task T, by --from T --to T, by --root T --workspace W, by --all-descendants T, "
            "or by --reuse ID.",
        )
    _refuse_strays(named[0], o)

    def full(text: str) -> str:
        return find_task(catalog, ids, text, session.project.rights.sees)

    def fulls(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(full(text) for text in texts))

    exclude = fulls(o["exclude"])
    if named[0] == "--task":
        matched = _matching(catalog, o["where"], session.project.rights)
        roots = tuple(dict.fromkeys([*fulls(o["tasks"]), *matched]))
        return ways.ManualSelection(roots, _descendants(o["descendants"]), fulls(o["only"]), exclude)
    if named[0] == "--from/--to":
        if not o["start"] or not o["ends"]:
            raise UsageError(
                f"a link needs a start and an end; {'--to' if o['start'] else '--from'} is missing"
            )
        return ways.LinkSelection(full(o["start"]), fulls(o["ends"]), exclude)
    if named[0] == "--root":
        return ways.WorkspaceSelection(
            full(o["root"]),
            tuple(dict.fromkeys(o["workspaces"])),
            not o["no_root"],
            fulls(o["include"]),
            exclude,
        )
    if named[0] == "--all-descendants":
        return ways.AllDescendantsSelection(full(o["all_descendants"]), exclude)
    return _reused(session, catalog, o["reuse"])


_BELONGS = {
    "descendants": "--task",
    "only": "--task",
    "workspaces": "--root",
    "no_root": "--root",
    "include": "--root",
}


def _refuse_strays(way: str, o: Mapping[str, Any]) -> None:
    for name, owner in _BELONGS.items():
        if o[name] and owner != way:
            option = {"workspaces": "workspace"}.get(name, name).replace("_", "-")
            raise UsageError(f"--{option} goes with {owner}, not with {way}")
    if way == "--reuse" and o["exclude"]:
        raise UsageError("--exclude does not go with --reuse, which takes the tasks as they were chosen")


def _descendants(text: str | None) -> int | Literal["all"] | None:
    if text is None:
        return None
    if text == "all":
        return "all"
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 100_000:
        return int(text)
    raise UsageError(f'--descendants: "{text}" is neither a level from 1 nor all')


def _matching(catalog: Catalog, conditions: tuple[str, ...], rights: Rights) -> list[str]:
    """Tasks by conditions; different keys must all hold, the same key twice means either (SEL-1)."""
    from retrofill.domain.selection.filters import matching, parse_conditions

    if not conditions:
        return []
    found = matching(catalog, parse_conditions(conditions), rights)
    if not found:
        raise UsageError(
            f"no task fits {shown(' '.join(conditions))}",
            "Different keys must all hold, the same key twice means either; leave one out.",
        )
    return list(found)


def _reused(session: Session, catalog: Catalog, text: str) -> ways.Selection:
    """The tasks of an earlier backfill, whatever became of it (SEL-9)."""
    from retrofill.domain.selection import choice as selections
    from retrofill.services.instances.stored import selection_of

    backfill_id = integer_id(text, "a backfill")
    if session.project.deployed is None:  # there may be no store, and looking shall make none
        raise unknown_backfill(backfill_id)
    with session.project.store.read() as reader:
        record = session.project.access(reader).get_backfill(backfill_id)
    selection = selection_of(record)
    selections.check_names(selection, catalog, session.project.rights, f"backfill {backfill_id} chose")
    return selection


def _policy(
    session: Session, catalog: Catalog, ids: Mapping[str, int], o: Mapping[str, Any], today: date
) -> policies.Policy:
    if not o["bizdates"]:
        raise UsageError(
            "no business dates are chosen", "Add --bizdate 2013-01-01 or --bizdate 2013-01-01..2013-01-31."
        )
    ranges = tuple(policies.parse_range(text, today) for text in o["bizdates"])
    merged = policies.merge_ranges(ranges)
    if sum(map(len, merged)) < sum(map(len, ranges)):
        say(f"Overlapping bizdates are merged: {names([str(r) for r in merged])}.")
    values: dict[str, Any] = {"ranges": merged}
    if o["time_range"] is not None:
        values["time_range"] = policies.parse_time_range(o["time_range"])
    if o["groups"] is not None:
        values["groups"] = policies.parse_groups(o["groups"])
    for name, kind in (
        ("order", policies.Order),
        ("barrier", policies.Barrier),
        ("across_groups", policies.AcrossGroups),
        ("on_failure", policies.OnFailure),
    ):
        if o[name] is not None:
            values[name] = policies.parse_word(kind, o[name])
    if o["max_failures"] is not None:
        values["max_failures"] = policies.parse_max_failures(o["max_failures"])
    if o["window"] is not None:
        values["window"] = parse_window(o["window"], catalog.timezone, o["weekends"])
    elif o["weekends"]:
        raise UsageError("--weekends goes with --window")
    if o["alert"] is not None:
        method = policies.parse_word(policies.AlertMethod, o["alert_by"] or "both")
        values["alert"] = policies.Alert(policies.parse_word(policies.AlertTrigger, o["alert"]), method)
    elif o["alert_by"] is not None:
        raise UsageError("--alert-by goes with --alert")
    return policies.Policy(
        **values,
        run_future=o["run_future"],
        resource_group=o["resource_group"],
        allow_risks=o["allow_risks"],
        overrides=_overrides(session, catalog, ids, o["overrides"]),
    )


def _overrides(
    session: Session, catalog: Catalog, ids: Mapping[str, int], texts: tuple[str, ...]
) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for text in texts:
        name, parameter, value = policies.parse_override(text)
        task = find_task(catalog, ids, name, session.project.rights.sees)
        if parameter in found.get(task, {}):
            raise UsageError(f"--set: {task}.{parameter} is given twice")
        found.setdefault(task, {})[parameter] = value
    return found
