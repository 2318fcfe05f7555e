"""What a request costs at least: a bare Starlette handler over the query of a list, DATABASE.

The same store, the same server, the same encoder; no routing table, no sign-in, no rights, no documents.
Prints its address.
"""

from __future__ import annotations

import sqlite3
import sys
import threading

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_LIST = "SELECT * FROM instance WHERE id > ? ORDER BY id LIMIT 100"
_of_thread = threading.local()


def instances(request: Request) -> Response:
    """A hundred instances."""
    after = int(request.query_params.get("after", "0"))
    rows = _connection().execute(_LIST, (after,))
    names = [column[0] for column in rows.description]
    items = [dict(zip(names, row, strict=True)) for row in rows]
    return Response(msgspec.json.encode({"items": items}), media_type="application/json")


def _connection() -> sqlite3.Connection:
    if not hasattr(_of_thread, "connection"):
        _of_thread.connection = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
    found: sqlite3.Connection = _of_thread.connection
    return found


def main() -> None:
    config = uvicorn.Config(Starlette(routes=[Route("/instances", instances)]), port=0, access_log=False)
    socket = config.bind_socket()
    socket.listen(2_048)
    print(f"http://127.0.0.1:{socket.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run([socket])


if __name__ == "__main__":
    main()
