"""The shape of both project files, as pydantic models: what keys there are and what they hold.

The JSON Schema for editors and the reference page are made from these models. Only shape
is checked here; what one key says about another is checked in `tasks` and `deployment`.
Every model refuses unknown keys. No task key is required, because `defaults` may give it.
"""

from __future__ import annotations

import re
from datetime import date
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from retrofill.domain.catalog.task_types import TASK_TYPES, types_that
from retrofill.project.yaml_nodes import Ambiguous
from retrofill.settings.durations import parse_duration
from retrofill.settings.forms import FormError

NAME_PATTERN = "^[A-Za-z_][A-Za-z0-9_-]*$"
MAX_NAME_LENGTH = 128
PRIORITIES = (1, 3, 5, 7, 8)
ROLES = ("administrator", "operator", "developer", "visitor")
MAX_TIMEOUT_SECONDS = 168 * 3600
MAX_INTERVAL_SECONDS = 30 * 60

_NAME = re.compile(NAME_PATTERN)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EARLIEST, _LATEST = date(1970, 1, 1), date(2200, 1, 1)


def check_name(text: str) -> None:
    """CAT-7.

    Raises:
        FormError: the text is no name.
    """
    if len(text) > MAX_NAME_LENGTH:
        raise FormError(f"is {len(text)} characters long", f"a name has at most {MAX_NAME_LENGTH}")
    if not _NAME.fullmatch(text) or text.endswith("\n"):
        raise FormError(
            f'is "{text}", which is not a name',
            "a name has letters, digits, _ and -, and starts with a letter or _",
        )


def _name(value: object) -> object:
    if isinstance(value, str):
        check_name(value)
    return value


def _duration(lowest: int, highest: int, words: str) -> BeforeValidator:
    def read(value: object) -> object:
        if isinstance(value, int) and not isinstance(value, bool):
            raise FormError(f"is {value}, which has no unit", f"write it like {value}s, 5m, 2h or 3d")
        if not isinstance(value, str):
            raise FormError("must be a duration", "write it like 30s, 5m, 2h or 3d")
        seconds = parse_duration(value)
        if not lowest <= seconds <= highest:
            raise FormError(f'is "{value}"', f"write a duration from {words}")
        return seconds

    return BeforeValidator(read)


def _day(value: object) -> object:
    raw = value.raw if isinstance(value, Ambiguous) else value
    if not isinstance(raw, str) or not _DATE.fullmatch(raw) or not raw.isascii():
        raise FormError(f'is "{raw}", which is not a date', "write it as YYYY-MM-DD")
    try:
        day = date.fromisoformat(raw)
    except ValueError as error:
        raise FormError(
            f"is {raw}, which is not a calendar date ({error})", "write it as YYYY-MM-DD"
        ) from None
    if not _EARLIEST <= day <= _LATEST:
        raise FormError(f"is {raw}", f"write a date from {_EARLIEST} to {_LATEST}")
    return day


def _priority(value: object) -> object:
    if isinstance(value, bool) or value not in PRIORITIES:
        raise FormError(f"is {_shown(value)}", "write 1, 3, 5, 7 or 8")
    return value


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping"
    return f'"{value}"' if isinstance(value, str) else str(value)


_DURATION_SCHEMA = {"type": "string", "pattern": "^[0-9]+[smhd]$"}
_DAY_SCHEMA = {"type": "string", "format": "date"}
_DEPENDENCY_SCHEMA = {
    "oneOf": [
        {"type": "string", "description": "A task (`task` or `workspace.task`), same cycle."},
        {
            "type": "object",
            "properties": {
                "task": {"type": "string", "description": "`self`, `task` or `workspace.task`."},
                "cycle": {"enum": ["same", "previous"], "description": "Default: same."},
            },
            "required": ["task"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"children": {"const": "previous"}},
            "required": ["children"],
            "additionalProperties": False,
        },
    ]
}

Name = Annotated[
    str,
    BeforeValidator(_name),
    WithJsonSchema({"type": "string", "pattern": NAME_PATTERN, "maxLength": MAX_NAME_LENGTH}),
]
Text = Annotated[str, Field(min_length=1)]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema(_DAY_SCHEMA)]
Priority = Annotated[int, BeforeValidator(_priority), WithJsonSchema({"enum": list(PRIORITIES)})]
Timeout = Annotated[int, _duration(1, MAX_TIMEOUT_SECONDS, "1s to 168h"), WithJsonSchema(_DURATION_SCHEMA)]
Interval = Annotated[int, _duration(0, MAX_INTERVAL_SECONDS, "0s to 30m"), WithJsonSchema(_DURATION_SCHEMA)]
DependencyEntry = Annotated[Any, WithJsonSchema(_DEPENDENCY_SCHEMA)]


# Made from the tables of the domain; a type checker sees any text.
if TYPE_CHECKING:
    TaskTypeWord = str
else:
    TaskTypeWord = Literal[tuple(TASK_TYPES)]
_WITH_CONNECTION = " and ".join(types_that(attrgetter("has_connection")))
_TYPES = "; ".join(f"`{word}`: {task_type.traits.means}" for word, task_type in TASK_TYPES.items())


class Shape(BaseModel):
    """A mapping of a project file: unknown keys are refused, nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RerunShape(Shape):
    """Automatic and manual reruns of a task."""

    mode: Literal["always", "on_failure", "never"] = Field(
        "always", description="When a person may rerun it, and whether it is rerun automatically."
    )
    times: int = Field(0, ge=0, le=10, description="Automatic reruns after a failure.")
    interval: Interval = Field(
        120,
        description="Wait before an automatic rerun, 0s to 30m; default 2m.",
        json_schema_extra={"default": "2m"},
    )
    on_lost: bool = Field(
        False, description="Rerun also when a run was lost, though its work may have been done."
    )


class ValidShape(Shape):
    """Dates of the scheduled time on which instances are made, both inclusive."""

    from_: Day | None = Field(None, alias="from", description="First date.")
    until: Day | None = Field(None, description="Last date.")


class TaskShape(Shape):
    """A task, or the `defaults` of a workspace's tasks."""

    type: TaskTypeWord | None = Field(None, description=f"What its code is: {_TYPES}. Required.")
    schedule: Text | None = Field(
        None, description="Five-field cron or @hourly, @daily, @weekly, @monthly, @yearly. Required."
    )
    run: Text | None = Field(None, description="The code itself. Exactly one of `run` and `file`.")
    file: Text | None = Field(None, description="A file with the code, relative to the workspace's folder.")
    shell: Text | None = Field(
        None,
        description="What runs a shell task's code: `sh`, `bash` or a path; default sh. A first line `#!` goes before it.",
    )
    env: dict[str, str] | None = Field(None, description="Variables that the task finds: name and text.")
    inherit_env: list[Text] | None = Field(
        None,
        description="Variables that it finds as the scheduler has them: names, or beginnings as `AWS_*`.",
    )
    connection: Text | None = Field(
        None, description=f"The connection that it uses. Required for {_WITH_CONNECTION}."
    )
    depends_on: list[DependencyEntry] | None = Field(None, description="The tasks that it waits for.")
    parameters: dict[str, str] | None = Field(
        None, description="Scheduling parameters: name and expression, for example `$bizdate`."
    )
    reads: list[Text] | None = Field(
        None, description="Tables and files that it reads, for lineage; those in its SQL are known."
    )
    writes: list[Text] | None = Field(
        None, description="Tables and files that it writes, for lineage; those in its SQL are known."
    )
    owner: Text | None = Field(None, description="A member of the workspace.")
    priority: Priority | None = Field(None, description="1, 3, 5, 7 or 8; default 1. Not with `baseline`.")
    baseline: Text | None = Field(None, description="The baseline whose priority it has.")
    resource_group: Text | None = Field(None, description="The pool of slots it runs in; default `default`.")
    rerun: RerunShape | None = Field(None, description="Reruns.")
    timeout: Timeout | None = Field(None, description="Longest run, 1s to 168h; default 3d.")
    max_parallel_instances: int | None = Field(
        None, ge=1, le=100_000, description="Most instances of it that run at once; default: no limit."
    )
    mode: Literal["normal", "dry_run", "paused"] | None = Field(
        None, description="`dry_run`: succeeds without running. `paused`: its instances are frozen."
    )
    generation: Literal["next_day", "immediate"] | None = Field(
        None, description="`immediate`: a deploy also makes today's remaining instances."
    )
    valid: ValidShape | None = Field(None, description="When it has instances; default: always.")
    tags: list[Text] | None = Field(None, description="Words to find it by.")
    description: str | None = Field(None, description="What it is for.")


class WorkspaceShape(Shape):
    """`workspaces/NAME/workspace.yaml`: one team's tasks and members."""

    workspace: Name | None = Field(None, description="Its name, the same as its folder's. Required.")
    timezone: Text | None = Field(None, description="IANA time zone; default: the deployment's.")
    region: Name | None = Field(None, description="Default: the deployment's.")
    members: dict[str, Literal["administrator", "operator", "developer", "visitor"]] | None = Field(
        None, description="User name and role."
    )
    include: list[Text] | None = Field(
        None,
        description="Further files that a version holds, such as `lib/**/*.py`, relative to the workspace's folder.",
    )
    defaults: TaskShape | None = Field(None, description="Keys for every task that does not have its own.")
    tasks: dict[str, TaskShape] | None = Field(None, description="The tasks by name.")


class ConnectionShape(Shape):
    """A database that sql tasks use."""

    url: Text | None = Field(
        None,
        description="SQLAlchemy URL; may hold `${secret:NAME}`; a relative file is relative to the project.",
    )


class SecretShape(Shape):
    """Who may use a secret. Its value is never written here: it is RETROFILL_SECRET_NAME of the scheduler."""

    workspaces: list[Text] | None = Field(
        None,
        description="Workspaces whose tasks may name it. Required; a secret that is not listed serves all.",
    )


class ScalerShape(Shape):
    """What adds and removes hosts of an elastic resource group. One of `command` and `url`."""

    command: list[Text] | None = Field(
        None,
        description="Program and arguments, run in the project's folder; the notice is its standard input.",
    )
    url: Text | None = Field(None, description="The notice is posted there; may hold `${secret:NAME}`.")
    secret: Text | None = Field(
        None, description="Signs what is posted, as webhooks; may hold `${secret:NAME}`."
    )


class ResourceGroupShape(Shape):
    """A pool of slots that instances run in."""

    type: Literal["shared", "exclusive", "serverless"] = Field("exclusive", description="Default: exclusive.")
    slots: int = Field(4, ge=1, le=100_000, description="Instances that run at once; default 4.")
    reserved_for_auto: int = Field(
        0, ge=0, le=100_000, description="Slots that backfills may not use; default 0."
    )
    workspaces: list[Text] | None = Field(None, description="Workspaces that may use it; default: all.")
    executor: Name = Field(
        "local",
        description="Where they run: `local`, on the machine of who schedules (default); on a PostgreSQL store also "
        "`pull`, on workers that ask for work, or `celery`, on workers that a broker tells of it.",
    )
    scaler: ScalerShape | None = Field(
        None, description="Is told how many slots are wanted. Only with type `serverless` and an `executor`."
    )


class BaselineShape(Shape):
    """A commitment with a priority that tasks belong to."""

    priority: Priority | None = Field(None, description="1, 3, 5, 7 or 8. Required.")


class DeploymentShape(Shape):
    """`retrofill.yaml`: what all workspaces share."""

    project: Name | None = Field(None, description="Its name. Required.")
    timezone: Text | None = Field(None, description="IANA time zone; default UTC.")
    region: Name | None = Field(None, description="Default: default.")
    connections: dict[str, ConnectionShape] | None = Field(None, description="Databases by name.")
    secrets: dict[str, SecretShape] | None = Field(
        None, description="Secrets that only some workspaces may use, by name."
    )
    resource_groups: dict[str, ResourceGroupShape] | None = Field(None, description="Pools of slots by name.")
    baselines: dict[str, BaselineShape] | None = Field(None, description="Baselines by name.")
    inherit_env: list[Text] | None = Field(
        None,
        description="Variables that all tasks find as the scheduler has them: names, or beginnings as `AWS_*`.",
    )
    settings: dict[str, Any] | None = Field(None, description="See the settings reference.")
    alerts: dict[str, Any] | None = Field(None, description="The setting `alerts`.")
    checks: dict[str, Any] | None = Field(None, description="The setting `checks`.")
    webhooks: dict[str, Any] | None = Field(None, description="The setting `webhooks`.")
    allow_internal: list[Any] | None = Field(None, description="The setting `allow_internal`.")
