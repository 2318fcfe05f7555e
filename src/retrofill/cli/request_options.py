"""The options of `backfill plan`, `create` and `change`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from retrofill.cli.grammar import Deferred

if TYPE_CHECKING:
    from retrofill.domain.inputs import Input


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
