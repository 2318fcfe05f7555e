"""Forms of settings about who comes to a server: under which address, and who knows them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from retrofill.settings.forms import FormError
from retrofill.settings.plain_forms import as_mapping, as_text, at, known_keys

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_USUAL_PORTS = {"http": ":80", "https": ":443"}


class Origin:
    """Scheme, host and perhaps a port, as browsers name where a page comes from."""

    words = "origin like `https://retrofill.example.org`, or empty"

    @property
    def schema(self) -> dict[str, object]:
        return {"type": "string", "pattern": "^(https?://[^/?#]+/?)?$"}

    def read(self, value: object) -> str:
        """In the form that browsers send: in lower case, without the port that the scheme has anyway."""
        text = as_text(value).rstrip("/").lower()
        scheme, _, host = text.partition("://")
        if text and (scheme not in _USUAL_PORTS or not _HOST.fullmatch(host)):
            raise FormError("is no origin", "write https://HOST or https://HOST:PORT, without a path")
        return text.removesuffix(_USUAL_PORTS.get(scheme, "")) if text else ""


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """Who knows people, and as what it knows us."""

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    claim: str = "preferred_username"
    name: str = ""
    scope: str = "openid profile email"


class Oidc:
    """A provider of identities that speaks OpenID Connect."""

    words = "mapping: `{issuer, client_id, client_secret, claim, name, scope}`"
    _keys = ("issuer", "client_id", "client_secret", "claim", "name", "scope")

    @property
    def schema(self) -> dict[str, object]:
        text: dict[str, object] = {"type": "string"}
        return {
            "type": "object",
            "properties": dict.fromkeys(self._keys, text),
            "additionalProperties": False,
        }

    def read(self, value: object) -> IdentityProvider | None:
        entry = as_mapping(value)
        if not entry:
            return None
        known_keys(entry, self._keys)
        texts = {str(key): at(str(key), as_text, one) for key, one in entry.items()}
        for key in ("issuer", "client_id"):
            if not texts.get(key):
                raise FormError(f'has no "{key}"', "write what the provider says")
        at("issuer", _issuer, texts["issuer"])
        if "openid" not in texts.get("scope", "openid").split():
            raise FormError("does not hold openid", "write openid and what else is needed").within("scope")
        return IdentityProvider(**texts)


def _issuer(value: object) -> Mapping[str, object] | None:
    """An address that nobody can read or change on its way; on this machine it need not be encrypted."""
    text = str(value)
    local = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")
    if not text.startswith(("https://", *local)) or "@" in text or "?" in text or "#" in text:
        raise FormError(
            "is no address of a provider", "write the issuer as the provider names it, https://..."
        )
    return None
