"""Every method of a desk is one operation, or stands in a table of what is only local."""

from __future__ import annotations

import pytest

from api.only_local import BESIDE_DESKS, ONLY_LOCAL
from api.servers import Server
from retrofill.api.links import PREFIX, REQUESTS
from retrofill.api.operations import Operation, operations_of
from services.operation_center.cases import methods


@pytest.fixture
def operations(shared_server: Server) -> dict[str, Operation]:
    return {operation.id: operation for _, _, operation in operations_of(shared_server.app)}


def test_every_method_is_an_operation(operations: dict[str, Operation]) -> None:
    """One operation center, asked by everybody."""
    wanted = {name for name in methods() if name not in ONLY_LOCAL}
    assert wanted - operations.keys() == set()


def test_what_is_only_local_is_a_method(operations: dict[str, Operation]) -> None:
    """So that neither table keeps what is gone, or hides what is there."""
    assert ONLY_LOCAL.keys() <= set(methods())
    assert not ONLY_LOCAL.keys() & operations.keys()
    assert BESIDE_DESKS.keys() <= operations.keys()


def test_no_operation_is_of_no_desk(operations: dict[str, Operation]) -> None:
    assert operations.keys() - set(methods()) - BESIDE_DESKS.keys() == set()


def test_links_lead_somewhere(shared_server: Server) -> None:
    """RFC 9457: a step that a problem offers can be taken."""
    there = {f"{method} {path.removeprefix(PREFIX)}" for method, path, _ in operations_of(shared_server.app)}
    shapes = {shape(one) for one in there} | {"GET /openapi.json"}
    nouns = {one.split("/")[1] for one in shapes if "/" in one}
    dead = {one for one in REQUESTS.values() if shape(one) not in shapes and one.split("/")[1] in nouns}
    assert not dead


def shape(request: str) -> str:
    """A request with its parameters unnamed."""
    return "/".join("{}" if part.startswith("{") else part for part in request.split("/"))
