"""Every action against the official package's own models: their fields are asked for, their shapes are answered."""

from __future__ import annotations

from typing import Any

import pytest

from api.dataworks.conftest import Caller, caller
from api.dataworks.official import as_read, fields_of, lost
from api.servers import Server
from retrofill.api.dataworks import words
from retrofill.api.dataworks.actions import ACTIONS, Action

PROMISED = [
    "ListProjects", "GetProject", "ListResourceGroups", "ListTasks", "GetTask", "ListUpstreamTasks",
    "ListDownstreamTasks", "ListTaskOperationLogs", "ListWorkflows", "GetWorkflow",
    "CreateWorkflowInstances", "GetCreateWorkflowInstancesResult", "ListWorkflowInstances",
    "GetWorkflowInstance", "StartWorkflowInstances", "StopWorkflowInstances", "RerunWorkflowInstances",
    "GetRerunWorkflowInstancesResult", "ListTaskInstances", "GetTaskInstance", "GetTaskInstanceLog",
    "ListTaskInstanceOperationLogs", "ListUpstreamTaskInstances", "ListDownstreamTaskInstances",
    "RerunTaskInstances", "StopTaskInstances", "SuspendTaskInstances", "ResumeTaskInstances",
    "SetSuccessTaskInstances", "RemoveTaskInstanceDependencies", "UpdateTaskInstances",
    "TriggerSchedulerTaskInstance",
]  # fmt: skip
DAY = 1_767_571_200_000  # 2026-01-05 in UTC


def test_every_action_that_is_promised() -> None:
    """What the official package reads."""
    assert ACTIONS.keys() == set(PROMISED)


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.name)
def test_an_action_has_the_fields_of_its_model(action: Action) -> None:
    """None more and none less: so a field that a newer package has is found here."""
    assert {field.name for field in action.fields} == fields_of(f"{action.name}Request")


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.name)
def test_what_a_model_calls_required_is_required(action: Action) -> None:
    import inspect

    from api.dataworks.official import model

    source = inspect.getsource(model(f"{action.name}Request").__init__)
    required, said = set(), False
    for line in source.splitlines():
        said = said or "This parameter is required" in line
        if line.strip().startswith("self."):
            if said:
                required.add(line.strip()[5:].partition(" ")[0].replace("_", ""))
            said = False
    ours = {field.name.lower() for field in action.fields if field.is_required}
    assert required <= ours
    # `Ids` of a batch are named as optional there, and nothing can be done without them.
    assert ours - required <= {"ids", "taskinstances", "defaultrunproperties", "periods"}


@pytest.fixture(scope="module")
def ran(alice: Caller) -> Caller:
    """With backfill 1 of first and last on 5 and 6 January, which has run; 2 was held for a while before."""
    server = alice.server
    created = server.create(task=("open.first", "open.last"))
    instances = server.center("alice").instances
    instances.freeze([2], "once more")
    instances.unfreeze([2])
    server.center("alice").tasks.freeze(["open.last"], "for now")
    server.run()
    assert server.center("admin").backfills.row(created)["status"] == "succeeded"
    return alice


QUESTIONS: dict[str, dict[str, Any]] = {
    "ListProjects": {},
    "GetProject": {"Id": 1},
    "ListResourceGroups": {"ProjectId": 1},
    "ListTasks": {"ProjectId": 1},
    "GetTask": {"Id": 2},
    "ListUpstreamTasks": {"Id": 2},
    "ListDownstreamTasks": {"Id": 1},
    "ListTaskOperationLogs": {"Id": 2},
    "ListWorkflows": {"ProjectId": 1},
    "GetWorkflow": {"Id": 1},
    "ListWorkflowInstances": {"ProjectId": 1, "BizDate": DAY},
    "GetWorkflowInstance": {"Id": 100_001},
    "ListTaskInstances": {"ProjectId": 1, "Bizdate": DAY},
    "GetTaskInstance": {"Id": 1},
    "GetTaskInstanceLog": {"Id": 1},
    "ListTaskInstanceOperationLogs": {"Id": 2},
    "ListUpstreamTaskInstances": {"Id": 2},
    "ListDownstreamTaskInstances": {"Id": 1},
}
NOT_HERE = {"GetCreateWorkflowInstancesResult", "GetRerunWorkflowInstancesResult"}  # of errands, see test_sdk


def test_every_question_stands_in_the_table() -> None:
    asked = {name for name, action in ACTIONS.items() if action.scope == "read"}
    assert QUESTIONS.keys() == asked - NOT_HERE


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_answer_is_what_its_model_reads(ran: Caller, name: str) -> None:
    """No field is lost, none has another place; lists are not empty."""
    answer = ran.ask(name, ACTIONS[name].method, **QUESTIONS[name])
    kept = as_read(name, answer)
    assert lost(answer, kept) == []
    page = answer.get("PagingInfo")
    if page is not None:
        (items, *_) = [value for value in page.values() if isinstance(value, list)]
        assert items, "something was answered"
        assert page["TotalCount"] == len(items)


def only(answer: dict[str, Any], key: str) -> list[Any]:
    return list(answer["PagingInfo"][key])


def test_a_task(ran: Caller) -> None:
    """Every value in the API's words."""
    task = ran.get("GetTask", Id=2)["Task"]
    assert (task["Name"], task["ProjectId"], task["WorkflowId"], task["Type"]) == ("last", 1, 1, "SHELL")
    assert (task["InstanceMode"], task["RerunMode"], task["Priority"]) == ("T+1", "AllAllowed", 1)
    assert task["Dependencies"] == [{"Type": "Normal", "UpstreamTaskId": "1", "UpstreamOutput": "open.first"}]
    assert (
        task["Trigger"] | {"Type": "Scheduler", "Cron": "0 2 * * *", "Recurrence": "Pause"} == task["Trigger"]
    )
    first = ran.get("GetTask", Id=1)["Task"]
    assert first["Script"] == {"Content": "true", "Parameters": "day=$bizdate"}
    assert first["Owner"] == "carol"


def test_neighbours_of_a_task(ran: Caller) -> None:
    """In the newer list and in the older one."""
    answer = ran.get("ListUpstreamTasks", Id=2)
    assert [(one["DependencyType"], one["Task"]["Id"]) for one in only(answer, "UpstreamTasks")] == [
        ("Normal", 1)
    ]
    assert [(one["StepType"], one["Id"]) for one in only(answer, "Tasks")] == [("Normal", 1)]
    assert ran.get("ListDownstreamTasks", Id=2)["PagingInfo"]["TotalCount"] == 0, (
        "vault.goldmine is not told of"
    )


def test_an_instance(ran: Caller) -> None:
    found = ran.get("GetTaskInstance", Id=1)["TaskInstance"]
    expected = {
        "Id": 1, "TaskId": 1, "TaskName": "first", "ProjectId": 1, "Bizdate": DAY, "Status": "Success",
        "TriggerTime": DAY + 25 * 3_600_000, "TriggerType": "Scheduler", "TriggerRecurrence": "Normal",
        "WorkflowInstanceType": "SupplementData", "WorkflowInstanceId": 100_001, "UnifiedWorkflowInstanceId": 100_001,
        "RunNumber": 1, "PeriodNumber": 1, "CreateUser": "alice", "Owner": "carol",
    }  # fmt: skip
    assert found | expected == found
    assert found["Inputs"]["Variables"] == [{"Name": "day", "Type": "Constant", "Value": "20260105"}]
    assert found["StartedTime"] <= found["FinishedTime"]


def test_ids_are_numbers(ran: Caller) -> None:
    """A client gets them as they are sent."""
    answer = ran.ask("ListTaskInstances", ProjectId=1, Bizdate=DAY)
    for one in only(answer, "TaskInstances"):
        assert all(isinstance(value, int) for key, value in one.items() if key.endswith("Id"))


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, [2, 1]),
        ({"SortBy": "Id Asc"}, [1, 2]),
        ({"SortBy": "TriggerTime"}, [1, 2]),
        ({"SortBy": "FinishedTime Desc"}, [2, 1]),
        ({"PageSize": 1}, [2]),
        ({"PageSize": 1, "PageNumber": 2}, [1]),
        ({"PageNumber": 9}, []),
        ({"Id": 1}, [1]),
        ({"Ids": [1, 77]}, [1]),
        ({"Id": 1, "Ids": [1, 2]}, [1]),
        ({"Ids": [], "TaskIds": []}, [2, 1]),
        ({"TaskId": 2}, [2]),
        ({"TaskIds": [1, 2]}, [2, 1]),
        ({"TaskName": "irs"}, [1]),
        ({"Owner": "carol"}, [1]),
        ({"TaskType": "VIRTUAL"}, []),
        ({"RuntimeResource": "default"}, [2, 1]),
        ({"Status": "Success"}, [2, 1]),
        ({"Status": "Failure"}, []),
        ({"Status": "CheckingCondition"}, []),
        ({"TriggerRecurrence": "Normal"}, [2, 1]),
        ({"TriggerRecurrence": "Skip"}, []),
        ({"TriggerRecurrence": "Pause"}, []),
        ({"TriggerRecurrence": "Pause", "Status": "Success"}, []),
        ({"TriggerType": "Manual"}, []),
        ({"WorkflowInstanceId": 100_001}, [2, 1]),
        ({"UnifiedWorkflowInstanceId": 100_002}, []),
        ({"WorkflowInstanceType": "SupplementData"}, [2, 1]),
        ({"WorkflowInstanceType": "Normal"}, []),
        ({"WorkflowInstanceType": "Manual"}, []),
        ({"Filter": {"startedTimeStart": 1}}, [2, 1]),
        ({"Filter": {"finishedTimeEnd": "5"}}, []),
        ({"Filter": {"createTimeStart": 1, "createTimeEnd": 10**15}}, [2, 1]),
    ],
)
def test_instances_are_found_by_every_field(ran: Caller, fields: dict[str, Any], found: list[int]) -> None:
    """BF-1: all of it must hold."""
    answer = ran.ask("ListTaskInstances", ProjectId=1, Bizdate=DAY, **fields)
    assert [one["Id"] for one in only(answer, "TaskInstances")] == found


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Bizdate": DAY + 1}, "InvalidParameter.Bizdate"),
        ({"Bizdate": DAY - 8 * 3_600_000}, "InvalidParameter.Bizdate"),
        ({"Bizdate": 10**17}, "InvalidParameter.Bizdate"),
        ({"Bizdate": DAY, "Filter": {"started": 1}}, "InvalidParameter.Filter"),
        ({"Bizdate": DAY, "Filter": {"startedTimeStart": "x"}}, "InvalidParameter.Filter"),
        ({"Bizdate": DAY, "Filter": [1]}, "InvalidParameter.Filter"),
        ({"Bizdate": DAY, "WorkflowInstanceId": 100_009}, "NotFound"),
        ({"Bizdate": DAY, "WorkflowInstanceId": 7}, "NotFound"),
        ({"Bizdate": DAY, "Id": 1, "Ids": [2]}, "InvalidParameter.Ids"),
    ],
)
def test_what_cannot_be_asked_of_instances(ran: Caller, fields: dict[str, Any], code: str) -> None:
    assert ran.refused("ListTaskInstances", ProjectId=1, **fields) == code


def test_a_date_in_another_zone_is_named(ran: Caller) -> None:
    """00:00 in Shanghai is no date of a deployment in UTC, and which one was meant is said."""
    signed = ran.signer.sign("ListTaskInstances", form={"ProjectId": 1, "Bizdate": DAY - 8 * 3_600_000})
    message = ran.send(signed).json()["Message"]
    assert "UTC, the deployment's time zone" in message
    assert f"2026-01-05 is {DAY}" in message


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, [100_001]),
        ({"Ids": [100_001]}, [100_001]),
        ({"Ids": [100_002]}, []),
        ({"Name": "FIRST"}, [100_001]),
        ({"Owner": "alice"}, [100_001]),
        ({"Owner": "bob"}, []),
        ({"Filter": {"status": "Success"}}, [100_001]),
        ({"Filter": {"status": "Running"}}, []),
        ({"Type": "SupplementData"}, [100_001]),
        ({"Type": "Normal"}, []),
        ({"Tags": ["x"]}, []),
        ({"UnifiedWorkflowInstanceId": 100_001}, [100_001]),
        ({"SortBy": "StartedTime Asc"}, [100_001]),
        ({"PageNumber": 2}, []),
    ],
)
def test_dates_are_found_by_every_field(ran: Caller, fields: dict[str, Any], found: list[int]) -> None:
    answer = ran.ask("ListWorkflowInstances", ProjectId=1, BizDate=DAY, **fields)
    assert [one["Id"] for one in only(answer, "WorkflowInstances")] == found


def test_a_date_of_a_backfill(ran: Caller) -> None:
    found = ran.get("GetWorkflowInstance", Id=100_002)["WorkflowInstance"]
    expected = {
        "Id": 100_002, "BizDate": DAY + 86_400_000, "Status": "Success", "Type": "SupplementData", "ProjectId": 1,
        "WorkflowId": 1, "EnvType": "Prod", "CreateUser": "alice", "UnifiedWorkflowInstanceId": 100_002,
    }  # fmt: skip
    assert found | expected == found
    assert found["StartedTime"] <= found["FinishedTime"]
    for number in (100_003, 100_000, 0, 99, 200_001):
        assert ran.refused("GetWorkflowInstance", "GET", Id=number) == "NotFound"


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, ["last", "first"]),
        ({"Ids": [1]}, ["first"]),
        ({"Name": "AS"}, ["last"]),
        ({"Owner": "carol"}, ["first"]),
        ({"RuntimeResource": "moon"}, []),
        ({"TaskType": "SHELL"}, ["last", "first"]),
        ({"TriggerRecurrence": "Pause"}, ["last"]),
        ({"TriggerType": "Manual"}, []),
        ({"SortBy": "CreateTime Asc"}, ["first", "last"]),
    ],
)
def test_tasks_are_found_by_every_field(ran: Caller, fields: dict[str, Any], found: list[str]) -> None:
    answer = ran.ask("ListTasks", ProjectId=1, **fields)
    assert [one["Name"] for one in only(answer, "Tasks")] == found


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"Names": ["open"]}, 1),
        ({"Names": ["vault"]}, 0),
        ({"Ids": [1, 2]}, 1),
        ({"Status": "Available"}, 1),
        ({"Status": "Frozen"}, 0),
        ({"DevEnvironmentEnabled": True}, 0),
        ({"DevEnvironmentEnabled": False}, 1),
        ({"AliyunResourceGroupId": "rg"}, 0),
    ],
)
def test_projects_are_found_by_every_field(ran: Caller, fields: dict[str, Any], count: int) -> None:
    assert ran.ask("ListProjects", **fields)["PagingInfo"]["TotalCount"] == count


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"Name": "DEF"}, 1),
        ({"Name": "moon"}, 0),
        ({"ResourceGroupTypes": ["ExclusiveScheduler"]}, 1),
        ({"ResourceGroupTypes": ["CommonV2"]}, 0),
        ({"Statuses": ["Stop"]}, 0),
        ({"PaymentType": "PrePaid"}, 0),
        ({"SortBy": "Spec Desc"}, 1),
    ],
)
def test_groups_are_found_by_every_field(ran: Caller, fields: dict[str, Any], count: int) -> None:
    assert ran.get("ListResourceGroups", **fields)["PagingInfo"]["TotalCount"] == count


def test_a_log(ran: Caller) -> None:
    """SEC-3: as everybody reads it; a run that there was not is unknown, and before a first run there is nothing."""
    text = ran.get("GetTaskInstanceLog", Id=2)["TaskInstanceLog"]
    assert text.startswith("one \ufffd\nxxx")
    assert ran.get("GetTaskInstanceLog", Id=2, RunNumber=1)["TaskInstanceLog"] == text
    assert ran.refused("GetTaskInstanceLog", "GET", Id=2, RunNumber=9) == "NotFound"


def test_the_record_is_of_one_day(ran: Caller) -> None:
    """OPS-8: today where no day is named."""
    lines = only(ran.get("ListTaskInstanceOperationLogs", Id=2), "OperationLogs")
    assert [(line["OperationSeq"], line["User"], line["OperationContent"]) for line in lines] == [
        (1, "alice", "freeze: not_run -> frozen (once more)"),
        (2, "alice", "unfreeze: frozen -> not_run"),
    ]
    assert ran.get("ListTaskInstanceOperationLogs", Id=2, Date=DAY)["PagingInfo"]["TotalCount"] == 0
    seconds = lines[0]["CreateTime"] // 1000
    assert ran.get("ListTaskInstanceOperationLogs", Id=2, Date=seconds)["PagingInfo"]["TotalCount"] == 2
    assert ran.refused("ListTaskInstanceOperationLogs", "GET", Id=2, Date=10**17) == "InvalidParameter.Date"


def test_another_s_is_what_there_is_not(ran: Caller) -> None:
    """SEC-2: word by word, but for the id."""
    greta = caller(ran.server, "greta")
    for action in (
        "GetTaskInstance",
        "GetTaskInstanceLog",
        "ListUpstreamTaskInstances",
        "ListTaskInstanceOperationLogs",
    ):
        foreign, absent = (
            greta.send(greta.signer.sign(action, "GET", query={"Id": number})).json() for number in (1, 777)
        )
        assert (foreign["Code"], foreign["Message"]) == ("NotFound", absent["Message"].replace("777", "1"))
    assert greta.refused("GetTask", "GET", Id=1) == "NotFound"
    assert greta.refused("GetWorkflowInstance", "GET", Id=100_001) == "NotFound"
    assert greta.refused("GetProject", "GET", Id=1) == "NotFound"


def test_a_frozen_instance_has_the_nearest_word(server: Server) -> None:
    """OPS-6: NotRun with Pause; a dry run is Skip, see test_sdk."""
    alice = caller(server)
    server.create(task=("open.first", "open.last"), bizdate=("2026-01-05",))
    alice.ask("SuspendTaskInstances", Ids=[2])
    found = only(alice.ask("ListTaskInstances", ProjectId=1, Bizdate=DAY), "TaskInstances")
    assert [(one["Id"], one["Status"], one["TriggerRecurrence"]) for one in found] == [
        (2, "NotRun", "Pause"),
        (1, "WaitResource", "Normal"),
    ]
    for fields, ids in (
        ({"TriggerRecurrence": "Pause", "Status": "NotRun"}, [2]),
        ({"Status": "NotRun"}, [2]),
    ):
        kept = only(alice.ask("ListTaskInstances", ProjectId=1, Bizdate=DAY, **fields), "TaskInstances")
        assert [one["Id"] for one in kept] == ids
    assert (
        only(
            alice.ask("ListTaskInstances", ProjectId=1, Bizdate=DAY, TriggerRecurrence="Normal"),
            "TaskInstances",
        )
        == found[1:]
    )


def test_stopping_dates_is_all_or_nothing(server: Server) -> None:
    """OPS-1: where one has nothing to be stopped, none is; all of one and a part of another are stopped apart."""
    alice = caller(server)
    server.create()
    server.create()
    assert alice.refused("StopWorkflowInstances", Ids=[100_001]) == "IncorrectStatus.100001"
    assert alice.refused("StopWorkflowInstances", Ids=[200_001, 200_002, 100_001]) == "InvalidParameter.Ids"
    assert alice.refused("StopWorkflowInstances", Ids=[200_001, 200_002, 300_001]) == "NotFound.300001"
    assert server.center("admin").backfills.row(2)["held"] is None
    done = alice.ask("StopWorkflowInstances", Ids=[100_001, 100_002, 200_002, 200_001])
    assert done["SuccessInfo"].keys() == {"100001", "100002", "200002", "200001"}
    assert {server.center("admin").backfills.row(number)["held"] for number in (1, 2)} == {"stopped"}
    alice.ask("StartWorkflowInstances", Ids=[100_001, 200_001])
    assert {server.center("admin").backfills.row(number)["held"] for number in (1, 2)} == {None}


@pytest.mark.parametrize("timezone", ["UTC", "Asia/Shanghai", "America/New_York", "Africa/Cairo"])
@pytest.mark.parametrize("day", ["2026-01-05", "2026-03-08", "2026-04-24", "2026-11-01"])
def test_a_date_is_its_beginning_in_the_zone(day: str, timezone: str) -> None:
    """TIME-5: also where the clock changes, and where it does so at midnight (Cairo, 24 April)."""
    ms = words.day_ms(day, timezone)
    assert words.day_of("Bizdate", ms, timezone).isoformat() == day


@pytest.mark.parametrize(("backfill", "position"), [(1, 0), (7, 2), (12_345, 84_005)])
def test_a_workflow_instance_is_one_number(backfill: int, position: int) -> None:
    """Of all bizdates that a backfill may have."""
    number = words.workflow_instance_id(backfill, position)
    assert words.date_of_workflow_instance(number) == (backfill, position)
