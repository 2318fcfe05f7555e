"""The options of `backfill plan`, `create` and `change`, and the request or the changes that they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import click

from retrofill.cli.session import Session, integer_id, say
from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.errors import UsageError, shown
from retrofill.domain.planning.changes import Changes
from retrofill.domain.planning.option_forms import Around
from retrofill.domain.planning.options import ASKED, CHANGEABLE, Input, PolicyOption, read_all
from retrofill.domain.planning.policy import Policy
from retrofill.domain.time.bizdates import parse_range
from retrofill.domain.words import names
from retrofill.services.catalogs.deploy import find_task
from retrofill.services.people.access import unknown_backfill

if TYPE_CHECKING:
    from retrofill.domain.people.rights import Rights
    from retrofill.domain.selection import ways
    from retrofill.services.backfills.requests import Request


def _given(option: PolicyOption, one: Input, default: str = "") -> Callable[[Any], Any]:
    """The option of the command line for an input."""
    text = f"{one.help[:-1]} (default {default})." if default else one.help
    written = option.written(one)
    shape = {"metavar": written, "multiple": one.is_many} if written else {"is_flag": True}
    return click.option(f"--{one.name.replace('_', '-')}", one.name, help=text, **shape)


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
    *(
        _given(option, one, option.default_words if one == option.inputs[0] else "")
        for option in ASKED
        for one in option.inputs
    ),
    click.option("--deployed", is_flag=True, help="Work on the deployed version, whatever the folder holds."),
    click.option("--name", metavar="TEXT", help="The backfill's name (default: made from the first root)."),
)


def request_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add all options that say what to backfill, and how."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def change_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add all options that say what changes about a backfill."""
    for option in reversed(CHANGEABLE):
        for one in reversed(option.changing):
            command = _given(option, one)(command)
    return command


def changes_of(given: Mapping[str, Any]) -> Changes:
    """What these options change.

    Raises:
        UsageError: nothing, one thing in two ways, or a value in a wrong form.
    """
    return Changes(read_all(CHANGEABLE, given, Around(None, "", str)))


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
    session: Session, catalog: Catalog, ids: Mapping[str, int], given: Mapping[str, Any], today: date
) -> Policy:
    def full_name(text: str) -> str:
        return find_task(catalog, ids, text, session.project.rights.sees)

    if not given["bizdate"]:
        raise UsageError(
            "no business dates are chosen", "Add --bizdate 2013-01-01 or --bizdate 2013-01-01..2013-01-31."
        )
    policy = Policy(**read_all(ASKED, given, Around(today, catalog.timezone, full_name)))
    if sum(len(parse_range(text, today)) for text in given["bizdate"]) > policy.date_count:
        say(f"Overlapping bizdates are merged: {names([*map(str, policy.ranges)])}.")
    return policy
