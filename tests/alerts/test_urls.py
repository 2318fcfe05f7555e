"""Apprise URLs as text (POL-9, SEC-3)."""

from __future__ import annotations

import pytest

from retrofill.alerts.urls import host_of, with_argument, with_recipient, with_secrets, without_secrets
from retrofill.services.ports import NotSentError

SECRETS = {"PASSWORD": "p@ss/w:rd?&=", "URL": "mailto://u:p@mail/?mode=ssl"}


def test_a_secret_is_quoted_where_it_stands_in_a_url() -> None:
    """SEC-3: whatever characters it has, it stays one part of the URL."""
    url = with_secrets("mailto://me:${secret:PASSWORD}@mail", SECRETS.get)
    assert url == "mailto://me:p%40ss%2Fw%3Ard%3F%26%3D@mail"


def test_a_whole_url_may_be_a_secret() -> None:
    """SEC-3."""
    assert with_secrets("${secret:URL}", SECRETS.get) == SECRETS["URL"]


def test_a_secret_without_a_value_is_named() -> None:
    """SEC-3: another process may know it, so that it is tried again."""
    with pytest.raises(NotSentError, match="RETROFILL_SECRET_NONE is not set"):
        with_secrets("mailto://me:${secret:NONE}@mail", SECRETS.get)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("twilio://sid:token@+1555/{to}", "twilio://sid:token@+1555/%2B1999"),
        ("mailto://mail?to=team@example.com", "mailto://mail?to=team@example.com"),
        ("json://host/x?:to=team", "json://host/x?:to=team"),
        ("json://host/x?format=text&TO=team", "json://host/x?format=text&TO=team"),
        ("mailto://mail", None),
        ("mailto://mail?from=to=x", None),
    ],
)
def test_a_url_may_say_where_the_recipient_stands(url: str, expected: str | None) -> None:
    """POL-9."""
    assert with_recipient(url, "+1999") == expected


def test_an_argument_is_added_behind_the_others() -> None:
    """POL-9: quoted, so that no address adds arguments of its own."""
    assert with_argument("mailto://mail", "to", "a+b&cc=x@y") == "mailto://mail?to=a%2Bb%26cc%3Dx%40y"
    assert with_argument("mailto://mail?a=b", "to", "x") == "mailto://mail?a=b&to=x"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("json://host", "host"),
        ("json://host:80/x?y", "host"),
        ("jsons://me:p%40ss@host:80?y", "host"),
        ("json://a@b@127.0.0.1/x", "127.0.0.1"),
        ("json://[::1]:80/x", "::1"),
        ("json://host#x", "host"),
    ],
)
def test_the_host_of_a_url(url: str, host: str) -> None:
    """POL-9: what is checked against internal addresses."""
    assert host_of(url) == host


def test_what_a_url_holds_is_masked() -> None:
    """SEC-3: users, passwords, tokens in paths and in arguments, quoted or not; hosts and addresses are told."""
    url = "slack://me:p%40ssword@host/T0KEN/A?key=s3cret&from=me@x.org&to=you@x.org"
    text = "me:p@ssword p%40ssword at host: T0KEN and s3cret of me@x.org"
    assert without_secrets(text, url) == "me:*** *** at host: *** and *** of me@x.org"
