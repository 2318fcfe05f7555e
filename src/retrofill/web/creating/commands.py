"""What a form asks for, as a command, a request of the API and an address: to be copied into a script or a message."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from retrofill.web.looks import query

if TYPE_CHECKING:
    from retrofill.domain.inputs import Given

_LONGEST = 4_000


def as_command(given: Given, comment: str = "") -> str:
    """`retrofill backfill create`, with an option a line."""
    lines = ["retrofill backfill create", *_options(given)]
    if comment:
        lines.append(f"--comment {shlex.quote(comment)}")
    return " \\\n  ".join(lines)


def _options(given: Given) -> Iterator[str]:
    for name, value in given.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            yield option
        else:
            for text in [value] if isinstance(value, str) else value:
                # A value that begins with a dash would be read as an option.
                yield (
                    f"{option}={shlex.quote(text)}"
                    if text.startswith("-")
                    else f"{option} {shlex.quote(text)}"
                )


def as_request(given: Given, origin: str, comment: str = "") -> str:
    """`curl`, as somebody with a token of their own in RETROFILL_TOKEN."""
    body = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
    if comment:
        body["comment"] = comment
    text = json.dumps(body, ensure_ascii=False, indent=2)
    return (
        f"curl --fail-with-body {shlex.quote(origin + '/api/v1/backfills')} \\\n"
        '  -H "Authorization: Bearer $RETROFILL_TOKEN" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(text)}"
    )


def as_address(given: Given, origin: str, comment: str = "") -> str:
    """Of a form that asks for the same, for whoever opens it; empty where it is too long for some browser."""
    pairs = {name: ("on",) if value is True else value for name, value in given.items()}
    found = f"{origin}/backfills/new{query({**pairs, 'reason': comment})}"
    return found if len(found) <= _LONGEST else ""
