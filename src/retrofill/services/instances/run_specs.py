"""From an instance to what the executor runs: code, parameters, environment (PAR-4)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from retrofill.domain.catalog import parameters
from retrofill.domain.catalog.connections import ConnectionUrlError, file_url
from retrofill.domain.catalog.definitions import Task
from retrofill.domain.catalog.dialects import dialect_of
from retrofill.domain.errors import RetrofillError
from retrofill.domain.planning.overrides import secrets_named_by
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.instances.as_run import AsRun, as_run
from retrofill.services.instances.outlines import Belonging
from retrofill.services.ports import IncludedCode, RunRef, RunSpec
from retrofill.services.ports.secrets import FindSecret, SecretUnavailableError

if TYPE_CHECKING:
    from retrofill.services.instances.graphs import GraphCache
    from retrofill.services.ports import Store
    from retrofill.services.ports.records import InstanceRecord, RunRecord

_SECRET = re.compile(r"\$\{secret:([A-Za-z_][A-Za-z0-9_]*)\}")


CODE_FOLDER = ".retrofill/code"  # relative to the project; below it are folders by version and workspace
CODE = "RETROFILL_CODE"


class UnstartableError(RetrofillError):
    """Mend what the message names, then rerun the instance."""

    code = "unstartable"


class RunSpecs:
    """Makes run specifications for one project.

    Args:
        project: the project's folder; a task runs in its workspace's folder.
        secrets: the value of a secret by name, None where there is none (SEC-3).
        interpreter: runs python tasks.
        working_folders: where tasks run instead, by workspace; relative to the project's folder.
    """

    def __init__(
        self,
        project: Path,
        secrets: FindSecret,
        interpreter: str,
        working_folders: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._project = str(project)
        self._secrets = secrets
        self.interpreter = interpreter
        self.working_folders = working_folders

    def ref(self, run: RunRecord) -> RunRef:
        return RunRef(run.instance_id, run.number, run.token, run.boot_id)

    def find(self, store: Store, graphs: GraphCache, ref: RunRef) -> RunSpec | None:
        """The specification of a run that another process started, while it can still be made."""
        with store.read() as reader:
            row = reader.find_instance(ref.instance_id)
            if row is None or row.run_number != ref.run_number:
                return None
            try:
                return self.make(row, graphs.of(reader, row), ref.token, ref.boot_id)
            except RetrofillError:
                return None

    def make(self, row: InstanceRecord, context: Belonging, token: str, boot_id: str) -> RunSpec:
        """What runs for this instance.

        Raises:
            UnstartableError: a secret or a connection is missing, or a parameter has no value.
            SecretUnavailableError: whether there is a secret is not known yet.
        """
        run = as_run(row, context)
        task = run.task
        values = self.values(row, context)
        included = self._included(run)
        code = task.code
        if task.type.traits.is_sql:
            dialect = dialect_of(run.catalog.connections.get(task.connection) or "")
            code = parameters.substitute_sql(code, values, dialect)
        return RunSpec(
            ref=RunRef(row.id, row.run_number, token, boot_id),
            type=task.type.value,
            name=task.name,
            code=code,
            arguments=_arguments(run, values),
            environment=dict(task.env)
            | values
            | _own(row, task, values)
            | ({CODE: included.folder} if included else {}),
            working_directory=self._working_directory(task.workspace),
            timeout_seconds=task.timeout_seconds,
            connection_url=self._url(run) if task.type.traits.has_connection else None,
            interpreter=self.interpreter,
            secrets=_filled(map(self._secrets, _secrets_of(run))),
            connection=task.connection,
            reads=task.reads,
            writes=task.writes,
            included=included,
            shell=task.shell,
            inherit=task.inherit_env,
            code_file=self._code_file(task, included),
            on_lost=task.rerun.on_lost,
        )

    def _working_directory(self, workspace: str) -> str:
        return os.path.join(self._project, self.working_folders.get(workspace, f"workspaces/{workspace}"))

    def _code_file(self, task: Task, included: IncludedCode | None) -> str:
        """The path of the code's file: among the version's files where it is one of them, else in the live folder."""
        if not task.code_file:
            return ""
        if included is not None and any(file.path == task.code_file for file in included.files):
            return f"{included.folder}/{task.code_file}"
        return f"{self._project}/workspaces/{task.workspace}/{task.code_file}"

    def _included(self, run: AsRun) -> IncludedCode | None:
        """The files of its workspace that its version holds besides, and where it finds them (CAT-9)."""
        workspace, version_id = run.task.workspace, run.version_id
        files = run.catalog.workspaces[workspace].files
        if not files or not run.task.type.traits.has_files:
            return None
        return IncludedCode(version_id, f"{self._project}/{CODE_FOLDER}/{version_id}/{workspace}", files)

    def secrets(self, row: InstanceRecord, context: Belonging) -> tuple[str, ...]:
        """Values of the secrets that the instance can see, as far as they are known here (SEC-3)."""
        return _filled(map(self._known, _secrets_of(as_run(row, context))))

    def _known(self, name: str) -> str | None:
        try:
            return self._secrets(name)
        except SecretUnavailableError:
            return None  # who wrote the log knew it, and has masked it

    def values(self, row: InstanceRecord, context: Belonging) -> dict[str, str]:
        """The task's parameters at this instance, secrets resolved."""
        run = as_run(row, context)
        task, declared = run.task, run.parameters
        if not declared:
            return {}
        try:
            values = parameters.resolve(declared, self.at(row, task))
        except parameters.ParameterError as error:
            raise UnstartableError(f"{task.name}: {error.message}") from None
        for name, text in declared:
            secret = parameters.parse(text).secret
            if secret is not None:
                if secret not in secrets_named_by(task):
                    raise UnstartableError(
                        f"{task.name}: {name} is set to a secret that the task does not name"
                    )
                values[name] = self._secret(secret, run)
        return values

    def at(self, row: InstanceRecord, task: Task) -> parameters.Context:
        """What parameter expressions are resolved with (PAR-1)."""
        return parameters.Context(
            bizdate=row.date,
            scheduled_at=row.scheduled_at,
            workspace=task.workspace,
            task=task.short_name,
            job_id=_job_id(row),
            node_id=str(row.task_id),
            instance_id=str(row.id),
        )

    def _url(self, run: AsRun) -> str:
        task = run.task
        url = run.catalog.connections.get(task.connection)
        if url is None:
            raise UnstartableError(f"{task.name}: the project has no connection {task.connection!r}")
        with_secrets = _SECRET.sub(lambda match: self._secret(match[1], run), url)
        try:
            return absolute_url(with_secrets, Path(self._project))
        except ConnectionUrlError as error:
            raise UnstartableError(f"{task.name}: connection {task.connection!r}: {error}") from None

    def _secret(self, name: str, run: AsRun) -> str:
        if not run.catalog.may_use(name, run.task.workspace):
            raise UnstartableError(f"{run.task.name}: the secret {name} is not bound to its workspace")
        value = self._secrets(name)
        if value is None:
            raise UnstartableError(
                f"{run.task.name}: there is no secret {name}; set RETROFILL_SECRET_{name} in the scheduler's environment",
            )
        return value


def _secrets_of(run: AsRun) -> Iterator[str]:
    """Names of the secrets that the instance can see."""
    for _, text in run.parameters:
        if "${secret:" in text and (name := parameters.parse(text).secret) is not None:
            yield name
    if run.task.type.traits.has_connection:
        url = run.catalog.connections.get(run.task.connection) or ""
        yield from (match[1] for match in _SECRET.finditer(url))


def _filled(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def _arguments(run: AsRun, values: Mapping[str, str]) -> tuple[str, ...]:
    """Values in declared order; a secret's place is empty, because everybody can read arguments (SEC-3)."""
    return tuple(
        "" if parameters.parse(text).secret is not None else values[name]
        for name, text in run.parameters
        if values
    )


def _job_id(row: InstanceRecord) -> str:
    """PAR-1: of the backfill; else of this run, with a point, so that it is neither a backfill's nor another run's."""
    return str(row.backfill_id) if row.backfill_id is not None else f"{row.id}.{row.run_number}"


def _own(row: InstanceRecord, task: Task, values: Mapping[str, str]) -> dict[str, str]:
    """Variables that are always set."""
    return {
        "RETROFILL_TASK": task.name,
        "RETROFILL_BIZDATE": row.bizdate,
        "RETROFILL_SCHEDULED_AT": row.scheduled_at.isoformat(),
        "RETROFILL_DUE_AT": shown_instant(row.due_ms) or "",
        "RETROFILL_INSTANCE": str(row.id),
        "RETROFILL_RUN_NUMBER": str(row.run_number),
        "RETROFILL_KIND": "auto" if row.backfill_id is None else "backfill",
        "RETROFILL_PARAMETERS": json.dumps(list(values)) if values else "[]",
    }


def absolute_url(url: str, project: Path) -> str:
    """A URL of an embedded database with a file relative to the project made absolute.

    Raises:
        ConnectionUrlError: it names no file.
    """
    found = file_url(url)
    if found is None:
        return url
    start = "file:" if found.is_uri and found.path.startswith("file:") else ""
    return found.with_path(start + str(project / found.path.removeprefix(start)))
