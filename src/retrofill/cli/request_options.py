"""The options of `backfill plan`, `create` and `change`, and the request or the changes that they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from retrofill.cli.grammar import Deferred
from retrofill.cli.session import Session, integer_id, say
from retrofill.domain.errors import UsageError, shown
from retrofill.domain.words import names
from retrofill.services.catalogs.deploy import find_task
from retrofill.services.people.access import unknown_backfill

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.domain.inputs import Given, Input
    from retrofill.domain.people.rights import Rights
    from retrofill.domain.planning.changes import Changes
    from retrofill.domain.planning.option_forms import Around
    from retrofill.domain.planning.policy import Policy
    from retrofill.domain.selection.ways import Selection
    from retrofill.services.backfills.requests import Request


def _new_options() -> list[click.Parameter]:
    from retrofill.domain.planning.options import ASKED
    from retrofill.domain.selection import asking

    choice = [_option(one, one.written) for one in asking.INPUTS]
    policy = [
        _option(one, option.written(one), option.default_words if one == option.inputs[0] else "")
        for option in ASKED
        for one in option.inputs
    ]
    deployed = "Work on the deployed version, whatever the folder holds."
    name = "The backfill's name (default: made from the first root)."
    return [
        *choice,
        *policy,
        click.Option(["--deployed"], is_flag=True, help=deployed),
        click.Option(["--name"], metavar="TEXT", help=name),
    ]


def _change_options() -> list[click.Parameter]:
    from retrofill.domain.planning.options import CHANGEABLE

    return [_option(one, option.written(one)) for option in CHANGEABLE for one in option.changing]


def _option(one: Input, written: str, default: str = "") -> click.Option:
    """The option of the command line for an input."""
    text = f"{one.help[:-1]} (default {default})." if default else one.help
    shape = {"metavar": written, "multiple": one.is_many} if written else {"is_flag": True}
    return click.Option([f"--{one.name.replace('_', '-')}", one.name], help=text, **shape)


request_options = Deferred(_new_options)  # all that say what to backfill, and how
change_options = Deferred(_change_options)  # all that say what changes about a backfill


def changes_of(given: Mapping[str, Any]) -> Changes:
    """What these options change.

    Raises:
        UsageError: nothing, one thing in two ways, or a value in a wrong form.
    """
    from retrofill.domain.planning.changes import Changes
    from retrofill.domain.planning.option_forms import Around
    from retrofill.domain.planning.options import CHANGEABLE, read_all

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
    from retrofill.domain.planning.option_forms import Around
    from retrofill.domain.selection import asking
    from retrofill.services.backfills.requests import Request, check_name

    if options["name"] is not None:
        check_name(options["name"])

    def task(text: str) -> str:
        return find_task(catalog, ids, text, session.project.rights.sees)

    def matching(conditions: Sequence[str]) -> Sequence[str]:
        return _matching(catalog, conditions, session.project.rights)

    def earlier(text: str) -> Selection:
        return _reused(session, catalog, text)

    return Request(
        selection=asking.read_selection(options, asking.Finding(task, matching, earlier)),
        policy=_policy(options, Around(today, catalog.timezone, task)),
        name=options["name"],
    )


def _matching(catalog: Catalog, conditions: Sequence[str], rights: Rights) -> Sequence[str]:
    """Tasks by conditions; different keys must all hold, the same key twice means either (SEL-1)."""
    from retrofill.domain.selection.filters import matching, parse_conditions

    found = matching(catalog, parse_conditions(conditions), rights)
    if not found:
        raise UsageError(
            f"no task fits {shown(' '.join(conditions))}",
            "Different keys must all hold, the same key twice means either; leave one out.",
        )
    return found


def _reused(session: Session, catalog: Catalog, text: str) -> Selection:
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


def _policy(given: Given, around: Around) -> Policy:
    if not given["bizdate"]:
        raise UsageError(
            "no business dates are chosen", "Add --bizdate 2013-01-01 or --bizdate 2013-01-01..2013-01-31."
        )
    from retrofill.domain.planning.options import ASKED, read_all
    from retrofill.domain.planning.policy import Policy
    from retrofill.domain.time.bizdates import parse_range

    policy = Policy(**read_all(ASKED, given, around))
    if sum(len(parse_range(text, around.today)) for text in given["bizdate"]) > policy.date_count:
        say(f"Overlapping bizdates are merged: {names([*map(str, policy.ranges)])}.")
    return policy
