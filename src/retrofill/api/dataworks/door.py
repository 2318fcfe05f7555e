"""Where requests of the API come in: an ASGI application that answers JSON in the API's shape, whatever happens.

Who has signed a request is found out by its headers, before any of its body is read: nobody else takes memory.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from contextlib import suppress
from threading import BoundedSemaphore, Lock, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from starlette.concurrency import run_in_threadpool

from retrofill.api.dataworks.actions import ACTIONS, Action
from retrofill.api.dataworks.asked import Asked
from retrofill.api.dataworks.errors import ApiError, api_error
from retrofill.api.dataworks.fields import read_fields, texts_of
from retrofill.api.dataworks.signature import (
    WINDOW_SECONDS,
    Arrived,
    Signature,
    check_body,
    check_date,
    check_signature,
    read_signature,
)
from retrofill.bootstrap.centers import Call
from retrofill.domain.errors import NotPermittedError, RetrofillError, StoreUnavailableError
from retrofill.domain.people.roles import SYSTEM_ADMINISTRATOR
from retrofill.domain.running.results import RefusedTogetherError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from retrofill.bootstrap.deployment import Deployment
    from retrofill.domain.people.visitors import Visitor

VERSION = "2024-05-18"
MOST_BODY = 1 << 20
_FORM = "application/x-www-form-urlencoded"
_AT_ONCE = 2  # errands of one server
_MOST_BEGUN = 64  # that wait for their turn in a thread each
_log = logging.getLogger(__name__)


class Entrance:
    """Around an application: the address `/` with the header `x-acs-action` is the API's; without it, that is a page."""

    def __init__(self, app: ASGIApp, deployment: Deployment) -> None:
        self._app, self._door = app, Door(deployment)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._door if is_for_dataworks(scope) else self._app)(scope, receive, send)


def is_for_dataworks(scope: Scope) -> bool:
    """Whether a request is one of the API."""
    return (
        scope["type"] == "http"
        and scope["path"] == "/"
        and any(name == b"x-acs-action" for name, _ in scope["headers"])
    )


class Door:
    """Answers the requests of one deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._errands = _Errands(deployment)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = str(uuid.uuid4()).upper()
        try:
            head = _head(scope)
            signer = await run_in_threadpool(self._signer, head)
            arrived = head._replace(body=await _body(receive))
            status, document = 200, await run_in_threadpool(self._answer, arrived, signer)
            document = {"RequestId": request_id, **document}
        except ApiError as error:
            status, document = error.status, error.document(request_id)
        except Exception:
            _log.exception("%s %s: request %s", scope["method"], _header(scope, b"x-acs-action"), request_id)
            broken = ApiError(500, "InternalError", "something broke in the server; its log has the details")
            status, document = broken.status, broken.document(request_id)
        await _send(send, status, document, request_id)

    def _signer(self, head: Arrived) -> _Signer:
        """Who has signed what is to come; in a thread of its own.

        Raises:
            ApiError: nobody, or not this, or not now.
        """
        signature, reception = read_signature(head), self._deployment.reception
        check_date(signature, self._deployment.clock.now_ms())
        try:
            signer = reception.by_access_key(signature.access_key_id)
        except StoreUnavailableError as error:  # where the store is, is not told before it is known who asks
            _log.warning("nobody can sign in: %s", error.message)
            raise ApiError(
                503, "ServiceUnavailable", "the store cannot be used now", "Try again in a moment."
            ) from None
        except RetrofillError as error:
            raise api_error(error) from None
        if signer is None:
            raise ApiError(
                404, "InvalidAccessKeyId.NotFound", "there is no such access key, or it was revoked"
            )
        check_signature(head, signature, signer.secret)
        return _Signer(signer.visitor, signature)

    def _answer(self, arrived: Arrived, signer: _Signer) -> dict[str, Any]:
        """In a thread of its own.

        Raises:
            ApiError: whatever is wrong.
        """
        try:
            visitor = self._visitor(arrived, signer)
            self._errands.look_once()
            action = _action(arrived)
            if not visitor.scope.covers(action.scope):
                raise ApiError(
                    403,
                    "Forbidden.AccessKeyScope",
                    f"this access key is of scope {visitor.scope}, and {action.name} needs {action.scope}",
                )
            call = Call(self._deployment, visitor.user, is_remote=True)
            _ = _actor(call)
            fields = read_fields(action.fields, _texts(arrived, action))
            carry_out = self._errands.of(visitor.user)
            return action.answer(Asked(call, fields, carry_out))
        except RefusedTogetherError as error:
            raise api_error(error, str(error.item_id)) from None
        except RetrofillError as error:
            raise api_error(error) from None

    def _visitor(self, arrived: Arrived, signer: _Signer) -> Visitor:
        """Who has signed all of it, once.

        Raises:
            ApiError: the body is another one, or it is not for the first time.
        """
        check_body(arrived)
        _check_kind(arrived)
        signature, reception = signer.signature, self._deployment.reception
        nonce = f"{signature.access_key_id} {signature.nonce}"
        if not reception.spend(nonce, signature.at_ms + WINDOW_SECONDS * 1000 + 1):
            raise ApiError(400, "SignatureNonceUsed", "this x-acs-signature-nonce was used before")
        return signer.visitor


class _Signer(NamedTuple):
    """Whose the secret is that a request is signed with, and what it says of itself."""

    visitor: Visitor
    signature: Signature


class _Errands:
    """Carries out what nobody waits for, a few at a time.

    What a server left that is gone is taken up with the first request; what there is no room for when it is asked
    for, when somebody asks for its result.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._turn = BoundedSemaphore(_AT_ONCE)
        self._lock = Lock()
        self._begun: set[str] = set()
        self._has_looked = False

    def look_once(self) -> None:
        """Take up what was left."""
        with self._lock:
            has_looked, self._has_looked = self._has_looked, True
        if not has_looked:
            center = Call(self._deployment, SYSTEM_ADMINISTRATOR, is_remote=True).center
            for one in center.errands.unattended():
                self._begin(one.id, one.user)

    def of(self, user: str) -> Any:
        """Begins an errand of a user, by its id."""
        return lambda errand_id: self._begin(errand_id, user)

    def _begin(self, errand_id: str, user: str) -> None:
        with self._lock:
            if errand_id in self._begun or len(self._begun) == _MOST_BEGUN:
                return
            self._begun.add(errand_id)
        # As a process that is killed may leave one half done, so may one that ends.
        Thread(target=self._carry_out, args=(errand_id, user), name="errand", daemon=True).start()

    def _carry_out(self, errand_id: str, user: str) -> None:
        try:
            with self._turn, suppress(StoreUnavailableError):
                Call(self._deployment, user, is_remote=True).center.errands.carry_out(errand_id)
        except Exception:
            _log.exception("errand %s", errand_id)
        finally:
            with self._lock:
                self._begun.discard(errand_id)


def _actor(call: Call) -> object:
    try:
        return call.actor
    except NotPermittedError:
        raise ApiError(403, "Forbidden.User", "the user of this access key is not known any more") from None


def _action(arrived: Arrived) -> Action:
    headers = dict(arrived.headers)
    name, version = headers["x-acs-action"], headers["x-acs-version"]
    if version != VERSION:
        raise ApiError(400, "InvalidVersion", f"there is only version {VERSION} here")
    action = ACTIONS.get(name)
    if action is None:
        raise ApiError(404, "InvalidAction.NotFound", f"Retrofill has no action {name[:64]}")
    if action.method != arrived.method:
        raise _wrong_method(action.method)
    return action


def _texts(arrived: Arrived, action: Action) -> Mapping[str, str]:
    """The fields of a request, each where it belongs.

    Raises:
        ApiError: one stands elsewhere, or the body is no form.
    """
    query = texts_of(arrived.query)
    if action.method == "POST":
        strangers = query.keys() - {action.in_query}
        if strangers:
            raise ApiError(
                400, f"InvalidParameter.{min(strangers)[:64]}", f"{action.name} has its fields in the body"
            )
    try:
        form = arrived.body.decode("ascii")
    except UnicodeDecodeError:
        raise ApiError(
            400, "InvalidParameter.Encoding", "the body is no form: others than ASCII are written %XX"
        ) from None
    return texts_of(arrived.query, form)


def _wrong_method(allowed: str) -> ApiError:
    return ApiError(405, "UnsupportedHTTPMethod", f"this is asked with {allowed}")


def _head(scope: Scope) -> Arrived:
    """All of a request but its body.

    Raises:
        ApiError: it says that it is too large or compressed, or is of a method that there is not.
    """
    if scope["method"] not in ("GET", "POST"):
        raise _wrong_method("GET or POST")
    if _header(scope, b"content-encoding") not in ("", "identity"):
        raise ApiError(415, "UnsupportedContentEncoding", "a body is not compressed here")
    length = _header(scope, b"content-length")
    if length.isdigit() and (len(length) > 18 or int(length) > MOST_BODY):
        raise _too_large()
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    path = scope.get("raw_path") or scope["path"].encode()
    return Arrived(scope["method"], path.decode("latin-1"), scope["query_string"].decode("latin-1"), headers)


def _check_kind(arrived: Arrived) -> None:
    """Refuse a body that is no form.

    Raises:
        ApiError: it is of another kind, or of a method that has none.
    """
    kind = dict(arrived.headers).get("content-type", "").partition(";")[0].strip().lower()
    if arrived.body and (kind != _FORM or arrived.method == "GET"):
        raise ApiError(415, "UnsupportedMediaType", f"a body is {_FORM}, and only POST has one")


async def _body(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ApiError(400, "IncompleteBody", "the body ends before its end")
        part = message.get("body", b"")
        size += len(part)
        if size > MOST_BODY:
            raise _too_large()
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


def _too_large() -> ApiError:
    return ApiError(413, "RequestTooLarge", f"a body has at most {MOST_BODY:,} bytes")


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


async def _send(send: Send, status: int, document: Mapping[str, Any], request_id: str) -> None:
    body = msgspec.json.encode(document)
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"x-acs-request-id", request_id.encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if status == 405:
        headers.append((b"allow", b"GET, POST"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
