"""Long lists page by page: a page goes on after the last row of the one before, whatever has changed meanwhile."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import click

from retrofill.cli.session import say

limit_option = click.option("--limit", type=click.IntRange(1), metavar="N", help="At most so many.")
cursor_option = click.option(
    "--cursor", metavar="LAST", help="Go on after this row: the last one of the page before."
)


def page_of_names(names: Sequence[str], cursor: str | None, limit: int | None) -> Sequence[str]:
    """The part of a sorted list that a page shows; on stderr, how to go on."""
    start = 0 if cursor is None else bisect_right(names, cursor)
    page = names[start : None if limit is None else start + limit]
    if len(names) > start + len(page):
        say_more(page[-1])
    return page


def say_more(last: object) -> None:
    say(f"There are more: `--cursor {last}` goes on after the last one.")
