"""What pages load: read once, sent packed to browsers that take it so.

Templates name a file with a part of its hash (`/static/pages.css?v=...`): such an address never changes what it holds,
and a browser asks once. Modules name each other without (`from "./parts.js"`), and are sent with it: a module that is
named in two ways would run twice. Asked for without, a file is asked for again each time, and answered with its tag alone.

What stands on lines of its own for who reads a module, comments and indentation, stays here: a sixth of what would be sent.
Lines keep their numbers.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOR_GOOD = "public, max-age=31536000, immutable"
_ASKED_AGAIN = "no-cache"
_MARK_LENGTH = 12
_FOR_READERS = re.compile(rb"^[ \t]*(?://.*$|/\*\*.*?\*/[ \t]*$)|^[ \t]+", re.MULTILINE)
_OVER_LINES = re.compile(rb"^[ \t]*/\*\*(?:[^*]|\*(?!/))*\*/[ \t]*$", re.MULTILINE)
_IMPORT = re.compile(rb"""(\b(?:from|import)\s*\(?\s*"\./)([a-z0-9_.-]+\.js)(?=")""")


class StaticFile(NamedTuple):
    """One file, as it is sent."""

    plain: bytes
    packed: bytes
    media_type: str
    mark: str  # of what it holds


@cache
def files() -> Mapping[str, StaticFile]:
    """All of them by name."""
    found = (path.name for path in sorted(FOLDER.iterdir()) if path.suffix in _TYPES)
    return MappingProxyType({name: _read(name) for name in found})


def address_of(name: str) -> str:
    """Under which a template names a file.

    Raises:
        KeyError: there is none of this name.
    """
    return f"/static/{name}?v={files()[name].mark}"


def static_files() -> ASGIApp:
    """The application that answers with them."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if request.method not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        file = files().get(scope["path"].rpartition("/")[2])
        if file is None:
            raise HTTPException(404)
        await _answer(request, file)(scope, receive, send)

    return answer


def _answer(request: Request, file: StaticFile) -> Response:
    tag = f'"{file.mark}"'
    is_marked = request.query_params.get("v") == file.mark
    headers = {
        "Cache-Control": _FOR_GOOD if is_marked else _ASKED_AGAIN,
        "ETag": tag,
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("If-None-Match") == tag:
        return Response(status_code=304, headers=headers)
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return Response(file.plain, headers=headers, media_type=file.media_type)
    return Response(file.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=file.media_type)


@cache
def _read(name: str, *importing: str) -> StaticFile:
    """A file, with what it imports named as templates name it.

    Args:
        importing: modules that import it, the first one first: in a circle no hash could be named.
    """
    assert name not in importing, f"modules import each other: {importing}"
    path = FOLDER / name
    plain = path.read_bytes()
    if path.suffix == ".js" and not name.endswith(".min.js"):
        plain = _without_notes(plain)
        plain = _IMPORT.sub(
            lambda found: (
                b"%s%s?v=%s" % (*found.groups(), _read(found[2].decode(), name, *importing).mark.encode())
            ),
            plain,
        )
    mark = sha256(plain).hexdigest()[:_MARK_LENGTH]
    return StaticFile(plain, gzip.compress(plain, 9, mtime=0), _TYPES[path.suffix], mark)


def _without_notes(script: bytes) -> bytes:
    """A module of ours without what only its readers need. No text of a module goes over several lines."""
    script = _OVER_LINES.sub(lambda found: b"\n" * found[0].count(b"\n"), script)
    return _FOR_READERS.sub(b"", script)
