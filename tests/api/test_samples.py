"""Every operation has examples, and they are as its schemas say; what is sent is read."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from api.servers import Server, serving
from retrofill.api.operations import JSON, operations_of
from retrofill.api.samples import Samples


@pytest.fixture(scope="module")
def described(shared_server: Server) -> dict[str, Any]:
    found: dict[str, Any] = shared_server.anybody.get("/api/v1/openapi.json").json()
    return found


def contents(described: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Bodies and answers in JSON, by the operation that they are of."""
    found = []
    for path in described["paths"].values():
        for one in path.values():
            answers = [answer for answer in one["responses"].values() if "content" in answer]
            for holder in [one.get("requestBody", {}), *answers]:
                if JSON in holder.get("content", {}):
                    found.append((one["operationId"], holder["content"][JSON]))
    return found


def test_examples_are_as_described(described: dict[str, Any]) -> None:
    """Each body, each answer, each refusal."""
    assert len(contents(described)) > 100
    for name, content in contents(described):
        schema = {**content["schema"], "components": described["components"]}
        wrong = [error.message for error in Draft202012Validator(schema).iter_errors(content["example"])]
        assert wrong == [], name
    for refused in described["components"]["responses"].values():
        (content,) = refused["content"].values()
        schema = {**content["schema"], "components": described["components"]}
        Draft202012Validator(schema).validate(content["example"])


def test_examples_speak(described: dict[str, Any]) -> None:
    """By the names of fields: a row reads like one."""
    examples = {name: content["example"] for name, content in contents(described)}
    row = examples["instances.list"]["items"][0]
    assert (row["task"], row["bizdate"], row["state"]) == ("ops.daily_delays", "2026-01-05", "successful")
    assert examples["versions.show"]["tasks"][0]["task"] == "ops.daily_delays"
    texts = [text for example in examples.values() for text in strings(example)]
    assert texts.count("text") < len(texts) / 20, "most fields have an example of their own"


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in strings(one)]


def test_what_is_sent_as_an_example_is_read(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No example of a body or a parameter is one that cannot be read; what it names need not be there."""
    with serving(tmp_path_factory.mktemp("sent")) as server:
        described = server.anybody.get("/api/v1/openapi.json").json()
        for method, path, operation in operations_of(server.app):
            if operation.scope is None or path.endswith("/events"):
                continue
            one = described["paths"][path][method.lower()]
            body = one.get("requestBody", {}).get("content", {}).get(JSON, {}).get("example")
            query = {
                parameter["name"]: parameter["example"]
                for parameter in one.get("parameters", [])
                if parameter["in"] == "query" and "example" in parameter and parameter["name"] != "cursor"
            }
            address = re.sub(r"\{\w+\}", "7", path)
            answer = server.by("admin").request(method, address, json=body, params=query)
            code = answer.json().get("code") if answer.status_code >= 400 else None
            assert code not in ("bad_request", "bug"), (operation.id, answer.text)


@pytest.mark.parametrize(
    ("schema", "sample"),
    [
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "string", "enum": ["a", "b"]}, "a"),
        ({"anyOf": [{"type": "null"}, {"type": "boolean"}]}, False),
        ({"type": "array", "items": {"type": "number"}}, [1.5]),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"ops.daily_delays": 1}),
    ],
)
def test_what_has_no_name_has_an_example_by_its_type(schema: dict[str, Any], sample: object) -> None:
    assert Samples({}).answered(schema) == sample
