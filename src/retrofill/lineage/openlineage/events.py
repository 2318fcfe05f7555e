"""Runs as OpenLineage events: START when one starts, then COMPLETE, FAIL or ABORT.

The client's classes are imported where they are used; it is optional (`retrofill[openlineage]`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from retrofill import __version__
from retrofill.domain.catalog.lineage import Table, TaskLineage
from retrofill.domain.catalog.task_types import TASK_TYPES
from retrofill.lineage.sql.blanks import BLANK, without_blanks
from retrofill.lineage.sql.places import Place, dataset_of
from retrofill.lineage.sql.reading import SqlLineage
from retrofill.services.ports import RunEnd, RunSpec

if TYPE_CHECKING:
    from openlineage.client.event_v2 import RunEvent

_PRODUCER = f"urn:retrofill:{__version__}"


def run_id(project: str, spec: RunSpec) -> str:
    """The same for all events of one start of a run."""
    ref = spec.ref
    return str(uuid5(NAMESPACE_URL, f"retrofill/{project}/{ref.instance_id}/{ref.run_number}/{ref.token}"))


def event_of(project: str, spec: RunSpec, at: float, end: RunEnd | None = None) -> RunEvent:
    """The event of a start, or of an end.

    Tables come from the code that ran, with its parameters filled in, and from what the task
    declares. The code itself is not sent: secrets may be among its parameters.

    Args:
        project: the namespace of its jobs.
        at: epoch seconds.
    """
    from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState

    reader = SqlLineage({spec.connection: _without_secrets(spec, spec.connection_url or "")})
    place, found = Place("", "", frozenset()), TaskLineage()
    if TASK_TYPES[spec.type].traits.is_sql:
        place = reader.place(spec.connection)
        found = reader.of_code(
            _without_secrets(spec, spec.code), spec.connection, spec.name.partition(".")[0]
        )
    found = found.with_declared(spec.reads, spec.writes)

    def dataset(table: Table) -> tuple[str, str]:
        return _dataset(table, place, project)

    state = RunState.START if end is None else RunState[_state_of(end)]
    return RunEvent(
        eventTime=datetime.fromtimestamp(at, UTC).isoformat(),
        eventType=state,
        producer=_PRODUCER,
        run=Run(run_id(project, spec), _run_facets(spec, end)),
        job=Job(project, spec.name),
        inputs=[InputDataset(*dataset(table)) for table in found.reads],
        outputs=[
            OutputDataset(*dataset(table), facets=_column_facets(found, table, place, project))
            for table in found.writes
        ],
    )


def _without_secrets(spec: RunSpec, text: str) -> str:
    """The text with a blank for every secret of the run: names of tables and servers are sent (SEC-3)."""
    for secret in sorted(spec.secrets, key=len, reverse=True):
        text = text.replace(secret, BLANK)
    return text


def _dataset(table: Table, place: Place, project: str) -> tuple[str, str]:
    is_elsewhere = not table.connection and not table.name.startswith("file:") and "://" not in table.name
    return (project, table.name) if is_elsewhere else dataset_of(table.name, place)


def _state_of(end: RunEnd) -> str:
    if end.outcome in ("stopped", "not_started"):
        return "ABORT"
    return "COMPLETE" if end.outcome == "exited" and end.exit_code == 0 else "FAIL"


def _run_facets(spec: RunSpec, end: RunEnd | None) -> dict[str, Any]:
    from openlineage.client.facet_v2 import error_message_run, nominal_time_run

    facets: dict[str, Any] = {}
    due = spec.environment.get("RETROFILL_DUE_AT")
    if due:
        facets["nominalTime"] = nominal_time_run.NominalTimeRunFacet(due, producer=_PRODUCER)
    if end is not None and end.message:
        facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
            without_blanks(_without_secrets(spec, end.message)), spec.type, producer=_PRODUCER
        )
    return facets


def _column_facets(found: TaskLineage, table: Table, place: Place, project: str) -> dict[str, Any]:
    """From which columns those of an output come."""
    from openlineage.client.facet_v2 import column_lineage_dataset as facet

    fields = {
        column.target.column: facet.Fields(
            [
                facet.InputField(*_dataset(source.table, place, project), source.column)
                for source in column.sources
            ]
        )
        for column in found.columns
        if column.target.table == table
    }
    return {"columnLineage": facet.ColumnLineageDatasetFacet(fields, producer=_PRODUCER)} if fields else {}
