"""The JSON Schema of the project files, and the reference pages made from the models and the table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from retrofill.domain.catalog.task_types import TASK_TYPES
from retrofill.project.models import NAME_PATTERN, DeploymentShape, WorkspaceShape
from retrofill.project.sources import WORKSPACE_FILE
from retrofill.settings.forms import DEPLOYMENT_FILE
from retrofill.settings.table import SECTIONS, TABLE, Setting

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_MADE = "<!-- Made by `make docs`; edit the models instead. -->"


def schema() -> dict[str, dict[str, Any]]:
    """A JSON Schema for each of the two files, by file name, so that editors complete and check."""
    deployment = _schema_of(DeploymentShape, required=["project"])
    properties = deployment["properties"]
    settings = {setting.name: _setting_schema(setting) for setting in TABLE}
    properties["settings"] |= {"type": "object", "properties": settings, "additionalProperties": False}
    for name in SECTIONS:
        properties[name] = settings[name]
    for name in ("connections", "resource_groups", "baselines"):
        properties[name]["propertyNames"] = {"pattern": NAME_PATTERN}
    definitions = deployment["$defs"]
    definitions["ConnectionShape"]["required"] = ["url"]
    definitions["BaselineShape"]["required"] = ["priority"]
    workspace = _schema_of(WorkspaceShape, required=["workspace"])
    for name in ("members", "tasks"):
        workspace["properties"][name]["propertyNames"] = {"pattern": NAME_PATTERN}
    return {DEPLOYMENT_FILE: deployment, WORKSPACE_FILE: workspace}


def _schema_of(model: type[BaseModel], required: list[str]) -> dict[str, Any]:
    made = _tidy(model.model_json_schema(by_alias=True))
    assert isinstance(made, dict)
    return {"$schema": _DIALECT, **made, "required": required}


def _setting_schema(setting: Setting) -> dict[str, Any]:
    return {**setting.form.schema, "description": setting.sentence, "default": setting.default}


def _tidy(value: Any) -> Any:
    """Without what pydantic adds and a reader does not need: titles, and null as an alternative."""
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    tidy = {
        key: {name: _tidy(field) for name, field in item.items()} if key == "properties" else _tidy(item)
        for key, item in value.items()
        if key != "title" and not (key == "default" and item is None)
    }
    alternatives = tidy.get("anyOf", [])
    if {"type": "null"} in alternatives:
        rest = [item for item in alternatives if item != {"type": "null"}]
        del tidy["anyOf"]
        tidy |= rest[0] if len(rest) == 1 else {"anyOf": rest}
    return tidy


def project_files_page() -> str:
    """`docs/reference/project-files.md`: every key of both files."""
    lines = ["# Project files", "", _MADE, "", _INTRODUCTION.strip(), ""]
    for file, made in schema().items():
        lines += [f"## `{file}`", ""]
        lines += _key_table(made, made.get("$defs", {}))
        for name, definition in made.get("$defs", {}).items():
            lines += [f"### {_TITLES[name]}", "", definition["description"], ""]
            lines += _key_table(definition, made["$defs"])
    lines += ["## Task types", "", *_type_table(), ""]
    lines += _CLOSING.strip().splitlines()
    return "\n".join(lines) + "\n"


def _type_table() -> Iterator[str]:
    yield "| type | its code | its parameters are | uses a connection | finds the files of `include` |"
    yield "|---|---|---|---|---|"
    for word, task_type in TASK_TYPES.items():
        traits = task_type.traits
        given = ["replaced in its text, as `${name}`"] if traits.is_sql else ["variables"]
        given += ["arguments, `$1 $2 ...`"] if traits.has_arguments else []
        cells = (
            traits.means,
            " and ".join(given) if traits.has_code else "",
            "yes" if traits.has_connection else "",
            "yes" if traits.has_files else "",
        )
        yield f"| `{word}` | {' | '.join(cells)} |"


def _key_table(definition: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    yield "| key | value | meaning |"
    yield "|---|---|---|"
    for key, field in definition["properties"].items():
        meaning = field.get("description", "")
        yield f"| `{key}` | {_value_words(field, definitions)} | {meaning} |"
    yield ""


def _value_words(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in field:
        return _TITLES[field["$ref"].rpartition("/")[2]].lower()
    if "enum" in field:
        return ", ".join(f"`{word}`" for word in field["enum"])
    kind = field.get("type")
    if kind == "object":
        inner = field.get("additionalProperties")
        return f"name: {_value_words(inner, definitions)}" if isinstance(inner, dict) else "mapping"
    if kind == "array":
        return f"list of {_value_words(field['items'], definitions)}"
    if kind == "integer":
        bounds = (field.get("minimum"), field.get("maximum"))
        return f"whole number, {bounds[0]:,} to {bounds[1]:,}" if None not in bounds else "whole number"
    if kind == "string":
        if field.get("format") == "date":
            return "date, YYYY-MM-DD"
        if field.get("pattern", "").endswith("[smhd]$"):
            return "duration"
        return "name" if field.get("pattern") == NAME_PATTERN else "text"
    if "oneOf" in field:
        return "dependency"
    return "`true` or `false`" if kind == "boolean" else "text"


def settings_page() -> str:
    """`docs/reference/settings.md`: every setting."""
    lines = ["# Settings", "", _MADE, "", _SETTINGS_INTRODUCTION.strip(), ""]
    lines += ["| setting | value | default | what it does |", "|---|---|---|---|"]
    for setting in TABLE:
        default = setting.default if isinstance(setting.default, str) else json.dumps(setting.default)
        shown = f"`{default}`" if default else "empty"
        lines.append(f"| `{setting.name}` | {setting.form.words} | {shown} | {setting.sentence} |")
    return "\n".join(lines) + "\n"


_TITLES = {
    "TaskShape": "Task",
    "RerunShape": "Rerun",
    "ValidShape": "Validity",
    "ConnectionShape": "Connection",
    "SecretShape": "Secret",
    "ResourceGroupShape": "Resource group",
    "ScalerShape": "Scaler",
    "BaselineShape": "Baseline",
}

_INTRODUCTION = """
A project is a folder with `retrofill.yaml` and, for each workspace, `workspaces/NAME/workspace.yaml`
with the code files beside it. `retrofill check` reports every problem with file, line and column;
`retrofill schema` prints JSON Schemas of both files for editors.

The YAML is strict: no aliases, anchors, tags or repeated keys, one document a file, UTF-8. Where text
is expected, a value that YAML readers take for something else (`no`, `on`, `012`, `1e3`, `1:30`,
`2013-01-01`) must stand in quotes; dates under `valid` need none. Names have letters, digits, `_` and
`-`, begin with a letter or `_`, and may not differ from one another only in case.
Durations are written `30s`, `5m`, `2h`, `3d`.
"""

_CLOSING = """
## Defaults and dependencies

A task's own keys replace those of `defaults` one by one; `parameters` and every other key as a whole.
`priority` and `baseline` are one choice, as are `run` and `file`: a task that has one of them takes
nothing from the default's other.

An entry of `depends_on` is a task of the same workspace (`raw_flights`), of another one
(`weather.hourly_observations`), a task's previous cycle (`{task: ops.budget, cycle: previous}`), the
task's own previous cycle (`{task: self, cycle: previous}`), or the previous cycle of all tasks that
depend on it (`{children: previous}`).

The group `default` (exclusive, 4 slots) exists also when it is not declared. Shell code is passed to the
shell as one argument and holds at most 100,000 bytes; other code at most 1,000,000, and a YAML file at
most 10,000,000. 2,000 tasks are checked in about a second, 20,000 in about ten. Connections may hold secrets as `${secret:NAME}`.
"""

_SETTINGS_INTRODUCTION = """
A setting is taken from the environment variable `RETROFILL_<NAME>`, for example `RETROFILL_MAX_TASKS`,
else from `settings:` in `retrofill.yaml`, else it has its default. In the environment lists and mappings
are written as JSON. A scheduler that runs follows the settings of the version that is deployed (`openlineage` and
`log_storage` it reads when it starts, as its environment). `alerts`, `checks`, `webhooks` and
`allow_internal` may also stand at the top of `retrofill.yaml`.
"""
