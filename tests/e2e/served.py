"""A real server in a process of its own, which serves any number of projects, each below a path of its own.

Run as a program it prints its port, then serves until its standard input is closed. One is enough for all tests of a
worker: starting one takes a second. Below `/<the folder's path in hex>` lies the server of the project in that folder.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrofill.bootstrap.deployment import Deployment, open_deployment
from retrofill.web.app import make_site

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_MOST_OPEN = 8  # projects; a test asks one, and the next test another


class Served:
    """The process, as tests see it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if not name.startswith("RETROFILL_")},
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def url(self, home: Path) -> str:
        """The address of the server of a project."""
        return f"http://127.0.0.1:{self.port}/{str(home).encode().hex()}"

    def close(self) -> None:
        self._process.communicate(timeout=30)


class Projects:
    """An application that hands each request to the server of its project."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, tuple[Deployment, Any]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        _, folder, rest = scope["path"].split("/", 2)
        app = self._server_of(bytes.fromhex(folder).decode())
        await app({**scope, "path": f"/{rest}", "raw_path": _raw(scope)}, receive, send)

    def _server_of(self, home: str) -> Any:
        if home not in self._open:
            deployment = open_deployment(home, {})
            self._open[home] = deployment, make_site(deployment)
            if len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)[1][0].close()
        self._open.move_to_end(home)
        return self._open[home][1]


def _raw(scope: Scope) -> bytes:
    return b"/" + scope["raw_path"].split(b"/", 2)[2]


async def _serve() -> None:
    import uvicorn

    config = uvicorn.Config(Projects(), "127.0.0.1", 0, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving


if __name__ == "__main__":
    asyncio.run(_serve())
