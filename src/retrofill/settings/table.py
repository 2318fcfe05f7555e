"""Every setting in one table: name, form, default and what it does.

A value stands under `settings:` in `retrofill.yaml` (as YAML) or in the environment as
`RETROFILL_<NAME>` (as text; lists and mappings as JSON). Both are read by the setting's
form. Forms raise `FormError` with the end of a sentence that begins with the name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, TypeVar

from retrofill.domain.errors import did_you_mean
from retrofill.settings.durations import duration_words, parse_duration, parse_size
from retrofill.settings.forms import FormError

GROUP_TYPES = ("shared", "exclusive", "serverless")
# Settings that may also stand at the top of `retrofill.yaml`.
SECTIONS = ("alerts", "checks", "allow_internal")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.+", re.DOTALL)
_STORE_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
_WHOLE = re.compile(r"[0-9]{1,12}")
_T = TypeVar("_T")


class Form(Protocol):
    """How a setting is written; `words` is for people, `schema` for editors."""

    @property
    def words(self) -> str: ...
    @property
    def schema(self) -> dict[str, object]: ...
    def read(self, value: object) -> object: ...


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else json.dumps(value, default=str)


class Whole:
    """A whole number; in the environment its digits."""

    def __init__(self, lowest: int, highest: int) -> None:
        self.lowest = lowest
        self.highest = highest

    @property
    def words(self) -> str:
        return f"whole number, {self.lowest:,} to {self.highest:,}"

    @property
    def schema(self) -> dict[str, object]:
        return {"type": "integer", "minimum": self.lowest, "maximum": self.highest}

    def read(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not self.lowest <= value <= self.highest:
            hint = f"write a whole number from {self.lowest:,} to {self.highest:,}"
            raise FormError(f"is {_shown(value)}", hint)
        return value


class Clock:
    """A time of day; read as minutes after midnight."""

    words = "time of day, hh:mm"

    @property
    def schema(self) -> dict[str, object]:
        return {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}

    def read(self, value: object) -> int:
        if not isinstance(value, str) or not _CLOCK.fullmatch(value):
            raise FormError(f"is {_shown(value)}", "write a time of day from 00:00 to 23:59, like 23:30")
        return int(value[:2]) * 60 + int(value[3:])


class Choice:
    """One of a few words."""

    def __init__(self, *options: str) -> None:
        self.options = options

    @property
    def words(self) -> str:
        return " or ".join(f"`{option}`" for option in self.options)

    @property
    def schema(self) -> dict[str, object]:
        return {"enum": list(self.options)}

    def read(self, value: object) -> str:
        if value not in self.options:
            raise FormError(f"is {_shown(value)}", f"write {' or '.join(self.options)}")
        return str(value)


class Size:
    """A number of bytes; 0 switches off."""

    words = "size like 500k, 50m, 1g; 0 for none"

    def __init__(self, lowest: int) -> None:
        self.lowest = lowest

    @property
    def schema(self) -> dict[str, object]:
        return {"anyOf": [{"type": "string", "pattern": "^[0-9]+[kmg]$"}, {"const": 0}]}

    def read(self, value: object) -> int:
        size = parse_size(str(value) if value == 0 and not isinstance(value, bool) else _text(value))
        if size and size < self.lowest:
            raise FormError(f"is {_shown(value)}", f"write 0 or at least {self.lowest // 1000}k")
        return size


class PlainText:
    """Any text."""

    words = "text"

    @property
    def schema(self) -> dict[str, object]:
        return {"type": "string"}

    def read(self, value: object) -> str:
        return _text(value)


class StoreUrl:
    """The URL of a database on a PostgreSQL server, or nothing for the embedded store."""

    words = "URL, or empty"

    @property
    def schema(self) -> dict[str, object]:
        return {"type": "string", "pattern": "^(postgres(ql)?(\\+psycopg)?://.+)?$"}

    def read(self, value: object) -> str:
        """Without what only SQLAlchemy understands; a message shows no password."""
        text = _text(value)
        scheme, separator, rest = text.partition("://")
        if text and (not separator or scheme not in _STORE_SCHEMES or not rest):
            raise FormError(
                f"is no URL of a store: it begins with {_shown(scheme[:20])}" if separator else "is no URL",
                "write postgresql://USER:${secret:NAME}@HOST/DATABASE, or nothing for the embedded store",
            )
        return f"postgresql://{rest}" if text else ""


class WebAddress:
    """The address of a web service, or nothing."""

    words = "URL, or empty"

    @property
    def schema(self) -> dict[str, object]:
        return {"type": "string"}

    def read(self, value: object) -> str:
        text = _text(value)
        if text and not text.startswith(("http://", "https://")):
            raise FormError("is no address of a web service", "write one of the form https://...")
        return text


class LogDays:
    """Days by type of resource group; one number stands for all types."""

    words = "whole number for all, or a mapping with shared, exclusive, serverless"
    _days = Whole(1, 36_500)

    @property
    def schema(self) -> dict[str, object]:
        days = self._days.schema
        mapping = {
            "type": "object",
            "properties": dict.fromkeys(GROUP_TYPES, days),
            "additionalProperties": False,
        }
        return {"anyOf": [days, mapping]}

    def read(self, value: object) -> Mapping[str, int]:
        if not isinstance(value, Mapping):
            return MappingProxyType(dict.fromkeys(GROUP_TYPES, self._days.read(value)))
        _known_keys(value, GROUP_TYPES)
        days = {"shared": 7, "exclusive": 30, "serverless": 30}
        for key, number in value.items():
            days[str(key)] = _at(key, self._days.read, number)
        return MappingProxyType(days)


class Alerts:
    """Where alerts go, by method."""

    words = "mapping: `email` and `sms`, each an Apprise URL"

    @property
    def schema(self) -> dict[str, object]:
        urls = {key: {"type": "string"} for key in ("email", "sms")}
        return {"type": "object", "properties": urls, "additionalProperties": False}

    def read(self, value: object) -> Mapping[str, str]:
        _known_keys(value, ("email", "sms"))
        return MappingProxyType({key: _at(key, _url, url) for key, url in _mapping(value).items()})


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
            {str(name): _at(name, self._one, entry) for name, entry in _mapping(value).items()}
        )

    def _one(self, value: object) -> Webhook:
        entry = _mapping(value)
        _known_keys(entry, self._keys)
        if "url" not in entry:
            raise FormError('has no "url"', "write the address that is asked")
        url = _at("url", _url, entry["url"])
        if not url.lower().startswith(("http://", "https://", "${secret:")):
            raise FormError("is no web address", "write one that begins with https://").within("url")
        if "@" in url.partition("://")[2].partition("/")[0]:
            raise FormError(
                "holds a user name", "leave it out; a secret may stand in the path, as ${secret:NAME}"
            ).within("url")
        return Webhook(
            url,
            _at("secret", _text, entry.get("secret", "")),
            _at("timeout", _timeout, entry.get("timeout", "10s")),
            _at("retries", self._retries.read, entry.get("retries", 2)),
        )


class Networks:
    """Networks in CIDR form."""

    words = "list of networks like 10.1.0.0/16"

    @property
    def schema(self) -> dict[str, object]:
        return {"type": "array", "items": {"type": "string"}}

    def read(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise FormError(f"is {_shown(value)}", "write a list, for example [10.1.0.0/16]")
        return tuple(_at(index, self._one, item) for index, item in enumerate(value))

    def _one(self, value: object) -> str:
        import ipaddress

        try:
            return str(ipaddress.ip_network(_text(value)))
        except ValueError as error:
            raise FormError(
                f"is {_shown(value)}, which is no network", "write one like 10.1.0.0/16"
            ) from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise FormError(f"is {_shown(value)}, and text is expected", "put it in quotes")
    return value


def _url(value: object) -> str:
    text = _text(value)
    if not _URL.fullmatch(text) and not text.startswith("${secret:"):
        raise FormError(
            "is no URL", "write one of the form scheme://..."
        )  # not shown: it may hold a password
    return text


def _timeout(value: object) -> int:
    seconds = parse_duration(_text(value))
    if not 1 <= seconds <= 300:
        raise FormError(f"is {duration_words(seconds)}", "write a duration from 1s to 5m")
    return seconds


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise FormError(f"is {_shown(value)}", "write a mapping, lines of the form key: value")
    return value


def _known_keys(value: object, known: tuple[str, ...]) -> None:
    for key in _mapping(value):
        if key not in known:
            near = did_you_mean(key, known)[2:] or f"the keys are {', '.join(known)}"
            raise FormError("is an unknown key", near).within(key)


def _at(step: str | int, read: Callable[[object], _T], value: object) -> _T:
    try:
        return read(value)
    except FormError as error:
        raise error.within(step) from None


@dataclass(frozen=True, slots=True)
class Setting:
    """One row; `default` is written as in YAML, None where there is none."""

    name: str
    form: Form
    default: object
    sentence: str

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return f"RETROFILL_{self.name.upper()}"

    def read_text(self, text: str) -> object:
        """The value of the environment's text.

        Raises:
            FormError: it is not in the setting's form.
        """
        value: object = text
        if _WHOLE.fullmatch(text) and text.isascii():
            value = int(text)
        elif text.startswith(("{", "[")):
            try:
                value = json.loads(text)
            except (ValueError, RecursionError):
                raise FormError("begins like JSON and is none", "write JSON, for example [] or {}") from None
        if isinstance(self.form, PlainText | StoreUrl):
            value = text
        return self.form.read(value)


TABLE: tuple[Setting, ...] = (
    Setting(
        "store",
        StoreUrl(),
        "",
        "Where everything is kept: a database of a PostgreSQL server (extra `postgres`), may hold `${secret:NAME}`; "
        "empty: a file in `.retrofill`. Holds as the folder says it, without deploying.",
    ),
    Setting("max_roots", Whole(1, 100_000), 500, "Most root tasks of one manual backfill."),
    Setting("max_tasks", Whole(1, 1_000_000), 2000, "Most tasks of one manual backfill."),
    Setting("max_workspace_tasks", Whole(1, 1_000_000), 20_000, "Most tasks of one backfill by workspace."),
    Setting("max_instances", Whole(1, 100_000_000), 1_000_000, "Most instances of one backfill."),
    Setting("max_bizdates", Whole(1, 84_006), 3660, "Most bizdates of one backfill."),
    Setting("generation_time", Clock(), "23:30", "When the next date's auto triggered instances are made."),
    Setting("catch_up_nights", Whole(0, 366), 7, "Most missed nights whose instances are made afterwards."),
    Setting(
        "clock_tolerance_minutes",
        Whole(1, 10_080),
        60,
        "How far the clock may be off the time that has passed, and behind the store, before no night is made and "
        "nothing is deleted by age.",
    ),
    Setting(
        "host_lost_minutes",
        Whole(1, 10_080),
        2,
        "On a PostgreSQL server: how long a machine may not be heard of before the runs that live on it are lost.",
    ),
    Setting(
        "auto_conflict",
        Choice("stop", "wait"),
        "stop",
        "What becomes of a running backfill instance when the auto triggered one of the same task and time "
        "is ready: it is stopped and starts again later, or the auto triggered one waits.",
    ),
    Setting(
        "retention_days",
        Whole(1, 36_500),
        30,
        "Days that backfills and instances are kept after their last change.",
    ),
    Setting(
        "retention_time",
        Clock(),
        "04:00",
        "When a scheduler removes what is older than that, in the deployment's time zone; when it was not "
        "running then, as soon as it is.",
    ),
    Setting(
        "log_days",
        LogDays(),
        {"shared": 7, "exclusive": 30, "serverless": 30},
        "Days that logs are kept, by type of resource group.",
    ),
    Setting("log_cap", Size(100_000), "50m", "Most bytes of one log; over it the middle is cut out."),
    Setting(
        "auto_log_cap",
        Size(100_000),
        "3m",
        "Most bytes of all logs of one date's auto triggered instances, cut daily.",
    ),
    Setting("grace_seconds", Whole(0, 3600), 10, "Seconds from asking a process to end until it is killed."),
    Setting("python", PlainText(), "", "The interpreter of python tasks; empty: Retrofill's own."),
    Setting(
        "alerts",
        Alerts(),
        {},
        "Where alerts are sent, by method; may hold `${secret:NAME}`, and `{to}` where the recipient belongs.",
    ),
    Setting("checks", Webhooks(), {}, "Extension checks that must pass before a backfill runs."),
    Setting("plugin_seconds", Whole(1, 300), 30, "Most seconds that an extension check plugin may take."),
    Setting(
        "allow_internal",
        Networks(),
        [],
        "Internal addresses that webhooks may reach (`json`, `xml` and `form` alerts among them).",
    ),
    Setting(
        "openlineage",
        WebAddress(),
        "",
        "Where OpenLineage events of runs are sent (extra `openlineage`); empty: nowhere.",
    ),
)
BY_NAME: Mapping[str, Setting] = MappingProxyType({setting.name: setting for setting in TABLE})


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """`path` leads from the settings to the part that is wrong; `is_key`: the key itself is."""

    path: tuple[str | int, ...]
    message: str
    hint: str
    is_key: bool = False


def read_settings(values: Mapping[str, object]) -> tuple[dict[str, object], list[SettingProblem]]:
    """The values of declared settings, by name, and what is wrong with the others."""
    read: dict[str, object] = {}
    problems: list[SettingProblem] = []
    for name, value in values.items():
        setting = BY_NAME.get(name)
        if setting is None:
            near = did_you_mean(name, BY_NAME)[2:] or f"the settings are {', '.join(BY_NAME)}"
            problems.append(SettingProblem((name,), f'unknown setting "{name}"', near, is_key=True))
            continue
        try:
            read[name] = setting.form.read(value)
        except FormError as error:
            path = (name, *error.path)
            label = ".".join(str(step) for step in path)
            is_key = error.message == "is an unknown key"
            problems.append(SettingProblem(path, f'"{label}" {error.message}', error.hint, is_key))
    return read, problems
