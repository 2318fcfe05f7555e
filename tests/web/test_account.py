"""One's own account, and everybody's for system administrators (SEC-1, SEC-4, SEC-6, POL-9)."""

from __future__ import annotations

import re

import pytest
from httpx import Response

from api.browsers import HERE, Browser
from web.sites import Filled, Site, shown

GOOD = "a long enough one"
SECRET = re.compile(r'id="secret">([^<]+)<')


def secret_of(answer: Response) -> str:
    """What a page shows once."""
    assert answer.status_code == 201
    found = SECRET.search(answer.text)
    assert found is not None
    return found[1]


def test_a_password_is_set_and_changed(site: Site) -> None:
    """SEC-6: with the one until now; a bad one is refused where it was typed."""
    alice = site.browser("alice")
    assert alice.submit("/password", password=GOOD).headers["location"] == "/account"
    assert "From now on you sign in with this password." in shown(alice.get("/account")).text
    refused = shown(alice.submit("/password", password="another good one", current="wrong"), 422)
    assert "This is not the password that is used until now." in refused.text
    assert alice.submit("/password", password="another good one", current=GOOD).status_code == 303
    other = Browser(site.app)
    assert other.sign_in("alice", "another good one").status_code == 303


def test_contacts_are_kept_and_checked(site: Site) -> None:
    """POL-9: what cannot be an address stays in the field, with the reason."""
    alice = site.browser("alice")
    refused = shown(alice.submit("/account/contact", email='"><script>', phone=""), 422)
    assert refused.fields["email"] == '"><script>'
    assert "script" not in refused.tags
    alice.submit("/account/contact", email="alice@example.org", phone="+15551234567")
    page = shown(alice.get("/account"))
    assert (page.fields["email"], page.fields["phone"]) == ("alice@example.org", "+15551234567")
    alice.submit("/account/contact", email="", phone="+15551234567")
    assert shown(alice.get("/account")).fields["email"] == ""


def test_a_test_message_tells_what_became_of_it(site: Site) -> None:
    """POL-9: nothing can be sent here, and the page says so."""
    alice = site.browser("alice")
    assert "has neither" in shown(alice.submit("/account/test-message"), 422).text
    alice.submit("/account/contact", email="alice@example.org", phone="")
    page = shown(alice.submit("/account/test-message"), 502)
    assert "email to alice@example.org: not sent." in page.text


def test_a_token_is_shown_once_and_opens_until_it_is_revoked(site: Site) -> None:
    """SEC-1."""
    alice = site.browser("alice")
    made = alice.submit("/account/tokens", label="the deploy job", scope="read", days="90")
    token = secret_of(made)
    me = {"Authorization": f"Bearer {token}"}
    assert Browser(site.app).get("/api/v1/me", headers=me).json()["user"] == "alice"
    page = shown(alice.get("/account"))
    assert token not in page.text
    assert "the deploy job" in page.text
    revoke = next(link for link in page.links if link.startswith("/account/revoke?token="))
    asked = shown(alice.get(revoke))
    assert "Revoke token the deploy job?" in asked.text
    alice.submit("/account/revoke", **asked.fields)
    assert Browser(site.app).get("/api/v1/me", headers=me).status_code == 401
    after = shown(alice.get("/account"))
    assert "the deploy job" not in after.text
    assert "the deploy job" in shown(alice.get("/account?over=1")).text
    assert "There is none of this number" in shown(alice.get(revoke)).text


def test_an_access_key_is_shown_once(site: Site) -> None:
    """SEC-1: both its id and its secret; the id stays to be seen."""
    alice = site.browser("alice")
    made = shown(alice.submit("/account/keys", label="sdk", scope="operate", days=""), 201)
    key = site.center("alice").people.access_keys("alice")[0]["id"]
    assert key in made.text
    page = shown(alice.get("/account"))
    assert key in page.text
    assert "when it is revoked" in page.text
    alice.submit("/account/revoke", key=key)
    assert site.center("alice").people.access_keys("alice")[0]["revoked_at"] is not None


@pytest.mark.parametrize("path", ["/account/tokens", "/account/keys"])
def test_a_key_that_cannot_be_is_refused_with_what_was_typed(site: Site, path: str) -> None:
    answer = site.browser("alice").submit(path, label="kept", scope="everything", days="")
    page = shown(answer, 422)
    assert "is no scope" in page.text
    assert 'value="kept"' in answer.text


def test_other_browsers_are_signed_out(site: Site) -> None:
    """SEC-1: one, or all but this one."""
    here, one, two = (site.browser("alice") for _ in range(3))
    page = shown(here.get("/account"))
    assert page.text.count("this one") == 1
    newest = site.center("alice").people.sessions("alice")[0]["id"]
    here.submit("/account/sessions", id=str(newest))
    assert two.get("/account").status_code == 303
    here.submit("/account/sessions")
    assert "Signed out 1 other browser." in shown(here.get("/account")).text
    assert one.get("/account").status_code == 303


def test_nobody_ends_the_sessions_of_others(site: Site) -> None:
    """SEC-2: a foreign one is answered like one that there is not."""
    bob = site.browser("bob")
    theirs = site.center("admin").people.sessions("bob")[0]["id"]
    answers = [site.browser("alice").submit("/account/sessions", id=str(n)) for n in (theirs, 99_999)]
    texts = {shown(answer, 404).text.replace(str(theirs), "N").replace("99999", "N") for answer in answers}
    assert len(texts) == 1
    assert bob.get("/account").status_code == 200


# Users


def test_users_are_for_system_administrators(filled: Filled) -> None:
    """SEC-4."""
    for path in ("/users", "/users/bob", "/users/nobody"):
        assert shown(filled.site.alice.get(path), 403)
    page = shown(filled.site.browser("admin").get("/users"))
    assert {"/users/alice", "/users/greta"} <= set(page.links)
    found = shown(filled.site.browser("admin").get("/users?search=GRE"))
    assert "/users/greta" in found.links
    assert "/users/alice" not in found.links
    assert "There is no user" in shown(filled.site.browser("admin").get("/users/nobody"), 404).text


def test_a_user_is_added_and_let_in_by_a_link(site: Site) -> None:
    """SEC-1: the link is shown once, and signs them in once."""
    admin = site.browser("admin")
    refused = shown(admin.submit("/users", name="Not A Name!", email="x@example.org"), 422)
    assert refused.fields["name"] == "Not A Name!"
    assert admin.submit("/users", name="nina", email="nina@example.org").headers["location"] == "/users/nina"
    link = secret_of(admin.submit("/users/nina/link"))
    assert link not in shown(admin.get("/users/nina")).text
    nina = Browser(site.app)
    secret = shown(nina.get(link.removeprefix(HERE))).fields["link"]
    assert nina.submit("/sign-in/link", link=secret).status_code == 303
    assert "Member of no workspace" in shown(nina.get("/account")).text
    assert "/users/nina/ask?act=remove" in shown(admin.get("/users/nina")).links
    assert "Their backfills run on" in shown(admin.get("/users/nina/ask?act=remove")).text
    assert admin.submit("/users/nina/remove").headers["location"] == "/users"
    assert nina.get("/account").headers["location"].startswith("/sign-in")
    assert "/users/nina" not in shown(admin.get("/users")).links
    assert "/users/bob/ask?act=remove" not in shown(admin.get("/users/bob")).links
    assert "bob is a member of shop" in shown(admin.submit("/users/bob/remove"), 409).text.lower()


def test_what_an_administrator_does_to_a_user(site: Site) -> None:
    """SEC-4, SEC-6."""
    admin, bob = site.browser("admin"), site.browser("bob")
    bob.submit("/password", password=GOOD)
    admin.submit("/users/bob/contact", email="bob@example.org", phone="")
    assert shown(bob.get("/account")).fields["email"] == "bob@example.org"
    admin.submit("/users/bob/administrator", is_administrator="1")
    assert "/users" in shown(bob.get("/account")).links
    admin.submit("/users/bob/administrator", is_administrator="")
    assert "/users" not in shown(bob.get("/account")).links
    token = site.center("bob").people.create_token("bob", "job")["id"]
    assert "job" in shown(admin.get("/users/bob")).text
    admin.submit("/users/bob/revoke", token=str(token))
    assert "job" not in shown(admin.get("/users/bob")).text
    admin.submit("/users/bob/remove-password")
    assert bob.get("/account").status_code == 303
    assert Browser(site.app).sign_in("bob", GOOD).status_code == 401
    assert 'disabled title="Every deployment keeps this one"' in admin.get("/users/admin").text
    assert "administrator" in shown(admin.submit("/users/admin/administrator", is_administrator=""), 409).text


def test_an_administrator_is_asked_first(site: Site) -> None:
    """SEC-4, SEC-6: with what follows; the answer is what the act takes."""
    admin, bob = site.browser("admin"), site.browser("bob")
    token = site.center("bob").people.create_token("bob", "job")["id"]
    links = {link for link in shown(admin.get("/users/bob")).links if "/ask" in link}
    assert links == {
        "/users/bob/ask?act=administrator",
        "/users/bob/ask?act=remove-password",
        "/users/bob/ask?act=sign-out",
        f"/users/bob/ask?act=revoke&token={token}",
    }
    pages = {link: shown(admin.get(link)) for link in links}
    assert "They are signed out of 1 browser now." in pages["/users/bob/ask?act=remove-password"].text
    assert "Sign bob out of 1 browser?" in pages["/users/bob/ask?act=sign-out"].text
    assert "Revoke the token job?" in pages[f"/users/bob/ask?act=revoke&token={token}"].text
    for act, asked in (("administrator", "administrator"), ("revoke", f"revoke&token={token}")):
        fields = pages[f"/users/bob/ask?act={asked}"].fields
        assert admin.submit(f"/users/bob/{act}", **fields).headers["location"] == "/users/bob"
    assert "/users" in shown(bob.get("/account")).links
    assert "Take system administration from bob?" in shown(admin.get("/users/bob/ask?act=administrator")).text
    gone = shown(admin.get(f"/users/bob/ask?act=revoke&token={token}"), 404)
    assert "has no token" in gone.text
    assert shown(admin.get("/users/bob/ask?act=rename"), 404)
    assert shown(site.browser("carol").get("/users/bob/ask?act=sign-out"), 403)


def test_nobody_else_may(site: Site) -> None:
    """SEC-4: whatever form is sent."""
    alice = site.browser("alice")
    acts = ("contact", "test-message", "link", "administrator", "sign-out", "remove-password")
    for act in acts:
        assert shown(alice.submit(f"/users/bob/{act}", email="a@example.org", is_administrator="1"), 403)
    assert shown(alice.submit("/users", name="mallory"), 403)
    assert "mallory" not in {row["user"] for row in site.center("admin").people.users()}
