"""What stands around every page, what is kept of how one likes it, and refusals."""

from __future__ import annotations

import re
from hashlib import sha256

import pytest

from api.browsers import Browser
from retrofill.web.static_files import FOLDER, files
from web.sites import Filled, Site, shown

PARTS = {"X-Part": "dialog"}
HTMX = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"


def test_who_has_not_signed_in_is_asked_to_and_comes_back(filled: Filled) -> None:
    """SEC-1."""
    stranger = Browser(filled.site.app)
    assert stranger.get("/account?x=1").headers["location"] == "/sign-in?goes_to=%2Faccount%3Fx%3D1"
    assert stranger.get("/").headers["location"] == "/sign-in"
    assert stranger.get("/account", headers=PARTS).status_code == 401


def test_the_frame_says_who_one_is_and_how_the_engine_stands(filled: Filled) -> None:
    page = shown(filled.site.alice.get("/account"))
    assert "none runs" in page.text
    assert re.search(r"Slots ?0 of \d+", page.text)
    assert "Version1" in page.text
    assert {"/backfills", "/tasks", "/schedule", "/account"} <= set(page.links)


def test_a_form_of_who_is_signed_out_keeps_what_was_typed(site: Site) -> None:
    """Nothing that was typed is lost to a session that has ended."""
    browser = site.browser("alice")
    browser.submit("/sign-out")
    answer = browser.submit("/password", password='"><script>long enough', current="x")
    page = shown(answer, 401)
    assert "You have been signed out" in page.text
    assert page.fields == {"password": '"><script>long enough', "current": "x"}


def test_a_form_of_another_site_is_not_kept_to_be_sent_again(site: Site) -> None:
    """SEC-6: its words would come from a page of ours the second time; cookies of other sites' forms are not sent."""
    number = site.backfill()
    strange = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    answer = Browser(site.app).submit(f"/backfills/{number}/stop", strange, comment="from elsewhere")
    page = shown(answer, 403)
    assert "this was not sent by a page of this server" in page.text.lower()
    assert "from elsewhere" not in page.html


@pytest.mark.parametrize("scope", ["read", "admin"])
def test_a_token_sends_no_forms(site: Site, scope: str) -> None:
    """SEC-1: how far a token reaches is held by the API; a form would reach as far as its user."""
    number = site.backfill()
    token = site.center("alice").people.create_token("alice", "", scope, 1)["token"]
    shows = {"Authorization": f"Bearer {token}"}
    assert Browser(site.app).get(f"/backfills/{number}", headers=shows).status_code == 200
    for path, fields in ((f"/backfills/{number}/pause", {}), ("/account/tokens", {"scope": "admin"})):
        page = shown(Browser(site.app).submit(path, shows, **fields), 403)
        assert "A form is sent by a browser in which somebody has signed in." in page.text
    assert site.center("alice").backfills.row(number)["held"] is None
    assert len(site.center("alice").people.tokens("alice")) == 1


@pytest.mark.parametrize("path", ["/backfills/{}", "/instances/{}", "/backfills/{}/stop"])
def test_numbers_of_many_digits_name_nothing(filled: Filled, path: str) -> None:
    answer = filled.site.alice.get(path.format("9" * 5_000))
    assert "There is no such page." in shown(answer, 404).text


@pytest.mark.parametrize("path", ["/nothing", "/account/nothing", "/%3Cscript%3E"])
def test_where_nothing_is(filled: Filled, path: str) -> None:
    headers = {"Accept": "text/html"}
    page = shown(filled.site.alice.get(path, headers=headers), 404)
    assert "There is no such page." in page.text
    assert "script" not in page.tags
    assert filled.site.alice.get("/api/v1/nothing", headers=headers).json()["status"] == 404


def test_moments_are_shown_in_the_zone_that_was_chosen(site: Site) -> None:
    """TIME: every moment carries its zone, and the choice is kept."""
    browser = site.browser("alice")
    answer = browser.submit("/look", zone="Asia/Tokyo", back="/account?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?x=1")
    assert "Asia/Tokyo JST" in shown(browser.get("/account")).text
    refused = browser.submit("/look", zone="Nowhere/Land", back="/")
    assert "is no time zone" in shown(refused, 422).text
    browser.submit("/look", zone="")
    assert "Asia/Tokyo" not in shown(browser.get("/account")).text


def test_a_theme_is_there_with_the_first_byte(site: Site) -> None:
    browser = site.browser("alice")
    assert '<html lang="en">' in browser.get("/account").text
    browser.submit("/look", theme="dark", back="//evil.example")
    assert '<html lang="en" data-theme="dark">' in browser.get("/account").text


def test_static_files_are_asked_for_once(filled: Filled) -> None:
    """Under the address that pages name; without its mark, a file is asked for again."""
    browser = filled.site.alice
    named = re.search(r"/static/pages\.css\?v=\w+", browser.get("/account").text)
    assert named is not None
    kept = browser.get(named[0])
    assert "immutable" in kept.headers["cache-control"]
    again = browser.get("/static/pages.css", headers={"If-None-Match": kept.headers["etag"]})
    assert (again.status_code, again.headers["cache-control"]) == (304, "no-cache")
    assert browser.client.post("/static/pages.css").status_code == 405


def test_a_part_of_a_page_comes_alone(filled: Filled) -> None:
    part = filled.site.alice.get("/account?part=pulse")
    assert part.text.lstrip().startswith("<section")
    assert "<html" not in part.text
    assert filled.site.alice.get("/account?part=nothing").status_code == 404


def test_a_module_is_named_in_one_way_only(filled: Filled) -> None:
    """Else browsers would run it twice."""
    browser = filled.site.alice
    named = re.search(r"/static/retrofill\.js\?v=\w+", browser.get("/account").text)
    assert named is not None
    asked, seen = [named[0]], set()
    while asked:
        script = browser.get(asked.pop())
        assert "immutable" in script.headers["cache-control"]
        imported = re.findall(r"""(?:from|import)\s*\(?\s*"\./([^"]+)\"""", script.text)
        assert all("?v=" in name for name in imported)
        asked += [f"/static/{name}" for name in imported if name not in seen]
        seen |= set(imported)
    assert {name.partition("?")[0] for name in seen} >= {"dialogs.js", "palette.js", "parts.js"}


def test_scripts_stay_small() -> None:
    """All of ours together, as they are sent, are below 60 KB: no page loads even most of them."""
    ours = [file for name, file in files().items() if name.endswith(".js") and name != "htmx.min.js"]
    assert sum(len(file.packed) for file in ours) < 60_000


def test_notes_of_scripts_are_not_sent_and_lines_stay_where_they_are() -> None:
    """A fault is reported by its line; no text of a script goes over lines, so that none is taken for a note."""
    for name, file in files().items():
        written = (FOLDER / name).read_text().splitlines()
        if not name.endswith(".js") or name == "htmx.min.js":
            continue
        sent = file.plain.decode().splitlines()
        assert len(sent) == len(written), name
        for number, (line, text) in enumerate(zip(sent, written, strict=True), 1):
            assert text.count("`") % 2 == 0, f"{name}:{number} begins or ends a text of several lines"
            assert not line.startswith(("//", "/**", " ")), f"{name}:{number}"
            is_note = not text.strip() or text.lstrip().startswith(("//", "/**", "* ", "*/"))
            assert bool(line) is not is_note, f"{name}:{number}"


def test_what_others_have_written_is_as_they_published_it() -> None:
    """htmx 4.0.1, by the hash of its file on npm."""
    assert sha256(files()["htmx.min.js"].plain).hexdigest() == HTMX
