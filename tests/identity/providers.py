"""Providers of identities: one in the process that says what a test wants, and two real ones."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from retrofill.settings.identity_forms import IdentityProvider

CLIENT, SECRET = "retrofill", "a secret of the client"
BACK = "http://127.0.0.1:8080/sign-in/oidc"
_SOURCES = Path(__file__).parent / "node"
_NODE = Path(__file__).parents[2] / ".pytest_cache" / "node"  # where what npm brings is not looked through
Json = dict[str, Any]
_KEY = RSAKey.generate_key(2048, {"kid": "one"})
_ANOTHERS = RSAKey.generate_key(2048, {"kid": "one"})


@dataclass
class Provider:
    """Says what it is told to; `asked` are the forms that were sent to its token endpoint."""

    claims: Json = field(default_factory=dict)  # instead of the right ones; None leaves one out
    metadata: Json = field(default_factory=dict)
    user_info: Json | None = None
    raw: dict[str, tuple[int, bytes]] = field(default_factory=dict)  # answers by path
    signs: Callable[[Json], str] = lambda claims: jwt.encode({"alg": "RS256", "kid": "one"}, claims, _KEY)
    issuer: str = ""
    nonce: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)

    @property
    def setting(self) -> IdentityProvider:
        return IdentityProvider(self.issuer, CLIENT, SECRET)

    def consent(self, url: str) -> dict[str, str]:
        """What somebody brings back who is sent to this address."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.nonce = query["nonce"]
        return {"code": "a code", "state": query["state"]}

    def answer(self, path: str) -> tuple[int, bytes]:
        if path in self.raw:
            return self.raw[path]
        return 200, json.dumps(getattr(self, f"_{path.rpartition('/')[2].replace('-', '_')}")()).encode()

    def _openid_configuration(self) -> Json:
        places = {
            "authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks",
            "userinfo_endpoint": "userinfo",
        }  # fmt: skip
        found = {name: f"{self.issuer}/{path}" for name, path in places.items()}
        return {"issuer": self.issuer, **found, **self.metadata}

    def _token(self) -> Json:
        return {"access_token": "access", "token_type": "Bearer", "id_token": self.signs(self._claims())}

    def _claims(self) -> Json:
        import time

        now = int(time.time())
        right = {
            "iss": self.issuer, "sub": "7", "aud": [CLIENT], "exp": now + 60, "iat": now, "nonce": self.nonce,
            "preferred_username": "bob",
        }  # fmt: skip
        return {name: value for name, value in {**right, **self.claims}.items() if value is not None}

    def _jwks(self) -> Json:
        found: Json = KeySet([_KEY]).as_dict(private=False)
        return found

    def _userinfo(self) -> Json:
        return self.user_info or {"sub": "7"}


def by_another_key(claims: Json) -> str:
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims, _ANOTHERS)


def by_the_clients_secret(claims: Json) -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET * 4))


def by_nobody(claims: Json) -> str:
    import base64

    def part(value: Json) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part(claims)}."


@contextmanager
def serving(provider: Provider) -> Iterator[Provider]:
    """Let it answer until the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = provider.answer(self.path.partition("?")[0])
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            provider.asked.append({name: values[0] for name, values in parse_qs(form).items()})
            provider.authorizations.append(self.headers.get("Authorization"))
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def mock_provider(**claims: object) -> Iterator[str]:
    """The issuer of PyPI's oidc-provider-mock, which knows the user `7`."""
    import oidc_provider_mock

    user = oidc_provider_mock.User(sub="7", claims=claims)  # type: ignore[arg-type]
    with oidc_provider_mock.run_server_in_thread(user_claims=[user]) as server:
        yield f"http://localhost:{server.server_port}"


@contextmanager
def node_provider() -> Iterator[str]:
    """The issuer of npm's oidc-provider, a certified implementation; whoever is asked for may sign in."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node.js here to run npm's oidc-provider with")
    shutil.copytree(_SOURCES, _NODE, dirs_exist_ok=True)
    if not (_NODE / "node_modules" / "oidc-provider").exists():
        _install()
    running = subprocess.Popen(
        [node, "provider.mjs", CLIENT, SECRET, BACK],
        cwd=_NODE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert running.stdin is not None
    assert running.stdout is not None
    try:
        yield running.stdout.readline().strip()
    finally:
        running.stdin.close()  # it ends with its standard input
        running.wait(20)
        running.stdout.close()


def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm here to install its oidc-provider with")
    words = [npm, "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(words, cwd=_NODE, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        pytest.skip(f"npm could not install oidc-provider: {done.stderr[-200:]}")
