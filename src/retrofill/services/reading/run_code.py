"""What an instance runs: its code with the places of its parameters, and their values (CAT-9, PAR-4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from retrofill.domain.catalog import parameters
from retrofill.domain.catalog.dialects import dialect_of
from retrofill.domain.catalog.sql_literals import literal
from retrofill.domain.errors import RetrofillError
from retrofill.services.instances.as_run import as_run, differs
from retrofill.services.reading.task_lists import usual_seconds

if TYPE_CHECKING:
    from retrofill.services.instances.as_run import AsRun
    from retrofill.services.instances.run_specs import RunSpecs
    from retrofill.services.ports.records import InstanceRecord
    from retrofill.services.reading.documents import CodePart, RunCode, RunParameter
    from retrofill.services.reading.view import View

# Where code of other types than SQL reads a parameter, which it finds in its environment.
_SHELL = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\b\}?")
_PYTHON = re.compile(
    r"""(?:environ(?:\.get)?[\[(]|getenv\()\s*["']([A-Za-z_][A-Za-z0-9_]*)["'](?:\s*,[^()\[\]\n]*)?[\])]"""
)


def run_code(view: View, specs: RunSpecs, row: InstanceRecord) -> RunCode:
    """The document of an instance's code.

    Args:
        specs: that leave secrets names.
    """
    context = view.outlines.of(row)
    run = as_run(row, context)
    values: Mapping[str, str] = {}
    problem = None
    try:
        values = specs.values(row, context)
    except RetrofillError as error:
        problem = error.message
    task = run.task
    return {
        "id": row.id,
        "task": task.name,
        "type": task.type.value,
        "version": run.version_id,
        "file": f"workspaces/{task.workspace}/{task.code_file}" if task.code_file else None,
        "parts": list(_joined(_parts(run, values))),
        "parameters": list(_parameters(run, values)),
        "differs": differs(row, context, view.graphs.current(view.reader)),
        "problem": problem,
        "rerun": {
            "mode": task.rerun.mode,
            "times": task.rerun.times,
            "interval_seconds": task.rerun.interval_seconds,
            "on_lost": task.rerun.on_lost,
        },
        "timeout_seconds": task.timeout_seconds,
        "usual_seconds": usual_seconds(view.reader.times.recent({row.task_id}).get(row.task_id)),
    }


def _parameters(run: AsRun, values: Mapping[str, str]) -> Iterator[RunParameter]:
    declared = dict(run.task.parameters)
    for name, written in run.parameters:
        yield {
            "name": name,
            "written": written,
            "value": values.get(name),
            "overridden": declared.get(name) != written,
        }


def _parts(run: AsRun, values: Mapping[str, str]) -> Iterator[CodePart]:
    code, at = run.task.code, 0
    for start, end, name, value in _places(run, values):
        yield {"text": code[at:start], "parameter": None, "value": None}
        yield {"text": code[start:end], "parameter": name, "value": value}
        at = end
    yield {"text": code[at:], "parameter": None, "value": None}


def _places(run: AsRun, values: Mapping[str, str]) -> Iterator[tuple[int, int, str, str]]:
    """Begin, end, name and value of each place of a parameter, in order."""
    task = run.task
    if task.type.traits.is_sql:
        dialect = dialect_of(run.catalog.connections.get(task.connection) or "")
        try:
            references = parameters.sql_references(task.code)
        except parameters.ParameterError:
            return
        for one in references:
            if one.name in values:
                value = values[one.name]
                yield (
                    one.start,
                    one.end,
                    one.name,
                    literal(value, dialect) if one.is_quoted else value,
                )
        return
    pattern = _PYTHON if task.type.value == "python" else _SHELL
    for match in pattern.finditer(task.code):
        if match[1] in values:
            yield match.start(), match.end(), match[1], values[match[1]]


def _joined(parts: Iterator[CodePart]) -> Iterator[CodePart]:
    return (part for part in parts if part["text"])
