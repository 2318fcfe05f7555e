"""A browser, as far as signing in needs one: cookies, and headers that say from which page a form is sent."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from fastapi import FastAPI
from httpx import Response
from starlette.testclient import TestClient

HERE = "http://127.0.0.1:8080"


class Browser:
    """Asks one server; redirects are not followed."""

    def __init__(
        self, app: FastAPI, origin: str = HERE, site: str | None = "same-origin", peer: str = "testclient"
    ) -> None:
        self.origin, self.site = origin, site
        self.client = TestClient(
            app, origin, follow_redirects=False, raise_server_exceptions=False, client=(peer, 50_000)
        )

    def get(self, path: str, **more: Any) -> Response:
        return self.client.get(path, **more)

    def submit(self, path: str, headers: dict[str, str] | None = None, **fields: str | list[str]) -> Response:
        """Send a form."""
        given = {
            "Content-Type": "application/x-www-form-urlencoded",
            **self._from_a_page(),
            **(headers or {}),
        }
        return self.client.post(path, data=fields, headers=given)

    def act(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> Response:
        """What a script of a page does."""
        return self.client.request(method, path, headers={**self._from_a_page(), **(headers or {})}, **more)

    def sign_in(self, user: str, password: str) -> Response:
        return self.submit("/sign-in", user=user, password=password)

    @property
    def cookies(self) -> dict[str, str]:
        return dict(self.client.cookies)

    def _from_a_page(self) -> dict[str, str]:
        return {"Origin": self.origin} | ({} if self.site is None else {"Sec-Fetch-Site": self.site})


class Page(HTMLParser):
    """What of a page can be looked at: its text, its forms' fields, its links."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.html = answer.text
        self.text = ""
        self.fields: dict[str, str] = {}
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if not (found.get("src") or "").startswith("/static/"):  # scripts of our own
            self.tags.add(tag)
        self.attributes |= found.keys()
        if tag == "input":
            self.fields[found.get("name") or ""] = found.get("value") or ""
        if tag == "a":
            self.links.append(found.get("href") or "")

    def handle_data(self, data: str) -> None:
        self.text += data
