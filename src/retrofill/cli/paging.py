"""Long lists page by page: a page goes on after the last row of the one before, whatever has changed meanwhile."""

from __future__ import annotations

import click

from retrofill.cli.session import say

limit_option = click.option("--limit", type=click.IntRange(1), metavar="N", help="At most so many.")
cursor_option = click.option(
    "--cursor", metavar="LAST", help="Go on after this row: the last one of the page before."
)


def say_more(last: object) -> None:
    say(f"There are more: `--cursor {last}` goes on after the last one.")
