"""A server on a project of two workspaces, asked within the process.

`open` is alice's, `vault` is greta's; bob operates, carol develops and dave visits in `open`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from httpx import Response
from starlette.testclient import TestClient

from api.conforming import check
from retrofill.bootstrap.centers import Call
from retrofill.bootstrap.deployment import Deployment, open_deployment
from retrofill.bootstrap.engine import Engine
from retrofill.domain.people.scopes import Scope
from retrofill.services.operation_center import OperationCenter
from retrofill.services.running.tick_report import TickReport
from retrofill.web.app import make_site

OPEN = r"""
workspace: open
members: {alice: administrator, bob: operator, carol: developer, dave: visitor}
tasks:
  first: {type: shell, schedule: "0 1 * * *", run: "true", owner: carol, parameters: {day: "$bizdate"}, reads: [raw.flights]}
  last:
    type: shell
    schedule: "0 2 * * *"
    depends_on: [first]
    run: |
      printf 'one \377\n'
      head -c 600000 /dev/zero | tr '\0' x
"""
VAULT = """
workspace: vault
members: {greta: administrator}
tasks:
  goldmine: {type: shell, schedule: "0 1 * * *", run: "echo aurum", depends_on: [open.first]}
"""
EVERYBODY = ("admin", "alice", "bob", "carol", "dave", "greta")


def write_project(home: Path, settings: str = "{}") -> None:
    (home / "retrofill.yaml").write_text(f"project: test\nsettings: {settings}\n")
    for name, text in (("open", OPEN), ("vault", VAULT)):
        folder = home / "workspaces" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "workspace.yaml").write_text(text)


@dataclass
class Server:
    """Asked by users, each with a token of their own."""

    deployment: Deployment
    app: FastAPI
    _clients: dict[str, TestClient] = field(default_factory=dict)

    @property
    def anybody(self) -> TestClient:
        """Who has not signed in; every answer is held against what OpenAPI says of its operation."""
        client = TestClient(self.app, raise_server_exceptions=False)
        client.event_hooks["response"].append(partial(check, self.app))
        return client

    def by(self, user: str) -> TestClient:
        """A client that sends the token of a user."""
        if user not in self._clients:
            self._clients[user] = client = self.anybody
            client.headers["Authorization"] = f"Bearer {self.token(user)}"
        return self._clients[user]

    def scoped(self, scope: Scope) -> TestClient:
        """A client of the system administrator whose token reaches no further."""
        if scope not in self._clients:
            self._clients[scope] = client = self.anybody
            client.headers["Authorization"] = f"Bearer {self.token('admin', scope)}"
        return self._clients[scope]

    def token(self, user: str, scope: Scope = Scope.ADMIN) -> str:
        groups = ["default"] if scope is Scope.WORKER else []
        made = self.center("admin").people.create_token(user, scope=scope, resource_groups=groups)
        return made["token"]

    def run(self, backfill_id: int | None = None) -> None:
        """Schedule until a backfill has ended: this one, or any."""

        def is_over(ticked: TickReport) -> bool:
            if backfill_id is None or not ticked.backfills_ended:
                return bool(ticked.backfills_ended)
            return self.center("admin").backfills.row(backfill_id)["ended_at"] is not None

        leadership = self.deployment.leadership()
        assert leadership.lead()
        Engine(self.deployment, leadership).run(is_over)
        leadership.resign()

    def center(self, user: str) -> OperationCenter:
        """The operation center, asked without a server."""
        return Call(self.deployment, user).center

    def create(self, user: str = "alice", **given: Any) -> int:
        """The id of a backfill that was created without the server."""
        asked = {"task": ("open.first",), "bizdate": ("2026-01-05..2026-01-06",), **given}
        backfills = Call(self.deployment, user, is_remote=True).center.backfills
        return backfills.create(backfills.plan(asked))


@contextmanager
def serving(home: Path, settings: str = "{}", environ: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A server on a new project, deployed."""
    write_project(home, settings)
    deployment = open_deployment(str(home), environ or {})
    try:
        Call(deployment).center.versions.deploy()
        yield Server(deployment, make_site(deployment))
    finally:
        deployment.close()


def problem(answer: Response, status: int) -> dict[str, Any]:
    """The problem that was answered with this status (RFC 9457)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert {"type", "title", "detail", "code", "kind", "hint", "steps"} <= found.keys()
    return found
