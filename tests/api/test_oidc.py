"""Signing in by a provider of identities, with real ones, from the page and back to it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from api.browsers import Browser, Page
from api.servers import Server, serving
from identity.providers import CLIENT, SECRET, mock_provider, node_provider

Walk = Callable[[str], str]
"""From the address that somebody is sent to, through the provider's pages, to the address that they come back to."""


def through_the_mock(url: str) -> str:
    with httpx.Client() as outside:
        answer = outside.post(url, data={"sub": "7"})
    return answer.headers["location"]


def through_node(url: str) -> str:
    """Its own pages of development: who one is, and whether one agrees."""
    with httpx.Client() as outside:
        for _ in range(12):
            answer = outside.get(url)
            while answer.is_redirect:
                url = urljoin(url, answer.headers["location"])
                if urlsplit(url).path == "/sign-in/oidc":
                    return url
                answer = outside.get(url)
            action = re.search(r'action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert action, answer.text
            assert prompt, answer.text
            form = {"prompt": prompt[1], "login": "bob", "password": "anything"}
            url = urljoin(url, outside.post(action[1], data=form).headers["location"])
    raise AssertionError("the provider leads nowhere")


def oidc(issuer: str, more: str = "") -> str:
    return f"{{oidc: {{issuer: '{issuer}', client_id: {CLIENT}, client_secret: '${{secret:OIDC}}', name: The firm{more}}}}}"


@contextmanager
def served(home: Path, issuer: str, more: str = "") -> Iterator[Server]:
    with serving(home, oidc(issuer, more), {"RETROFILL_SECRET_OIDC": SECRET}) as server:
        yield server


def come_back(browser: Browser, walk: Walk, goes_to: str = "/") -> httpx.Response:
    """From the page of signing in to the provider and back."""
    (link,) = Page(browser.get("/sign-in", params={"goes_to": goes_to})).links
    sent = browser.get(link)
    assert sent.status_code == 303
    return browser.get(path_of(walk(sent.headers["location"])))


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


PROVIDERS: list[tuple[Callable[[], AbstractContextManager[str]], Walk]] = [
    (lambda: mock_provider(preferred_username="bob"), through_the_mock),
    pytest.param(node_provider, through_node, marks=pytest.mark.slow),  # type: ignore[list-item]
]


@pytest.mark.parametrize(("provider", "walk"), PROVIDERS, ids=["mock", "node"])
def test_there_and_back(
    tmp_path: Path, provider: Callable[[], AbstractContextManager[str]], walk: Walk
) -> None:
    """SEC-1: and once: the same address, opened again, signs nobody in."""
    with provider() as issuer, served(tmp_path, issuer) as server:
        browser = Browser(server.app)
        assert "Continue with The firm" in Page(browser.get("/sign-in")).text
        (link,) = Page(browser.get("/sign-in", params={"goes_to": "/backfills/7"})).links
        sent = browser.get(link)
        kept = {"Cookie": f"retrofill-oidc={browser.cookies['retrofill-oidc']}"}
        back = path_of(walk(sent.headers["location"]))
        answer = browser.get(back)
        assert (answer.status_code, answer.headers["location"]) == (303, "/backfills/7"), answer.text
        assert browser.get("/api/v1/me").json()["user"] == "bob"
        assert server.by("bob").get("/api/v1/sessions").json()["items"][0]["way"] == "oidc"
        for headers in (None, kept):
            other = Browser(server.app)
            assert other.get(back, headers=headers).status_code == 401
            assert other.get("/api/v1/me").status_code == 401


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with mock_provider(preferred_username="bob", email="bob@example.org", email_verified=True) as found:
        yield found


def test_by_the_registered_address(tmp_path: Path, issuer: str) -> None:
    with served(tmp_path, issuer, ", claim: email") as server:
        server.center("admin").people.set_contact("dave", email="bob@example.org")
        browser = Browser(server.app)
        assert come_back(browser, through_the_mock).status_code == 303
        assert browser.get("/api/v1/me").json()["user"] == "dave"


def test_who_is_nobody_here(tmp_path: Path) -> None:
    """SEC-1: nobody is made by coming; a page says what to do."""
    with mock_provider(preferred_username="mallory") as issuer, served(tmp_path, issuer) as server:
        answer = come_back(Browser(server.app), through_the_mock)
        assert answer.status_code == 401
        assert "Nobody here is mallory" in Page(answer).text
        assert "Ask an administrator" in Page(answer).text


def test_the_answer_of_another_browser(tmp_path: Path, issuer: str) -> None:
    """SEC-6: nobody is signed in as somebody else by a link that they were sent."""
    with served(tmp_path, issuer) as server:
        mallory, victim = Browser(server.app), Browser(server.app)
        back = path_of(through_the_mock(mallory.get("/sign-in/oidc/start").headers["location"]))
        assert victim.get(back).status_code == 401
        victim.get("/sign-in/oidc/start")
        assert victim.get(back).status_code == 401
        assert victim.get("/api/v1/me").status_code == 401
        forged = {"Cookie": f"retrofill-oidc={mallory.cookies['retrofill-oidc']}x"}
        assert Browser(server.app).get(back, headers=forged).status_code == 401


@pytest.mark.parametrize(
    "query", ["", "?code=x", "?code=x&state=y", "?error=access_denied", "?state=%00&code=%00"]
)
def test_whoever_was_not_sent(tmp_path: Path, issuer: str, query: str) -> None:
    with served(tmp_path, issuer) as server:
        assert Browser(server.app).get(f"/sign-in/oidc{query}").status_code == (
            400 if "%00" in query else 401
        )


def test_a_provider_that_is_away(tmp_path: Path) -> None:
    """The other ways go on; the page comes without asking it anything."""
    with served(tmp_path, "http://127.0.0.1:9") as server:
        browser = Browser(server.app)
        assert browser.get("/sign-in").status_code == 200
        answer = browser.get("/sign-in/oidc/start")
        assert answer.status_code == 503
        assert "does not answer" in Page(answer).text
        server.center("admin").people.set_password("alice", "correct horse battery")
        assert browser.sign_in("alice", "correct horse battery").status_code == 303


def test_without_a_provider_there_is_none(shared_server: Server) -> None:
    browser = Browser(shared_server.app)
    assert Page(browser.get("/sign-in")).links == []
    assert browser.get("/sign-in/oidc/start").status_code == 404
    assert browser.get("/sign-in/oidc?code=x&state=y").status_code == 404


def test_what_speaks_to_a_provider_is_loaded_when_somebody_goes_there(tmp_path: Path) -> None:
    """A server that nobody leaves holds 12 MB less: the page needs the provider's name alone."""
    program = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from pathlib import Path
from api.browsers import Browser
from api.servers import serving
home, setting = Path({str(tmp_path)!r}), "{{oidc: {{issuer: 'http://127.0.0.1:9', client_id: x}}}}"
with serving(home, setting) as server:
    browser = Browser(server.app)
    for path in ("/sign-in", "/sign-in/oidc/start"):
        browser.get(path)
        print("authlib" in sys.modules, "joserfc" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["False False", "True True"]
