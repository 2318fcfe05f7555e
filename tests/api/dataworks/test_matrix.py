"""Every action by every role, on what is one's own and on what is another's (SEC-2, SEC-4).

Made from the table of actions: a new one fails until its fields stand here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from api.dataworks.conftest import Caller, caller, code_of
from api.servers import Server, serving
from retrofill.api.dataworks.actions import ACTIONS
from retrofill.domain.people.scopes import Scope

USERS = (
    "admin",
    "alice",
    "bob",
    "dave",
    "greta",
    "nobody",
)  # administrator, operator, visitor; a stranger; no key
DAY = 1_767_571_200_000
RUN = {"Parallelism": 1, "Analysis": {"Enabled": True, "Blocked": True}}
# What each is asked with: `project`, `task`, `instance`, `date` and `errand` stand for those of open or of vault.
FIELDS: dict[str, dict[str, Any]] = {
    "ListProjects": {},
    "GetProject": {"Id": "project"},
    "ListResourceGroups": {"ProjectId": "project"},
    "ListTasks": {"ProjectId": "project"},
    "GetTask": {"Id": "task"},
    "ListUpstreamTasks": {"Id": "task"},
    "ListDownstreamTasks": {"Id": "task"},
    "ListTaskOperationLogs": {"Id": "task"},
    "ListWorkflows": {"ProjectId": "project"},
    "GetWorkflow": {"Id": 1},
    "CreateWorkflowInstances": {
        "ProjectId": "project", "Name": "n", "Type": "SupplementData", "WorkflowId": 1,
        "Periods": {"BizDates": [{"StartBizDate": "2026-01-05", "EndBizDate": "2026-01-05"}]},
        "DefaultRunProperties": {**RUN, "RootTaskIds": ["task"]},
    },
    "GetCreateWorkflowInstancesResult": {"OperationId": "errand"},
    "ListWorkflowInstances": {"ProjectId": "project", "BizDate": DAY},
    "GetWorkflowInstance": {"Id": "date"},
    "StartWorkflowInstances": {"Ids": ["date"]},
    "StopWorkflowInstances": {"Ids": ["date"]},
    "RerunWorkflowInstances": {"ProjectId": "project", "Type": "SupplementData", "WorkflowId": 1, "Ids": ["date"]},
    "GetRerunWorkflowInstancesResult": {"OperationId": "errand"},
    "ListTaskInstances": {"ProjectId": "project", "Bizdate": DAY},
    "GetTaskInstance": {"Id": "instance"},
    "GetTaskInstanceLog": {"Id": "instance"},
    "ListTaskInstanceOperationLogs": {"Id": "instance"},
    "ListUpstreamTaskInstances": {"Id": "instance"},
    "ListDownstreamTaskInstances": {"Id": "instance"},
    "RerunTaskInstances": {"Ids": ["instance"]},
    "StopTaskInstances": {"Ids": ["instance"]},
    "SuspendTaskInstances": {"Ids": ["instance"]},
    "ResumeTaskInstances": {"Ids": ["instance"]},
    "SetSuccessTaskInstances": {"Ids": ["instance"]},
    "RemoveTaskInstanceDependencies": {"Id": "instance"},
    "UpdateTaskInstances": {"TaskInstances": [{"Id": "instance", "Priority": 8}]},
    "TriggerSchedulerTaskInstance": {"TaskId": "task", "TriggerTime": DAY + 25 * 3_600_000},
}  # fmt: skip
OPEN_TO_ALL = {"ListProjects", "GetWorkflow"}  # each shows what one sees
OF_WHO_ASKED = {"GetCreateWorkflowInstancesResult", "GetRerunWorkflowInstancesResult"}
# A rerun is asked for where something has ended, and judged when it is done; where nothing runs, nothing is to be stopped.
LATER: dict[str, tuple[str | None, ...]] = {
    "RerunWorkflowInstances": (None, "IncorrectStatus"),
    "StopWorkflowInstances": ("IncorrectStatus",),
}
EMERGENCY = {"RemoveTaskInstanceDependencies", "UpdateTaskInstances"}  # OPS-7: administrators


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Backfills of first (1) and of goldmine (2), neither of which has begun, and an errand of admin."""
    with serving(tmp_path_factory.mktemp("matrix")) as found:
        found.create("admin")
        found.create("admin", task=("vault.goldmine",))
        yield found


@pytest.fixture(scope="module")
def errand(server: Server) -> str:
    given = {"task": ["open.first"], "bizdate": ["2026-01-05"]}
    return server.center("admin").errands.ask_for_backfill(given)


@pytest.fixture(scope="module")
def callers(server: Server) -> dict[str, Caller]:
    found = {user: caller(server, user, Scope.ADMIN) for user in USERS if user != "nobody"}
    return {**found, "nobody": Caller(server, type(found["admin"].signer)("RFnobody", "none"))}


def filled(value: Any, ids: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: filled(one, ids) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one, ids) for one in value]
    return ids.get(value, value) if isinstance(value, str) else value


def test_every_action_stands_in_the_table() -> None:
    assert FIELDS.keys() == ACTIONS.keys()


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("name", ACTIONS)
def test_who_may(server: Server, callers: dict[str, Caller], errand: str, name: str, user: str) -> None:
    """What is another's is answered like what there is not, and a role that is too small is said."""
    action, asking = ACTIONS[name], callers[user]
    (mine, theirs) = (
        {"project": p, "task": t, "instance": i, "date": d, "errand": errand}
        for p, t, i, d in ((1, 1, 1, 100_001), (2, 3, 3, 200_001))
    )
    for is_open, ids in ((True, mine), (False, theirs)):
        fields = filled(FIELDS[name], ids)
        is_get = action.method == "GET"
        query = fields if is_get else {key: fields.pop(key) for key in [*fields] if key == action.in_query}
        answer = asking.send(asking.signer.sign(name, action.method, {} if is_get else fields, query))
        code = None if answer.status_code == 200 else code_of(answer).partition(".")[0]
        assert code in expected(name, user, is_open), (is_open, answer.text)


def expected(name: str, user: str, is_open: bool) -> set[str | None]:
    """None where it is done or answered; what does not fit a state was permitted."""
    if user == "nobody":
        return {"InvalidAccessKeyId"}
    if name in OPEN_TO_ALL:
        return {None}
    is_question = ACTIONS[name].scope is Scope.READ
    permitted: set[str | None] = {None} if is_question else {None, "IncorrectStatus"}
    if user == "admin":
        return permitted
    if name in OF_WHO_ASKED or (user == "greta") is is_open:
        return {"NotFound"}
    if is_question or user in ("alice", "greta") or (user == "bob" and name not in EMERGENCY):
        return permitted
    return {"Forbidden", *LATER.get(name, ())}
