"""The server of a deployment as a process of its own: FOLDER. Prints its address and tokens of some administrators."""

from __future__ import annotations

import json
import socket
import sys

from retrofill.api.serving import serve
from retrofill.bootstrap.centers import Call
from retrofill.bootstrap.deployment import open_deployment

_VIEWERS = [f"viewer{number}" for number in range(4)]  # one may have only so many streams


def main() -> None:
    deployment = open_deployment(sys.argv[1], {})
    people = Call(deployment).center.people
    for name in _VIEWERS:
        if all(user["user"] != name for user in people.users()):
            people.add(name)
        people.set_administrator(name, True)
    tokens = [people.create_token(name)["token"] for name in _VIEWERS]
    listener = socket.create_server(("127.0.0.1", 0), backlog=2_048)
    said = {"url": f"http://127.0.0.1:{listener.getsockname()[1]}", "tokens": tokens}
    serve(deployment, listener, lambda: print(json.dumps(said), flush=True))


if __name__ == "__main__":
    main()
