"""What the command line exits with when it refuses, by the kind of the error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from retrofill.domain.errors import Kind, RetrofillError

EXIT_STATUSES: Mapping[Kind, int] = MappingProxyType(
    {
        Kind.FAILED: 1,
        Kind.USAGE: 2,
        Kind.LIMIT: 2,
        Kind.UNAVAILABLE: 2,
        Kind.NOT_SIGNED_IN: 4,
        Kind.NOT_PERMITTED: 4,
        Kind.UNKNOWN: 5,
        Kind.WRONG_STATE: 6,
        Kind.TOO_OFTEN: 6,
        Kind.UNREACHABLE: 7,
        Kind.BROKEN: 70,
        Kind.TIMED_OUT: 124,
    }
)


def exit_status(error: RetrofillError) -> int:
    """The status of a refusal."""
    return EXIT_STATUSES[error.kind]


def first_exit_status(errors: Iterable[RetrofillError | None]) -> int:
    """The status of the first item of a batch that was refused, 0 if none was."""
    return next((exit_status(error) for error in errors if error is not None), 0)
