"""One task: its own keys over the workspace's defaults, checked and made into a `domain` task.

`defaults` are replaced key by key (CAT-7). `priority` and `baseline` are one choice, and so
are `run` and `file`: a task's own takes the place of the default's other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from retrofill.domain.catalog import parameters
from retrofill.domain.catalog.definitions import Rerun, RunMode, Task
from retrofill.domain.catalog.dialects import dialect_of
from retrofill.domain.catalog.expressions import ParameterError
from retrofill.domain.catalog.task_types import TASK_TYPES, Reads, TaskType, types_that
from retrofill.domain.errors import did_you_mean
from retrofill.domain.time import cron
from retrofill.domain.time.cron import CronError, Schedule
from retrofill.domain.time.cron_doubts import doubt_of
from retrofill.project.code import CodeText, check_shell, check_sql
from retrofill.project.dependencies import Link, read_links
from retrofill.project.deployment import secrets_of
from retrofill.project.models import RerunShape
from retrofill.project.problems import EnoughError
from retrofill.project.sources import SourceError
from retrofill.project.surroundings import read_surroundings
from retrofill.project.task_keys import TaskKeys
from retrofill.project.validation import one_of
from retrofill.project.yaml_nodes import Place

DEFAULT_TIMEOUT_SECONDS = 3 * 24 * 3600
_RERUN = Rerun()


@dataclass(frozen=True, slots=True)
class ReadTask:
    """A task that could be read, where it names others, and where a dependency would be added."""

    task: Task | None
    links: tuple[Link, ...]
    place: Place = (1, 1)


class TaskReader(TaskKeys):
    """Reads one task; every method reports what is wrong with its keys."""

    def read(self) -> ReadTask:
        task_type = self._type()
        schedule = self._schedule()
        pairs = self._parameters()
        code, code_file = self._code(task_type)
        surroundings = read_surroundings(self, task_type)
        self._names(task_type)
        links = self._links()
        values = self._plain_values()
        if task_type is None or schedule is None:
            return ReadTask(None, links)
        task = Task(
            name=self.name,
            type=task_type,
            schedule=schedule,
            code=code,
            code_file=code_file,
            shell=surroundings.shell,
            env=surroundings.env,
            inherit_env=surroundings.inherit_env,
            connection=(self.get("connection") or "") if task_type.traits.has_connection else "",
            parameters=pairs,
            depends_on=tuple(link.dependency for link in links),
            priority=self._priority(),
            rerun=self._rerun(),
            **values,
        )
        place = self._own["depends_on"][0] if "depends_on" in self._own else self.place
        return ReadTask(task, links, place)

    def _required(self, key: str, hint: str) -> Any:
        if not self.has(key):
            self.report.add(self.around.path, self.place, f'task {self.name} has no "{key}"', hint)
            return None
        return self.get(key)

    def _type(self) -> TaskType | None:
        value = self._required("type", f"write type: {one_of(TASK_TYPES)}")
        return None if value is None else TASK_TYPES[value]

    def _schedule(self) -> Schedule | None:
        text = self._required(
            "schedule", 'write a five-field cron in quotes, for example "0 2 * * *", or @daily'
        )
        if text is None:
            return None
        try:
            schedule = cron.parse(text)
        except CronError as error:
            hint = "" if ";" in error.message else 'five fields are written like "30 2 * * MON-FRI"'
            self.refuse("schedule", error.message, hint)
            return None
        doubt = doubt_of(schedule)
        if doubt is not None:
            node = self.node("schedule")
            where = node.place if node else self.place
            self.report.doubt(
                self.around.path, where, "doubtful_schedule", doubt.message, doubt.hint, self.name
            )
        return schedule

    def _parameters(self) -> tuple[tuple[str, str], ...]:
        node = self.node("parameters")
        for name, (place, value) in (node.entries if node and node.entries else {}).items():
            try:
                parameters.check_name(name)
            except ParameterError as error:
                self.refuse("parameters", error.message, place=place)
            if not isinstance(value.value, str):
                continue
            try:
                secret = parameters.parse(value.raw).secret
                if secret is not None:
                    self._check_secret("parameters", secret, f'parameter "{name}"', value.place)
            except ParameterError as error:
                column = value.column + (
                    error.position + len(value.style) if value.style in ("", "'", '"') else 0
                )
                self.refuse("parameters", f'parameter "{name}": {error.message}', place=(value.line, column))
        return tuple((self.get("parameters") or {}).items())

    def _check_secret(self, key: str, secret: str, what: str, place: Place | None = None) -> None:
        """A secret that is bound to workspaces is named by their tasks only (SEC-3)."""
        bound = self.around.deployment.secrets.get(secret)
        if bound is not None and self.around.workspace not in bound:
            message = (
                f"{what} names the secret {secret}, which is not bound to workspace {self.around.workspace}"
            )
            hint = f"add {self.around.workspace} to its `workspaces` in retrofill.yaml, or use another secret"
            self.refuse(key, message, hint, place)

    def _code(self, task_type: TaskType | None) -> tuple[str, str]:
        """The code's text and the name of its file."""
        if task_type is not None and not task_type.traits.has_code:
            for key in ("run", "file"):
                if key in self._own:
                    self.refuse(
                        key, f'"{key}": a {task_type} task has no code', "remove it or choose another type"
                    )
            return "", ""
        if self.has("run") and self.has("file"):
            self.refuse("file", f'task {self.name} has both "run" and "file"', "keep one of the two")
            return "", ""
        if not self.has("run") and not self.has("file"):
            if task_type is not None:
                message = f"task {self.name} has no code"
                self.report.add(self.around.path, self.place, message, "write `run` or `file`")
            return "", ""
        key = "run" if self.has("run") else "file"
        value, node = self.get(key), self.node(key)
        if value is None or node is None:
            return "", ""
        if key == "run":
            code, start = CodeText(value, self.around.path, node), node.place
        else:
            try:
                source = self.around.code_files.get(self.around.workspace, value)
            except SourceError as error:
                self._refuse_file(value, error)
                return "", value
            code, start = CodeText(source.text, source.path), (1, 1)
        self._check_code(task_type, code, start)
        return code.text, value if key == "file" else ""

    def _refuse_file(self, name: str, error: SourceError) -> None:
        line, column = error.place
        within = f" (line {line}, column {column})" if error.place != (1, 1) else ""
        self.refuse("file", f'"file" is "{name}": {error.message}{within}', error.hint)

    def _check_code(self, task_type: TaskType | None, code: CodeText, start: Place) -> None:
        if not code.text.strip():
            self.report.add_once(
                code.path, start, f"the code of task {self.name} is empty", "write what it runs"
            )
        if "\0" in code.text:
            self.report.add_once(code.path, start, "the code holds a NUL character", "remove it")
        traits = None if task_type is None else task_type.traits
        if traits and traits.reads is Reads.ARGUMENT:
            check_shell(code, start, self.report)
        if traits and traits.is_sql:
            url = self.around.deployment.connections.get(self.get("connection") or "") or ""
            try:
                check_sql(code, self.declared(), dialect_of(url), self.name, self.report)
            except EnoughError:
                if code.path == self.around.path:
                    raise  # else only the code's file has too many

    def _names(self, task_type: TaskType | None) -> None:
        """Connection, owner, baseline and resource group exist and may be used here."""
        deployment = self.around.deployment
        if task_type is not None and task_type.traits.has_connection:
            self._required("connection", "write the name of one of the deployment's connections")
            self._known("connection", deployment.connection_names, "connection")
            connection = self.get("connection")
            for secret in secrets_of(deployment.connections.get(connection, "")):
                self._check_secret("connection", secret, f'connection "{connection}"')
        elif task_type is not None and "connection" in self._own:
            others = one_of(types_that(lambda traits: traits.has_connection))
            self.refuse(
                "connection",
                f"a {task_type} task uses no connection",
                f"remove it, or make it type: {others}",
            )
        self._known("baseline", deployment.baseline_names, "baseline")
        self._known("resource_group", deployment.group_names, "resource group")
        owner, members = self.get("owner"), self.around.members
        if owner is not None and members is not None and owner not in members:
            near = did_you_mean(owner, members)[2:]
            hint = near or f"add {owner} under `members`, or name one of them"
            self.refuse(
                "owner", f'owner "{owner}" is not a member of workspace {self.around.workspace}', hint
            )
        group = deployment.resource_groups.get(self._group())
        if group is not None and not group.is_bound_to(self.around.workspace):
            self.refuse(
                "resource_group",
                f'resource group "{group.name}" is not bound to workspace {self.around.workspace}',
                f"add {self.around.workspace} to its `workspaces`, or choose another group",
            )
        if self.has("priority") and self.has("baseline"):
            self.refuse(
                "baseline", f'task {self.name} has both "priority" and "baseline"', "keep one of the two"
            )

    def _known(self, key: str, names: Collection[str] | None, what: str) -> None:
        value = self.get(key)
        if value is None or names is None or value in names:
            return
        hint = did_you_mean(value, names)[2:] or f"declare it in retrofill.yaml, under `{key}s`"
        self.refuse(key, f'there is no {what} "{value}"', hint)

    def _group(self) -> str:
        return self.get("resource_group") or "default"

    def _links(self) -> tuple[Link, ...]:
        node = self.node("depends_on")
        if node is None or self.get("depends_on") is None or node.items is None:
            return ()
        return tuple(read_links(node.items, self.name, self.around.path, self.report))

    def _priority(self) -> int:
        baseline = self.get("baseline")
        if baseline is not None:
            return self.around.deployment.baselines.get(baseline, 1)
        return self.get("priority") or 1

    def _rerun(self) -> Rerun:
        shape: RerunShape | None = self.get("rerun")
        return _RERUN if shape is None else Rerun(shape.mode, shape.times, shape.interval, shape.on_lost)

    def _plain_values(self) -> dict[str, Any]:
        """The values that need no other file, by the names of the domain's fields."""
        valid = self.get("valid")
        first, last = (valid.from_, valid.until) if valid else (None, None)
        if first and last and last < first:
            node = self.node("valid")
            place = node.find("until").place if node else None  # type: ignore[union-attr]
            self.refuse(
                "valid", f'"until" ({last}) lies before "from" ({first})', "swap or correct the dates", place
            )
        return {
            "reads": tuple(self.get("reads") or ()),
            "writes": tuple(self.get("writes") or ()),
            "owner": self.get("owner") or "",
            "baseline": self.get("baseline") or "",
            "resource_group": self._group(),
            "timeout_seconds": self.get("timeout") or DEFAULT_TIMEOUT_SECONDS,
            "max_parallel_instances": self.get("max_parallel_instances"),
            "mode": RunMode(self.get("mode") or "normal"),
            "generation": self.get("generation") or "next_day",
            "valid_from": first,
            "valid_until": last,
            "tags": tuple(self.get("tags") or ()),
            "description": self.get("description") or "",
        }
