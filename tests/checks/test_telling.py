"""Posting what becomes of backfills: signed, once a try, to no internal address."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest

from checks.servers import LOOPBACK, Server, raw, serving
from retrofill.checks.telling import WebhookPoster
from retrofill.checks.webhooks import signature
from retrofill.services.ports import NotSentError, UndeliverableError
from retrofill.services.ports.notifying import Delivered
from retrofill.services.ports.secrets import SecretUnavailableError
from retrofill.settings.outer_forms import Receiver
from services.fakes import FakeClock

NOTICE = Delivered("id-1", {"event": "backfill.success", "project": "käse"})
SECRETS = {"HOOK": "k3y", "TOKEN": "t0ken"}


def poster(
    receivers: Mapping[str, Receiver] | None = None, own: str = "", allow: tuple[str, ...] = LOOPBACK
) -> WebhookPoster:
    clock = FakeClock("2026-03-02T12:00")
    return WebhookPoster(receivers or {}, Receiver("", own), SECRETS.get, allow, clock)


def assert_signed(server: Server, secret: str) -> None:
    (asked,) = server.asked
    assert json.loads(asked.body) == NOTICE.document
    assert asked.headers["X-Retrofill-Delivery"] == "id-1"
    timestamp = asked.headers["X-Retrofill-Timestamp"]
    assert asked.headers["X-Retrofill-Signature"] == signature(secret, timestamp, asked.body)
    assert asked.headers["Content-Type"] == "application/json"


def test_a_receiver_of_the_settings(server: Server) -> None:
    """POL-9, SEC-3: signed by its own secret; a token may stand in its address."""
    hook = Receiver(server.url("/${secret:TOKEN}"), "${secret:HOOK}")
    poster({"ops": hook}).post("ops", None, NOTICE)
    assert server.asked[0].path == "/t0ken"
    assert_signed(server, "k3y")


def test_the_address_of_a_backfill(server: Server) -> None:
    """POL-9: signed by the secret of all such addresses; what it holds is not looked up."""
    poster(own="${secret:HOOK}").post("", server.url("/x?a=1"), NOTICE)
    assert server.asked[0].path == "/x?a=1"
    assert_signed(server, "k3y")


def test_without_a_secret_it_is_not_signed(server: Server) -> None:
    poster().post("", server.url(), NOTICE)
    assert "X-Retrofill-Signature" not in server.asked[0].headers


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(raw(b"", 204)) as found:
        yield found


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (500, NotSentError),
        (503, NotSentError),
        (429, NotSentError),
        (408, NotSentError),
        (404, UndeliverableError),
        (401, UndeliverableError),
        (302, UndeliverableError),
    ],
)
def test_what_is_tried_again(code: int, error: type[Exception]) -> None:
    """POL-9: one request each; redirects are not followed."""
    with serving(raw(b"", code, Location="http://127.0.0.1:9/")) as server:
        with pytest.raises(NotSentError, match=str(code)) as caught:
            poster().post("", server.url(), NOTICE)
        assert type(caught.value) is error
        assert len(server.asked) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"])
def test_internal_addresses_are_not_reached(server: Server, host: str) -> None:
    """VER-3: the same rule as for checks."""
    with pytest.raises(UndeliverableError, match="internal address"):
        poster(allow=()).post("", server.url(host=host), NOTICE)
    assert server.asked == []


def test_who_does_not_answer_is_tried_again() -> None:
    """POL-9: whether it was taken is not known; the id tells."""
    with pytest.raises(NotSentError, match="cannot be reached") as caught:
        poster().post("", "http://127.0.0.1:9/", NOTICE)
    assert not isinstance(caught.value, UndeliverableError)


def test_what_is_missing_is_named(server: Server) -> None:
    """POL-9, SEC-3: a webhook that the settings have no more, a secret that is not there or cannot be had."""
    with pytest.raises(UndeliverableError, match="the setting `webhooks` has no `ops`"):
        poster().post("ops", None, NOTICE)
    with pytest.raises(NotSentError, match="there is no secret GONE"):
        poster(own="${secret:GONE}").post("", server.url(), NOTICE)

    def away(name: str) -> str | None:
        raise SecretUnavailableError("the vault is away")

    hooks = WebhookPoster({}, Receiver("", "${secret:A}"), away, LOOPBACK, FakeClock("2026-03-02T12:00"))
    with pytest.raises(NotSentError, match="the vault is away"):
        hooks.post("", server.url(), NOTICE)
    assert server.asked == []
