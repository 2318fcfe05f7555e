"""The description of all operations (OpenAPI 3.1): bodies and parameters as they are judged, answers as documents are typed.

Written when it is first asked for. What every operation can answer besides its document is said here.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from itertools import chain
from threading import Lock

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi

import retrofill
from retrofill.api.answers import PARTS_HEADER, encode
from retrofill.api.errors import PROBLEM, Problem
from retrofill.api.links import PREFIX
from retrofill.api.operations import EVENTS, JSON, Operation, operations_of
from retrofill.api.samples import Samples
from retrofill.api.schemas import Json, Schemas
from retrofill.domain.people.scopes import Scope

_ABOUT = f"""
Everything that somebody may ask or do with Retrofill: one operation for each method of its operation center.

- Send a token as `Authorization: Bearer ...`. Its scope is `read`, `operate` or `admin`; roles are judged besides.
  What is below `/hosting` is for workers alone, whose tokens are of scope `worker`; it changes with their versions.
- Lists answer `{{"items": [...], "next": ...}}`; `next`, sent as `cursor`, asks for the next page.
- What is refused is a problem (RFC 9457) with a `code` that stays, a `hint` and the requests that help.
- Instants are UTC (`...Z`), dates are ISO, lengths are seconds. Sentences are strings; with `{PARTS_HEADER}: parts`
  they come in parts, as `{{"$text": [...]}}`.
"""
_MEANINGS = {
    400: "The address or the body cannot be read.",
    401: "Nobody knows who asks.",
    403: "Not permitted: the role, or the scope of the token, does not reach that far.",
    404: "There is no such thing, or none that the asker may see.",
    409: "It does not fit the state that things are in.",
    412: "It is not any more what `If-Match` says.",
    413: "The request is too large.",
    415: "The body is compressed, or no JSON.",
    422: "The request does not make sense, or asks for too much.",
    429: "Too many requests.",
    500: "It was tried and did not come off, or something broke.",
    503: "The store cannot be used now; nothing was done.",
}
_lock = Lock()


def mount(app: FastAPI) -> None:
    """Let an application describe itself to everybody."""
    made: list[bytes] = []

    def describe() -> Response:
        with _lock:
            if not made:
                made.append(encode(document(app)))
        return Response(made[0], media_type=JSON)

    app.add_api_route(f"{PREFIX}/openapi.json", describe, include_in_schema=False)


def document(app: FastAPI) -> Json:
    """The whole description."""
    found = get_openapi(
        title="Retrofill",
        version=retrofill.__version__,
        description=_ABOUT.strip(),
        routes=app.routes,
    )
    schemas = Schemas()
    for method, path, operation in operations_of(app):
        _complete(found["paths"][path][method.lower()], operation, path, schemas)
    schemas.of(Problem)
    components = found.setdefault("components", {})
    named = {**components.get("schemas", {}), **schemas.named}
    unused = ("HTTPValidationError", "ValidationError")  # of the framework's own errors
    components["schemas"] = {name: named[name] for name in sorted(named) if name not in unused}
    _exemplify(app, found["paths"], Samples(components["schemas"]))
    components["responses"] = {f"Problem{status}": _problem(status) for status in _MEANINGS}
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "A token of `POST /tokens`."}
    }
    return found


def _complete(described: Json, operation: Operation, path: str, schemas: Schemas) -> None:
    """What the framework does not know of an operation."""
    parameters = described.get("parameters", [])
    statuses = _statuses(operation, bool(parameters), "requestBody" in described, "{" in path)
    if any(parameter["name"] == "If-Match" for parameter in parameters):
        statuses = chain(statuses, (412,))
    described["responses"] = {
        str(operation.status): _answer(operation, schemas),
        **{str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in statuses},
    }
    if operation.scope is None:
        described["security"] = []
    else:
        described["security"] = [{"token": []}]
        described["x-scope"] = operation.scope.value


def _exemplify(app: FastAPI, paths: Json, samples: Samples) -> None:
    """An example of everything that is sent and answered."""
    for method, path, operation in operations_of(app):
        described = paths[path][method.lower()]
        for parameter in described.get("parameters", []):
            if (value := samples.of_parameter(parameter)) is not None:
                parameter["example"] = value
        body = described.get("requestBody", {}).get("content", {}).get(JSON)
        if body is not None:
            body["example"] = samples.sent(body["schema"])
        answer = described["responses"][str(operation.status)].get("content", {}).get(JSON)
        if answer is not None:
            answer["example"] = samples.answered(answer["schema"])


def _statuses(operation: Operation, has_parameters: bool, has_body: bool, has_name: bool) -> Iterator[int]:
    """Of refusals that there can be."""
    if operation.scope is not None:
        yield from (401, 403)
    if operation.scope is Scope.WORKER:
        yield from (409, 422)  # this host, or no host of this deployment
    if has_name or has_body or has_parameters:
        yield 404
    if has_body or has_name:
        yield 409
    if has_name or has_body or has_parameters:
        yield 400
    if has_body:
        yield from (413, 415)
    if has_body or has_parameters:
        yield 422
    yield from (500, 503)


def _answer(operation: Operation, schemas: Schemas) -> Json:
    if operation.answer is None:
        return {"description": "Done."}
    content: Json = {operation.media: {"schema": schemas.of(operation.answer)}}
    if EVENTS in (operation.media, operation.also):
        # What one event holds; OpenAPI 3.1 has no words for a stream.
        content[EVENTS] = {"schema": {"type": "string", "contentMediaType": EVENTS}}
    if operation.media == "text/plain":
        content = {"text/plain": {"schema": {"type": "string"}}, "application/jsonl": content["text/plain"]}
    return {"description": HTTPStatus(operation.status).phrase, "content": content}


def _problem(status: int) -> Json:
    schema = {"$ref": "#/components/schemas/Problem"}
    title = HTTPStatus(status).phrase
    code = title.lower().replace(" ", "_")
    example = {
        "type": f"urn:retrofill:error:{code}",
        "title": title,
        "status": status,
        "detail": _MEANINGS[status],
        "code": code,
        "kind": "usage",
        "hint": "What to do about it, with the requests that help.",
        "steps": [],
    }
    content = {PROBLEM: {"schema": schema, "example": example}}
    return {"description": _MEANINGS[status], "content": content}
