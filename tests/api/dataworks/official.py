"""The official package, as scripts use it, and what it signs.

Imported where it is needed: its 1,358 modules of models take a second.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

VERSION = "2024-05-18"


@dataclass(frozen=True)
class Signed:
    """A request that the official package's own code has signed, and that tests may change afterwards."""

    method: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def changed(self, **headers: str | None) -> Signed:
        """With other headers (`_` for `-`), or without those that are None."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {**self.headers, **named}
        return replace(self, headers={name: value for name, value in kept.items() if value is not None})


@dataclass
class Signer:
    """Signs as the official package does."""

    key_id: str
    secret: str
    host: str = "testserver"
    headers: dict[str, str] = field(default_factory=dict)

    def sign(
        self,
        action: str,
        method: str = "POST",
        form: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        at: datetime | None = None,
        nonce: str | None = None,
        body: bytes | None = None,
        **more: str,
    ) -> Signed:
        from alibabacloud_tea_openapi.utils import Utils
        from darabonba.request import DaraRequest

        written = _form(form or {}).encode() if body is None else body
        payload = hashlib.sha256(written).hexdigest()
        request = DaraRequest()
        request.method, request.pathname = method, "/"
        request.query = {name: _text(value) for name, value in (query or {}).items()}
        request.headers = {
            "host": self.host,
            "accept": "application/json",
            "user-agent": "AlibabaCloud API Workbench",
            "x-acs-action": action,
            "x-acs-version": VERSION,
            "x-acs-date": (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": nonce or uuid.uuid4().hex,
            "x-acs-content-sha256": payload,
            "x-acs-credentials-provider": "static_ak",
        }
        if method == "POST":
            request.headers["content-type"] = "application/x-www-form-urlencoded"
        request.headers |= {**self.headers, **{name.replace("_", "-"): value for name, value in more.items()}}
        request.headers["Authorization"] = Utils.get_authorization(
            request, "ACS3-HMAC-SHA256", payload, self.key_id, self.secret
        )
        return Signed(method, _form(request.query), dict(request.headers), written)


def _form(fields: Mapping[str, Any]) -> str:
    return "&".join(
        f"{quote_plus(name)}={quote_plus(_text(value), safe='~')}" for name, value in fields.items()
    )


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":")) if isinstance(value, (list, dict)) else str(value)


def model(name: str) -> Any:
    """A model class of the package, such as `GetTaskRequest`."""
    from alibabacloud_dataworks_public20240518 import models

    return getattr(models, name)


def fields_of(name: str) -> set[str]:
    """The names on the wire that a model has."""
    return set(re.findall(r"result\['(\w+)'\]", inspect.getsource(model(name).to_map)))


def as_read(action: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as the package's models hold it: what they do not know is lost, lists and objects are there empty."""
    found: dict[str, Any] = model(f"{action}ResponseBody")().from_map(dict(answer)).to_map()
    return found


def lost(given: Any, kept: Any, at: str = "") -> list[str]:
    """Where an answer holds what its model does not."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return [
            place
            for name, value in given.items()
            for place in ([f"{at}.{name}"] if name not in kept else lost(value, kept[name], f"{at}.{name}"))
        ]
    if isinstance(given, list) and isinstance(kept, list):
        pairs = zip(given, kept, strict=True)
        return [place for n, (one, other) in enumerate(pairs) for place in lost(one, other, f"{at}[{n}]")]
    return [] if given == kept else [at]


class Sdk:
    """The official client, unchanged, as a script points it at a server.

    Args:
        address: host and port.
        key: what `access-key create` answers.
    """

    def __init__(self, address: str, key: Mapping[str, str]) -> None:
        from alibabacloud_dataworks_public20240518.client import Client
        from alibabacloud_tea_openapi.models import Config

        self.client = Client(
            Config(
                endpoint=address,
                protocol="http",
                access_key_id=key["access_key_id"],
                access_key_secret=key["access_key_secret"],
            )
        )

    def __call__(self, action: str, **fields: Any) -> dict[str, Any]:
        """The body of an answer; fields by their names on the wire."""
        answer: dict[str, Any] = getattr(self.client, _snake(action))(_request(action, fields)).body.to_map()
        return answer

    async def later(self, action: str, **fields: Any) -> dict[str, Any]:
        """The same by the asynchronous method."""
        found = await getattr(self.client, f"{_snake(action)}_async")(_request(action, fields))
        answer: dict[str, Any] = found.body.to_map()
        return answer

    def page(self, action: str, key: str, **fields: Any) -> list[dict[str, Any]]:
        """The items of a list."""
        return list(self(action, **fields)["PagingInfo"][key])


def _request(action: str, fields: Mapping[str, Any]) -> Any:
    return model(f"{action}Request")().from_map(dict(fields))


def _snake(action: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower()
