"""A window of one user, and everything that a browser complains of while they look.

Complaints are messages of the console (violations of the content security policy are among them), errors of scripts,
requests that go elsewhere and answers 5xx. A test that ends with one has failed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from browser.chromium import PATIENCE_MS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, WebError

    from browser.places import Place

Theme = Literal["light", "dark"]
DESK, PHONE = 1440, 390  # pixels
_HEIGHT, _MOST_HEIGHT = 900, 6000
_RESTS = """async () => {
    const ending = document.getAnimations().filter((one) => one.effect.getTiming().iterations !== Infinity);
    await Promise.allSettled(ending.map((one) => one.finished));
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


class Window:
    """One page that is open at a place.

    Attributes:
        page: Playwright's.
    """

    def __init__(self, place: Place, context: BrowserContext) -> None:
        self.place, self.context = place, context
        self.complaints: list[str] = []
        self._expected: list[re.Pattern[str]] = []
        self._open: set[Request] = set()  # requests that are not answered yet
        context.on("console", self._heard)
        context.on("weberror", self._broke)
        context.on("request", self._asked)
        context.on("response", self._answered)
        context.on("requestfinished", self._ended)
        context.on("requestfailed", self._ended)
        self.page: Page = context.new_page()

    def sign_in(self, user: str) -> None:
        """With a link, as `retrofill user link` prints it."""
        self.page.goto(self.place.link(user))
        self.page.get_by_role("button", name=f"Sign in as {user}").click()
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def go(self, path: str) -> None:
        """Open an address of the place."""
        self.page.goto(self.place.url + path)

    def widen(self, width: int, is_whole: bool = False) -> None:
        """Make the window so many pixels wide; as high as the page, if nothing of it shall lie behind a bar."""
        self.page.set_viewport_size({"width": width, "height": _HEIGHT})
        if is_whole:
            whole = self.page.evaluate("() => document.documentElement.scrollHeight")
            self.page.set_viewport_size({"width": width, "height": max(_HEIGHT, min(whole, _MOST_HEIGHT))})

    @property
    def width(self) -> int:
        size = self.page.viewport_size
        assert size is not None
        return size["width"]

    def overflow(self) -> int:
        """How many pixels the page is wider than the window."""
        found: int = self.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        return found

    def settle(self) -> None:
        """Until nothing is being fetched or moved any more; streams go on, and what takes very long."""
        self.page.wait_for_load_state("load")
        self.page.evaluate(_RESTS)
        until = time.monotonic() + PATIENCE_MS / 1000
        while self._open and time.monotonic() < until:
            self.page.evaluate(_RESTS)
        self._open.clear()

    def expects(self, *complaints: str) -> None:
        """What this test brings about: patterns of complaints that are none."""
        self._expected += map(re.compile, complaints)

    def left(self) -> list[str]:
        """Complaints that nobody expects."""
        return [said for said in self.complaints if not any(one.search(said) for one in self._expected)]

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            where = message.location.get("url", "")
            self.complaints.append(f"console, {message.type}: {message.text} ({where})")

    def _broke(self, error: WebError) -> None:
        self.complaints.append(f"script: {error.error}")

    def _asked(self, request: Request) -> None:
        if request.url.startswith(("http:", "https:")) and not _is_of(request.url, self.place.url):
            self.complaints.append(f"asks elsewhere: {request.url}")
        if not request.url.partition("?")[0].endswith("/events"):
            self._open.add(request)

    def _ended(self, request: Request) -> None:
        self._open.discard(request)

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self.complaints.append(f"answer {response.status}: {response.url}")


def _is_of(url: str, origin: str) -> bool:
    return urlsplit(url)[:2] == urlsplit(origin)[:2]


@contextmanager
def open_window(
    browser: Browser,
    place: Place,
    user: str | None = None,
    theme: Theme = "light",
    width: int = DESK,
    scripts: bool = True,
) -> Iterator[Window]:
    """A window of a user, or of nobody; afterwards it has nothing to complain of.

    Windows of one user share a session, as those of one browser do: a test that ends it signs in by itself.

    Args:
        theme: that of the system.
        width: in pixels.
        scripts: False: a browser without JavaScript.
    """
    known = None if user is None else place.signed_in.get(user)
    context = browser.new_context(
        storage_state=known,
        viewport={"width": width, "height": _HEIGHT},
        color_scheme=theme,
        has_touch=width <= PHONE,
        java_script_enabled=scripts,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="America/New_York",
        accept_downloads=True,
    )
    try:
        context.set_default_timeout(PATIENCE_MS)
        window = Window(place, context)
        if user is not None and known is None:
            window.sign_in(user)
            place.signed_in[user] = context.storage_state()
        window.go("/")
        yield window
        assert not window.left(), "\n".join(window.left())
    finally:
        context.close()
