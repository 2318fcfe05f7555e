"""A server, and users who sign as the official package does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from httpx import Response
from starlette.testclient import TestClient

from api.dataworks.official import Signed, Signer
from api.servers import Server, serving
from retrofill.domain.people.scopes import Scope


@dataclass
class Caller:
    """Somebody with an access key, who asks a server within the process."""

    server: Server
    signer: Signer

    @property
    def client(self) -> TestClient:
        return TestClient(self.server.app, raise_server_exceptions=False)

    def ask(self, action: str, method: str = "POST", status: int = 200, **fields: Any) -> dict[str, Any]:
        """The answer to an action; fields go where the API has them."""
        where = "query" if method == "GET" else "form"
        answer = self.send(self.signer.sign(action, method, **{where: fields}))
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def get(self, action: str, status: int = 200, **fields: Any) -> dict[str, Any]:
        return self.ask(action, "GET", status, **fields)

    def refused(self, action: str, method: str = "POST", **fields: Any) -> str:
        """The code of a refusal."""
        where = "query" if method == "GET" else "form"
        return code_of(self.send(self.signer.sign(action, method, **{where: fields})))

    def send(self, signed: Signed) -> Response:
        """What was signed, as it is."""
        query = f"?{signed.query}" if signed.query else ""
        return self.client.request(
            signed.method, f"/{query}", headers=dict(signed.headers), content=signed.body
        )


def code_of(answer: Response, status: int | None = None) -> str:
    """The code of a refusal, which has the API's shape whatever it is."""
    assert answer.headers["content-type"].startswith("application/json"), answer.text
    assert answer.status_code >= 400
    assert status in (None, answer.status_code), answer.text
    found = answer.json()
    assert found.keys() - {"Description"} == {"RequestId", "Code", "Message"}
    assert found["RequestId"] == answer.headers["x-acs-request-id"]
    code: str = found["Code"]
    return code


def caller(server: Server, user: str = "alice", scope: Scope = Scope.OPERATE) -> Caller:
    key = server.center("admin").people.create_access_key(user, scope=scope)
    return Caller(server, Signer(key["access_key_id"], key["access_key_secret"]))


@pytest.fixture
def asking(server: Server) -> Callable[..., Caller]:
    """Makes somebody who asks."""
    return lambda user="alice", scope=Scope.OPERATE: caller(server, user, scope)


@pytest.fixture(scope="module")
def alice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """For questions, which change nothing: `open` has first and last, of which last waits for first."""
    with serving(tmp_path_factory.mktemp("asked")) as server:
        yield caller(server)
