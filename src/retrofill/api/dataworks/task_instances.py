"""Task instances: lists, one with its log and its record, what lies around it, and what is done to several."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from retrofill.api.dataworks import words
from retrofill.api.dataworks.asked import PAGING, SORT, Asked, check_workflow, done, without_none
from retrofill.api.dataworks.errors import ApiError, invalid, missing, unsupported
from retrofill.api.dataworks.fields import (
    Field,
    document,
    documents,
    ids,
    one_of,
    production,
    text,
    whole,
    yes_no,
)
from retrofill.api.dataworks.operation_logs import logs_of
from retrofill.api.dataworks.parameters import parameter_text
from retrofill.api.dataworks.tasks import TASK_TYPES
from retrofill.domain.errors import WrongStateError
from retrofill.domain.running.places import Place
from retrofill.domain.running.searches import ANY_TIME, DateInstanceSearch, Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retrofill.services.reading.documents import InstanceDetail

_MOST_LOG = 8 << 20  # bytes of a log in one answer
_SORTS = {
    "Id": "id",
    "TriggerTime": "due",
    "StartedTime": "started",
    "FinishedTime": "ended",
    "CreateTime": "created",
}
LIST_INSTANCES = (
    Field("ProjectId", whole, True),
    Field("Bizdate", whole, True),
    Field("ProjectEnv", production),
    Field("Filter", document),
    Field("Id", whole),
    Field("Ids", ids),
    Field("Owner", text),
    Field("RuntimeResource", text),
    Field("Status", one_of(*words.STATUSES)),
    Field("TaskId", whole),
    Field("TaskIds", ids),
    Field("TaskName", text),
    Field("TaskType", one_of(*TASK_TYPES)),
    Field("TriggerRecurrence", one_of(*words.RECURRENCES)),
    Field("TriggerType", one_of("Scheduler", "Manual")),
    Field("UnifiedWorkflowInstanceId", whole),
    Field("WorkflowId", whole),
    Field("WorkflowInstanceId", whole),
    Field("WorkflowInstanceType", one_of(*words.WORKFLOW_TYPES)),
    SORT,
    *PAGING,
)
GET_INSTANCE = (Field("Id", whole, True),)
GET_LOG = (*GET_INSTANCE, Field("RunNumber", whole))
AROUND_INSTANCE = (*GET_INSTANCE, *PAGING)
INSTANCE_LOGS = (*AROUND_INSTANCE, Field("Date", whole))
COMMENT = Field("Comment", text)
OPERATE = (Field("Ids", ids, True), COMMENT)
RERUN = (*OPERATE, Field("UseLatestConfig", yes_no))
REMOVE_WAITS = (*GET_INSTANCE, COMMENT, Field("UpstreamTaskInstanceIds", ids))
UPDATE = (Field("TaskInstances", documents, True), COMMENT)


def list_task_instances(asked: Asked) -> dict[str, Any]:
    """ListTaskInstances."""
    page, search = asked.page(_SORTS), _search(asked)
    found = asked.center.dates.instances(search, page)
    projects = asked.project_ids()
    items = [_listed(asked, projects, one) for one in found["items"]]
    if asked.fields.given("Id") and items:
        return asked.cut("TaskInstances", [*_earlier_runs(asked, items[0]), *items][::-1])
    return asked.paged("TaskInstances", items, page, found["total"])


def _earlier_runs(asked: Asked, last: dict[str, Any]) -> list[dict[str, Any]]:
    """What a client that asks for one instance gets besides: its runs before the last one, oldest first."""
    runs = asked.center.instances.show(last["Id"])["runs"]
    return [
        last
        | without_none(
            RunNumber=run["run_number"],
            Status=words.STATUS["successful" if run["exit_code"] == 0 else "failed"],
            StartedTime=words.ms_text(run["started_at"]),
            FinishedTime=words.ms_text(run["ended_at"]),
        )
        for run in runs
        if run["run_number"] < last["RunNumber"]
    ]


def _search(asked: Asked) -> DateInstanceSearch:
    check_workflow(asked["WorkflowId"])
    times = _times(asked["Filter"] or {})
    kinds, states = _states(asked)
    types = {word: kind for kind, word in words.TASK_TYPE.items()}
    wanted = asked.numbers("WorkflowInstanceId", "UnifiedWorkflowInstanceId")
    kind = asked["WorkflowInstanceType"]
    return DateInstanceSearch(
        bizdate=asked.bizdate("Bizdate").isoformat(),
        workspace=asked.project(),
        ids=asked.numbers("Ids", "Id"),
        dates=[words.date_of_workflow_instance(number) for number in wanted],
        task_ids=asked.numbers("TaskIds", "TaskId"),
        task_name=asked["TaskName"],
        task_type=types.get(asked["TaskType"]),
        owner=asked["Owner"],
        resource_group=asked["RuntimeResource"],
        states=words.NEVER if kind not in (None, words.NORMAL, words.BACKFILL) else states,
        kinds=words.NEVER if asked["TriggerType"] == "Manual" else kinds,
        auto=None if kind is None else kind == words.NORMAL,
        started=times["startedTime"],
        ended=times["finishedTime"],
        created=times["createTime"],
    )


def _states(asked: Asked) -> tuple[Collection[str], Collection[str]]:
    """Kinds and states that fit both the status and the recurrence that are asked for."""
    recurrence = asked["TriggerRecurrence"]
    states = frozenset() if asked["Status"] is None else words.states_of(asked["Status"])
    if recurrence is None:
        return (), states
    frozen = frozenset({"frozen"})
    if recurrence == "Pause":
        return (), (frozen if not states else frozen & states or words.NEVER)
    return words.kinds_of(recurrence), (states or frozenset(words.STATUS)) - frozen or words.NEVER


def _times(given: Mapping[str, Any]) -> dict[str, Span]:
    names = ("startedTime", "finishedTime", "createTime")
    known = {f"{name}{end}" for name in names for end in ("Start", "End")}
    if not given.keys() <= known:
        raise invalid("Filter", f"Filter is a JSON object with fields of {', '.join(sorted(known))}")
    numbers = {key: _moment(value) for key, value in given.items()}
    spans = {name: Span(numbers.get(f"{name}Start"), numbers.get(f"{name}End")) for name in names}
    return {name: ANY_TIME if span == (None, None) else span for name, span in spans.items()}


def _moment(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**18:
        raise invalid("Filter", "times in Filter are milliseconds since 1970")
    return value


# One


def get_task_instance(asked: Asked) -> dict[str, Any]:
    """GetTaskInstance."""
    found = asked.center.dates.instance(asked["Id"])
    values = asked.center.instances.show(asked["Id"])["parameters"]
    shape = _listed(asked, asked.project_ids(), found)
    parameters = shape.pop("ScriptParameters")
    return {
        "TaskInstance": {
            **shape,
            "Script": {"Content": found["code"], "Parameters": parameters},
            "Inputs": {"Variables": [{"Name": n, "Type": "Constant", "Value": v} for n, v in values.items()]},
            "Tags": [{"Key": tag, "Value": ""} for tag in found["tags"]],
        }
    }


def get_task_instance_log(asked: Asked) -> dict[str, Any]:
    """GetTaskInstanceLog: the last 8 MiB of it; of what has not run yet, nothing."""
    try:
        found = asked.center.instances.log(asked["Id"], asked["RunNumber"])
    except WrongStateError:
        return {"TaskInstanceLog": ""}
    if isinstance(found, str):
        return {"TaskInstanceLog": found}
    kept: deque[bytes] = deque()
    size = left_out = 0
    for pieces in (found.pieces(), found.rest()):
        for _, gap, data in pieces:
            kept.append(data)
            size, left_out = size + len(data), left_out + gap
            while size > _MOST_LOG:
                size, left_out = size - len(kept[0]), left_out + len(kept.popleft())
    text = b"".join(kept).decode("utf-8", "replace")
    return {"TaskInstanceLog": f"[{left_out:,} bytes are left out here]\n{text}" if left_out else text}


def list_task_instance_operation_logs(asked: Asked) -> dict[str, Any]:
    """ListTaskInstanceOperationLogs."""
    operations = asked.center.instances.history(asked["Id"])["operations"]
    return logs_of(asked, operations, {"TaskInstanceId": asked["Id"]})


def list_upstream_task_instances(asked: Asked) -> dict[str, Any]:
    """ListUpstreamTaskInstances."""
    return _neighbours(asked, "UpstreamTaskInstances", below=False)


def list_downstream_task_instances(asked: Asked) -> dict[str, Any]:
    """ListDownstreamTaskInstances."""
    return _neighbours(asked, "DownstreamTaskInstances", below=True)


def _neighbours(asked: Asked, key: str, below: bool) -> dict[str, Any]:
    """Both lists that the answer has: the newer one, and the older one with the kind inside each instance."""
    projects = asked.project_ids()
    found = [
        (
            words.DEPENDENCY[one["dependency"]],
            _instance(asked, projects, one["instance"]) | {"EnvType": "Prod"},
        )
        for one in asked.center.dates.neighbours(asked["Id"], below)
    ]
    answer = asked.cut(key, [{"DependencyType": kind, "TaskInstance": one} for kind, one in found])
    older = asked.cut(
        "TaskInstances", [{**one, "ProjectEnv": "Prod", "StepType": kind} for kind, one in found]
    )
    answer["PagingInfo"]["TaskInstances"] = older["PagingInfo"]["TaskInstances"]
    return answer


# Several, all or none


def rerun_task_instances(asked: Asked) -> dict[str, Any]:
    """RerunTaskInstances."""
    asked.center.together.rerun(asked["Ids"], asked.comment, bool(asked["UseLatestConfig"]))
    return done(asked["Ids"])


def stop_task_instances(asked: Asked) -> dict[str, Any]:
    """StopTaskInstances: they are Failure once their processes have ended."""
    asked.center.together.stop(asked["Ids"], asked.comment)
    return done(asked["Ids"])


def suspend_task_instances(asked: Asked) -> dict[str, Any]:
    """SuspendTaskInstances: they are frozen."""
    asked.center.together.freeze(asked["Ids"], asked.comment)
    return done(asked["Ids"])


def resume_task_instances(asked: Asked) -> dict[str, Any]:
    """ResumeTaskInstances."""
    asked.center.together.unfreeze(asked["Ids"], asked.comment)
    return done(asked["Ids"])


def set_success_task_instances(asked: Asked) -> dict[str, Any]:
    """SetSuccessTaskInstances."""
    asked.center.together.set_successful(asked["Ids"], asked.comment)
    return done(asked["Ids"])


def remove_task_instance_dependencies(asked: Asked) -> dict[str, Any]:
    """RemoveTaskInstanceDependencies: those of the given upstream instances, or all."""
    asked.center.together.remove_waits([asked["Id"]], asked["UpstreamTaskInstanceIds"], asked.comment)
    return {"Success": True}


def update_task_instances(asked: Asked) -> dict[str, Any]:
    """UpdateTaskInstances: priority and resource group."""
    places: dict[int, Place] = {}
    for one in asked["TaskInstances"]:
        number, place = _place(one)
        if number in places:
            raise invalid("TaskInstances", f"TaskInstances holds instance {number} twice")
        places[number] = place
    if not places:
        raise missing("TaskInstances")
    asked.center.together.place(places, asked.comment)
    return done(places)


def _place(one: Any) -> tuple[int, Place]:
    if not isinstance(one, dict) or not one.keys() <= {"Id", "Priority", "RuntimeResource", "DataSource"}:
        raise invalid("TaskInstances", "TaskInstances holds objects with Id, Priority and RuntimeResource")
    if one.get("DataSource"):
        raise unsupported("DataSource", "a task's connection is changed in its project, not of one instance")
    number, priority, group = one.get("Id"), one.get("Priority"), one.get("RuntimeResource") or None
    for name, value, kind in (
        ("Id", number, int),
        ("Priority", priority, int),
        ("RuntimeResource", group, str),
    ):
        if value is None and name != "Id":
            continue
        if not isinstance(value, kind) or isinstance(value, bool):
            raise invalid("TaskInstances", f"TaskInstances: {name} is missing, or has another type")
    if priority is None and group is None:
        raise ApiError(
            400, "MissingParameter.TaskInstances", f"nothing is to be changed of instance {number}"
        )
    return int(number or 0), Place(priority, group)


# Shapes


def _listed(asked: Asked, projects: Mapping[str, int], one: InstanceDetail) -> dict[str, Any]:
    found = _instance(asked, projects, one)
    return {
        **found,
        **without_none(UnifiedWorkflowInstanceId=found.get("WorkflowInstanceId")),
        "ProjectEnv": "Prod",
        "ScriptParameters": parameter_text(one["declared"]),
    }


def _instance(asked: Asked, projects: Mapping[str, int], one: InstanceDetail) -> dict[str, Any]:
    """What all shapes of an instance share."""
    workspace, _, name = one["task"].partition(".")
    started, ended = words.ms_text(one["started_at"]), words.ms_text(one["ended_at"])
    created = words.ms_text(one["created_at"])
    unit = None
    if one["backfill"] is not None and one["position"] is not None:
        unit = words.workflow_instance_id(one["backfill"], one["position"])
    return without_none(
        Id=one["id"],
        TaskId=one["task_id"],
        TaskName=name,
        TaskType=words.TASK_TYPE[one["type"]],
        ProjectId=projects.get(workspace),
        Bizdate=words.day_ms(one["bizdate"], asked.timezone),
        TriggerTime=words.ms_text(one["due_at"]),
        TriggerType="Scheduler",
        TriggerRecurrence="Pause" if one["state"] == "frozen" else words.RECURRENCE[one["kind"]],
        Status=words.STATUS[one["state"]],
        PeriodNumber=one["cycle_number"],
        RunNumber=one["run_number"],
        StartedTime=started,
        FinishedTime=ended,
        CreateTime=created,
        CreateUser=one["created_by"],
        ModifyTime=max(ms for ms in (created, started, ended) if ms is not None),
        Owner=one["owner"],
        Description=one["description"],
        DataSource=None if one["connection"] is None else {"Name": one["connection"]},
        Priority=one["priority"],
        RerunMode=words.RERUN_MODE[one["rerun_mode"]],
        Timeout=one["timeout_seconds"],
        RuntimeResource={"ResourceGroupId": one["resource_group"]},
        WorkflowId=words.WORKFLOW_ID,
        WorkflowInstanceType=words.NORMAL if one["backfill"] is None else words.BACKFILL,
        WorkflowInstanceId=unit,
    )
