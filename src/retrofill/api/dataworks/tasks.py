"""Tasks, and the one workflow that they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrofill.api.dataworks import words
from retrofill.api.dataworks.asked import PAGING, SORT, Asked, check_workflow, without_none
from retrofill.api.dataworks.fields import Field, ids, names, one_of, production, text, whole
from retrofill.api.dataworks.operation_logs import logs_of
from retrofill.api.dataworks.parameters import parameter_text
from retrofill.domain.catalog.searches import TaskSearch
from retrofill.domain.errors import UnknownNameError
from retrofill.domain.running.searches import Numbered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retrofill.services.reading.documents import DeclaredTask

_ENVIRONMENT = Field("ProjectEnv", production)
TASK_TYPES = tuple(words.TASK_TYPE.values())
LIST_TASKS = (
    Field("ProjectId", whole, True),
    _ENVIRONMENT,
    Field("Ids", ids),
    Field("Name", text),
    Field("Owner", text),
    Field("RuntimeResource", text),
    Field("TaskType", one_of(*TASK_TYPES)),
    Field("TriggerRecurrence", one_of(*words.RECURRENCES)),
    Field("TriggerType", one_of("Scheduler", "Manual")),
    Field("WorkflowId", whole),
    SORT,
    *PAGING,
)
GET_TASK = (Field("Id", whole, True), _ENVIRONMENT)
AROUND_TASK = (*GET_TASK, *PAGING)
TASK_LOGS = (*AROUND_TASK, Field("Date", whole))
LIST_WORKFLOWS = (
    Field("ProjectId", whole, True),
    Field("EnvType", production),
    Field("Ids", ids),
    Field("Name", text),
    Field("Owner", text),
    Field("Tags", names),
    Field("TriggerType", one_of("Scheduler", "Manual")),
    SORT,
    *PAGING,
)
GET_WORKFLOW = (Field("Id", whole, True), Field("EnvType", production))
# Tasks have their ids in the order in which they came; when they were changed last is not known.
_SORTS = {"Id": "id", "CreateTime": "id", "ModifyTime": "id"}
_WORKFLOW = "scheduled tasks"


def list_tasks(asked: Asked) -> dict[str, Any]:
    """ListTasks."""
    workspace, page = asked.project(), asked.page(_SORTS)
    check_workflow(asked["WorkflowId"])
    types = {word: kind for kind, word in words.TASK_TYPE.items()}
    modes = [mode for mode, word in words.TASK_RECURRENCE.items() if word == asked["TriggerRecurrence"]]
    search = TaskSearch(
        workspace=workspace,
        ids=asked["Ids"] or (),
        name=asked["Name"],
        owner=asked["Owner"],
        type=types.get(asked["TaskType"]),
        resource_group=asked["RuntimeResource"],
        modes=words.NEVER if asked["TriggerType"] == "Manual" else modes,
    )
    found = asked.center.declared.list(search, page)
    return asked.paged("Tasks", [_listed(one) for one in found["items"]], page, found["total"])


def get_task(asked: Asked) -> dict[str, Any]:
    """GetTask."""
    task = asked.center.declared.show(asked["Id"])
    return {
        "Task": {
            **_task(task),
            "EnvType": "Prod",
            "ProjectEnv": "Prod",
            "Dependencies": [_dependency(one) for one in task["waits_for"]],
            "Script": {"Content": task["code"], "Parameters": parameter_text(task["parameters"])},
            "Inputs": {
                "Variables": [
                    {"Name": name, "Type": "Constant", "Value": value}
                    for name, value in task["parameters"].items()
                ]
            },
            "Outputs": {"TaskOutputs": [{"Output": table} for table in task["writes"]]},
            "Tags": [{"Key": tag, "Value": ""} for tag in task["tags"]],
        }
    }


def _dependency(wait: Mapping[str, Any]) -> dict[str, Any]:
    number = wait["id"]
    return without_none(
        Type=words.TASK_DEPENDENCY[wait["kind"]],
        UpstreamTaskId=None if number is None else str(number),
        UpstreamOutput=wait["task"],
    )


def list_upstream_tasks(asked: Asked) -> dict[str, Any]:
    """ListUpstreamTasks."""
    return _neighbours(asked, "UpstreamTasks", below=False)


def list_downstream_tasks(asked: Asked) -> dict[str, Any]:
    """ListDownstreamTasks."""
    return _neighbours(asked, "DownstreamTasks", below=True)


def _neighbours(asked: Asked, key: str, below: bool) -> dict[str, Any]:
    """Both lists that the answer has: the newer one, and the older one with the kind inside each task."""
    found = [
        (words.DEPENDENCY[one["dependency"]], _near(one["task"]))
        for one in asked.center.declared.neighbours(asked["Id"], below)
    ]
    answer = asked.cut(key, [{"DependencyType": kind, "Task": task} for kind, task in found])
    older = asked.cut("Tasks", [{**task, "ProjectEnv": "Prod", "StepType": kind} for kind, task in found])
    answer["PagingInfo"]["Tasks"] = older["PagingInfo"]["Tasks"]
    return answer


def _near(task: DeclaredTask) -> dict[str, Any]:
    found = _task(task)
    trigger = {**found["Trigger"], "Timezone": task["timezone"]}
    return {**found, "EnvType": "Prod", "Trigger": trigger}


def list_task_operation_logs(asked: Asked) -> dict[str, Any]:
    """ListTaskOperationLogs: who froze and unfroze it."""
    task = asked.center.declared.show(asked["Id"])
    operations = [*reversed(asked.center.operations.of_task(task["task"]))]
    return logs_of(asked, operations, {"ObjectType": "Task", "TaskId": task["id"]})


def _listed(task: DeclaredTask) -> dict[str, Any]:
    return {**_task(task), "ProjectEnv": "Prod", "ScriptParameters": parameter_text(task["parameters"])}


def _task(task: DeclaredTask) -> dict[str, Any]:
    """What all shapes of a task share."""
    return without_none(
        Id=task["id"],
        Name=task["task"].partition(".")[2],
        ProjectId=task["workspace_id"],
        WorkflowId=words.WORKFLOW_ID,
        Type=words.TASK_TYPE[task["type"]],
        Description=task["description"],
        Owner=task["owner"],
        CreateUser=task["owner"],
        Priority=task["priority"],
        InstanceMode=words.INSTANCE_MODE[task["generation"]],
        RerunMode=words.RERUN_MODE[task["rerun"]["mode"]],
        RerunTimes=task["rerun"]["times"],
        RerunInterval=task["rerun"]["interval_seconds"],
        Timeout=task["timeout_seconds"],
        RuntimeResource={"ResourceGroupId": task["resource_group"]},
        DataSource=None if task["connection"] is None else {"Name": task["connection"]},
        Trigger=without_none(
            Type="Scheduler",
            Cron=task["schedule"],
            Recurrence=words.TASK_RECURRENCE[task["mode"]],
            StartTime=task["valid_from"],
            EndTime=task["valid_until"],
        ),
    )


# The one workflow


def list_workflows(asked: Asked) -> dict[str, Any]:
    """ListWorkflows: all scheduled tasks of a project are of one."""
    workspace = asked.project()
    asked.page({"Id": "id", "CreateTime": "id", "ModifyTime": "id", "Name": "id"})
    fits = (
        (not asked["Ids"] or words.WORKFLOW_ID in asked["Ids"])
        and (asked["Name"] or "").lower() in _WORKFLOW
        and not asked.fields.given("Owner", "Tags")
        and asked["TriggerType"] != "Manual"
    )
    found = {**_workflow(), "ProjectId": asked.project_ids()[workspace]}
    return asked.cut("Workflows", [found] if fits else [])


def get_workflow(asked: Asked) -> dict[str, Any]:
    """GetWorkflow: with the tasks of all projects that are seen."""
    if asked["Id"] != words.WORKFLOW_ID:
        raise UnknownNameError(f"there is no workflow {asked['Id']}", "Scheduled tasks are of workflow 1.")
    every = asked.center.declared.list(TaskSearch(), Numbered(limit=-1, is_descending=False))
    tasks = [_in_workflow(one) for one in every["items"]]
    return {"Workflow": {**_workflow(), "Dependencies": [], "Tags": [], "Tasks": tasks}}


def _workflow() -> dict[str, Any]:
    trigger = {"Type": "Scheduler", "Recurrence": "Normal"}
    return {"Id": words.WORKFLOW_ID, "Name": _WORKFLOW, "EnvType": "Prod", "Trigger": trigger}


def _in_workflow(task: DeclaredTask) -> dict[str, Any]:
    found = _task(task)
    trigger = found.pop("Trigger")
    del found["InstanceMode"]
    return {**found, "EnvType": "Prod", "TriggerRecurrence": trigger["Recurrence"]}
