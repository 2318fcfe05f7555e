"""The official package, sync and async, against a real server with a real scheduler: from projects to the end of backfills."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.dataworks.official import Sdk
from e2e.sandboxes import Sandbox, finished, until
from retrofill.api.dataworks.words import day_ms

pytestmark = pytest.mark.slow

ZONE = "Asia/Shanghai"
DEPLOYMENT = f"""
timezone: {ZONE}
resource_groups:
  default: {{type: exclusive, slots: 4}}
  night: {{type: serverless, slots: 1}}
"""
TASKS = """
extract: {type: shell, schedule: "0 1 * * *", run: "echo day $day", parameters: {day: "$bizdate", source: "web shop"}}
check: {type: shell, schedule: "0 2 * * *", run: "test -e ../../good", depends_on: [extract]}
load: {type: shell, schedule: "0 3 * * *", run: "echo loaded", depends_on: [check]}
report: {type: shell, schedule: "0 4 * * *", run: "echo done", depends_on: [load, {task: self, cycle: previous}]}
side: {type: shell, schedule: "0 2 * * *", run: "echo side", depends_on: [extract]}
empty: {type: shell, schedule: "0 5 * * *", run: "exit 1", mode: dry_run}
long: {type: shell, schedule: "0 1 * * *", run: "until [ -e ../../go ]; do sleep 0.05; done"}
after: {type: shell, schedule: "0 2 * * *", run: "echo after", depends_on: [long]}
"""
HEAD = "members: {ann: administrator, bob: visitor}"
DAY = "2026-01-05"
ENDED = ("Success", "Failure")


class Served:
    """A project whose server and scheduler run, and who asks it."""

    def __init__(self, home: Path) -> None:
        self.sandbox = Sandbox(home).write(TASKS, DEPLOYMENT, head=HEAD)
        self.sandbox.touch("good")
        self.sandbox.run("deploy")
        self.key = json.loads(self.sandbox.run("access-key", "create", "ann", "--output", "json").stdout)
        self.start()
        self.project = self.sdk.page("ListProjects", "Projects")[0]["Id"]
        self.tasks = {one["Name"]: one["Id"] for one in self.list_tasks()}

    def list_tasks(self) -> list[dict[str, Any]]:
        return self.sdk.page("ListTasks", "Tasks", ProjectId=self.project, PageSize=100)

    def start(self) -> None:
        self.process = self.sandbox.spawn("up", "--port", 0, "--output", "json")
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, finished(self.process).stderr
        self.address = json.loads(line)["url"].removeprefix("http://").rstrip("/")
        self.sdk = Sdk(self.address, self.key)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert finished(self.process).status == 0

    def asked(self, **properties: Any) -> dict[str, Any]:
        """What CreateWorkflowInstances is asked, with these run properties; ids of tasks by their names."""
        first, last = properties.pop("dates", (DAY, DAY))
        more = properties.pop("more", {})
        given = {
            name: [self.tasks[one] for one in value] if name.endswith("TaskIds") else value
            for name, value in properties.items()
        }
        return {
            "ProjectId": self.project,
            "Name": "again",
            "Type": "SupplementData",
            "WorkflowId": 1,
            "Periods": {"BizDates": [{"StartBizDate": first, "EndBizDate": last}]},
            "DefaultRunProperties": {
                "Parallelism": 1,
                "Analysis": {"Enabled": True, "Blocked": True},
                **given,
            },
            **more,
        }

    def create(self, **properties: Any) -> list[int]:
        """Ids of the workflow instances of a new backfill."""
        operation = self.sdk("CreateWorkflowInstances", **self.asked(**properties))["OperationId"]
        return self.created(operation)["WorkflowInstanceIds"]

    def created(self, operation: str) -> dict[str, Any]:
        """What became of it, once that is known."""

        def result() -> dict[str, Any] | None:
            found: dict[str, Any] = self.sdk("GetCreateWorkflowInstancesResult", OperationId=operation)[
                "Result"
            ]
            return found if found["Status"] != "Creating" else None

        found: dict[str, Any] = until(result, f"{operation} is carried out")
        assert found["Status"] == "Created", found
        return found

    def status(self, number: int) -> str:
        status: str = self.sdk("GetWorkflowInstance", Id=number)["WorkflowInstance"]["Status"]
        return status

    def follow(self, number: int, *wanted: str) -> str:
        """Its status, once it is one of these."""
        wanted = wanted or ENDED
        found: str = until(
            lambda: (now := self.status(number)) in wanted and now, f"{number} is one of {wanted}"
        )
        return found

    def instances(self, number: int, day: str = DAY) -> dict[str, dict[str, Any]]:
        """The task instances of a workflow instance, by the names of their tasks."""
        found = self.sdk.page(
            "ListTaskInstances",
            "TaskInstances",
            ProjectId=self.project,
            Bizdate=day_ms(day, ZONE),
            WorkflowInstanceId=number,
            PageSize=500,
        )
        return {one["TaskName"]: one for one in found}

    def statuses(self, number: int, day: str = DAY) -> dict[str, str]:
        return {name: one["Status"] for name, one in self.instances(number, day).items()}

    def instance(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self.sdk("GetTaskInstance", Id=number)["TaskInstance"]
        return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    found = Served(tmp_path_factory.mktemp("dataworks"))
    yield found
    found.sandbox.close()


def test_projects_tasks_and_groups(served: Served) -> None:
    """What a script looks up first."""
    project = served.sdk("GetProject", Id=served.project)["Project"]
    assert (project["Name"], project["Owner"], project["Status"]) == ("w", "ann", "Available")
    assert served.tasks.keys() == {"extract", "check", "load", "report", "side", "empty", "long", "after"}
    first = served.sdk.page("ListTasks", "Tasks", ProjectId=served.project, PageSize=3, SortBy="Id")
    second = served.sdk.page(
        "ListTasks", "Tasks", ProjectId=served.project, PageSize=3, PageNumber=2, SortBy="Id"
    )
    assert [one["Id"] for one in (*first, *second)] == sorted(served.tasks.values())[:6]
    task = served.sdk("GetTask", Id=served.tasks["report"])["Task"]
    assert {one["Type"] for one in task["Dependencies"]} == {"Normal", "CrossCycleDependsOnSelf"}
    groups = served.sdk.page("ListResourceGroups", "ResourceGroupList", ResourceGroupTypes=["CommonV2"])
    assert [(one["Id"], one["Spec"]["Amount"]) for one in groups] == [("night", 1)]
    assert served.sdk("GetWorkflow", Id=1)["Workflow"]["Tasks"]


def test_manual_selection(served: Served) -> None:
    """Any roots; two dates one after the other; logs, parameters that are overridden."""
    text = json.dumps({str(served.tasks["extract"]): "day=overridden source=web shop"})
    dates = served.create(
        Mode="ManualSelection",
        RootTaskIds=["extract", "empty"],
        dates=("2026-01-05", "2026-01-06"),
        more={"TaskParameters": text, "Comment": "by a script"},
    )
    assert len(dates) == 2
    assert [served.follow(number) for number in dates] == ["Success", "Success"]
    found = served.instances(dates[0])
    assert found.keys() == {"extract", "empty"}
    assert (found["empty"]["TriggerRecurrence"], found["extract"]["TriggerRecurrence"]) == ("Skip", "Normal")
    assert (
        served.sdk("GetTaskInstanceLog", Id=found["extract"]["Id"])["TaskInstanceLog"] == "day overridden\n"
    )
    assert served.sdk("GetTaskInstanceLog", Id=found["empty"]["Id"])["TaskInstanceLog"].startswith("Dry run:")
    assert found["extract"]["Bizdate"] == day_ms(DAY, ZONE)
    later = served.instances(dates[1], "2026-01-06")
    assert later["extract"]["StartedTime"] >= found["extract"]["FinishedTime"]


def test_general(served: Served) -> None:
    """One root, and of what depends on it only what is included."""
    (date_id,) = served.create(Mode="General", RootTaskIds=["extract"], IncludeTaskIds=["extract", "side"])
    assert served.follow(date_id) == "Success"
    assert served.statuses(date_id) == {"extract": "Success", "side": "Success"}


def test_chain(served: Served) -> None:
    """From a start to an end, and what lies between."""
    (date_id,) = served.create(Mode="Chain", IncludeTaskIds=["extract", "report"], RootTaskIds=[])
    assert served.follow(date_id) == "Success"
    assert served.instances(date_id).keys() == {"extract", "check", "load", "report"}


def test_all_downstream(served: Served) -> None:
    """With what is left out."""
    (date_id,) = served.create(Mode="AllDownstream", RootTaskIds=["extract"], ExcludeTaskIds=["side"])
    assert served.follow(date_id) == "Success"
    assert served.instances(date_id).keys() == {"extract", "check", "load", "report"}


def test_a_failure_is_mended(served: Served) -> None:
    """OPS-5: set successful by hand, and the rest goes on; what happened stands in the record."""
    (served.sandbox.home / "good").unlink()
    try:
        (date_id,) = served.create(Mode="Chain", IncludeTaskIds=["extract", "load"])
        assert served.follow(date_id, "Failure") == "Failure"
        found = served.instances(date_id)
        failed = found["check"]["Id"]
        assert (found["check"]["Status"], found["load"]["Status"]) == ("Failure", "NotRun")
        upstream = served.sdk.page("ListUpstreamTaskInstances", "UpstreamTaskInstances", Id=failed)
        assert [(u["DependencyType"], u["TaskInstance"]["TaskName"]) for u in upstream] == [
            ("Normal", "extract")
        ]
        downstream = served.sdk.page("ListDownstreamTaskInstances", "TaskInstances", Id=failed)
        assert [(d["StepType"], d["TaskName"]) for d in downstream] == [("Normal", "load")]
        answer = served.sdk("SetSuccessTaskInstances", Ids=[failed], Comment="looked at it")
        assert answer["SuccessInfo"] == {str(failed): {"Success": True}}
        assert served.follow(date_id, "Success") == "Success"
        logs = served.sdk.page("ListTaskInstanceOperationLogs", "OperationLogs", Id=failed)
        assert [(one["User"], one["OperationContent"]) for one in logs] == [
            ("ann", "set-successful: failed -> successful (looked at it)")
        ]
    finally:
        served.sandbox.touch("good")


def test_one_is_stopped_and_the_rest_waits(served: Served) -> None:
    """OPS-1, OPS-2, OPS-7: stop, remove a dependency, rerun with the latest configuration."""
    (date_id,) = served.create(Mode="General", RootTaskIds=["long"], IncludeTaskIds=["long", "after"])
    served.follow(date_id, "Running")
    long, after = (served.instances(date_id)[name]["Id"] for name in ("long", "after"))
    served.sdk("StopTaskInstances", Ids=[long], Comment="too long")
    assert served.follow(date_id) == "Failure"
    assert served.instance(long)["Status"] == "Failure"
    served.sdk(
        "UpdateTaskInstances", TaskInstances=[{"Id": after, "Priority": 8, "RuntimeResource": "night"}]
    )
    changed = served.instance(after)
    assert (changed["Priority"], changed["RuntimeResource"]["ResourceGroupId"]) == (8, "night")
    assert served.sdk("RemoveTaskInstanceDependencies", Id=after, UpstreamTaskInstanceIds=[long])["Success"]
    until(lambda: served.instance(after)["Status"] == "Success", "what waited has run")
    served.sandbox.touch("go")
    try:
        served.sdk("RerunTaskInstances", Ids=[long], UseLatestConfig=True)
        assert served.follow(date_id, "Success") == "Success"
        assert served.instance(long)["RunNumber"] == 2
        asked = {"ProjectId": served.project, "Bizdate": day_ms(DAY, ZONE), "Id": long}
        runs = served.sdk.page("ListTaskInstances", "TaskInstances", **asked)
        assert [(one["RunNumber"], one["Status"]) for one in runs] == [(2, "Success"), (1, "Failure")]
    finally:
        (served.sandbox.home / "go").unlink()


def test_suspend_start_and_resume(served: Served) -> None:
    """OPS-6, BF-3: created without starting; one is suspended, the backfill starts, the one is resumed."""
    (date_id,) = served.create(
        Mode="ManualSelection", RootTaskIds=["extract", "side"], more={"AutoStartEnabled": False}
    )
    found = served.instances(date_id)
    assert {one["Status"] for one in found.values()} == {"NotRun"}
    side = found["side"]["Id"]
    served.sdk("SuspendTaskInstances", Ids=[side])
    served.sdk("StartWorkflowInstances", Ids=[date_id])
    until(lambda: served.statuses(date_id)["extract"] == "Success", "the other one has run")
    assert (served.instance(side)["Status"], served.instance(side)["TriggerRecurrence"]) == (
        "NotRun",
        "Pause",
    )
    served.sdk("ResumeTaskInstances", Ids=[side])
    assert served.follow(date_id, "Success") == "Success"


def test_a_backfill_is_stopped_and_run_again(served: Served) -> None:
    """OPS-1, OPS-3: all that is left of it is named; then its ended instances are rerun in order."""
    dates = served.create(Mode="ManualSelection", RootTaskIds=["long"], dates=("2026-01-05", "2026-01-07"))
    served.follow(dates[0], "Running")
    served.sdk("StopWorkflowInstances", Ids=dates)
    assert served.follow(dates[0]) == "Failure"
    assert [served.status(number) for number in dates[1:]] == ["NotRun", "NotRun"]
    served.sandbox.touch("go")
    try:
        asked = {"ProjectId": served.project, "Type": "SupplementData", "WorkflowId": 1, "Ids": [dates[0]]}
        operation = served.sdk(
            "RerunWorkflowInstances", **asked, Filter={"TaskInstanceStatuses": ["Failure"]}
        )["OperationId"]

        def result() -> Any:
            found = served.sdk("GetRerunWorkflowInstancesResult", OperationId=operation)["Result"]
            return found["Status"] != "NotRun" and found

        assert until(result, "the rerun is asked for")["Status"] == "Success"
        assert [served.follow(number, "Success") for number in dates] == ["Success"] * 3
    finally:
        (served.sandbox.home / "go").unlink()


def test_a_task_is_triggered_for_a_time(served: Served) -> None:
    """One instance of one slot, at once."""
    slot = day_ms("2026-02-02", ZONE) + 3_600_000  # 01:00 in Shanghai
    assert served.sdk("TriggerSchedulerTaskInstance", TaskId=served.tasks["extract"], TriggerTime=slot)[
        "Success"
    ]
    fields = {"ProjectId": served.project, "Bizdate": day_ms("2026-02-01", ZONE)}

    def done() -> bool:
        found = served.sdk.page("ListTaskInstances", "TaskInstances", **fields)
        return [one["Status"] for one in found] == ["Success"] and found[0]["TriggerTime"] == slot

    until(done, "it has run")


def test_lists_of_a_date(served: Served) -> None:
    """All backfills of a date, newest first, page by page."""
    (date_id,) = served.create(
        Mode="ManualSelection", RootTaskIds=["side"], dates=("2026-03-01", "2026-03-01")
    )
    served.follow(date_id)
    asked = {"ProjectId": served.project, "BizDate": day_ms("2026-03-01", ZONE)}
    (found,) = served.sdk.page("ListWorkflowInstances", "WorkflowInstances", **asked)
    assert (found["Id"], found["Name"], found["Type"], found["Status"]) == (
        date_id,
        "again",
        "SupplementData",
        "Success",
    )
    assert found["UnifiedWorkflowInstanceId"] == date_id
    assert found["StartedTime"] <= found["FinishedTime"]


def test_a_refusal_is_an_exception_with_a_code(served: Served) -> None:
    """As the package raises it: code, message, status, id of the request."""
    from alibabacloud_tea_openapi.exceptions import ClientException

    for action, fields, status, code in (
        ("GetTask", {"Id": 777}, 404, "NotFound"),
        ("ListTaskInstances", {"ProjectId": served.project}, 400, "MissingParameter.Bizdate"),
        ("RerunTaskInstances", {"Ids": [777_777]}, 404, "NotFound.777777"),
        ("CreateWorkflowInstances", served.asked(Mode="Sideways", RootTaskIds=["side"]), 400,
         "InvalidParameter.DefaultRunProperties.Mode"),
        ("CreateWorkflowInstances", served.asked(RootTaskIds=["side"]) | {"Type": "ManualWorkflow"}, 400,
         "Unsupported.Type.ManualWorkflow"),
        ("CreateWorkflowInstances", served.asked(Mode="Chain", IncludeTaskIds=["load", "side"]), 400,
         "InvalidParameter.NotReachable"),
    ):  # fmt: skip
        with pytest.raises(ClientException) as caught:
            served.sdk(action, **fields)
        assert (caught.value.status_code, caught.value.code) == (status, code), action
        assert caught.value.request_id


def test_a_wrong_secret_opens_nothing(served: Served) -> None:
    from alibabacloud_tea_openapi.exceptions import ClientException

    with pytest.raises(ClientException) as caught:
        Sdk(served.address, {**served.key, "access_key_secret": "wrong"})("ListProjects")
    assert caught.value.code == "SignatureDoesNotMatch"


def test_the_same_without_waiting(served: Served) -> None:
    """By the asynchronous methods, several at once."""

    async def run() -> list[dict[str, Any]]:
        sdk = served.sdk
        operations = await asyncio.gather(
            *(
                sdk.later("CreateWorkflowInstances", **served.asked(RootTaskIds=["side"], dates=(day, day)))
                for day in ("2026-04-01", "2026-04-02", "2026-04-03")
            )
        )
        found = []
        for operation in operations:
            while True:
                answer = await sdk.later(
                    "GetCreateWorkflowInstancesResult", OperationId=operation["OperationId"]
                )
                if answer["Result"]["Status"] != "Creating":
                    found.append(answer["Result"])
                    break
        return found

    results = asyncio.run(run())
    assert [one["Status"] for one in results] == ["Created"] * 3
    assert {served.follow(one["WorkflowInstanceIds"][0]) for one in results} == {"Success"}


def test_an_operation_outlives_the_server(served: Served) -> None:
    """What was asked for just before the end is carried out, or was, once: by whoever serves next."""
    asked = served.asked(Mode="ManualSelection", RootTaskIds=["side"], dates=("2026-05-01", "2026-05-02"))
    operation = served.sdk("CreateWorkflowInstances", **asked)["OperationId"]
    served.stop()
    served.start()
    found = served.created(operation)
    assert [served.follow(number) for number in found["WorkflowInstanceIds"]] == ["Success", "Success"]
    day = {"ProjectId": served.project, "BizDate": day_ms("2026-05-01", ZONE)}
    assert len(served.sdk.page("ListWorkflowInstances", "WorkflowInstances", **day)) == 1


@pytest.mark.parametrize("number", range(3))
def test_an_operation_outlives_a_kill(served: Served, number: int) -> None:
    """Server and scheduler are killed in the moment of the answer: the backfill is there once, or it is said why not."""
    day = f"2026-06-0{number + 1}"
    asked = served.asked(Mode="ManualSelection", RootTaskIds=["side"], dates=(day, day))
    operation = served.sdk("CreateWorkflowInstances", **asked)["OperationId"]
    os.killpg(served.process.pid, signal.SIGKILL)
    served.process.communicate()
    served.start()

    def result() -> Any:
        found = served.sdk("GetCreateWorkflowInstancesResult", OperationId=operation)["Result"]
        return found["Status"] != "Creating" and found

    found = until(result, "it is carried out")
    fields = {"ProjectId": served.project, "BizDate": day_ms(day, ZONE)}
    dates = [one["Id"] for one in served.sdk.page("ListWorkflowInstances", "WorkflowInstances", **fields)]
    if found["Status"] == "Created":
        assert dates == found["WorkflowInstanceIds"]
        assert served.follow(dates[0]) == "Success"
    else:
        assert "nothing of the backfill is left" in found["FailureMessage"]
        assert dates == []


def test_dates_are_those_of_the_deployment(served: Served) -> None:
    """A midnight of another zone is refused: it would silently be another date."""
    from alibabacloud_tea_openapi.exceptions import ClientException

    with pytest.raises(ClientException, match="Asia/Shanghai") as caught:
        served.sdk("ListTaskInstances", ProjectId=served.project, Bizdate=day_ms(DAY, "UTC"))
    assert caught.value.code == "InvalidParameter.Bizdate"
