"""The server of a deployment as a process of its own: FOLDER. Prints its address and tokens of some administrators."""

from __future__ import annotations

import json
import sys

import uvicorn

from retrofill.api.app import make_app
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
    config = uvicorn.Config(make_app(deployment), port=0, access_log=False, log_level="warning")
    socket = config.bind_socket()
    socket.listen(2_048)
    url = f"http://127.0.0.1:{socket.getsockname()[1]}"
    print(json.dumps({"url": url, "tokens": tokens}), flush=True)
    uvicorn.Server(config).run([socket])


if __name__ == "__main__":
    main()
