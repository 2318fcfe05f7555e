"""A form as somebody without scripts fills it in: what stands in its fields, changed, and sent by one of its buttons."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from httpx import Response

from api.browsers import Browser


class Filling(HTMLParser):
    """One form of a page.

    Attributes:
        pairs: what would be sent, in the order of the page.
        buttons: values of `do`, with their words.
        address: of the page.
    """

    def __init__(self, answer: Response, form_id: str) -> None:
        super().__init__()
        self.pairs: list[tuple[str, str]] = []
        self.buttons: dict[str, str] = {}
        self.action = ""
        self.address = answer.request.url.raw_path.decode()
        self._id, self._is_inside = form_id, False
        self._select: str | None = None
        self._area: str | None = None
        self._button: str | None = None
        self.feed(answer.text)
        assert self.action, f"there is no form {form_id}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found: dict[str, Any] = dict(attrs)
        if tag == "form":
            self._is_inside = found.get("id") == self._id
            self.action = found["action"] if self._is_inside else self.action
        if not self._is_inside or "disabled" in found:
            return
        if tag == "input":
            self._read_input(found)
        elif tag == "button" and found.get("name") == "do":
            self._button = found["value"]
            self.buttons[self._button] = ""
        elif tag == "select":
            self._select = found["name"]
            self.pairs.append((found["name"], ""))
        elif tag == "textarea":
            self._area = found["name"]
            self.pairs.append((found["name"], ""))
        elif tag == "option" and self._select:
            self._choose_option(found)

    def _read_input(self, found: dict[str, Any]) -> None:
        kind = found.get("type", "text")
        if kind in ("checkbox", "radio") and "checked" not in found:
            return
        self.pairs.append((found["name"], found.get("value", "on" if kind == "checkbox" else "")))

    def _choose_option(self, found: dict[str, Any]) -> None:
        """Without a value its words count; those come as data."""
        self._is_chosen = "selected" in found
        if self._is_chosen and "value" in found:
            self.pairs[-1] = (str(self._select), found["value"])
            self._is_chosen = False

    _is_chosen = False

    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self.buttons[self._button] += data
        elif self._area is not None:
            self.pairs[-1] = (self._area, self.pairs[-1][1] + data)
        elif self._select is not None and self._is_chosen and data.strip():
            self.pairs[-1] = (self._select, data)
            self._is_chosen = False

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None
        elif tag == "button":
            self._button = None

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]

    def set(self, **fields: str | list[str]) -> Filling:
        """Write in fields, tick and choose; nothing unticks."""
        for written, value in fields.items():
            name = written.rstrip("_")  # `from` is a word of the language
            kept = [pair for pair in self.pairs if pair[0] != name]
            self.pairs = kept + [(name, one) for one in ([value] if isinstance(value, str) else value)]
        return self

    def press(self, browser: Browser, do: str, headers: dict[str, str] | None = None) -> Response:
        """Send it by a button that it has."""
        assert do in self.buttons, f"no button {do!r} among {sorted(self.buttons)}"
        body = urlencode([*self.pairs, ("do", do)])
        more = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return browser.act("POST", self.action, content=body, headers=more)
