"""OpenLineage events, sent to a service on this machine."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e.sandboxes import Sandbox
from lineage.sinks import PATIENCE, sink
from retrofill.lineage.openlineage import emitter as emitting
from retrofill.lineage.openlineage.emitter import Emitter, client_for
from retrofill.lineage.openlineage.events import event_of
from retrofill.services.ports import RunEnd, RunRef, RunSpec

SPEC = RunSpec(
    ref=RunRef(7, 1, "token", "boot"),
    type="sql",
    name="w.mart",
    code="INSERT INTO mart.t_20260105 SELECT a AS i FROM raw.x_hunter2",
    arguments=(),
    environment={"RETROFILL_DUE_AT": "2026-01-06T02:00:00Z"},
    working_directory="/",
    timeout_seconds=60,
    connection_url="postgresql+psycopg://etl:hunter2@db:5432/shop",
    interpreter="",
    secrets=("hunter2",),
    connection="db",
    writes=("reports",),
)
END = RunEnd(SPEC.ref, "exited", 0, None, 0.0, 10.0, "")


def _emitter(url: str, said: list[str]) -> Emitter:
    def make(*told: Any) -> Any:
        return event_of("shop", *told)

    return Emitter(client_for(url, "key"), make, said.append, first_pause=0.01)


def _names(datasets: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(dataset["namespace"], dataset["name"]) for dataset in datasets]


def test_what_is_sent() -> None:
    """OPS-10, SEC-3: start and end of a run under one id, with tables and columns, and no secret."""
    said: list[str] = []
    with sink() as service:
        emitter = _emitter(service.url, said)
        emitter.tell(SPEC, 0.0)
        emitter.tell(SPEC, 10.0, END)
        start, end = service.wait_for(2)
        emitter.close()
        assert service.keys == ["Bearer key"] * 2
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == end["run"]["runId"]
    assert start["eventTime"] == "1970-01-01T00:00:00+00:00"
    assert end["job"]["namespace"], end["job"]["name"] == ("shop", "w.mart")
    assert end["run"]["facets"]["nominalTime"]["nominalStartTime"] == "2026-01-06T02:00:00Z"
    assert _names(end["inputs"]) == [("postgres://db:5432", "shop.raw.x_*")]
    assert _names(end["outputs"]) == [("postgres://db:5432", "shop.mart.t_20260105"), ("shop", "reports")]
    fields = end["outputs"][0]["facets"]["columnLineage"]["fields"]
    assert [(f["name"], f["field"]) for f in fields["i"]["inputFields"]] == [("shop.raw.x_*", "a")]
    assert "hunter2" not in str([start, end])
    assert said == []


@pytest.mark.parametrize(
    ("outcome", "exit_code", "state"),
    [
        ("exited", 0, "COMPLETE"), ("exited", 1, "FAIL"), ("timeout", None, "FAIL"), ("lost", None, "FAIL"),
        ("stopped", 143, "ABORT"), ("not_started", None, "ABORT"),
    ],
)  # fmt: skip
def test_how_a_run_ended(outcome: str, exit_code: int | None, state: str) -> None:
    """OPS-10: in OpenLineage's words, with the message of a failure."""
    ended = replace(END, outcome=outcome, exit_code=exit_code, message="it failed with hunter2")
    event = event_of("shop", SPEC, 10.0, ended)
    assert event.eventType.name == state
    assert event.run.facets["errorMessage"].message == "it failed with *"


def test_a_service_that_is_down_for_a_while() -> None:
    """OPS-10: events are tried again, in order, and it is said once."""
    said: list[str] = []
    with sink(503, 503, 500) as service:
        emitter = _emitter(service.url, said)
        emitter.tell(SPEC, 0.0)
        emitter.tell(SPEC, 10.0, END)
        assert [event["eventType"] for event in service.wait_for(2)] == ["START", "COMPLETE"]
        emitter.close()
        assert service.attempts == 5
    assert len(said) == 1
    assert "cannot be sent" in said[0]


def test_an_event_that_is_refused() -> None:
    """OPS-10: does not hold up those after it."""
    said: list[str] = []
    with sink(422) as service:
        emitter = _emitter(service.url, said)
        emitter.tell(SPEC, 0.0)
        emitter.tell(SPEC, 10.0, END)
        assert [event["eventType"] for event in service.wait_for(1)] == ["COMPLETE"]
        emitter.close()
    assert said == ["an OpenLineage event was refused by the service (status 422)."]


def test_a_queue_that_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """OPS-10: what is beyond it is dropped and said once; telling never waits."""
    monkeypatch.setattr(emitting, "MOST_WAITING", 2)
    said: list[str] = []
    is_asked, may_go_on = threading.Event(), threading.Event()

    def make(spec: RunSpec, at: float, end: RunEnd | None) -> Any:
        is_asked.set()
        assert may_go_on.wait(PATIENCE)
        return event_of("shop", spec, at, end)

    with sink() as service:
        emitter = Emitter(client_for(service.url, None), make, said.append)
        emitter.tell(SPEC, 0.0)
        assert is_asked.wait(PATIENCE)  # the first is being made; two more fit
        for number in range(1, 6):
            emitter.tell(SPEC, float(number))
        may_go_on.set()
        events = service.wait_for(3)
        emitter.close()
    assert [event["eventTime"][17:19] for event in events] == ["00", "01", "02"]
    assert said == ["2 OpenLineage events wait to be sent; further ones are dropped."]


TASKS = """
raw: {type: shell, run: "true", schedule: "0 1 * * *", writes: [raw.x]}
bad: {type: shell, run: "exit 3", schedule: "0 2 * * *", depends_on: [raw], reads: [raw.x]}
"""


def test_events_of_a_backfill(tmp_path: Path) -> None:
    """OPS-10: each run's start and end, from the command that runs the scheduler."""
    key = {"RETROFILL_SECRET_OPENLINEAGE_API_KEY": "secret"}
    with sink() as service:
        project = Sandbox(tmp_path).write(TASKS, f"settings: {{openlineage: '{service.url}'}}")
        project.run(
            "backfill", "create", "--task", "raw", "--task", "bad", "--bizdate", "2026-01-05", "--yes", "--wait",
            status=1, **key,
        )  # fmt: skip
        events = service.wait_for(4)
        assert set(service.keys) == {"Bearer secret"}
    assert [(e["job"]["name"], e["eventType"]) for e in events] == [
        ("w.raw", "START"), ("w.raw", "COMPLETE"), ("w.bad", "START"), ("w.bad", "FAIL"),
    ]  # fmt: skip
    assert _names(events[1]["outputs"]) == _names(events[2]["inputs"]) == [("test", "raw.x")]
    assert "exit status 3" in events[3]["run"]["facets"]["errorMessage"]["message"]


def test_a_service_that_is_not_there(tmp_path: Path) -> None:
    """OPS-10: changes nothing about the runs."""
    with sink() as service:
        url = service.url
    project = Sandbox(tmp_path).write(TASKS, f"settings: {{openlineage: '{url}'}}")
    done = project.run("backfill", "create", "--task", "raw", "--bizdate", "2026-01-05", "--yes", "--wait")
    assert "OpenLineage events cannot be sent" in done.stderr


def test_a_wrong_address(tmp_path: Path) -> None:
    """OPS-10: is refused by `check`."""
    project = Sandbox(tmp_path).write(TASKS, "settings: {openlineage: 'lineage.example'}")
    assert '"openlineage" is no address' in project.call("check", status=2).stderr
