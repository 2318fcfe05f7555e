"""Forms of settings that lead outside: the store's server, services that are told, checks that are asked."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

from retrofill.settings.durations import duration_words, parse_duration
from retrofill.settings.forms import FormError
from retrofill.settings.plain_forms import Whole, as_mapping, as_text, at, known_keys, shown

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.+", re.DOTALL)
_STORE_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
_BROKER_SCHEMES = ("amqp", "amqps", "redis", "rediss")


class StoreUrl:
    """The URL of a database on a PostgreSQL server, or nothing for the embedded store."""

    words = "URL, or empty"

    @property
    def schema(self) -> dict[str, object]:
        return {"type": "string", "pattern": "^(postgres(ql)?(\\+psycopg)?://.+)?$"}

    def read(self, value: object) -> str:
        """Without what only SQLAlchemy understands; a message shows no password."""
        text = as_text(value)
        scheme, separator, rest = text.partition("://")
        if text and (not separator or scheme not in _STORE_SCHEMES or not rest):
            raise FormError(
                f"is no URL of a store: it begins with {shown(scheme[:20])}" if separator else "is no URL",
                "write postgresql://USER:${secret:NAME}@HOST/DATABASE, or nothing for the embedded store",
            )
        return f"postgresql://{rest}" if text else ""


class BrokerUrl:
    """The URL of a RabbitMQ or a Redis, or nothing."""

    words = "URL, or empty"

    @property
    def schema(self) -> dict[str, object]:
        return {"type": "string", "pattern": "^((amqps?|rediss?)://.+)?$"}

    def read(self, value: object) -> str:
        """A message shows no password."""
        text = as_text(value)
        scheme, separator, rest = text.partition("://")
        if text and (not separator or scheme not in _BROKER_SCHEMES or not rest):
            raise FormError(
                f"is no URL of a broker: it begins with {shown(scheme[:20])}" if separator else "is no URL",
                "write amqp://USER:${secret:NAME}@HOST/VIRTUAL_HOST or redis://:${secret:NAME}@HOST/0",
            )
        return text


class WebAddress:
    """The address of a web service, or nothing."""

    words = "URL, or empty"

    @property
    def schema(self) -> dict[str, object]:
        return {"type": "string"}

    def read(self, value: object) -> str:
        text = as_text(value)
        if text and not text.startswith(("http://", "https://")):
            raise FormError("is no address of a web service", "write one of the form https://...")
        return text


class StorageUrl:
    """The URL of files that all machines reach, or nothing."""

    words = "URL, or empty"
    _form = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s]*/?\S*")

    @property
    def schema(self) -> dict[str, object]:
        return {"type": "string", "pattern": "^([a-z][a-z0-9+.-]*://.+)?$"}

    def read(self, value: object) -> str:
        text = as_text(value)
        if text and (not self._form.fullmatch(text) or not text.partition("://")[2]):
            raise FormError("is no URL", "write one like s3://BUCKET/PREFIX or file:///mnt/logs")
        if text.startswith(("file://", "local://")) and not text.partition("://")[2].startswith("/"):
            raise FormError("names no absolute path", "write file:/// and the path, as file:///mnt/logs")
        if "@" in text.partition("://")[2].partition("/")[0]:
            raise FormError("holds a user name", "leave it out: credentials come from the environment")
        return text


class Folders:
    """Paths of folders by workspace."""

    words = "mapping: workspace to path"

    @property
    def schema(self) -> dict[str, object]:
        return {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}}

    def read(self, value: object) -> Mapping[str, str]:
        return MappingProxyType(
            {str(name): at(name, _filled, path) for name, path in as_mapping(value).items()}
        )


class Alerts:
    """Where alerts go, by method."""

    words = "mapping: `email` and `sms`, each an Apprise URL"

    @property
    def schema(self) -> dict[str, object]:
        urls = {key: {"type": "string"} for key in ("email", "sms")}
        return {"type": "object", "properties": urls, "additionalProperties": False}

    def read(self, value: object) -> Mapping[str, str]:
        known_keys(value, ("email", "sms"))
        return MappingProxyType({key: at(key, _url, url) for key, url in as_mapping(value).items()})


@dataclass(frozen=True, slots=True)
class Webhook:
    """An extension check that is asked over HTTP (VER-3)."""

    url: str
    secret: str = field(default="", repr=False)
    timeout_seconds: int = 10
    retries: int = 2


class Webhooks:
    """Extension checks by name."""

    words = "mapping: name to `{url, secret, timeout, retries}`"
    _keys = ("url", "secret", "timeout", "retries")
    _retries = Whole(0, 10)

    @property
    def schema(self) -> dict[str, object]:
        text: dict[str, object] = {"type": "string"}
        properties = {"url": text, "secret": text, "timeout": text, "retries": self._retries.schema}
        entry = {
            "type": "object",
            "properties": properties,
            "required": ["url"],
            "additionalProperties": False,
        }
        return {"type": "object", "additionalProperties": entry}

    def read(self, value: object) -> Mapping[str, Webhook]:
        return MappingProxyType(
            {str(name): at(name, self._one, entry) for name, entry in as_mapping(value).items()}
        )

    def _one(self, value: object) -> Webhook:
        entry = as_mapping(value)
        known_keys(entry, self._keys)
        return Webhook(
            _web_address(entry),
            at("secret", as_text, entry.get("secret", "")),
            at("timeout", _timeout, entry.get("timeout", "10s")),
            at("retries", self._retries.read, entry.get("retries", 2)),
        )


@dataclass(frozen=True, slots=True)
class SecretSources:
    """Where values of secrets are had beside the environment (SEC-3)."""

    file: str = ""  # path, relative to the project; "" for none
    command: tuple[str, ...] = ()  # program and arguments; empty for none
    timeout_seconds: int = 10


class Sources:
    """A file that holds values, a command that prints one, or both: then the file is asked first."""

    words = "mapping: `{file, command, timeout}`"
    _keys = ("file", "command", "timeout")

    @property
    def schema(self) -> dict[str, object]:
        text: dict[str, object] = {"type": "string", "minLength": 1}
        words: dict[str, object] = {"type": "array", "items": text, "minItems": 1}
        properties = {"file": text, "command": {"anyOf": [text, words]}, "timeout": {"type": "string"}}
        return {"type": "object", "properties": properties, "additionalProperties": False}

    def read(self, value: object) -> SecretSources:
        entry = as_mapping(value)
        known_keys(entry, self._keys)
        return SecretSources(
            at("file", _filled, entry["file"]) if "file" in entry else "",
            at("command", self._command, entry["command"]) if "command" in entry else (),
            at("timeout", _timeout, entry.get("timeout", "10s")),
        )

    def _command(self, value: object) -> tuple[str, ...]:
        """A text is cut at blanks as a shell does it; no shell runs it."""
        if isinstance(value, list) and value:
            return tuple(at(index, _filled, word) for index, word in enumerate(value))
        text = _filled(value)
        try:
            words = shlex.split(text)
        except ValueError:
            raise FormError("has a quote that does not end", "write a list: [program, argument]") from None
        if not words:
            raise FormError("names no program", "write a list: [program, argument]")
        return tuple(words)


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who is told what becomes of backfills, over HTTP (POL-9)."""

    url: str
    secret: str = field(default="", repr=False)
    timeout_seconds: int = 10


class Receivers:
    """Webhooks that are told, by name."""

    words = "mapping: name to `{url, secret, timeout}`"
    _keys = ("url", "secret", "timeout")
    _name = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")

    @property
    def schema(self) -> dict[str, object]:
        text: dict[str, object] = {"type": "string"}
        entry = {
            "type": "object",
            "properties": dict.fromkeys(self._keys, text),
            "required": ["url"],
            "additionalProperties": False,
        }
        names = {"pattern": f"^{self._name.pattern}$"}
        return {"type": "object", "propertyNames": names, "additionalProperties": entry}

    def read(self, value: object) -> Mapping[str, Receiver]:
        return MappingProxyType(
            {
                str(name): at(name, partial(self._one, name), entry)
                for name, entry in as_mapping(value).items()
            }
        )

    def _one(self, name: object, value: object) -> Receiver:
        if not isinstance(name, str) or not self._name.fullmatch(name):
            raise FormError("is no name", "write letters, digits, _ and -, at most 40, with a letter first")
        entry = as_mapping(value)
        known_keys(entry, self._keys)
        seconds = at("timeout", _timeout, entry.get("timeout", "10s"))
        if seconds > 60:
            raise FormError(f"is {duration_words(seconds)}", "write a duration from 1s to 1m").within(
                "timeout"
            )
        return Receiver(_web_address(entry), at("secret", as_text, entry.get("secret", "")), seconds)


class Networks:
    """Networks in CIDR form."""

    words = "list of networks like 10.1.0.0/16"

    @property
    def schema(self) -> dict[str, object]:
        return {"type": "array", "items": {"type": "string"}}

    def read(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise FormError(f"is {shown(value)}", "write a list, for example [10.1.0.0/16]")
        return tuple(at(index, self._one, item) for index, item in enumerate(value))

    def _one(self, value: object) -> str:
        import ipaddress

        try:
            return str(ipaddress.ip_network(as_text(value)))
        except ValueError as error:
            raise FormError(
                f"is {shown(value)}, which is no network", "write one like 10.1.0.0/16"
            ) from error


def _web_address(entry: Mapping[str, object]) -> str:
    if "url" not in entry:
        raise FormError('has no "url"', "write the address that is asked")
    url = at("url", _url, entry["url"])
    if not url.lower().startswith(("http://", "https://", "${secret:")):
        raise FormError("is no web address", "write one that begins with https://").within("url")
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise FormError(
            "holds a user name", "leave it out; a secret may stand in the path, as ${secret:NAME}"
        ).within("url")
    return url


def _url(value: object) -> str:
    text = as_text(value)
    if not _URL.fullmatch(text) and not text.startswith("${secret:"):
        raise FormError(
            "is no URL", "write one of the form scheme://..."
        )  # not shown: it may hold a password
    return text


def _filled(value: object) -> str:
    text = as_text(value)
    if not text or "\0" in text:
        raise FormError("is empty or holds a NUL character", "leave it out where there is none")
    return text


def _timeout(value: object) -> int:
    seconds = parse_duration(as_text(value))
    if not 1 <= seconds <= 300:
        raise FormError(f"is {duration_words(seconds)}", "write a duration from 1s to 5m")
    return seconds
