"""Browsers sign in, stay signed in, and do nothing that another page wants them to."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.browsers import HERE, Browser, Page
from api.servers import Server, problem, serving

RIGHT = "correct horse battery"
SERVER_AND_PORT = "retrofill-8080"


@pytest.fixture
def browser(server: Server) -> Browser:
    """alice has a password, and is not signed in."""
    server.center("admin").people.set_password("alice", RIGHT)
    return Browser(server.app)


@pytest.fixture
def alice(browser: Browser) -> Browser:
    """She is."""
    assert browser.sign_in("alice", RIGHT).status_code == 303
    return browser


def shown(secret: str) -> dict[str, str]:
    """What a browser with this session sends."""
    return {"Cookie": f"{SERVER_AND_PORT}={secret}"}


def link(server: Server, user: str = "bob") -> str:
    found = server.center("admin").people.create_link(user)["link"]
    return found.removeprefix(HERE)


# In and out


def test_a_password_signs_in(browser: Browser) -> None:
    """SEC-1."""
    assert browser.get("/").headers["location"] == "/sign-in"
    page = Page(browser.get("/sign-in"))
    assert "Sign in to test" in page.text
    assert {"user", "password", "goes_to"} <= page.fields.keys()
    answer = browser.sign_in("alice", RIGHT)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    account = Page(browser.get("/account")).text
    assert "administrator of open" in account
    assert browser.get("/api/v1/me").json()["user"] == "alice"


def test_a_session_is_a_cookie_that_no_script_reads(browser: Browser) -> None:
    """SEC-6: over plain http one for each port, which cookies do not tell apart."""
    set_cookie = browser.sign_in("alice", RIGHT).headers["set-cookie"]
    name, _, rest = set_cookie.partition("=")
    attributes = {one.strip().lower() for one in rest.split(";")[1:]}
    assert name == SERVER_AND_PORT
    assert attributes == {"httponly", "samesite=lax", "path=/"}


def test_over_https_only_this_host_can_set_it(tmp_path: Path) -> None:
    """SEC-6: behind a proxy the setting says so."""
    with serving(tmp_path, "{public_origin: 'https://Retrofill.example.org/'}") as server:
        server.center("admin").people.set_password("alice", RIGHT)
        origin = {"Origin": "https://retrofill.example.org"}
        browser = Browser(server.app, site=None)
        answer = browser.submit("/sign-in", origin, user="alice", password=RIGHT)
        assert answer.headers["set-cookie"].startswith("__Host-retrofill=")
        assert {"secure", "httponly", "path=/"} <= {
            one.strip().lower() for one in answer.headers["set-cookie"].split(";")
        }
        assert browser.submit("/sign-in", user="alice", password=RIGHT).status_code == 403
        for shown in (server.center("admin").people.create_link("alice"), link_over_rest(server)):
            assert shown["link"].startswith("https://retrofill.example.org/sign-in?link=")


def link_over_rest(server: Server) -> dict[str, str]:
    client = server.by("admin")
    client.headers["Host"] = "Machine.example.org:46525"
    found: dict[str, str] = client.post("/api/v1/users/alice/link", json={}).json()
    return found


def test_a_link_leads_to_where_the_server_was_reached(tmp_path: Path) -> None:
    """SEC-1: which port it listens on is no setting."""
    with serving(tmp_path) as server:
        assert link_over_rest(server)["link"].startswith("http://machine.example.org:46525/sign-in?link=")


def test_the_address_of_a_session_is_that_behind_the_proxy(tmp_path: Path) -> None:
    """SEC-6: else all who come through it would wait for one another's failures."""
    origin = {"Origin": "https://retrofill.example.org", "X-Forwarded-For": "203.0.113.9, 192.0.2.7"}
    settings = "{public_origin: 'https://retrofill.example.org', trusted_proxies: [127.0.0.1/32]}"
    with serving(tmp_path, settings) as server:
        server.center("admin").people.set_password("alice", RIGHT)
        browser = Browser(server.app, site=None, peer="127.0.0.1")
        assert browser.submit("/sign-in", origin, user="alice", password=RIGHT).status_code == 303
        (row,) = server.by("alice").get("/api/v1/sessions").json()["items"]
        assert row["address"] == "192.0.2.7"


def test_without_a_proxy_nobody_says_where_they_are(server: Server, browser: Browser) -> None:
    """SEC-6."""
    browser.submit("/sign-in", {"X-Forwarded-For": "192.0.2.7"}, user="alice", password=RIGHT)
    assert server.by("alice").get("/api/v1/sessions").json()["items"][0]["address"] == "testclient"


@pytest.mark.parametrize(
    ("goes_to", "location"),
    [
        ("/backfills/7", "/backfills/7"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
    ],
)
def test_signing_in_leads_to_a_page_of_ours(browser: Browser, goes_to: str, location: str) -> None:
    """SEC-6: and to no other site."""
    page = Page(browser.get("/sign-in", params={"goes_to": goes_to}))
    assert page.fields["goes_to"] == location
    answer = browser.submit("/sign-in", user="alice", password=RIGHT, goes_to=goes_to)
    assert answer.headers["location"] == location


@pytest.mark.parametrize(
    ("user", "password"), [("alice", "wrong"), ("nobody", RIGHT), ("bob", RIGHT), ("", "")]
)
def test_what_is_wrong_nobody_is_told(browser: Browser, user: str, password: str) -> None:
    """SEC-6: the same sentence, and no cookie."""
    answer = browser.sign_in(user, password)
    assert answer.status_code == 401
    assert "User and password do not belong together." in Page(answer).text
    assert "set-cookie" not in answer.headers
    assert Page(answer).fields["user"] == user
    assert Page(answer).fields["password"] == ""


def test_after_five_failures_there_is_a_pause(browser: Browser) -> None:
    """SEC-6: 429, and when to come back."""
    for _ in range(5):
        browser.sign_in("alice", "wrong")
    answer = browser.sign_in("alice", RIGHT)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert "too often" in Page(answer).text


def test_a_session_ends_by_signing_out(alice: Browser) -> None:
    """SEC-1: what was copied of it opens nothing either."""
    copied = shown(alice.cookies[SERVER_AND_PORT])
    assert alice.get("/api/v1/me", headers=copied).status_code == 200
    answer = alice.submit("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert alice.cookies == {}
    assert problem(alice.get("/api/v1/me", headers=copied), 401)["detail"] == "the session has ended"
    assert alice.get("/", headers=copied).headers["location"] == "/sign-in"


def test_a_session_is_listed_and_ended_from_elsewhere(alice: Browser, server: Server) -> None:
    """SEC-1: revocable."""
    (row,) = server.by("alice").get("/api/v1/sessions").json()["items"]
    assert (row["user"], row["way"], row["browser"]) == ("alice", "password", "testclient")
    assert server.by("alice").delete(f"/api/v1/sessions/{row['id']}").json()["ended_at"] is not None
    problem(alice.get("/api/v1/me"), 401)


def test_a_session_of_before_is_worth_nothing(server: Server, browser: Browser) -> None:
    """SEC-6, fixation: what the browser shows is never taken over."""
    chosen = "retrofill_chosen-by-somebody-else"
    problem(browser.get("/api/v1/me", headers=shown(chosen)), 401)
    browser.submit("/sign-in", shown(chosen), user="alice", password=RIGHT)
    first = browser.cookies[SERVER_AND_PORT]
    browser.sign_in("alice", RIGHT)
    second = browser.cookies[SERVER_AND_PORT]
    assert len({chosen, first, second}) == 3
    for secret, status in ((chosen, 401), (first, 401), (second, 200)):
        assert Browser(server.app).get("/api/v1/me", headers=shown(secret)).status_code == status


def test_roles_of_now_count(alice: Browser, server: Server) -> None:
    """SEC-4: who is no member any more is out at once."""
    path = server.deployment.folder.directory / "workspaces/open/workspace.yaml"
    path.write_text(path.read_text().replace("alice: administrator, ", ""))
    server.center("admin").versions.deploy()
    problem(alice.get("/api/v1/me"), 401)
    assert alice.get("/").headers["location"] == "/sign-in"
    assert alice.sign_in("alice", RIGHT).status_code == 401


# Links


def test_a_link_is_looked_at_and_then_confirmed(server: Server) -> None:
    """SEC-6: mail programs and previews open links; that uses nothing up."""
    path, browser = link(server), Browser(server.app)
    for _ in range(2):
        page = Page(browser.get(path))
        assert "as bob, once" in page.text
    assert browser.cookies == {}
    assert browser.submit("/sign-in/link", link=page.fields["link"]).status_code == 303
    assert browser.get("/api/v1/me").json()["user"] == "bob"
    for again in (browser.get(path), browser.submit("/sign-in/link", link=page.fields["link"])):
        assert again.status_code == 401
        assert "was used, or is too old" in Page(again).text


@pytest.mark.parametrize("secret", ["", "wrong", "x" * 5_000, "é", "%F0%9F"])
def test_a_link_that_is_none(shared_server: Server, secret: str) -> None:
    answer = Browser(shared_server.app).get("/sign-in", params={"link": secret})
    assert answer.status_code == 401


def test_whoever_comes_by_a_link_sets_a_password(server: Server) -> None:
    """SEC-1: the way of the first start: link, password, and from then on the password."""
    browser = Browser(server.app)
    browser.submit("/sign-in/link", link=Page(browser.get(link(server))).fields["link"])
    assert "current" not in Page(browser.get("/account")).fields
    short = browser.submit("/password", password="short")
    assert short.status_code == 422
    assert "10 to 256 characters" in Page(short).text
    done = browser.submit("/password", password=RIGHT)
    assert (done.status_code, done.headers["location"]) == (303, "/account")
    account = Page(browser.get("/account"))
    assert "From now on you sign in with this password." in account.text
    assert "current" in account.fields
    assert "From now on" not in Page(browser.get("/account")).text  # said once
    refused = browser.submit("/password", password="another long one", current="wrong")
    assert "not the password that is used until now" in Page(refused).text
    assert Browser(server.app).sign_in("bob", RIGHT).status_code == 303


# What other pages want


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:8081"},
        {"Sec-Fetch-Site": "cross-site", "Origin": HERE},
        {"Origin": "http://127.0.0.1:8081"},
        {"Origin": "http://evil.example"},
        {"Origin": "https://127.0.0.1:8080"},
        {"Origin": "null"},
        {},
    ],
)
def test_what_another_page_sends_is_not_done(alice: Browser, headers: dict[str, str]) -> None:
    """SEC-6: by script or form, signed in or not; from another port of this host as well."""
    alice.client.headers.pop("origin", None)
    for method, path, data in (
        ("POST", "/api/v1/tokens", {"json": {}}),
        ("POST", "/sign-out", {"data": {"x": "y"}}),
        ("POST", "/password", {"data": {"password": "another long one", "current": RIGHT}}),
        ("POST", "/sign-in", {"data": {"user": "alice", "password": RIGHT}}),
        ("POST", "/sign-in/link", {"data": {"link": "x"}}),
        ("DELETE", "/api/v1/users/alice/password", {}),
    ):
        answer = alice.client.request(method, path, headers=headers, **data)
        assert answer.status_code == 403, (method, path)
        assert "not sent by a page of this server" in answer.text
        assert "set-cookie" not in answer.headers
    assert alice.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": HERE}]
)
def test_what_our_own_pages_send_is_done(alice: Browser, headers: dict[str, str]) -> None:
    """SEC-6: each of these is enough."""
    assert alice.client.post("/api/v1/tokens", json={}, headers=headers).status_code == 201


def test_a_token_needs_no_page(server: Server, alice: Browser) -> None:
    """SEC-6: no other site can send it; and it counts before the cookie, also where it opens nothing."""
    headers = {"Authorization": f"Bearer {server.token('bob')}", "Sec-Fetch-Site": "cross-site"}
    assert alice.client.post("/api/v1/tokens", json={}, headers=headers).json()["user"] == "bob"
    wrong = {"Authorization": "Bearer wrong", "Sec-Fetch-Site": "same-origin"}
    problem(alice.client.get("/api/v1/me", headers=wrong), 401)


def test_looking_changes_nothing(alice: Browser) -> None:
    """SEC-6: no GET signs out, and none answers other sites' scripts."""
    for path in ("/sign-out", "/password", "/sign-in/link"):
        assert alice.get(path).status_code == 405
    answer = alice.get("/api/v1/me", headers={"Origin": "https://evil.example"})
    assert not any(name.startswith("access-control") for name in answer.headers)


# Pages


def pages(server: Server, browser: Browser) -> Iterator[Page]:
    yield Page(browser.get("/sign-in"))
    yield Page(browser.get(link(server)))
    yield Page(browser.sign_in("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'))
    browser.sign_in("alice", RIGHT)
    yield Page(browser.get("/"))
    yield Page(browser.submit("/sign-in/link", link="<marquee>"))


def test_pages_hold_no_script_and_no_style_of_their_own(server: Server, browser: Browser) -> None:
    """SEC-3: neither ours nor anybody else's."""
    for page in pages(server, browser):
        assert not page.tags & {"script", "style", "iframe", "object", "marquee"}
        assert not {name for name in page.attributes if name.startswith("on") or name == "style"}


@pytest.mark.parametrize("path", ["/sign-in", "/"])
def test_pages_carry_what_keeps_them_safe(shared_server: Server, path: str) -> None:
    """SEC-6."""
    headers = Browser(shared_server.app).get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_what_pages_need_is_there(shared_server: Server) -> None:
    browser = Browser(shared_server.app)
    for name in ("tokens.css", "pages.css", "logo.svg"):
        assert f"/static/{name}" in browser.get("/sign-in").text
        assert browser.get(f"/static/{name}").status_code == 200
    for path in ("/static/../app.py", "/static/%2e%2e/pages.py", "/static/nothing"):
        assert browser.get(path).status_code == 404


# Bad forms


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"user=alice&password=" + b"x" * 30_000, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a%d=b" % n for n in range(50)), "application/x-www-form-urlencoded", 422),
        (b'{"user": "alice"}', "application/json", 415),
        (b"user=alice", "text/plain", 415),
        (b"", "", 415),
        (b"user=%FF%00&password=%ED%A0%80", "application/x-www-form-urlencoded", 401),
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded; charset=utf-16", 401),
        (b"user=alice&user=bob&password=a&password=b", "application/x-www-form-urlencoded", 401),
    ],
)
def test_bad_forms(shared_server: Server, content: bytes, kind: str, status: int) -> None:
    """SEC-6: a page says so, and nothing breaks."""
    browser = Browser(shared_server.app)
    headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": kind}
    answer = browser.client.post("/sign-in", content=content, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")


def test_twenty_who_sign_in_at_once(browser: Browser, server: Server) -> None:
    """SEC-6: all of them get in, two are hashed at a time."""
    browsers = [Browser(server.app) for _ in range(20)]
    with ThreadPoolExecutor(20) as threads:
        found = list(threads.map(lambda one: one.sign_in("alice", RIGHT).status_code, browsers))
    assert set(found) <= {303, 429}, (
        "those beyond the throttle's allowance at the same moment are told to wait"
    )
    assert found.count(303) >= 5
