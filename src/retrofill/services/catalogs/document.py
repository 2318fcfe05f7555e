"""A catalog as canonical JSON, and back: the form in which a deployed version is stored.

Equal catalogs give equal text: keys are sorted, values that are the default are left out,
`settings` and everything else are kept as declared. Secrets stay the references that the
project holds (`${secret:NAME}`); nothing here resolves them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from retrofill.domain.catalog.definitions import (
    LOCAL,
    Catalog,
    Dependency,
    DependencyKind,
    IncludedFile,
    Rerun,
    ResourceGroup,
    RunMode,
    ScalerHook,
    SourceFile,
    Task,
    Workspace,
)
from retrofill.domain.catalog.task_types import TASK_TYPES
from retrofill.domain.errors import Kind, RetrofillError, shown
from retrofill.domain.time import cron

FORMAT = 1

_RUN_MODES = {mode.value: mode for mode in RunMode}
_DEPENDENCY_KINDS = {kind.value: kind for kind in DependencyKind}
_TEXTS = ("code", "code_file", "shell", "connection", "owner", "baseline", "description")
_LISTS = ("inherit_env", "reads", "writes", "tags")


class UnknownFormatError(RetrofillError):
    """Upgrade Retrofill: the version was stored by a newer one."""

    code = "unknown_format"
    kind = Kind.UNAVAILABLE


def dump(catalog: Catalog) -> str:
    """The catalog as one line of JSON; equal catalogs give equal text (CAT-1)."""
    document = {
        "format": FORMAT,
        "project": catalog.project,
        "timezone": catalog.timezone,
        "region": catalog.region,
        "workspaces": {w.name: _workspace_document(w) for w in catalog.workspaces.values()},
        "tasks": {task.name: _task_document(task) for task in catalog.tasks.values()},
        "resource_groups": {g.name: _group_document(g) for g in catalog.resource_groups.values()},
        "baselines": dict(catalog.baselines),
        "connections": dict(catalog.connections),
        "settings": dict(catalog.settings),
        "files": [[file.path, file.sha256] for file in catalog.files],
    }
    if catalog.secrets:
        document["secrets"] = {name: sorted(bound) for name, bound in catalog.secrets.items()}
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def load(text: str) -> Catalog:
    """The catalog that `dump` wrote, equal to the one it was given, tasks in order of their names.

    Raises:
        UnknownFormatError: the text was written by a newer program.
    """
    document = json.loads(text)
    if document.get("format") != FORMAT:
        raise UnknownFormatError(
            f"the stored catalog has format {document.get('format')!r}, and this program reads format {FORMAT}"
        )
    return Catalog(
        project=document["project"],
        timezone=document["timezone"],
        region=document["region"],
        workspaces=MappingProxyType(
            {name: _workspace(name, w) for name, w in document["workspaces"].items()}
        ),
        tasks=MappingProxyType({name: _task(name, t) for name, t in document["tasks"].items()}),
        resource_groups=MappingProxyType(
            {name: _group(name, g) for name, g in document["resource_groups"].items()}
        ),
        baselines=MappingProxyType(document["baselines"]),
        connections=MappingProxyType(document["connections"]),
        settings=MappingProxyType(document["settings"]),
        files=tuple(SourceFile(path, sha256) for path, sha256 in document["files"]),
        secrets=MappingProxyType(
            {name: frozenset(bound) for name, bound in document.get("secrets", {}).items()}
        ),
    )


def load_task(name: str, text: str) -> Task:
    """One task of a catalog that `dump` wrote, from its part of the text alone."""
    return _task(name, json.loads(text))


def _workspace_document(workspace: Workspace) -> dict[str, Any]:
    document: dict[str, Any] = {
        "timezone": workspace.timezone,
        "region": workspace.region,
        "members": dict(workspace.members),
    }
    if workspace.include:
        document["include"] = list(workspace.include)
        document["files"] = [[f.path, f.sha256, f.size, f.is_executable] for f in workspace.files]
    return document


def _workspace(name: str, document: Mapping[str, Any]) -> Workspace:
    return Workspace(
        name,
        document["timezone"],
        document["region"],
        MappingProxyType(document["members"]),
        tuple(document.get("include", ())),
        tuple(IncludedFile(*file) for file in document.get("files", ())),
    )


def _group_document(group: ResourceGroup) -> dict[str, Any]:
    return {
        "type": group.type,
        "slots": group.slots,
        "reserved_for_auto": group.reserved_for_auto,
        "workspaces": None if group.workspaces is None else sorted(group.workspaces),
        **({} if group.is_local else {"executor": group.executor}),
        **({} if group.scaler is None else {"scaler": [*_scaler_document(group.scaler)]}),
    }


def _scaler_document(scaler: ScalerHook) -> tuple[list[str], str, str]:
    return list(scaler.command), scaler.url, scaler.secret


def _group(name: str, document: Mapping[str, Any]) -> ResourceGroup:
    bound = document["workspaces"]
    return ResourceGroup(
        name,
        document["type"],
        document["slots"],
        document["reserved_for_auto"],
        None if bound is None else frozenset(bound),
        document.get("executor", LOCAL),
        _scaler(document["scaler"]) if "scaler" in document else None,
    )


def _scaler(document: Sequence[Any]) -> ScalerHook:
    command, url, secret = document
    return ScalerHook(tuple(command), url, secret)


def _task_document(task: Task) -> dict[str, Any]:
    document: dict[str, Any] = {"type": task.type.value, "schedule": task.schedule.text}
    for key in _TEXTS:
        if text := getattr(task, key):
            document[key] = text
    for key in _LISTS:
        if items := getattr(task, key):
            document[key] = list(items)
    if task.env:
        document["env"] = [list(pair) for pair in task.env]
    if task.parameters:
        document["parameters"] = [list(pair) for pair in task.parameters]
    if task.depends_on:
        document["depends_on"] = [[d.kind.value, d.task] for d in task.depends_on]
    if task.rerun != Rerun():
        rerun = task.rerun
        document["rerun"] = [rerun.mode, rerun.times, rerun.interval_seconds, rerun.on_lost]
    document["priority"] = task.priority
    document["resource_group"] = task.resource_group
    document["timeout_seconds"] = task.timeout_seconds
    if task.max_parallel_instances is not None:
        document["max_parallel_instances"] = task.max_parallel_instances
    if task.mode is not RunMode.NORMAL:
        document["mode"] = task.mode.value
    if task.generation != "next_day":
        document["generation"] = task.generation
    for key, day in (("valid_from", task.valid_from), ("valid_until", task.valid_until)):
        if day is not None:
            document[key] = day.isoformat()
    return document


def _task(name: str, document: Mapping[str, Any]) -> Task:
    get = document.get
    rerun = get("rerun")
    task_type = TASK_TYPES.get(document["type"])
    if task_type is None:
        word = shown(str(document["type"]))
        raise UnknownFormatError(
            f'the stored catalog has a task {name} of type "{word}", and this program knows {", ".join(TASK_TYPES)}'
        )
    return Task(
        name=name,
        type=task_type,
        schedule=cron.parse(document["schedule"]),
        code=get("code", ""),
        code_file=get("code_file", ""),
        shell=get("shell", ""),
        env=tuple([(pair[0], pair[1]) for pair in get("env", ())]),
        inherit_env=tuple(get("inherit_env", ())),
        connection=get("connection", ""),
        parameters=tuple([(pair[0], pair[1]) for pair in get("parameters", ())]),
        depends_on=tuple(
            [Dependency(_DEPENDENCY_KINDS[kind], other) for kind, other in get("depends_on", ())]
        ),
        reads=tuple(get("reads", ())),
        writes=tuple(get("writes", ())),
        owner=get("owner", ""),
        priority=document["priority"],
        baseline=get("baseline", ""),
        resource_group=document["resource_group"],
        rerun=Rerun(*rerun) if rerun else Rerun(),
        timeout_seconds=document["timeout_seconds"],
        max_parallel_instances=get("max_parallel_instances"),
        mode=_RUN_MODES[get("mode", "normal")],
        generation=get("generation", "next_day"),
        valid_from=_date(get("valid_from")),
        valid_until=_date(get("valid_until")),
        tags=tuple(get("tags", ())),
        description=get("description", ""),
    )


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
