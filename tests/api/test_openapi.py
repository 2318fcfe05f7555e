"""The description of all operations is complete, and true (every answer in these tests is held against it)."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import Response
from jsonschema import Draft202012Validator, ValidationError

from api.conforming import check
from api.servers import Server
from retrofill.api.operations import operations_of
from retrofill.api.schemas import Schemas


@pytest.fixture(scope="module")
def described(shared_server: Server) -> dict[str, Any]:
    answer = shared_server.anybody.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def each(described: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in described["paths"].values() for operation in path.values()]


def test_every_operation_is_described(shared_server: Server, described: dict[str, Any]) -> None:
    """Ids, scopes, all that can be answered."""
    assert described["openapi"] == "3.1.0"
    declared = {operation.id: operation for _, _, operation in operations_of(shared_server.app)}
    assert {one["operationId"] for one in each(described)} == declared.keys()
    for one in each(described):
        operation = declared[one["operationId"]]
        assert one["summary"], operation.id
        assert one.get("x-scope") == operation.scope
        assert str(operation.status) in one["responses"]
        assert {"500", "503"} <= one["responses"].keys()
        if operation.scope is not None:
            assert {"401", "403"} <= one["responses"].keys()


def test_every_parameter_and_field_of_a_body_says_what_it_is(described: dict[str, Any]) -> None:
    """A field without a sentence helps nobody; ids and the like are named by their path."""
    mute = [
        (one["operationId"], parameter["name"])
        for one in each(described)
        for parameter in one.get("parameters", [])
        if parameter["in"] != "path" and not parameter.get("description")
    ]
    bodies = [
        schema["$ref"].rpartition("/")[2]
        for one in each(described)
        for schema in [
            one.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        ]
        if "$ref" in schema
    ]
    for name in bodies:
        fields = described["components"]["schemas"][name]["properties"]
        mute += [(name, field) for field, schema in fields.items() if not schema.get("description")]
    assert mute == []


def test_all_that_is_referred_to_is_there(described: dict[str, Any]) -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for one in value.values() for found in references(one)]
        return [found for one in value for found in references(one)] if isinstance(value, list) else []

    for reference in {*references(described)}:
        target: Any = described
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
    for schema in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_an_answer_that_is_not_as_described_is_seen(server: Server) -> None:
    """So that holding answers against the description can fail."""
    answer = server.by("alice").get("/api/v1/backfills")
    check(server.app, answer)
    other = Response(200, json={"items": [{"id": "one"}], "next": None}, request=answer.request)
    with pytest.raises(ValidationError):
        check(server.app, other)


def test_what_stands_in_no_document_has_no_schema() -> None:
    with pytest.raises(TypeError, match="stands in no document"):
        Schemas().of(bytes)
