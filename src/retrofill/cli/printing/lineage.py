"""Lineage as people read it, and what `check` finds by it (OPS-10)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from retrofill.cli.printing.problems import warning_at
from retrofill.cli.tables import cell
from retrofill.domain.errors import shown
from retrofill.domain.words import names

if TYPE_CHECKING:
    from retrofill.domain.people.rights import Rights
    from retrofill.project.loader import TaskPlace
    from retrofill.project.problems import Doubtful
    from retrofill.services.catalogs.lineage import Lineages

_DECLARE = "write them under `reads` and `writes`, see the guide on lineage"


def print_lineage(row: Mapping[str, Any]) -> None:
    """Tables with the tasks at their other ends, then columns."""
    _print_tables("reads", row["reads"], "written_by", "written by")
    _print_tables("writes", row["writes"], "read_by", "read by")
    if row["columns"]:
        click.echo("columns")
        _print_pairs(
            (
                f"{column['table']}.{column['column']}",
                "<- " + (", ".join(f"{s['table']}.{s['column']}" for s in column["from"]) or "no column"),
            )
            for column in row["columns"]
        )
    if row["problem"]:
        click.echo(f"lineage may lack tables: {shown(row['problem'])}")


def _print_tables(title: str, tables: list[dict[str, Any]], key: str, words: str) -> None:
    if not tables:
        click.echo(f"{title:<24}-")
        return
    click.echo(title)
    _print_pairs(
        (
            table["table"] + (f" ({table['connection']})" if table["connection"] else ""),
            f"{words} {cell(table[key]) if table[key] else 'no task'}",
        )
        for table in tables
    )


def _print_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    lines = [(shown(left), shown(right)) for left, right in pairs]
    width = max(len(left) for left, _ in lines)
    for left, right in lines:
        click.echo(f"    {left:<{width}}  {right}")


def warnings_of(lineages: Lineages, places: Mapping[str, TaskPlace]) -> list[dict[str, Any]]:
    """Missing dependencies, then what could not be read, each with the place of a task's `depends_on`."""
    found = [
        warning_at("warning", "undeclared_dependency", places[item.task], item.message, item.hint)
        | {"tasks": [item.task, item.writer]}
        for item in lineages.undeclared()
    ]
    by_problem: dict[str, list[str]] = defaultdict(list)
    for task, problem in lineages.unread():
        by_problem[problem].append(task)
    for problem, tasks in by_problem.items():
        message = f"{names(tasks)}: {problem}"
        found.append(warning_at("info", "unread_sql", places[tasks[0]], message, _DECLARE) | {"tasks": tasks})
    return found


def doubts_in(doubts: Iterable[Doubtful], rights: Rights) -> list[dict[str, Any]]:
    """What is right and may mean something else, in tasks that the user may know of (SEC-2)."""
    return [
        warning_at("warning", found.code, found, found.message, found.hint) | {"tasks": [found.task]}
        for found in doubts
        if rights.sees(found.task)
    ]
