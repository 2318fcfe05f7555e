"""Per-item results of batches: one line or one object an item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from retrofill.cli.session import Session, cell, say_json
from retrofill.services.operations import ItemResult


def print_results(session: Session, results: Sequence[dict[str, Any]]) -> None:
    """Print `{id, ok, state, error}` per item."""
    if session.output == "json":
        say_json(list(results))
        return
    for row in results:
        if session.output == "jsonl":
            say_json(row)
        else:
            click.echo(f"{row['id']}  {cell(row['state'])}{'' if row['ok'] else '  ' + cell(row['error'])}")


def rows_of(results: Sequence[ItemResult]) -> list[dict[str, Any]]:
    """Results as they are printed."""
    return [
        {
            "id": item.id,
            "ok": item.ok,
            "state": item.state,
            "error": item.error.message if item.error is not None else None,
            **({"unchanged": True} if item.unchanged else {}),
        }
        for item in results
    ]


def exit_status_of(results: Sequence[ItemResult]) -> int:
    """The status of the first item that was refused, 0 if none was."""
    return next((item.error.exit_status for item in results if item.error is not None), 0)
