"""Webhooks as checks, against real servers: signing, limits, retries, and where they may lead."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import socket
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from checks.servers import (
    CERTIFICATE,
    drips_body,
    drips_headers,
    floods,
    hangs_up,
    never_answers,
    raw,
    says,
    serving,
    webhook,
)
from retrofill.checks.posting import TargetError, read_target, resolved
from retrofill.domain.addresses import InternalAddressError
from retrofill.domain.checks import Answer, Verdict

QUESTION = {"event": "backfill.check", "plan": {"instance_count": 3}, "name": "naïve"}


def failure(answer: Answer) -> str:
    assert answer.verdict is Verdict.FAIL
    return answer.message


def test_the_request_is_signed_and_dated() -> None:
    """VER-3: a receiver can tell that it comes from us, and that it is not an old one."""
    with serving(says("pass")) as server:
        check = webhook(server.url("/gate?x=1"), "${secret:HOOK}", secrets={"HOOK": "s3cret"})
        assert check.ask(QUESTION).verdict is Verdict.PASS
    (asked,) = server.asked
    assert asked.path == "/gate?x=1"
    assert json.loads(asked.body) == QUESTION
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.headers["X-Retrofill-Timestamp"] == "1700000000"
    expected = hmac.new(b"s3cret", b"1700000000." + asked.body, hashlib.sha256).hexdigest()
    assert asked.headers["X-Retrofill-Signature"] == f"sha256={expected}"
    assert asked.headers["Host"] == f"127.0.0.1:{server.port}"


def test_without_a_secret_nothing_is_signed() -> None:
    """VER-3."""
    with serving(says("pass")) as server:
        webhook(server.url()).ask(QUESTION)
    assert "X-Retrofill-Signature" not in server.asked[0].headers


def test_what_may_pass_by_itself_is_tried_again() -> None:
    """VER-3: server errors and broken connections, with growing pauses and one delivery id."""
    pauses: list[float] = []
    with serving(says("pass", status=503), hangs_up, says("warn", "busy")) as server:
        answer = webhook(server.url(), retries=2, pauses=pauses).ask(QUESTION)
    assert answer == Answer("gate", Verdict.WARN, "busy")
    assert pauses == [0.5, 1.0]
    assert len({asked.headers["X-Retrofill-Delivery"] for asked in server.asked}) == 1


def test_the_last_attempt_says_what_was_wrong() -> None:
    """VER-3."""
    with serving(says("pass", status=500)) as server:
        assert failure(webhook(server.url(), retries=1).ask(QUESTION)) == "it answered with HTTP status 500"
        assert len(server.asked) == 2
        gone = server.url()
    assert failure(webhook(gone).ask(QUESTION)) == "it cannot be reached: Connection refused"
    named = failure(webhook("http://no-such-host.invalid/").ask(QUESTION))
    assert named.startswith("its name cannot be resolved: ")


@pytest.mark.parametrize("status", [400, 401, 404, 422, 429])
def test_a_refusal_is_final(status: int) -> None:
    """VER-3: asking again would change nothing."""
    with serving(says("pass", status=status)) as server:
        answer = webhook(server.url(), retries=3).ask(QUESTION)
    assert failure(answer) == f"it answered with HTTP status {status}"
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 307])
def test_redirects_are_not_followed(status: int) -> None:
    """VER-3: they would lead around the rules of addresses."""
    with serving(says("pass")) as inner, serving(raw(b"", status, Location=inner.url())) as server:
        message = failure(webhook(server.url(), retries=2).ask(QUESTION))
        assert f"a redirect (HTTP status {status})" in message
        assert inner.asked == []


@pytest.mark.parametrize("slow", [never_answers, drips_headers, drips_body])
def test_the_time_limit_is_for_the_whole_call(slow: object) -> None:
    """VER-3: also where every single byte comes in time."""
    with serving(slow) as server:  # type: ignore[arg-type]
        message = failure(webhook(server.url(), timeout=1, retries=2).ask(QUESTION))
    assert message == "it did not answer within 1 s"
    assert len(server.asked) == 1, "it is not tried again"


def test_an_endless_answer_is_cut_off() -> None:
    """VER-3: no more is read than an answer may have."""
    with serving(floods) as server:
        assert failure(webhook(server.url()).ask(QUESTION)) == "its answer is longer than 64 KiB"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", 'its answer is no JSON, it begins with ""'),
        (b"<html>sign in</html>", 'its answer is no JSON, it begins with "<html>sign in</html>"'),
        (b"\xff\xfe\x00", "its answer is no JSON"),
        (b"[" * 60_000, "its answer is no JSON"),
        (b"[]", "its answer is no JSON object"),
        (b"null", "its answer is no JSON object"),
        (b"{}", 'no "result" that is pass, warn or fail'),
        (b'{"result": "PASS"}', 'no "result" that is pass, warn or fail'),
        (b'{"result": ["pass"]}', 'no "result" that is pass, warn or fail'),
        (b'{"result": true}', 'no "result" that is pass, warn or fail'),
        (b'{"result": "pass", "message": 7}', 'a "message" that is no text'),
    ],
)
def test_what_is_no_answer_is_a_fail(body: bytes, message: str) -> None:
    """VER-3: only a pass in due form lets a backfill run."""
    with serving(raw(body)) as server:
        assert message in failure(webhook(server.url()).ask(QUESTION))


def test_a_missing_secret_is_named_and_nothing_is_sent() -> None:
    """SEC-3."""
    with serving(says("pass")) as server:
        message = failure(webhook(server.url("/${secret:TOKEN}")).ask(QUESTION))
        assert "there is no secret TOKEN" in message
        assert server.asked == []


def test_secrets_are_in_no_message() -> None:
    """SEC-3: the address may hold one."""
    secrets = {"TOKEN": "tok-123", "HOOK": "hook-456"}
    with serving(says("pass", status=403)) as server:
        check = webhook(server.url("/${secret:TOKEN}"), "${secret:HOOK}", secrets=secrets)
        told = f"{check.ask(QUESTION)} {check!r}"
        assert server.asked[0].path == "/tok-123"
    refused = webhook("http://tok-123@127.0.0.1:1/tok-123?tok-123").ask(QUESTION)
    assert "tok-123" not in f"{told} {refused}"
    assert "hook-456" not in told


# Where a webhook may lead


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "0.0.0.0", "localhost",  # noqa: S104 "2130706433", "0x7f.1", "0177.0.0.1", "127.1",
     "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "169.254.169.254", "10.0.0.1", "[fe80::1%25lo]"],
)  # fmt: skip
def test_internal_addresses_are_refused(host: str) -> None:
    """VER-3: the machine itself and its neighbours, whatever the address is written like."""
    with serving(says("pass")) as server:
        url = f"http://{host}:{server.port}/"
        message = failure(webhook(url, retries=2, allow=()).ask(QUESTION))
        assert "internal address" in message
        assert "which webhooks may not reach" in message
        assert server.asked == []


def test_an_allowed_network_may_be_reached() -> None:
    """VER-3: setting allow_internal; a name is judged by what it stands for."""
    with serving(says("pass")) as server:
        url = server.url(host="localhost")
        assert webhook(url).ask(QUESTION).verdict is Verdict.PASS
        assert webhook(url, allow=("10.0.0.0/8",)).ask(QUESTION).verdict is Verdict.FAIL
    assert server.asked[0].headers["Host"] == f"localhost:{server.port}"


def test_a_name_is_resolved_once_and_the_connection_goes_there() -> None:
    """VER-3: a name that stands for something else a moment later leads nowhere else."""
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    asked = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return answers[len(asked) - 1]

    target = resolved(read_target("https://evil.example/x"), (), rebinding)
    assert target.addresses == ("93.184.216.34",)
    assert asked == [("evil.example", 443)]
    with pytest.raises(InternalAddressError):
        resolved(read_target("https://evil.example/x"), (), rebinding)


def test_one_internal_address_of_many_is_enough_to_refuse() -> None:
    """VER-3."""
    both = ["93.184.216.34", "192.168.1.1"]
    with pytest.raises(InternalAddressError, match="evil\\.example leads to an internal address,"):
        resolved(read_target("http://evil.example/"), (), lambda host, port: both)


def test_the_machines_own_name_is_internal() -> None:
    """VER-3: unless it stands for a public address."""
    name = socket.gethostname()
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(name, 80)}
    except OSError:
        pytest.skip("this machine cannot resolve its own name")
    if not all(address.startswith(("127.", "10.", "172.", "192.168.", "::1", "f")) for address in found):
        pytest.skip("this machine has a public address")
    assert "internal address" in failure(webhook(f"http://{name}:1/", allow=()).ask(QUESTION))


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "http://", "http:///x", "example.com",
     "http://user:pass@example.com/", "http://user@example.com/", "http://example.com:99999/",
     "http://[::1/", "http://exa mple.com/", "http://example.com/\r\nX-Injected: 1"],
)  # fmt: skip
def test_bad_addresses(url: str) -> None:
    """VER-3: refused before anything is resolved, without showing them."""
    with pytest.raises(TargetError) as caught:
        read_target(url)
    assert "pass@" not in caught.value.message


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """VER-3: a proxy would connect to what it likes."""
    with serving(says("fail", "proxied")) as proxy, serving(says("pass")) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url())
        assert webhook(server.url()).ask(QUESTION).verdict is Verdict.PASS
        assert proxy.asked == []


# TLS


def test_certificates_are_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """VER-3: one that nobody vouches for is refused, for a name as for an address."""
    with serving(says("pass"), tls=True) as server:
        unknown = failure(webhook(server.url(host="localhost", scheme="https"), retries=1).ask(QUESTION))
        assert unknown == "its certificate is not accepted: self-signed certificate"
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        trusted = webhook(server.url(host="localhost", scheme="https")).ask(QUESTION)
        assert trusted.verdict is Verdict.PASS, trusted
        other = failure(webhook(server.url(host="127.0.0.1", scheme="https")).ask(QUESTION))
        assert "certificate" in other
    assert len(server.asked) == 1


def test_the_child_sees_no_secrets_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """SEC-3: the environment of the process that asks holds none."""
    monkeypatch.setenv("RETROFILL_SECRET_HOOK", "s3cret")
    seen: list[bytes] = []

    def look(handler: BaseHTTPRequestHandler) -> None:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as line, open(f"/proc/{pid}/environ", "rb") as env:
                    if b"retrofill.checks.child" in line.read():
                        seen.append(env.read())
            except OSError:
                continue
        says("pass")(handler)

    with serving(look) as server:
        webhook(server.url(), "${secret:HOOK}", secrets={"HOOK": "s3cret"}).ask(QUESTION)
    assert seen
    assert not any(b"s3cret" in environment for environment in seen)


def test_the_guides_code_verifies_our_requests() -> None:
    """VER-3: what a reader copies from the guide accepts our requests and nothing else."""
    guide = Path(__file__).resolve().parents[2] / "docs" / "guides" / "extension-checks.md"
    (code,) = re.findall(r"```python\n(import hashlib.*?)```", guide.read_text(), re.S)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own documentation
    with serving(says("pass")) as server:
        webhook(server.url(), "s3cret").ask(QUESTION)
    (asked,) = server.asked
    now = 1_700_000_000.0

    def is_genuine(key: str = "s3cret", body: bytes = asked.body, later: float = 1, **headers: str) -> bool:
        return bool(names["is_genuine"]({**asked.headers, **headers}, body, key, now + later))

    assert is_genuine()
    assert not is_genuine(key="other")
    assert not is_genuine(body=asked.body + b" ")
    assert not is_genuine(later=301)
    assert not is_genuine(**{"X-Retrofill-Timestamp": "1700000100"})
    assert not is_genuine(**{"X-Retrofill-Signature": ""})
