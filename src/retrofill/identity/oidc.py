"""A provider of identities by OpenID Connect: code flow with PKCE, state and nonce.

Nothing is kept between sending somebody off and receiving them but what their browser brings back with them.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from retrofill.services.ports.identities import Claims, Errand, IdentityError, ProviderAwayError

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import OAuth2Client

    from retrofill.settings.identity_forms import IdentityProvider

_SECRET = re.compile(r"\$\{secret:([A-Za-z_][A-Za-z0-9_]*)\}")
_SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_SECONDS = 10.0  # for one answer of the provider
_LEEWAY_SECONDS = 120  # between two clocks


class OidcProvider:
    """What the setting `oidc` names.

    Args:
        secret: the value of a secret by its name.
    """

    def __init__(self, setting: IdentityProvider, secret: Callable[[str], str | None]) -> None:
        self.setting = setting
        self._secret = secret

    @property
    def name(self) -> str:
        return self.setting.name or urlsplit(self.setting.issuer).netloc

    @property
    def claim(self) -> str:
        return self.setting.claim

    def send_off(self, back_to: str) -> Errand:
        from authlib.common.security import generate_token

        memory = {"nonce": generate_token(32), "verifier": generate_token(64)}
        with self._client(back_to) as client:
            url, memory["state"] = client.create_authorization_url(
                self._metadata["authorization_endpoint"],
                code_verifier=memory["verifier"],
                nonce=memory["nonce"],
            )
        return Errand(url, json.dumps(memory))

    def receive(self, back_to: str, memory: str, answer: Mapping[str, str]) -> Claims:
        known = json.loads(memory)
        self._check_answer(known["state"], answer)
        with self._client(back_to) as client:
            token = client.fetch_token(
                self._metadata["token_endpoint"], code=answer["code"], code_verifier=known["verifier"]
            )
            claims = self._id_claims(client, token, known["nonce"])
            if self.claim not in claims and "userinfo_endpoint" in self._metadata:
                claims = {**self._user_info(client, claims["sub"]), **claims}
        return Claims(self.setting.issuer, claims["sub"], claims)

    def _check_answer(self, state: str, answer: Mapping[str, str]) -> None:
        """Raises:
        IdentityError: it is that of another errand, or of another provider, or no.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), state.encode()):
            raise IdentityError("this is not the answer to what was asked")
        if answer.get("iss", self.setting.issuer) != self.setting.issuer:
            raise IdentityError("this is another provider's answer")  # RFC 9207
        if "error" in answer:
            raise IdentityError(
                f"{self.name} refuses: {_shown(answer.get('error_description', answer['error']))}"
            )
        if not answer.get("code"):
            raise IdentityError(f"{self.name} has not answered")

    def _id_claims(self, client: OAuth2Client, token: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """What the provider has signed about who has come."""
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.jwk import KeySet
        from joserfc.jws import JWSRegistry

        keys = KeySet.import_key_set(
            _json(client.request("GET", self._metadata["jwks_uri"], withhold_token=True))
        )
        registry = JWSRegistry(algorithms=list(_SIGNATURES), strict_check_header=False)
        signed = jwt.decode(token["id_token"], key=keys, registry=registry)
        claims = CodeIDToken(
            signed.claims,
            signed.header,
            {"iss": {"essential": True, "value": self.setting.issuer}, "nonce": {"essential": True}},
            {
                "nonce": nonce,
                "client_id": self.setting.client_id,
                "access_token": token.get("access_token"),
            },
        )
        claims.validate(leeway=_LEEWAY_SECONDS)
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if self.setting.client_id not in audience:
            raise IdentityError("the answer is meant for somebody else")
        if not isinstance(claims["sub"], str) or not claims["sub"] or not claims["sub"].isprintable():
            raise IdentityError("the answer names nobody")
        return dict(claims)

    def _user_info(self, client: OAuth2Client, subject: str) -> dict[str, Any]:
        """More of what the provider knows, which some of them do not sign."""
        found: dict[str, Any] = _json(client.get(self._metadata["userinfo_endpoint"]))
        if found.get("sub") != subject:
            raise IdentityError("the provider tells of somebody else than has come")
        return found

    @cached_property
    def _metadata(self) -> dict[str, Any]:
        """Where to ask for what."""
        address = f"{self.setting.issuer.rstrip('/')}/.well-known/openid-configuration"
        with self._client("") as client:
            found: dict[str, Any] = _json(client.request("GET", address, withhold_token=True))
        if found.get("issuer") != self.setting.issuer:
            raise IdentityError("the provider calls itself otherwise than the setting `oidc` does")
        return found

    @contextmanager
    def _client(self, back_to: str) -> Iterator[OAuth2Client]:
        """For one errand; what goes wrong in it is told without what was sent."""
        from authlib.integrations.base_client import OAuthError
        from authlib.integrations.httpx_client import OAuth2Client
        from authlib.integrations.httpx_client.oauth2_client import httpx2
        from joserfc.errors import JoseError

        secret = self._client_secret()
        client = OAuth2Client(
            self.setting.client_id,
            secret or None,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            scope=self.setting.scope,
            redirect_uri=back_to,
            code_challenge_method="S256",
            timeout=_SECONDS,
        )
        try:
            with client:
                yield client
        except httpx2.HTTPError as error:
            raise ProviderAwayError(
                f"{self.name} does not answer as it should ({type(error).__name__})"
            ) from error
        except OAuthError as error:
            raise IdentityError(f"{self.name} refuses: {_shown(error.description or error.error)}") from error
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise IdentityError(f"what {self.name} says does not hold ({type(error).__name__})") from error

    def _client_secret(self) -> str:
        def value(match: re.Match[str]) -> str:
            found = self._secret(match[1])
            if found is None:
                raise IdentityError(f"there is no secret {match[1]}, which the setting `oidc` names")
            return found

        return _SECRET.sub(value, self.setting.client_secret)


def _json(answer: Any) -> Any:
    """The object that was answered."""
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise TypeError("no object")
    return found


def _shown(text: object) -> str:
    return "".join(c if c.isprintable() else "?" for c in str(text)[:200])
