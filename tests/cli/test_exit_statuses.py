"""Every kind of error has an exit status, and every error a kind and a code that is its own."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import retrofill
from retrofill.cli.exit_statuses import EXIT_STATUSES, exit_status, first_exit_status
from retrofill.domain.errors import Kind, NotPermittedError, RetrofillError, UnknownNameError


def error_classes() -> Iterator[type[RetrofillError]]:
    """All of the package; those that only share a code with their base, too."""
    for module in pkgutil.walk_packages(retrofill.__path__, "retrofill."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    front = [RetrofillError]
    while front:
        error = front.pop()
        front += error.__subclasses__()
        if error.__module__.startswith("retrofill."):
            yield error


ERRORS = sorted(set(error_classes()), key=lambda error: (error.code, error.__name__))


def test_every_kind_has_an_exit_status() -> None:
    """And no error ends as a success would."""
    assert set(EXIT_STATUSES) == set(Kind)
    assert 0 not in EXIT_STATUSES.values()


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_has_a_kind_and_a_code_and_says_what_to_do(error: type[RetrofillError]) -> None:
    assert isinstance(error.kind, Kind)
    others = [other for other in ERRORS if other.code == error.code and not issubclass(other, error)]
    assert all(issubclass(error, other) for other in others), "two errors have this code"
    assert error.__doc__


def test_a_batch_exits_with_the_first_refusal() -> None:
    refusals = [None, UnknownNameError("a"), NotPermittedError("b")]
    assert first_exit_status(refusals) == exit_status(UnknownNameError("a")) == 5
    assert first_exit_status([None]) == 0
