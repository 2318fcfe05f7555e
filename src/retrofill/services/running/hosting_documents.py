"""The values of `ports.hosting` as documents, and back: between a worker and a server that it reaches over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from retrofill.domain.catalog.definitions import IncludedFile
from retrofill.services.ports.custody import OldLog
from retrofill.services.ports.hosting import Answer, Exchange, HostStatus, Offer, OwnRun
from retrofill.services.ports.running import IncludedCode, RunEnd, RunRef, RunSpec

if TYPE_CHECKING:
    from retrofill.services.ports.retention import RunName
    from retrofill.services.reading.documents.hosting import (
        ExchangeAnswer,
        IncludedCodeDocument,
        OwnRunDocument,
        RunDocument,
        RunNameDocument,
        RunRefDocument,
    )

Json = Mapping[str, Any]
_LISTS = ("arguments", "secrets", "reads", "writes", "inherit")


def ref_document(ref: RunRef) -> RunRefDocument:
    return {
        "instance_id": ref.instance_id,
        "run_number": ref.run_number,
        "token": ref.token,
        "boot_id": ref.boot_id,
    }


def ref_of(found: Json) -> RunRef:
    return RunRef(found["instance_id"], found["run_number"], found["token"], found["boot_id"])


# Of a worker


def status_document(status: HostStatus) -> dict[str, Any]:
    return {name: getattr(status, name) for name in HostStatus.__slots__} | {"groups": list(status.groups)}


def status_of(found: Json) -> HostStatus:
    return HostStatus(**{**found, "groups": tuple(found["groups"])})


def exchange_document(exchange: Exchange) -> dict[str, Any]:
    return {
        "now_ms": exchange.now_ms,
        "ends": list(map(_end_document, exchange.ends)),
        "free": exchange.free,
        "named": [offer._asdict() for offer in exchange.named],
        "min_age_ms": exchange.min_age_ms,
        "holds": None if exchange.holds is None else list(map(ref_document, exchange.holds)),
    }


def exchange_of(found: Json) -> Exchange:
    return Exchange(
        now_ms=found["now_ms"],
        ends=list(map(_end_of, found["ends"])),
        free=found["free"],
        named=[Offer(**one) for one in found["named"]],
        min_age_ms=found["min_age_ms"],
        holds=None if found["holds"] is None else list(map(ref_of, found["holds"])),
    )


def _end_document(end: RunEnd) -> dict[str, Any]:
    return {
        "run": ref_document(end.ref),
        "outcome": end.outcome,
        "exit_code": end.exit_code,
        "signal": end.signal,
        "started_at": end.started_at,
        "ended_at": end.ended_at,
        "message": end.message,
    }


def _end_of(found: Json) -> RunEnd:
    return RunEnd(
        ref_of(found["run"]),
        found["outcome"],
        found["exit_code"],
        found["signal"],
        found["started_at"],
        found["ended_at"],
        found["message"],
    )


def run_name_document(run: RunName) -> RunNameDocument:
    return {"instance_id": run[0], "run_number": run[1], "token": run[2]}


def run_name_of(found: Json) -> RunName:
    return found["instance_id"], found["run_number"], found["token"]


def old_log_document(log: OldLog) -> dict[str, Any]:
    run = None if log.run is None else run_name_document(log.run)
    return {"name": log.name, "run": run, "age_ms": log.age_ms}


def old_log_of(found: Json) -> OldLog:
    run = found["run"]
    return OldLog(found["name"], None if run is None else run_name_of(run), found["age_ms"])


# Of a server


def own_document(own: OwnRun) -> OwnRunDocument:
    return {"run": ref_document(own.ref), "on_lost": own.on_lost}


def own_of(found: Json) -> OwnRun:
    return OwnRun(ref_of(found["run"]), found["on_lost"])


def answer_document(answer: Answer) -> ExchangeAnswer:
    return {
        "starts": list(map(_spec_document, answer.starts)),
        "stops": list(map(ref_document, answer.stops)),
        "over": list(map(ref_document, answer.over)),
        "is_draining": answer.is_draining,
        "lost_after_ms": answer.lost_after_ms,
        "left": answer.left,
    }


def answer_of(found: Json) -> Answer:
    return Answer(
        starts=list(map(_spec_of, found["starts"])),
        stops=list(map(ref_of, found["stops"])),
        over=list(map(ref_of, found["over"])),
        is_draining=found["is_draining"],
        lost_after_ms=found["lost_after_ms"],
        left=found["left"],
    )


def _spec_document(spec: RunSpec) -> RunDocument:
    return {
        "run": ref_document(spec.ref),
        "type": spec.type,
        "name": spec.name,
        "code": spec.code,
        "arguments": list(spec.arguments),
        "environment": dict(spec.environment),
        "working_directory": spec.working_directory,
        "timeout_seconds": spec.timeout_seconds,
        "connection_url": spec.connection_url,
        "interpreter": spec.interpreter,
        "secrets": list(spec.secrets),
        "connection": spec.connection,
        "reads": list(spec.reads),
        "writes": list(spec.writes),
        "included": None if spec.included is None else _included_document(spec.included),
        "shell": spec.shell,
        "inherit": list(spec.inherit),
        "code_file": spec.code_file,
        "on_lost": spec.on_lost,
    }


def _spec_of(found: Json) -> RunSpec:
    given = {**found, **{name: tuple(found[name]) for name in _LISTS}}
    run, included = given.pop("run"), given.pop("included")
    return RunSpec(ref=ref_of(run), included=None if included is None else _included_of(included), **given)


def _included_document(code: IncludedCode) -> IncludedCodeDocument:
    return {
        "version_id": code.version_id,
        "folder": code.folder,
        "files": [
            {"path": one.path, "sha256": one.sha256, "size": one.size, "is_executable": one.is_executable}
            for one in code.files
        ],
    }


def _included_of(found: Json) -> IncludedCode:
    files: Sequence[Json] = found["files"]
    return IncludedCode(found["version_id"], found["folder"], tuple(IncludedFile(**one) for one in files))
