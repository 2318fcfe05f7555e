"""What is wrong with single fields, so that it stands beside them: by the table of options, and the plan's refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING

from retrofill.domain.errors import RetrofillError
from retrofill.domain.planning.option_forms import Around
from retrofill.domain.planning.options import ASKED
from retrofill.domain.time.bizdates import parse_range
from retrofill.web.creating.asking import policy_of

if TYPE_CHECKING:
    from retrofill.web.creating.typed import Typed

# Options that are written in several fields, by the part of the page that they stand in.
_PLACES: Mapping[str, str] = {"bizdates": "ranges"}


def faults_of(typed: Typed, today: date, timezone: str) -> dict[str, str]:
    """Sentences by the name of an option, or `range-` and the number of a row of bizdates."""
    given = policy_of(typed)
    around = Around(today, timezone, lambda name: name)
    found = dict(_wrong_rows(typed, today))
    for option in ASKED:
        if option.name in _PLACES:
            continue
        try:
            option.read(given, around)
        except RetrofillError as error:
            found[option.name] = error.advice
    return found


def _wrong_rows(typed: Typed, today: date) -> Iterator[tuple[str, str]]:
    for number, (first, last) in enumerate(typed.rows):
        text = f"{first}..{last}" if first and last else first or last
        try:
            if text:
                parse_range(text, today)
        except RetrofillError as error:
            yield f"range-{number}", error.advice


def counted_dates(typed: Typed, today: date) -> list[int | None]:
    """How many bizdates each row has; None where nothing can be read from it."""
    found: list[int | None] = []
    for first, last in typed.rows:
        try:
            found.append(len(parse_range(f"{first}..{last}" if first and last else first or last, today)))
        except RetrofillError:
            found.append(None)
    return found
