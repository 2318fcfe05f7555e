"""What a provider of identities says is believed when it is signed, meant for us, and the answer to what we asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from identity.providers import (
    BACK,
    CLIENT,
    SECRET,
    Json,
    Provider,
    by_another_key,
    by_nobody,
    by_the_clients_secret,
)
from retrofill.identity.oidc import OidcProvider
from retrofill.services.ports.identities import Claims, IdentityError
from retrofill.settings.identity_forms import IdentityProvider


def recognised(provider: Provider, **answer: str) -> Claims:
    """Who is sent there and back."""
    adapter = OidcProvider(provider.setting, lambda name: None)
    errand = adapter.send_off(BACK)
    return adapter.receive(BACK, errand.memory, {**provider.consent(errand.url), **answer})


def test_who_comes_back_is_who_the_provider_says(provider: Provider) -> None:
    """SEC-1."""
    found = recognised(provider)
    assert (found.issuer, found.subject, found.values["preferred_username"]) == (provider.issuer, "7", "bob")


def test_somebody_is_sent_with_a_challenge(provider: Provider) -> None:
    """SEC-1: PKCE, state and nonce, which nobody can guess; the code is exchanged with what only we know."""
    adapter = OidcProvider(provider.setting, lambda name: None)
    first, second = (adapter.send_off(BACK) for _ in range(2))
    queries = [{k: v[0] for k, v in parse_qs(urlsplit(one.url).query).items()} for one in (first, second)]
    asked = queries[0]
    assert (asked["response_type"], asked["code_challenge_method"], asked["client_id"]) == (
        "code",
        "S256",
        CLIENT,
    )
    assert (asked["redirect_uri"], asked["scope"]) == (BACK, "openid profile email")
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name]) >= 30
        assert queries[0][name] != queries[1][name]
    adapter.receive(BACK, first.memory, provider.consent(first.url))
    (form,) = provider.asked
    assert form["code_verifier"] == json.loads(first.memory)["verifier"]
    assert form["code_verifier"] not in first.url
    assert SECRET not in first.url
    assert str(provider.authorizations[0]).startswith("Basic ")


def test_more_is_asked_for_where_it_is_not_signed(provider: Provider) -> None:
    """Some providers tell names only to who comes with the access token."""
    provider.claims = {"preferred_username": None}
    provider.user_info = {"sub": "7", "preferred_username": "ann", "iss": "https://another"}
    found = recognised(provider)
    assert found.values["preferred_username"] == "ann"
    assert found.values["iss"] == provider.issuer, "what is signed counts before what is not"
    provider.user_info = {"sub": "8", "preferred_username": "ann"}
    with pytest.raises(IdentityError, match="somebody else"):
        recognised(provider)


LIES: list[tuple[str, Json]] = [
    ("another issuer", {"iss": "https://another.example"}),
    ("no issuer", {"iss": None}),
    ("meant for others", {"aud": ["another"]}),
    ("meant for others in one word", {"aud": "another"}),
    ("meant for nobody", {"aud": None}),
    ("too old", {"exp": 1}),
    ("for ever", {"exp": None}),
    ("made in the future", {"iat": 1 << 40}),
    ("the answer to another question", {"nonce": "another"}),
    ("the answer to no question", {"nonce": None}),
    ("nobody", {"sub": None}),
    ("nobody in particular", {"sub": ""}),
    ("a number", {"sub": 7}),
    ("what no store takes", {"sub": "7\0"}),
    ("for another party", {"aud": [CLIENT, "another"], "azp": "another"}),
    ("with another access token", {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}),
]


@pytest.mark.parametrize("lie", [lie for _, lie in LIES], ids=[name for name, _ in LIES])
def test_what_does_not_hold_is_not_believed(provider: Provider, lie: Json) -> None:
    """SEC-1."""
    provider.claims = lie
    with pytest.raises(IdentityError):
        recognised(provider)


@pytest.mark.parametrize(
    "signs", [by_another_key, by_the_clients_secret, by_nobody, lambda claims: "a.b.c", lambda claims: ""]
)
def test_what_the_provider_has_not_signed_is_not_believed(
    provider: Provider, signs: Callable[[Json], str]
) -> None:
    """SEC-1: by another key, by a secret that we share, or not at all."""
    provider.signs = signs
    with pytest.raises(IdentityError):
        recognised(provider)


@pytest.mark.parametrize(
    "answer",
    [
        {"state": "another"},
        {"state": ""},
        {"state": "é"},
        {"code": ""},
        {"iss": "https://another.example"},
        {"error": "access_denied", "error_description": "No.\x1b[2J"},
    ],
)
def test_an_answer_to_something_else_is_refused(provider: Provider, answer: dict[str, str]) -> None:
    """SEC-1: another errand's, another provider's, or a refusal."""
    with pytest.raises(IdentityError) as caught:
        recognised(provider, **answer)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/jwks"])
@pytest.mark.parametrize(
    "answer",
    [
        (500, b"broken"),
        (404, b"{}"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b"null"),
        (302, b""),
        (200, b"\xff"),
    ],
)
def test_a_provider_that_is_broken(provider: Provider, path: str, answer: tuple[int, bytes]) -> None:
    """One sentence says so, without what was sent."""
    provider.raw = {path: answer}
    with pytest.raises(IdentityError) as caught:
        recognised(provider)
    assert SECRET not in str(caught.value)


def test_a_provider_that_calls_itself_otherwise(provider: Provider) -> None:
    provider.metadata = {"issuer": "https://another.example"}
    with pytest.raises(IdentityError, match="calls itself otherwise"):
        recognised(provider)


def test_nobody_there() -> None:
    adapter = OidcProvider(IdentityProvider("http://127.0.0.1:9", CLIENT), lambda name: None)
    with pytest.raises(IdentityError, match="ConnectError"):
        adapter.send_off(BACK)


def test_the_clients_secret_is_a_secret(provider: Provider) -> None:
    """SEC-3: named in the setting, looked up when it is needed, and never shown."""
    setting = IdentityProvider(provider.issuer, CLIENT, "${secret:OIDC}")
    adapter = OidcProvider(setting, {"OIDC": SECRET}.get)
    errand = adapter.send_off(BACK)
    adapter.receive(BACK, errand.memory, provider.consent(errand.url))
    assert SECRET not in repr(setting) + errand.memory
    with pytest.raises(IdentityError, match="no secret OIDC"):
        OidcProvider(setting, lambda name: None).send_off(BACK)


def test_a_client_without_a_secret(provider: Provider) -> None:
    adapter = OidcProvider(IdentityProvider(provider.issuer, CLIENT), lambda name: None)
    errand = adapter.send_off(BACK)
    adapter.receive(BACK, errand.memory, provider.consent(errand.url))
    assert provider.authorizations == [None]
    assert provider.asked[0]["client_id"] == CLIENT
