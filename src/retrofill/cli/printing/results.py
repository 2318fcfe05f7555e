"""Batches: the ids that a command takes, and one line or one object an item of what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from retrofill.cli.driving import say_who_starts_instances
from retrofill.cli.exit_statuses import first_exit_status
from retrofill.cli.session import Session, say_json
from retrofill.cli.tables import cell
from retrofill.domain.errors import RetrofillError, UsageError
from retrofill.domain.inputs import integer_id
from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.domain.running.results import ItemResult

_MOST = 100_000

ids_argument = click.argument("instance_ids", metavar="ID...", nargs=-1, required=True)
comment_option = click.option("--comment", default="", metavar="TEXT", help="Why; it is kept in the record.")


def numbers_of(texts: Sequence[str]) -> list[int]:
    """Ids of instances as people type them.

    Raises:
        UsageError: one is no number, or there are more than 100,000.
    """
    numbers = [integer_id(text, "an instance") for text in texts]
    if len(numbers) > _MOST:
        raise UsageError(f"{many(len(numbers), 'instance')} in one call; at most {_MOST:,}")
    return numbers


def done(session: Session, results: Sequence[ItemResult]) -> int:
    """Print results with the state that each item has now, as lists show it (OPS-0); the exit status."""
    center = session.center
    # What was unknown stays so: it may be there, and not to be seen.
    states = center.instances.states([item.id for item in results if item.state is not None])
    print_results(session, [row | {"state": states.get(row["id"])} for row in rows_of(results)])
    say_who_starts_instances(center, {i.id: states.get(i.id) for i in results if i.ok and not i.unchanged})
    return first_exit_status(item.error for item in results)


def print_results(session: Session, results: Sequence[dict[str, Any]]) -> None:
    """Print `{id, ok, state, error}` per item."""
    if session.output == "json":
        say_json(list(results))
        return
    for row in results:
        if session.output == "jsonl":
            say_json(row)
        else:
            unchanged = "  unchanged" if row.get("unchanged") else ""
            error = "" if row["ok"] else f"  {cell(row['error'])}"
            click.echo(f"{row['id']}  {cell(row['state'])}{unchanged}{error}")


def rows_of(results: Sequence[ItemResult]) -> list[dict[str, Any]]:
    """Results as they are printed."""
    return [
        {
            "id": item.id,
            "ok": item.ok,
            "state": item.state,
            **refusal(item.error),
            **({"unchanged": True} if item.unchanged else {}),
        }
        for item in results
    ]


def refusal(error: RetrofillError | None) -> dict[str, Any]:
    """What an item of a batch says of its error; only null where there is none."""
    if error is None:
        return {"error": None}
    return {"error": error.text, "code": error.code, "hint": error.hint, "steps": list(error.hint.steps)}
