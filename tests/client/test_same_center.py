"""A client is the operation center: the same desks with the same methods and parameters, or why not."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from api.only_local import ONLY_LOCAL
from retrofill import Client
from retrofill.services.operation_center import OperationCenter
from services.operation_center.cases import desks, methods

HERE_TOO = {"instances.each"}  # no operation of its own, and a method of the client all the same


@pytest.fixture
def client() -> Client:
    return Client("http://127.0.0.1:1", "retrofill_x")


def shared() -> list[str]:
    return [name for name in methods() if name not in ONLY_LOCAL or name in HERE_TOO]


def parameters(method: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
    """Names, defaults and kinds."""
    found = [*inspect.signature(method).parameters.values()]
    return [(one.name, one.default, one.kind) for one in found if one.name != "self"]


@pytest.mark.parametrize("name", shared())
def test_every_method_is_there_with_the_same_parameters(client: Client, name: str) -> None:
    desk, _, method = name.partition(".")
    asked = getattr(desks()[desk], method)
    assert parameters(getattr(getattr(client, desk), method)) == parameters(asked)


def test_the_client_has_no_desk_or_method_of_its_own(client: Client) -> None:
    """So that what works with one works with the other."""
    own = {
        f"{desk}.{method}"
        for desk in {name.partition(".")[0] for name in shared()}
        for method in dir(getattr(client, desk))
        if not method.startswith("_")
    }
    assert own == set(shared())


def test_type_checkers_and_prompts_see_the_client(client: Client) -> None:
    """The package says that it is typed, and every desk what it is about."""
    import retrofill

    assert (files(retrofill) / "py.typed").is_file()
    assert "Client" in dir(retrofill)
    assert "Client" in retrofill.__all__
    for desk in {name.partition(".")[0] for name in shared()}:
        assert inspect.getdoc(getattr(Client, desk)), desk


@pytest.mark.parametrize("name", ["user", "deployed_version", "is_deployed"])
def test_what_a_center_says_of_itself(name: str) -> None:
    assert isinstance(getattr(OperationCenter, name), property)
    assert hasattr(Client, name)
