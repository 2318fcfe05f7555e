"""Workflow instances: each is one bizdate of a backfill."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from retrofill.api.dataworks import words
from retrofill.api.dataworks.asked import PAGING, SORT, Asked, check_workflow, done, without_none
from retrofill.api.dataworks.errors import ApiError, api_error, invalid, missing, unsupported
from retrofill.api.dataworks.fields import (
    Field,
    document,
    ids,
    names,
    numbers,
    one_of,
    production,
    text,
    whole,
)
from retrofill.api.dataworks.task_instances import COMMENT
from retrofill.domain.errors import RetrofillError, UnknownNameError
from retrofill.domain.running.results import RefusedTogetherError
from retrofill.domain.running.searches import DateInstanceSearch, DateSearch, Numbered
from retrofill.domain.running.states import State
from retrofill.domain.time.instants import day_start, local_date
from retrofill.domain.time.milliseconds import instant_of, ms_of

if TYPE_CHECKING:
    from retrofill.services.reading.documents import BackfillDate

# A date's time is its own: the later one comes later.
_SORTS = {
    "Id": "id",
    "TriggerTime": "id",
    "StartedTime": "started",
    "FinishedTime": "ended",
    "CreateTime": "created",
}
_STATUS = one_of(*words.STATUSES)
LIST_DATES = (
    Field("ProjectId", whole, True),
    Field("BizDate", whole, True),
    Field("EnvType", production),
    Field("Filter", document),
    Field("Ids", ids),
    Field("Name", text),
    Field("Owner", text),
    Field("Tags", names),
    Field("Type", one_of(*words.WORKFLOW_TYPES)),
    Field("UnifiedWorkflowInstanceId", whole),
    Field("WorkflowId", whole),
    SORT,
    *PAGING,
)
GET_DATE = (Field("Id", whole, True),)
OPERATE_DATES = (Field("Ids", ids, True), COMMENT)
RERUN_DATES = (
    Field("ProjectId", whole, True),
    Field("Type", one_of(*words.WORKFLOW_TYPES), True),
    Field("WorkflowId", whole, True),
    Field("EnvType", production),
    Field("Ids", ids),
    Field("Name", text),
    Field("Bizdate", whole),
    Field("Status", _STATUS),
    Field("StartTriggerTime", whole),
    Field("EndTriggerTime", whole),
    Field("Filter", document),
)
_ENDED = {"Failure": State.FAILED.value, "Success": State.SUCCESSFUL.value}


def list_workflow_instances(asked: Asked) -> dict[str, Any]:
    """ListWorkflowInstances: of backfills; the nights of the schedule are none."""
    page, workspace = asked.page(_SORTS), asked.project()
    check_workflow(asked["WorkflowId"])
    wanted = asked.numbers("Ids", "UnifiedWorkflowInstanceId")
    search = DateSearch(
        workspace=workspace,
        bizdate=asked.bizdate("BizDate").isoformat(),
        dates=[words.date_of_workflow_instance(number) for number in wanted],
        name=asked["Name"],
        creator=asked["Owner"],
        states=_wanted_states(asked),
    )
    found = asked.center.dates.list(search, page)
    project_id = asked["ProjectId"]
    items = [
        _date(asked, {workspace: project_id} | {one["workspace"] or "": project_id}, one)
        for one in found["items"]
    ]
    return asked.paged("WorkflowInstances", items, page, found["total"])


def _wanted_states(asked: Asked) -> Collection[str]:
    given = asked["Filter"] or {}
    if not given.keys() <= {"status", "executionDate"}:
        raise invalid("Filter", "Filter is a JSON object with status or executionDate")
    if given.get("executionDate") is not None:
        raise unsupported("Filter.executionDate", "dates of backfills are found by BizDate")
    if asked["Type"] not in (None, words.BACKFILL) or asked["Tags"]:
        return words.NEVER
    status = given.get("status")
    if status is None:
        return ()
    return words.states_of(_STATUS("Filter.status", status if isinstance(status, str) else ""))


def get_workflow_instance(asked: Asked) -> dict[str, Any]:
    """GetWorkflowInstance."""
    found = asked.center.dates.show(*words.date_of_workflow_instance(asked["Id"]))
    return {"WorkflowInstance": _date(asked, asked.project_ids(), found)}


def start_workflow_instances(asked: Asked) -> dict[str, Any]:
    """StartWorkflowInstances: the backfills of these dates go on, where they were paused or stopped."""
    chosen = _by_backfill(asked)
    with _naming(chosen):
        asked.center.together.resume_backfills([*chosen], asked.comment)
    return done(asked["Ids"])


def stop_workflow_instances(asked: Asked) -> dict[str, Any]:
    """StopWorkflowInstances: where all that is left of backfills is named, they are stopped; else what runs of the dates."""
    chosen = _by_backfill(asked)
    whole = [
        backfill for backfill, numbers in chosen.items() if _is_all_that_is_left(asked, backfill, numbers)
    ]
    if not whole:
        asked.center.together.stop(_running(asked), asked.comment)
    elif len(whole) == len(chosen):
        with _naming(chosen):
            asked.center.together.stop_backfills(whole, asked.comment)
    else:
        raise invalid(
            "Ids", "Ids names all that is left of some backfills, and a part of others: stop these apart"
        )
    return done(asked["Ids"])


def _is_all_that_is_left(asked: Asked, backfill: int, chosen: list[int]) -> bool:
    count = len(asked.center.backfills.row(backfill)["bizdates"])
    every = DateSearch(dates=[(backfill, position) for position in range(count)])
    found = asked.center.dates.list(every, Numbered(limit=-1))["items"]
    return {_number(one) for one in found if one["state"] != State.SUCCESSFUL} <= set(chosen)


def _running(asked: Asked) -> list[int]:
    """The instances of the named dates that run.

    Raises:
        ApiError: nothing runs of one of them.
    """
    running: list[int] = []
    for number in asked["Ids"]:
        date = words.date_of_workflow_instance(number)
        bizdate = asked.center.dates.show(*date)["bizdate"]
        search = DateInstanceSearch(bizdate, dates=[date], states=(State.RUNNING,))
        found = asked.center.dates.instances(search, Numbered(limit=-1))["items"]
        if not found:
            raise ApiError(
                409,
                f"IncorrectStatus.{number}",
                f"nothing of workflow instance {number} is running; name all that is left of its backfill to stop that",
            )
        running += [one["id"] for one in found]
    return running


def _by_backfill(asked: Asked) -> dict[int, list[int]]:
    """The dates that are named, by their backfills.

    Raises:
        ApiError: none is named, or one is not there.
    """
    if not asked["Ids"]:
        raise missing("Ids")
    found: dict[int, list[int]] = {}
    for number in asked["Ids"]:
        date = words.date_of_workflow_instance(number)
        try:
            asked.center.dates.show(*date)
        except RetrofillError as error:
            raise api_error(error, str(number)) from None
        found.setdefault(date[0], []).append(number)
    return found


@contextmanager
def _naming(chosen: Mapping[int, list[int]]) -> Iterator[None]:
    """A backfill that is refused is named by its first date."""
    try:
        yield
    except RefusedTogetherError as error:
        raise api_error(error, str(chosen[error.item_id][0])) from None


# Reruns


def rerun_workflow_instances(asked: Asked) -> dict[str, Any]:
    """RerunWorkflowInstances: what has ended of the dates that fit, in order."""
    check_workflow(asked["WorkflowId"])
    if asked["Type"] != words.BACKFILL:
        raise unsupported(
            f"Type.{asked['Type']}", "only dates of backfills are rerun as a whole: SupplementData"
        )
    search, below = _filter(asked["Filter"] or {})
    dates = [words.date_of_workflow_instance(_number(one)) for one in _dates_to_rerun(asked)]
    if not dates:
        raise UnknownNameError("no workflow instance fits", "ListWorkflowInstances shows those of a date.")
    errand = asked.center.errands.ask_for_rerun(dates, search, "", below)
    asked.carry_out(errand)
    return {"OperationId": errand}


def get_rerun_workflow_instances_result(asked: Asked) -> dict[str, Any]:
    """GetRerunWorkflowInstancesResult."""
    found = asked.center.errands.show(asked["OperationId"])
    if found["state"] == "under_way":
        asked.take_up(found["id"])
        return {"Result": {"Status": "NotRun"}}
    status = "Failure" if found["state"] == "failed" else "Success"
    return {"Result": without_none(Status=status, FailureMessage=found["failure"])}


def _dates_to_rerun(asked: Asked) -> list[BackfillDate]:
    given = asked.fields.given("Ids", "Name", "Bizdate", "Status", "StartTriggerTime", "EndTriggerTime")
    if not given:
        raise missing("Ids")
    search = DateSearch(
        workspace=asked.project(),
        bizdate=None if asked["Bizdate"] is None else asked.bizdate("Bizdate").isoformat(),
        dates=[words.date_of_workflow_instance(number) for number in asked["Ids"] or ()],
        name=asked["Name"],
        states=() if asked["Status"] is None else words.states_of(asked["Status"]),
    )
    first, last = asked["StartTriggerTime"], asked["EndTriggerTime"]
    found = asked.center.dates.list(search, Numbered(limit=-1, is_descending=False))["items"]
    return [one for one in found if _is_between(words.ms_text(one["created_at"]) or 0, first, last)]


def _is_between(ms: int, first: int | None, last: int | None) -> bool:
    return (first is None or first <= ms) and (last is None or ms <= last)


def _filter(given: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Which instances of the dates, as `DateInstanceSearch` asks; and whether what waits for them comes along."""
    known = {"RerunDownstreamEnabled", "TaskIds", "TaskInstanceStatuses", "TaskName", "TaskTypes"}
    if not given.keys() <= known:
        raise invalid("Filter", f"Filter is a JSON object with fields of {', '.join(sorted(known))}")
    found: dict[str, Any] = {}
    if given.get("TaskIds"):
        found["task_ids"] = numbers("Filter.TaskIds", given["TaskIds"])
    if given.get("TaskName"):
        found["task_name"] = text("Filter.TaskName", str(given["TaskName"]))
    if given.get("TaskTypes"):
        types = {word: kind for kind, word in words.TASK_TYPE.items()}
        wanted = names("Filter.TaskTypes", json.dumps(given["TaskTypes"]))
        if len(wanted) != 1 or wanted[0] not in types:
            raise invalid("Filter.TaskTypes", f"TaskTypes holds one of {', '.join(types)}")
        found["task_type"] = types[wanted[0]]
    if given.get("TaskInstanceStatuses"):
        statuses = names("Filter.TaskInstanceStatuses", json.dumps(given["TaskInstanceStatuses"]))
        if not set(statuses) <= _ENDED.keys():
            raise invalid("Filter.TaskInstanceStatuses", "only what is Failure or Success is rerun")
        found["states"] = [_ENDED[status] for status in statuses]
    below = given.get("RerunDownstreamEnabled")
    if below not in (None, True, False):
        raise invalid("Filter.RerunDownstreamEnabled", "RerunDownstreamEnabled is true or false")
    return found, bool(below)


# A task at a time of its own


TRIGGER = (Field("TaskId", whole, True), Field("TriggerTime", whole, True), Field("EnvType", production))


def trigger_scheduler_task_instance(asked: Asked) -> dict[str, Any]:
    """TriggerSchedulerTaskInstance: the instance of that slot runs now, as a backfill of its own."""
    task = asked.center.declared.show(asked["TaskId"])
    try:
        slot = instant_of(asked["TriggerTime"])
        day = local_date(slot, task["timezone"])
    except (OverflowError, ValueError, OSError):
        raise invalid("TriggerTime", "TriggerTime is milliseconds since 1970") from None
    minute = (ms_of(slot) - ms_of(day_start(day, task["timezone"]))) // 60_000
    at = f"{minute // 60:02d}:{minute % 60:02d}"
    backfills = asked.center.backfills
    given = {
        "task": [str(asked["TaskId"])],
        "bizdate": [(day - timedelta(days=1)).isoformat()],
        "time_range": f"{at}-{at}",
        "run_future": True,
        "name": f"{task['task']} triggered for {day} {at}",
    }
    backfills.create(backfills.plan(given))
    return {"Success": True}


# Shapes


def _number(one: BackfillDate) -> int:
    return words.workflow_instance_id(one["backfill"], one["position"])


def _date(asked: Asked, projects: Mapping[str, int], one: BackfillDate) -> dict[str, Any]:
    number = _number(one)
    times = [words.ms_text(one[key]) for key in ("created_at", "started_at", "ended_at")]
    created, started, ended = times
    return without_none(
        Id=number,
        UnifiedWorkflowInstanceId=number,
        Name=one["name"],
        Type=words.BACKFILL,
        Status=words.STATUS[one["state"]],
        BizDate=words.day_ms(one["bizdate"], asked.timezone),
        ProjectId=projects.get(one["workspace"] or ""),
        WorkflowId=words.WORKFLOW_ID,
        EnvType="Prod",
        Owner=one["created_by"],
        CreateUser=one["created_by"],
        CreateTime=created,
        StartedTime=started,
        FinishedTime=ended,
        ModifyTime=max(ms for ms in times if ms is not None),
        Tags=[],
    )
