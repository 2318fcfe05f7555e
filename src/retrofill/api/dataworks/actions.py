"""Every action of the API in one table: how it is asked, with which fields, how much an access key must allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from retrofill.api.dataworks import creation, projects, task_instances, tasks, workflow_instances
from retrofill.api.dataworks.asked import Asked
from retrofill.api.dataworks.fields import Field
from retrofill.domain.people.scopes import Scope


class Action(NamedTuple):
    """One action.

    Attributes:
        in_query: of a POST, the field that stands in the query and not in the form.
    """

    name: str
    method: str
    fields: tuple[Field, ...]
    answer: Callable[[Asked], dict[str, Any]]
    scope: Scope = Scope.READ
    in_query: str = ""


def _acts(
    name: str, fields: tuple[Field, ...], answer: Callable[[Asked], dict[str, Any]], in_query: str = ""
) -> Action:
    return Action(name, "POST", fields, answer, Scope.OPERATE, in_query)


_ALL = (
    Action("ListProjects", "POST", projects.LIST_PROJECTS, projects.list_projects),
    Action("GetProject", "GET", projects.GET_PROJECT, projects.get_project),
    Action("ListResourceGroups", "GET", projects.LIST_GROUPS, projects.list_resource_groups),
    Action("ListTasks", "POST", tasks.LIST_TASKS, tasks.list_tasks),
    Action("GetTask", "GET", tasks.GET_TASK, tasks.get_task),
    Action("ListUpstreamTasks", "GET", tasks.AROUND_TASK, tasks.list_upstream_tasks),
    Action("ListDownstreamTasks", "GET", tasks.AROUND_TASK, tasks.list_downstream_tasks),
    Action("ListTaskOperationLogs", "GET", tasks.TASK_LOGS, tasks.list_task_operation_logs),
    Action("ListWorkflows", "POST", tasks.LIST_WORKFLOWS, tasks.list_workflows),
    Action("GetWorkflow", "GET", tasks.GET_WORKFLOW, tasks.get_workflow),
    _acts("CreateWorkflowInstances", creation.CREATE, creation.create_workflow_instances),
    Action(
        "GetCreateWorkflowInstancesResult",
        "GET",
        creation.GET_RESULT,
        creation.get_create_workflow_instances_result,
    ),
    Action(
        "ListWorkflowInstances",
        "POST",
        workflow_instances.LIST_DATES,
        workflow_instances.list_workflow_instances,
    ),
    Action(
        "GetWorkflowInstance", "GET", workflow_instances.GET_DATE, workflow_instances.get_workflow_instance
    ),
    _acts(
        "StartWorkflowInstances",
        workflow_instances.OPERATE_DATES,
        workflow_instances.start_workflow_instances,
    ),
    _acts(
        "StopWorkflowInstances", workflow_instances.OPERATE_DATES, workflow_instances.stop_workflow_instances
    ),
    _acts(
        "RerunWorkflowInstances", workflow_instances.RERUN_DATES, workflow_instances.rerun_workflow_instances
    ),
    Action(
        "GetRerunWorkflowInstancesResult",
        "POST",
        creation.GET_RESULT,
        workflow_instances.get_rerun_workflow_instances_result,
        in_query="OperationId",
    ),
    _acts(
        "TriggerSchedulerTaskInstance",
        workflow_instances.TRIGGER,
        workflow_instances.trigger_scheduler_task_instance,
        in_query="EnvType",
    ),
    Action("ListTaskInstances", "POST", task_instances.LIST_INSTANCES, task_instances.list_task_instances),
    Action("GetTaskInstance", "GET", task_instances.GET_INSTANCE, task_instances.get_task_instance),
    Action("GetTaskInstanceLog", "GET", task_instances.GET_LOG, task_instances.get_task_instance_log),
    Action(
        "ListTaskInstanceOperationLogs",
        "GET",
        task_instances.INSTANCE_LOGS,
        task_instances.list_task_instance_operation_logs,
    ),
    Action(
        "ListUpstreamTaskInstances",
        "GET",
        task_instances.AROUND_INSTANCE,
        task_instances.list_upstream_task_instances,
    ),
    Action(
        "ListDownstreamTaskInstances",
        "GET",
        task_instances.AROUND_INSTANCE,
        task_instances.list_downstream_task_instances,
    ),
    _acts("RerunTaskInstances", task_instances.RERUN, task_instances.rerun_task_instances),
    _acts("StopTaskInstances", task_instances.OPERATE, task_instances.stop_task_instances),
    _acts("SuspendTaskInstances", task_instances.OPERATE, task_instances.suspend_task_instances),
    _acts("ResumeTaskInstances", task_instances.OPERATE, task_instances.resume_task_instances),
    _acts("SetSuccessTaskInstances", task_instances.OPERATE, task_instances.set_success_task_instances),
    _acts(
        "RemoveTaskInstanceDependencies",
        task_instances.REMOVE_WAITS,
        task_instances.remove_task_instance_dependencies,
        in_query="Id",
    ),
    _acts("UpdateTaskInstances", task_instances.UPDATE, task_instances.update_task_instances),
)
ACTIONS: Mapping[str, Action] = MappingProxyType({action.name: action for action in _ALL})
