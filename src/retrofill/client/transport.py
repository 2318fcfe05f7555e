"""One request to a server and its answer: token, timeouts, retries, and what is said where nobody answers.

What is safe to ask twice is asked again where the connection breaks or the server is busy: questions, and what is made
with an Idempotency-Key. Anything else is tried again only where nothing of it can have reached the server. What may be
made already is asked for until there is an answer or its time is over: who gives up forgets the key, and would make it
again. Who waits for something anyway bears with a server that is away (`Transport.patient`). The token goes to the
address that was given and nowhere else, and stands in no message.
"""

from __future__ import annotations

import copy
import itertools
import json
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from retrofill import __version__
from retrofill.client.answers import PARTS_HEADER, error_of, read
from retrofill.client.troubles import ServerUnreachableError, why_unreachable
from retrofill.domain.errors import RetrofillError, UsageError, shown
from retrofill.domain.texts import Text

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

PREFIX = "/api/v1"
_CONNECT_SECONDS = 5.0
QUESTION_SECONDS = 60.0
ACT_SECONDS = 600.0  # large plans, and extension checks that are waited for
AWAY_SECONDS = 600.0  # that who waits bears with each absence of the server
_TRIES = 5
_FIRST_PAUSE = 0.2  # seconds; twice as long each time
_LONGEST_PAUSE = 10.0
_LONGEST_PATIENT_PAUSE = 2.0  # so that who waits notices soon that it is there again
_PASSING = frozenset({429, 502, 503, 504})  # statuses that may be over in a moment
_LOST = frozenset({502, 504})  # those of a proxy that has heard no answer
_BEING_MADE = "still_creating"


class _Request(NamedTuple):
    """What is asked for, below the prefix.

    Attributes:
        seconds: until the answer has to begin, and between two pieces of it.
        is_safe: asked twice it does no more than asked once.
        key: with which the server knows it again.
        is_whole: whether the answer is read at once.
        tries: how often it is tried where nothing else says otherwise.
    """

    method: str
    path: str
    body: bytes | None = None
    seconds: float = QUESTION_SECONDS
    is_safe: bool = False
    key: str | None = None
    is_whole: bool = True
    tries: int = _TRIES


class _Patience(NamedTuple):
    """Of who waits for something at a server that may be away for a while.

    Attributes:
        end: by the transport's clock; from then on nothing is waited for.
        on_away: called once for each absence that is longer than a moment.
    """

    end: float
    on_away: Callable[[], object]


class Transport:
    """A server's address and the right to speak to it; threads may share one.

    Args:
        url: where the server answers, `http(s)://HOST[:PORT][/PATH]`.
        token: who asks.
        sleep: waits between two tries.
        now: seconds of a clock that runs while it sleeps.
        connections: that are kept, for as many threads.

    Raises:
        UsageError: an address or a token in a wrong form.
    """

    def __init__(
        self,
        url: str,
        token: str,
        sleep: Callable[[float], object] = time.sleep,
        now: Callable[[], float] = time.monotonic,
        connections: int = 1,
    ) -> None:
        self.url = checked_url(url)
        self._token = _checked_token(token)
        self._sleep = sleep
        self._now = now
        self._patience: _Patience | None = None
        self._pool = _make_pool(connections)

    def __repr__(self) -> str:
        return f"Transport({self.url!r})"

    def patient(self, seconds: float | None, on_away: Callable[[], object]) -> Transport:
        """The same that goes on asking while the server is away: ten minutes for each absence.

        Args:
            seconds: after which it is no longer patient; None: it always is.
            on_away: called once for each absence that is longer than a moment.
        """
        other = copy.copy(self)
        other._patience = _Patience(math.inf if seconds is None else self._now() + seconds, on_away)
        return other

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """The document of a question; values of the query that are None or empty are left out."""
        return self._document(_Request("GET", f"{path}{query_of(query or {})}", is_safe=True))

    def ask(self, path: str, body: Mapping[str, Any]) -> Any:
        """The same of a question that has a body and changes nothing."""
        return self._document(_Request("POST", path, _json(body), ACT_SECONDS, is_safe=True))

    def act(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Something that is done; tried again only where nothing of it can have arrived."""
        data = None if body is None else _json(body)
        return self._document(_Request(method, path, data, ACT_SECONDS))

    def create(self, path: str, body: Mapping[str, Any]) -> Any:
        """A backfill, which a server knows again by its key: made once, however often it has to be tried."""
        import uuid

        request = _Request("POST", path, _json(body), ACT_SECONDS, is_safe=True, key=uuid.uuid4().hex)
        return self._document(request)

    def once(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, seconds: float = QUESTION_SECONDS
    ) -> Any:
        """The document of something that whoever asks goes on asking for, and so decides when it is tried again."""
        data = None if body is None else _json(body)
        return self._document(_Request(method, path, data, seconds, tries=1))

    def once_raw(self, path: str) -> bytes:
        """The bytes of a question that is answered with some."""
        return self._answer(_Request("GET", path, is_safe=True, tries=1)).data

    @contextmanager
    def lines(
        self, path: str, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None
    ) -> Iterator[Iterator[bytes]]:
        """The lines of the answer of a question, as they come, however long it is."""
        method, data = ("GET", None) if body is None else ("POST", _json(body))
        path = f"{path}{query_of(query or {})}"
        request = _Request(method, path, data, ACT_SECONDS, is_safe=True, is_whole=False)
        response = self._answer(request)
        try:
            yield self._lines(response)
        finally:
            response.close()

    def close(self) -> None:
        self._pool.clear()

    # Inside

    def _document(self, request: _Request) -> Any:
        response = self._answer(request)
        if not response.data:
            return None
        try:
            return read(response.data)
        except ValueError:
            raise self._strange(response) from None

    def _answer(self, request: _Request) -> BaseHTTPResponse:
        """The answer of a request that was carried out, after as many tries as may be.

        Raises:
            RetrofillError: it was refused.
            ServerUnreachableError: there was no answer.
        """
        from urllib3.exceptions import HTTPError

        began, may_be_made = self._now(), False
        for tried in itertools.count(1):
            pause = self._pause_after(tried)
            try:
                response = self._send(request)
            except HTTPError as error:
                may_be_made |= request.key is not None and not _never_arrived(error)
                may_again = (request.is_safe or _never_arrived(error)) and _may_pass(error)
                if not (may_again and self._has_tries(request, tried, may_be_made, began)):
                    raise why_unreachable(self.url, error) from None
            else:
                if response.status < 300:
                    return response
                may_be_made |= request.key is not None and _is_unknown(response)
                may_again = request.is_safe and response.status in _PASSING
                if not (may_again and self._has_tries(request, tried, may_be_made, began)):
                    raise self._refusal(response)
                pause = max(pause, _asked_to_wait(response))
            self._sleep(pause)
        raise AssertionError("a try returns, raises, or is followed by another one")

    def _has_tries(self, request: _Request, tried: int, may_be_made: bool, began: float) -> bool:
        """Whether a request that has been tried so often is tried again."""
        now = self._now()
        if tried < request.tries or (may_be_made and now < began + request.seconds):
            return True
        if self._patience is None or now >= min(began + AWAY_SECONDS, self._patience.end):
            return False
        if tried == _TRIES:
            self._patience.on_away()
        return True

    def _pause_after(self, tried: int) -> float:
        """Seconds; different clients come back at different moments."""
        longest = _LONGEST_PAUSE if self._patience is None else _LONGEST_PATIENT_PAUSE
        pause = min(_FIRST_PAUSE * (1 << min(tried - 1, 16)), longest)
        return pause * random.uniform(0.75, 1.25)  # noqa: S311  - no secret depends on it

    def _send(self, request: _Request) -> BaseHTTPResponse:
        from urllib3 import Timeout

        return self._pool.request(
            request.method,
            f"{self.url}{PREFIX}/{request.path}",
            body=request.body,
            headers=self._headers(request),
            timeout=Timeout(connect=_CONNECT_SECONDS, read=request.seconds),
            redirect=False,  # the token is for the address that was given
            preload_content=request.is_whole,
        )

    def _lines(self, response: BaseHTTPResponse) -> Iterator[bytes]:
        from urllib3.exceptions import HTTPError

        rest = b""
        try:
            for piece in response.stream(1 << 16):
                *lines, rest = (rest + piece).split(b"\n")
                yield from lines
        except HTTPError as error:
            raise why_unreachable(self.url, error) from None
        if rest:
            yield rest

    def _headers(self, request: _Request) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/json" if request.is_whole else "application/jsonl",
            "User-Agent": f"retrofill/{__version__}",
            PARTS_HEADER: "parts",
            **({} if request.body is None else {"Content-Type": "application/json"}),
            **({} if request.key is None else {"Idempotency-Key": request.key}),
        }

    def _refusal(self, response: BaseHTTPResponse) -> RetrofillError:
        """What the server says why not."""
        if response.status < 400:
            where = shown(response.headers.get("Location", "")[:200])
            return ServerUnreachableError(
                f"{self.url} sends on to {where}, and the token is not sent there",
                "Set RETROFILL_URL to the address at which the server itself answers.",
            )
        try:
            problem = read(response.data or response.read())
        except ValueError:
            problem = None
        if isinstance(problem, dict) and "code" in problem:
            return error_of(problem)
        return self._strange(response)

    def _strange(self, response: BaseHTTPResponse) -> ServerUnreachableError:
        return ServerUnreachableError(
            f"what answers at {self.url} is no Retrofill server (HTTP {response.status})",
            "Look whether RETROFILL_URL names the right address, and what stands between.",
        )


def _make_pool(connections: int) -> PoolManager:
    try:
        from urllib3 import PoolManager
    except ImportError:
        raise UsageError(
            "asking a server needs the package urllib3", "Install it: pip install 'retrofill[client]'."
        ) from None
    return PoolManager(retries=False, maxsize=connections)


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, default=_of_value).encode()


def part(value: object) -> str:
    """One part of a path, whatever it holds."""
    return quote(str(value), safe="")


def checked_url(url: str) -> str:
    """An address without a slash at its end.

    Raises:
        UsageError: it is none; it is not repeated, because it may hold a password.
    """
    hint = "Write it like https://retrofill.example.com or http://127.0.0.1:8080."
    try:
        parts = urlsplit(url.strip())
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        has_host = False
    if not has_host or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise UsageError("RETROFILL_URL is no address of a server", hint)
    if parts.path.rstrip("/").endswith(PREFIX):
        raise UsageError(f"RETROFILL_URL ends in {PREFIX}, which is added to it", "Leave that out of it.")
    if "@" in parts.netloc:
        raise UsageError("RETROFILL_URL holds a user or a password; a server is asked with a token", hint)
    if not url.isascii() or not url.strip().isprintable() or " " in url.strip():
        raise UsageError("RETROFILL_URL holds characters that no address has", hint)
    return url.strip().rstrip("/")


def _checked_token(token: str) -> str:
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(
            "the token is none: it is empty, or holds characters that no token has",
            Text(
                "{token.create} makes one on the server's machine, in the project's folder, with RETROFILL_URL unset; "
                "set RETROFILL_TOKEN to what it shows."
            ),
        )
    return token


def query_of(values: Mapping[str, Any]) -> str:
    """What stands behind the path; lists as the same name several times."""
    pairs = [
        (name, _written(one))
        for name, value in values.items()
        for one in (value if isinstance(value, list | tuple) else [value])
        if one is not None
    ]
    return f"?{urlencode(pairs)}" if pairs else ""


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _of_value(value: object) -> Any:
    """Plain values of the domain in JSON: a date, a window."""
    written = getattr(value, "isoformat", None)
    if written is None:
        raise TypeError(f"{type(value).__name__} has no form in JSON")
    return written()


def _asked_to_wait(response: BaseHTTPResponse) -> float:
    """Seconds that the server asks for."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_PAUSE) if text.isdigit() else 0.0


def _is_unknown(response: BaseHTTPResponse) -> bool:
    """Whether a refusal leaves open whether what was asked for has been made, or says that it is being made."""
    if response.status in _LOST:
        return True
    try:
        problem = read(response.data)
    except ValueError:
        return False
    return isinstance(problem, dict) and problem.get("code") == _BEING_MADE


def _never_arrived(error: Exception) -> bool:
    """Whether nothing of the request can have reached a server."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    return isinstance(error, NewConnectionError | ConnectTimeoutError)


def _may_pass(error: Exception) -> bool:
    """Whether trying again may help: a certificate, a name or a refused connection stays as it is for a while."""
    from urllib3.exceptions import NameResolutionError, SSLError

    return not isinstance(error, SSLError | NameResolutionError)
