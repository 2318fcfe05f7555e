"""Signatures that the official package makes are accepted; whatever was changed on the way is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.dataworks.official import Signed, Signer
from retrofill.api.dataworks.errors import ApiError
from retrofill.api.dataworks.signature import (
    WINDOW_SECONDS,
    Arrived,
    canonical_query,
    check_body,
    check_date,
    check_signature,
    read_signature,
)

SECRET = "so secret"
SIGNER = Signer("RF0123", SECRET)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.from_regex(r"[A-Za-z]{1,8}", fullmatch=True)


def arrived(signed: Signed) -> Arrived:
    headers = [(name.lower(), value) for name, value in signed.headers.items()]
    return Arrived(signed.method, "/", signed.query, headers, signed.body)


def verify(one: Arrived, secret: str = SECRET) -> None:
    check_signature(one._replace(body=b""), read_signature(one._replace(body=b"")), secret)
    check_body(one)


@given(st.dictionaries(NAMES, TEXTS, max_size=5))
def test_what_the_official_package_signs_in_a_query(fields: dict[str, str]) -> None:
    verify(arrived(SIGNER.sign("GetTask", "GET", query=fields)))


@given(st.dictionaries(NAMES, TEXTS | st.lists(st.integers(), max_size=3), max_size=5), TEXTS)
def test_what_the_official_package_signs_in_a_form(fields: dict[str, object], other: str) -> None:
    """Also where a POST has one field in its query."""
    verify(arrived(SIGNER.sign("ListTasks", "POST", form=fields, query={"Id": other})))


def test_a_request_without_fields() -> None:
    """Its body is empty, and its hash that of nothing."""
    verify(arrived(SIGNER.sign("ListProjects")))


def test_the_query_is_put_in_order_and_encoded_anew() -> None:
    assert canonical_query("b=2&a=1+1&c=%7E*&d") == "a=1%201&b=2&c=~%2A&d="


Change = Callable[[Arrived], Arrived]


def with_header(name: str, value: str) -> Change:
    return lambda one: one._replace(
        headers=[(key, value if key == name else old) for key, old in one.headers]
    )


CHANGES: dict[str, tuple[Change, str]] = {
    "body": (lambda one: one._replace(body=one.body + b"&Priority=8"), "InvalidContentSha256"),
    "query": (lambda one: one._replace(query="ProjectId=2"), "SignatureDoesNotMatch"),
    "method": (lambda one: one._replace(method="GET"), "SignatureDoesNotMatch"),
    "path": (lambda one: one._replace(path="//"), "SignatureDoesNotMatch"),
    "host": (with_header("host", "elsewhere:8080"), "SignatureDoesNotMatch"),
    "user agent": (with_header("user-agent", "proxy"), "SignatureDoesNotMatch"),
    "action": (with_header("x-acs-action", "StopTaskInstances"), "SignatureDoesNotMatch"),
    "date": (with_header("x-acs-date", "2026-01-01T00:00:00Z"), "SignatureDoesNotMatch"),
    "nonce": (with_header("x-acs-signature-nonce", "another"), "SignatureDoesNotMatch"),
    "hash of the body": (with_header("x-acs-content-sha256", "0" * 64), "SignatureDoesNotMatch"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_was_changed_on_the_way(what: str) -> None:
    change, code = CHANGES[what]
    one = arrived(SIGNER.sign("ListTasks", form={"ProjectId": 1}))
    with pytest.raises(ApiError) as caught:
        verify(change(one))
    assert caught.value.code == code


def test_another_secret() -> None:
    one = arrived(SIGNER.sign("ListTasks", form={"ProjectId": 1}))
    with pytest.raises(ApiError) as caught:
        verify(one, "another secret")
    assert caught.value.code == "SignatureDoesNotMatch"


AUTHORIZATION = dict(SIGNER.sign("ListTasks", form={"ProjectId": 1}).headers)["Authorization"]


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("Authorization", None, "IncompleteSignature"),
        ("Authorization", "", "IncompleteSignature"),
        ("Authorization", "Bearer retrofill_x", "IncompleteSignature"),
        ("Authorization", AUTHORIZATION.replace("ACS3-HMAC-SHA256", "ACS3-HMAC-SM3"), "IncompleteSignature"),
        ("Authorization", AUTHORIZATION.replace("host;", ""), "IncompleteSignature"),
        ("Authorization", AUTHORIZATION.replace("x-acs-action;", ""), "IncompleteSignature"),
        ("Authorization", AUTHORIZATION.replace("content-type;", ""), "IncompleteSignature"),
        ("Authorization", AUTHORIZATION.replace("accept;", "accept;accept;"), "IncompleteSignature"),
        ("Authorization", AUTHORIZATION.replace("accept;", "accept;cookie;"), "IncompleteSignature"),
        ("Authorization", AUTHORIZATION + "0", "IncompleteSignature"),
        ("x-acs-date", None, "IncompleteSignature"),
        ("x-acs-date", "yesterday", "InvalidTimeStamp.Format"),
        ("x-acs-date", "2026-02-30T00:00:00Z", "InvalidTimeStamp.Format"),
        ("x-acs-signature-nonce", "", "InvalidNonce"),
        ("x-acs-signature-nonce", "n" * 129, "InvalidNonce"),
        ("x-acs-extra", "not signed", "IncompleteSignature"),
    ],
)
def test_what_is_no_signature(header: str, value: str | None, code: str) -> None:
    signed = SIGNER.sign("ListTasks", form={"ProjectId": 1}).changed(**{header.replace("-", "_"): value})
    with pytest.raises(ApiError) as caught:
        read_signature(arrived(signed))
    assert (caught.value.code, caught.value.status) == (code, 400)


def test_the_kind_of_no_body_need_not_be_signed() -> None:
    """The asynchronous client adds one to requests without a body."""
    verify(
        arrived(
            SIGNER.sign("GetTask", "GET", query={"Id": 1}).changed(content_type="application/octet-stream")
        )
    )


def test_a_header_that_is_there_twice() -> None:
    """Nobody could know which of them was meant."""
    one = arrived(SIGNER.sign("ListTasks"))
    with pytest.raises(ApiError, match="x-acs-action is there more than once"):
        read_signature(one._replace(headers=[*one.headers, ("x-acs-action", "GetTask")]))


@pytest.mark.parametrize(
    ("seconds", "is_good"), [(0, True), (WINDOW_SECONDS, True), (WINDOW_SECONDS + 1, False)]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_date_is_near_the_server_s(seconds: int, is_good: bool, sign: int) -> None:
    """Before and after."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    signature = read_signature(arrived(SIGNER.sign("ListTasks", at=at)))
    now_ms = int((at + timedelta(seconds=sign * seconds)).timestamp() * 1000)
    if is_good:
        check_date(signature, now_ms)
        return
    with pytest.raises(ApiError) as caught:
        check_date(signature, now_ms)
    assert caught.value.code == "InvalidTimeStamp.Expired"


def test_a_changed_body_with_a_changed_hash_needs_the_secret() -> None:
    """Who changes both has to sign anew."""
    signed = SIGNER.sign("ListTasks", form={"ProjectId": 1})
    other = SIGNER.sign("ListTasks", form={"ProjectId": 2})
    forged = replace(signed, body=other.body).changed(
        x_acs_content_sha256=other.headers["x-acs-content-sha256"]
    )
    with pytest.raises(ApiError) as caught:
        verify(arrived(forged))
    assert caught.value.code == "SignatureDoesNotMatch"
