"""Every setting in one table: name, form, default and what it does.

A value stands under `settings:` in `retrofill.yaml` (as YAML) or in the environment as
`RETROFILL_<NAME>` (as text; lists and mappings as JSON). Both are read by the setting's
form. Forms raise `FormError` with the end of a sentence that begins with the name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from retrofill.domain.errors import did_you_mean
from retrofill.settings.forms import FormError
from retrofill.settings.identity_forms import Oidc, Origin
from retrofill.settings.outer_forms import (
    Alerts,
    BrokerUrl,
    Folders,
    Networks,
    Receivers,
    Sources,
    StorageUrl,
    StoreUrl,
    WebAddress,
    Webhooks,
)
from retrofill.settings.plain_forms import Choice, Clock, Form, LogDays, PlainText, Size, Whole

# Settings that may also stand at the top of `retrofill.yaml`.
SECTIONS = ("alerts", "checks", "webhooks", "allow_internal")
_WHOLE = re.compile(r"[0-9]{1,12}")


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
        if isinstance(self.form, PlainText | StoreUrl | BrokerUrl):
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
    Setting(
        "secrets",
        Sources(),
        {},
        "Where values of `${secret:NAME}` are had beside the environment: a YAML file of mode 0600, a command that prints "
        "one. Holds as the folder says it when a process starts, without deploying.",
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
        "broker",
        BrokerUrl(),
        "",
        "For resource groups with `executor: celery` (extra `celery`): a RabbitMQ (`amqp://`, `amqps://`) or a Redis "
        "(`redis://`, `rediss://`), may hold `${secret:NAME}`.",
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
        "log_storage",
        StorageUrl(),
        "",
        "Where logs are kept besides, for machines that do not reach each other: a bucket or a shared folder, as "
        "`s3://BUCKET/PREFIX` or `file:///mnt/logs` (extra `storage`, and the package of fsspec for such URLs). Read when "
        "a process starts.",
    ),
    Setting(
        "auto_log_cap",
        Size(100_000),
        "3m",
        "Most bytes of all logs of one date's auto triggered instances, cut daily.",
    ),
    Setting("grace_seconds", Whole(0, 3600), 10, "Seconds from asking a process to end until it is killed."),
    Setting(
        "working_folders",
        Folders(),
        {},
        "The folder in which tasks of a workspace run, by workspace: a path, relative to the project's folder as each "
        "machine calls it; else `workspaces/NAME`.",
    ),
    Setting("python", PlainText(), "", "The interpreter of python tasks; empty: Retrofill's own."),
    Setting(
        "alerts",
        Alerts(),
        {},
        "Where alerts are sent, by method; may hold `${secret:NAME}`, and `{to}` where the recipient belongs.",
    ),
    Setting(
        "webhooks",
        Receivers(),
        {},
        "Who is told by a signed POST how backfills end, fail and pause, by name; may hold `${secret:NAME}`. Holds for "
        "backfills that are created from then on.",
    ),
    Setting(
        "notify_secret",
        PlainText(),
        "",
        "What signs posts to the address that a backfill names itself; may hold `${secret:NAME}`.",
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
    Setting(
        "public_origin",
        Origin(),
        "",
        "Under which address people reach the server, where that is a proxy's; empty: as each request says.",
    ),
    Setting(
        "trusted_proxies",
        Networks(),
        ["127.0.0.0/8", "::1/128"],
        "With `public_origin`: proxies that are believed about whose requests they send on (`X-Forwarded-For`).",
    ),
    Setting(
        "oidc",
        Oidc(),
        {},
        "A provider of identities with which people sign in (extra `oidc`); `client_secret` may hold `${secret:NAME}`, "
        "`claim` names users: `preferred_username`, or `email` for their registered address.",
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
