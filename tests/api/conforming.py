"""Every answer that a test gets is held against what OpenAPI says of its operation: status, media type, schema."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx import Response
from jsonschema import Draft202012Validator
from starlette.routing import Match

from retrofill.api.answers import PARTS_HEADER
from retrofill.api.openapi import document

_described: dict[str, Any] = {}


def check(app: FastAPI, response: Response) -> None:
    """Fails where an answer is not what its operation is said to answer; others than operations are left alone."""
    route = _route(app, response.request.method, response.request.url.path)
    if route is None or route.path not in described(app)["paths"]:
        return
    operation = described(app)["paths"][route.path][response.request.method.lower()]
    said = operation["responses"].get(str(response.status_code))
    where = f"{response.request.method} {route.path}: {response.status_code}"
    assert said is not None, f"{where} is not described: {response.read()[:300]!r}"
    media = response.headers.get("content-type", "").partition(";")[0]
    content = _resolved(app, said).get("content", {})
    assert media in content or (not content and not media), f"{where}: {media} is not described"
    if media.endswith("json") and response.request.headers.get(PARTS_HEADER) is None:
        response.read()
        _validator(app, where, content[media]["schema"]).validate(response.json())


def described(app: FastAPI) -> dict[str, Any]:
    """The description of all operations; made once, because all servers of these tests answer the same."""
    if not _described:
        _described.update(document(app))
    return _described


def _resolved(app: FastAPI, said: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in said:
        return said
    found: dict[str, Any] = described(app)["components"]["responses"][said["$ref"].rpartition("/")[2]]
    return found


_validators: dict[str, Draft202012Validator] = {}


def _validator(app: FastAPI, where: str, schema: dict[str, Any]) -> Draft202012Validator:
    if where not in _validators:
        _validators[where] = Draft202012Validator({**schema, "components": described(app)["components"]})
    return _validators[where]


def _route(app: FastAPI, method: str, path: str) -> APIRoute | None:
    scope = {"type": "http", "method": method, "path": path, "headers": [], "root_path": ""}
    for route in app.routes:
        if isinstance(route, APIRoute) and route.matches(scope)[0] is Match.FULL:
            return route
    return None
