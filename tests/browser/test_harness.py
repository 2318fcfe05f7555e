"""The harness itself sees what it is there to see."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Route, expect

from browser.axe import findings
from browser.places import Place
from browser.windows import Window, open_window

_POLICY = {"Content-Security-Policy": "default-src 'none'; script-src 'self'", "Content-Type": "text/html"}


def _answers(window: Window, body: str, status: int = 200) -> None:
    """Let the place answer /wrong with a page of this body."""

    def fulfil(route: Route) -> None:
        route.fulfill(status=status, headers=_POLICY, body=f"<!doctype html><title>Wrong</title>{body}")

    window.context.route("**/wrong", fulfil)
    window.go("/wrong")


@pytest.mark.parametrize(
    ("body", "status", "complaint"),
    [
        ("<script>document.title = 'x'</script>", 200, "Content Security Policy"),
        ("<p style='color: red'>red</p>", 200, "Content Security Policy"),
        ("<img src='http://127.0.0.1:9/picture.png'>", 200, "asks elsewhere"),
        ("broken", 500, "answer 500"),
    ],
)
def test_what_is_wrong_with_a_page_is_a_complaint(
    browser: Browser, place: Place, body: str, status: int, complaint: str
) -> None:
    def look() -> None:
        with open_window(browser, place) as window:
            _answers(window, body, status)
            expect(window.page).to_have_title("Wrong")

    with pytest.raises(AssertionError, match=complaint):
        look()


def test_an_error_of_a_script_is_a_complaint(browser: Browser, place: Place) -> None:
    with open_window(browser, place) as window:
        window.go("/sign-in")
        with window.context.expect_event("weberror"):
            window.page.evaluate("setTimeout(() => { throw new Error('lost') })")
        assert "lost" in str(window.left())
        window.expects("lost")


def test_what_nobody_can_read_or_name_is_a_serious_finding(browser: Browser, place: Place) -> None:
    with open_window(browser, place) as window:
        _answers(window, "<main><h1>Title</h1><button></button></main>")
        assert any(finding.startswith("button-name") for finding in findings(window.page))
        window.expects("favicon")


def test_who_signs_in_with_a_link_arrives(window: Window) -> None:
    expect(window.page.get_by_title("ada, your account")).to_be_visible()
    assert findings(window.page) == []
