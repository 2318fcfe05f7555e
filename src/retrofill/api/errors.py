"""Refusals as RFC 9457 problems: the status by the kind of the error, and besides `code`, `hint` and steps as links."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, NotRequired, TypedDict

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from retrofill.api.answers import PARTS_HEADER, encode
from retrofill.api.faults import FaultLog
from retrofill.api.intake import MisreadError
from retrofill.api.misreading import misread
from retrofill.domain.errors import Kind, NotSignedInError, RetrofillError, TooOftenError, shown
from retrofill.domain.texts import Step, Text

PROBLEM = "application/problem+json"
STATUSES: Mapping[Kind, int] = MappingProxyType(
    {
        Kind.USAGE: 422,
        Kind.LIMIT: 422,
        Kind.NOT_SIGNED_IN: 401,
        Kind.NOT_PERMITTED: 403,
        Kind.UNKNOWN: 404,
        Kind.WRONG_STATE: 409,
        Kind.TOO_OFTEN: 429,
        Kind.UNAVAILABLE: 503,
        Kind.UNREACHABLE: 503,
        Kind.TIMED_OUT: 504,
        Kind.FAILED: 500,
        Kind.BROKEN: 500,
    }
)
_BY_CODE = {"changed_meanwhile": 412}  # where HTTP has a status that says more than the kind
_KINDS = {400: Kind.USAGE, 404: Kind.UNKNOWN, 405: Kind.USAGE, 413: Kind.LIMIT, 415: Kind.USAGE}
_UNSERVED = {404: "nothing answers {asked}", 405: "nothing here takes {asked}"}
_SECONDS_TO_WAIT = "1"  # until a store that is busy may be free
_MOST_PROBLEMS = 20  # of one request, that are told
_MOST_CHARACTERS = 300  # of each
_log = FaultLog(logging.getLogger(__name__))


class FieldProblem(TypedDict):
    """What is wrong with one part of a request."""

    at: str  #: where it stands: `body.bizdate`, `query.limit`
    message: str


class Problem(TypedDict):
    """Why nothing was done (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: Text | str
    code: str  #: stands for this error for good, as the page of error codes lists it
    kind: str  #: which sort of refusal it is
    hint: Text | str  #: what to do about it
    steps: list[Step]  #: what the hint speaks of, with the requests that do it
    errors: NotRequired[list[FieldProblem]]  #: one by one, where there are several


def problem_of(error: RetrofillError) -> Problem:
    """An error of the core as a problem."""
    status = _BY_CODE.get(error.code) or STATUSES[error.kind]
    problem = _problem(status, error.code, error.kind, error.text, error.hint)
    found: Problem = {**problem, "steps": list(error.hint.steps)}
    if error.details:
        found["errors"] = [{"at": one.at, "message": one.message} for one in error.details]
    return found


def handle_all(app: FastAPI) -> None:
    """Whatever goes wrong is answered with a problem."""
    app.add_exception_handler(RetrofillError, _refused)
    app.add_exception_handler(RequestValidationError, _misread)
    app.add_exception_handler(MisreadError, _misread)
    app.add_exception_handler(HTTPException, not_served)
    app.add_exception_handler(Exception, broken)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RetrofillError)
    headers = {}
    if isinstance(error, NotSignedInError):
        headers["WWW-Authenticate"] = "Bearer"
    return _answer(request, problem_of(error), {**headers, **waiting_headers(error)})


def waiting_headers(error: RetrofillError) -> dict[str, str]:
    """When asking again may help, for refusals after which it may."""
    if isinstance(error, TooOftenError):
        return {"Retry-After": str(error.seconds)}
    return {"Retry-After": _SECONDS_TO_WAIT} if error.kind is Kind.UNAVAILABLE else {}


def _misread(request: Request, error: Exception) -> Response:
    """A request whose parameters or body are not what OpenAPI says."""
    assert isinstance(error, RequestValidationError | MisreadError)
    wrong = error.errors() if isinstance(error, RequestValidationError) else error.errors
    found: list[FieldProblem] = [
        {"at": _cut(place), "message": _cut(message)}
        for place, message in misread(wrong[:_MOST_PROBLEMS], request).items()
    ]
    detail = "; ".join(f"{one['at']}: {one['message']}" for one in found[:3])
    hint = "Write the request as the description of this operation in `GET /api/v1/openapi.json` says."
    return _answer(request, {**_problem(422, "bad_request", Kind.USAGE, detail, hint), "errors": found})


def _cut(text: str) -> str:
    """What was sent may stand in it, and is not sent back at length."""
    return text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + "..."


def not_served(request: Request, error: Exception) -> Response:
    """What no route answers, or the framework refuses."""
    assert isinstance(error, HTTPException)
    hint = "`GET /api/v1/openapi.json` describes every operation."
    asked = shown(f"{request.method} {request.url.path[:_MOST_CHARACTERS]}")
    detail = _UNSERVED.get(error.status_code, "{detail}").format(asked=asked, detail=error.detail)
    return refusal(error.status_code, detail, hint, error.headers)


def refusal(status: int, detail: str, hint: str, headers: Mapping[str, str] | None = None) -> Response:
    """A problem that comes from no error of the core; its code is the name of the status."""
    code = HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")
    kind = _KINDS.get(status, Kind.BROKEN if status >= 500 else Kind.USAGE)
    return Response(encode(_problem(status, code, kind, detail, hint)), status, headers, media_type=PROBLEM)


def broken(request: Request, error: Exception) -> Response:
    """A bug: the log has where it is, the answer nothing."""
    note_bug(request, error)
    hint = "The server's log has the details; report them as a bug of Retrofill."
    return _answer(request, _problem(500, "bug", Kind.BROKEN, "something broke in the server", hint))


def note_bug(request: Request, error: Exception) -> None:
    """Where it is, for the log."""
    _log.note(f"{request.method} {request.url.path[:_MOST_CHARACTERS]}", error)


def _problem(status: int, code: str, kind: Kind, detail: Text | str, hint: Text | str) -> Problem:
    title = HTTPStatus(status).phrase
    return {
        "type": f"urn:retrofill:error:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "kind": kind.value,
        "hint": hint,
        "steps": [],
    }


def _answer(request: Request, problem: Problem, headers: Mapping[str, Any] | None = None) -> Response:
    in_parts = request.headers.get(PARTS_HEADER) == "parts"
    return Response(encode(problem, in_parts), problem["status"], headers, media_type=PROBLEM)
