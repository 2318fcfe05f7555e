"""Sending through Apprise to a real mail server and a real web server (POL-9)."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

import pytest

from alerts.servers import MailServer, Sink
from retrofill.alerts.notifier import AppriseNotifier
from retrofill.alerts.pinning import pinned
from retrofill.services.ports import Message, NotSentError, UndeliverableError

MESSAGE = Message(
    '[p] Backfill 1 "<b>x</b> {{name}}" failed', "Fáiled:\n  <b>w.a</b> \\n & :smile: {{name}}", "in short"
)
LOOPBACK = ["127.0.0.0/8"]


def notifier(urls: Mapping[str, str], allow: list[str] = LOOPBACK, **secrets: str) -> AppriseNotifier:
    return AppriseNotifier(urls, secrets.get, allow)


def test_a_mail_reaches_its_recipient_as_it_was_written(mails: MailServer) -> None:
    """POL-9: nothing in it is taken for markup, templates or escapes."""
    notifier({"email": mails.url}).send("email", "bob+alerts@example.org", MESSAGE)
    recipients, subject, text = mails.mail()
    assert recipients == ["bob+alerts@example.org"]
    assert subject == MESSAGE.title
    assert text.splitlines() == MESSAGE.body.splitlines()


def test_a_recipient_in_the_url_is_kept(mails: MailServer) -> None:
    """POL-9: then all alerts go to that address."""
    notifier({"email": f"{mails.url}&to=team@example.org"}).send("email", "bob@example.org", MESSAGE)
    assert mails.mail()[0] == ["team@example.org"]


def test_a_placeholder_says_where_the_recipient_stands(mails: MailServer) -> None:
    """POL-9."""
    notifier({"email": f"{mails.url}&cc={{to}}&to=team@example.org"}).send(
        "email", "bob@example.org", MESSAGE
    )
    assert sorted(mails.mail()[0]) == ["bob@example.org", "team@example.org"]


def test_a_text_message_is_one_sentence(web: Sink) -> None:
    """POL-9: to a service that takes JSON, with the recipient in the document."""
    url = f"json://127.0.0.1:{web.port}/sms/${{secret:KEY}}"
    notifier({"sms": url}, KEY="k3y").send("sms", "+15551234567", MESSAGE)
    path, document = web.post()
    assert path == "/sms/k3y"
    assert (document["to"], document["message"], document["title"]) == ("+15551234567", "in short", "")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433"])
@pytest.mark.parametrize("scheme", ["json", "xml", "form"])
def test_webhooks_to_internal_addresses_are_refused(web: Sink, scheme: str, host: str) -> None:
    """POL-9: however they are written; mails to internal servers are not, see the other tests."""
    url = f"{scheme}://{host}:{web.port}/x"
    with pytest.raises(UndeliverableError, match=r"internal address.*allow_internal"):
        notifier({"sms": url}, allow=["10.0.0.0/8"]).send("sms", "+15551234567", MESSAGE)
    assert web.received.empty()


def test_a_name_is_judged_by_what_it_resolves_to(web: Sink) -> None:
    """POL-9."""
    made = AppriseNotifier({"sms": "json://hook.example/x"}, {}.get, (), lambda host: ["8.8.8.8", "10.1.2.3"])
    with pytest.raises(UndeliverableError, match=r"hook\.example leads to an internal address,"):
        made.send("sms", "+15551234567", MESSAGE)


def test_redirects_are_not_followed(web: Sink) -> None:
    """POL-9: an address that was allowed leads to no other one, whatever the URL says."""
    web.answer = lambda: (307, {"Location": f"http://127.0.0.1:{web.port}/inside"})
    with pytest.raises(NotSentError):
        notifier({"sms": f"json://127.0.0.1:{web.port}/x?redirect=yes"}).send("sms", "+15551234567", MESSAGE)
    assert web.post()[0] == "/x"
    assert web.received.empty()


def test_a_failure_says_why_and_keeps_secrets(
    web: Sink, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """SEC-3: neither the error nor any log holds parts of the URL."""
    web.answer = lambda: (503, {})
    made = notifier({"sms": f"json://user:${{secret:KEY}}@127.0.0.1:{web.port}/t0ken"}, KEY="k3y-k3y")
    with caplog.at_level(logging.DEBUG), pytest.raises(NotSentError) as caught:
        made.send("sms", "+15551234567", MESSAGE)
    assert "503" in caught.value.message
    assert "127.0.0.1" in caught.value.message
    told = caught.value.message + caplog.text + "".join(capfd.readouterr())
    assert "k3y" not in told
    assert "t0ken" not in told


def test_a_server_that_is_away_or_refuses_is_tried_again(mails: MailServer) -> None:
    """POL-9: NotSentError, and not one that is final."""
    mails.refuses = True
    with pytest.raises(NotSentError) as refused:
        notifier({"email": mails.url}).send("email", "bob@example.org", MESSAGE)
    mails.stop()
    with pytest.raises(NotSentError, match="refused") as away:
        notifier({"email": mails.url}).send("email", "bob@example.org", MESSAGE)
    assert not isinstance(refused.value, UndeliverableError)
    assert not isinstance(away.value, UndeliverableError)


@pytest.mark.parametrize("url", ["nonsense://x", "mailto://", "twilio://x"])
def test_a_url_that_apprise_does_not_understand(url: str) -> None:
    """POL-9: no later try can succeed; the URL is not told."""
    with pytest.raises(
        UndeliverableError, match=r"^the URL of `alerts.email` is none that Apprise understands$"
    ):
        notifier({"email": url}).send("email", "bob@example.org", MESSAGE)


def test_a_method_without_a_url_is_an_obstacle() -> None:
    """POL-9."""
    assert "no `sms`" in (notifier({"email": "mailto://x"}).obstacle("sms") or "")
    assert notifier({"email": "mailto://x"}).obstacle("email") is None
    with pytest.raises(UndeliverableError, match="no `sms`"):
        notifier({"email": "mailto://x"}).send("sms", "+15551234567", MESSAGE)


@pytest.mark.parametrize(
    ("method", "url", "targets"),
    [
        ("sms", "twilio://AC{0}:{0}@15550000000".format("a" * 32), [("T", "+15551234567")]),
        ("sms", "bulksms://user:password@", ["+15551234567"]),
        (
            "email",
            "mailgun://user@example.com/{0}-{1}-{1}".format("a" * 32, "b" * 8),
            [(False, "bob@example.org")],
        ),
        ("sms", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#data", ["#data"]),
    ],
)
def test_services_get_the_recipients_that_they_can_reach(
    method: str, url: str, targets: list[object]
) -> None:
    """POL-9: phone numbers and addresses as Apprise describes each service; a channel stays what it is."""
    address = "+15551234567" if method == "sms" else "bob@example.org"
    service = notifier({method: url}).service(url, method, address)
    found = getattr(service, "targets", None) or getattr(service, "channels", None)
    assert found == targets


def test_the_connection_goes_to_the_address_that_was_judged(web: Sink) -> None:
    """POL-9, SEC-2: a name that stands for something else a moment later leads nowhere else."""
    host = "a-name-that-nothing-resolves.invalid"
    made = AppriseNotifier(
        {"sms": f"json://{host}:{web.port}/x"}, {}.get, ["127.0.0.0/8"], lambda _: ["127.0.0.1"]
    )
    made.send("sms", "+15551234567", MESSAGE)
    assert web.post()[0] == "/x"
    # `localhost` was judged by another address than the one that it leads to now.
    made = AppriseNotifier(
        {"sms": f"json://localhost:{web.port}/x"}, {}.get, ["127.0.0.0/8"], lambda _: ["127.0.0.2"]
    )
    with pytest.raises(NotSentError):
        made.send("sms", "+15551234567", MESSAGE)
    assert web.received.empty()


def test_no_proxy_of_the_environment_leads_elsewhere(web: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """POL-9: what was judged is reached directly or not at all."""
    monkeypatch.setenv("http_proxy", f"http://localhost:{web.port}")
    host = "a-name-that-nothing-resolves.invalid"
    made = AppriseNotifier({"sms": f"json://{host}:1/x"}, {}.get, ["127.0.0.0/8"], lambda _: ["127.0.0.1"])
    with pytest.raises(NotSentError):
        made.send("sms", "+15551234567", MESSAGE)
    assert web.received.empty()


def test_other_names_are_looked_up_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the host that was judged is pinned, and only while something is sent to it."""
    monkeypatch.setenv("no_proxy", "elsewhere.example")
    with pinned("judged.invalid", ["127.0.0.1"]):
        assert socket.getaddrinfo("JUDGED.invalid.", 80)[0][4][0] == "127.0.0.1"
        assert socket.getaddrinfo("localhost", 80)
        assert os.environ["no_proxy"] == "elsewhere.example,127.0.0.1,judged.invalid"
    assert os.environ["no_proxy"] == "elsewhere.example"
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("judged.invalid", 80)
