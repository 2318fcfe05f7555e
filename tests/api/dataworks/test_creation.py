"""What CreateWorkflowInstances asks for, as the backfill that it becomes: every field, and every refusal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.dataworks.conftest import Caller, caller
from api.servers import serving
from retrofill.api.dataworks.errors import ApiError
from retrofill.api.dataworks.parameters import parameter_text, read_parameters
from retrofill.domain.people.scopes import Scope

FIRST, LAST, GOLDMINE = 1, 2, 3
WORDS = [
    "Alert", "Analysis", "BizDates", "Blocked", "Enabled", "EndBizDate", "EndTime", "Id", "IncludeTaskIds", "Mode", "Order",
    "Parallelism", "Priority", "RootTaskIds", "RunPolicy", "RuntimeResource", "StartBizDate", "StartTime", "TaskIds",
    "TaskInstanceStatuses", "TaskName", "TaskTypes", "Type", "status", "startedTimeStart",
]  # fmt: skip
FILTERED: dict[str, dict[str, Any]] = {
    "ListTaskInstances": {"ProjectId": 1, "Bizdate": 1_767_571_200_000},
    "ListWorkflowInstances": {"ProjectId": 1, "BizDate": 1_767_571_200_000},
    "RerunWorkflowInstances": {"ProjectId": 1, "Type": "SupplementData", "WorkflowId": 1, "Name": "none"},
    "UpdateTaskInstances": {},
}
FILTER_OF = {"UpdateTaskInstances": "TaskInstances"}
ANALYSIS = {"Enabled": True, "Blocked": True}


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """Who sees both workspaces; open is project 1, vault 2, and vault.goldmine (3) waits for open.first (1)."""
    with serving(tmp_path_factory.mktemp("created")) as server:
        yield caller(server, "admin", Scope.ADMIN)


def asked(periods: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A request that is good but for what is changed; `run` stands for properties of the run."""
    run = {"RootTaskIds": [FIRST], "Parallelism": 1, "Analysis": ANALYSIS, **more.pop("run", {})}
    fields = {
        "ProjectId": 1,
        "Name": "again",
        "Type": "SupplementData",
        "WorkflowId": 1,
        "Periods": {
            "BizDates": [{"StartBizDate": "2026-01-05", "EndBizDate": "2026-01-06"}],
            **(periods or {}),
        },
        "DefaultRunProperties": {name: value for name, value in run.items() if value is not None},
        **more,
    }
    return {name: value for name, value in fields.items() if value is not None}


def request_of(admin: Caller, fields: dict[str, Any]) -> dict[str, Any]:
    """What the backfill that was made of it was asked for, with its name."""
    operation = admin.ask("CreateWorkflowInstances", **fields)["OperationId"]
    center = admin.server.center("admin")
    center.errands.carry_out(operation)  # waits for who is at it
    errand = center.errands.show(operation)
    assert errand["state"] == "done", errand
    page = center.backfills.show(errand["backfill"] or 0)
    return {"name": page["name"], **page["request"]}


def options(admin: Caller, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = request_of(admin, asked(**more))
    return found


@pytest.mark.parametrize(
    ("run", "tasks"),
    [
        ({}, ["open.first"]),
        ({"Mode": "ManualSelection", "RootTaskIds": [FIRST, LAST]}, ["open.first", "open.last"]),
        ({"IncludeTaskIds": [FIRST]}, ["open.first"]),
        ({"RootTaskIds": [FIRST], "IncludeTaskIds": [LAST]}, ["open.last"]),
        ({"RootTaskIds": [FIRST, LAST], "ExcludeTaskIds": [LAST]}, ["open.first"]),
        ({"Mode": "General"}, ["open.first"]),
        ({"Mode": "General", "IncludeTaskIds": [FIRST, GOLDMINE]}, ["open.first", "vault.goldmine"]),
        ({"Mode": "General", "IncludeProjectIds": [2]}, ["open.first", "vault.goldmine"]),
        ({"Mode": "General", "ExcludeProjectIds": [2]}, ["open.first", "open.last"]),
        (
            {"Mode": "Chain", "RootTaskIds": [], "IncludeTaskIds": [FIRST, LAST]},
            ["open.first", "open.last"],
        ),
        ({"Mode": "AllDownstream"}, ["open.first", "open.last", "vault.goldmine"]),
        ({"Mode": "AllDownstream", "ExcludeTaskIds": [LAST]}, ["open.first", "vault.goldmine"]),
        (
            {"Mode": "AllDownstream", "IncludeProjectIds": [1, 2], "ExcludeProjectIds": [2]},
            ["open.first", "open.last"],
        ),
    ],
)
def test_which_tasks_run(admin: Caller, run: dict[str, Any], tasks: list[str]) -> None:
    """SEL-1..4: the four modes."""
    operation = admin.ask("CreateWorkflowInstances", **asked(run=run))["OperationId"]
    center = admin.server.center("admin")
    center.errands.carry_out(operation)
    backfill = center.errands.show(operation)["backfill"]
    rows = center.backfills.analysis(backfill or 0)["tasks"]
    assert [one["task"] for one in rows if one["dry_run"] is None] == tasks


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"run": {"Parallelism": 3, "Order": "Desc"}}, {"groups": 3, "order": "desc"}),
        ({"run": {"RuntimeResource": "default"}}, {"resource_group": "default"}),
        ({"run": {"RuntimeResource": ""}}, {"resource_group": None}),
        ({}, {"allow_risks": False, "run_future": False, "window": None, "alert": None, "order": "asc"}),
        ({"run": {"Analysis": {"Enabled": True, "Blocked": False}}}, {"allow_risks": True}),
        ({"run": {"Analysis": {"Enabled": False, "Blocked": True}}}, {"allow_risks": True}),
        (
            {"run": {"Alert": {"Type": "Failure", "NoticeType": "Sms"}}},
            {"alert": {"trigger": "failure", "method": "sms"}},
        ),
        ({"run": {"Alert": {"Type": "SuccessFailure"}}}, {"alert": {"trigger": "either", "method": "both"}}),
        (
            {"run": {"Alert": {"Type": "Success", "NoticeType": "Mail"}}},
            {"alert": {"trigger": "success", "method": "email"}},
        ),
        ({"run": {"RunPolicy": {"Immediately": True}}}, {"run_future": True, "window": None}),
        (
            {"run": {"RunPolicy": {"Type": "Daily", "StartTime": "22:00:00", "EndTime": "06:00:00"}}},
            {"window": {"period": "22:00-06:00", "timezone": "UTC", "weekends": False}},
        ),
        (
            {"run": {"RunPolicy": {"Type": "Weekend", "StartTime": "20:00:00", "EndTime": "23:59:59"}}},
            {"window": {"period": "20:00-00:00", "timezone": "UTC", "weekends": True}},
        ),
        (
            {"run": {"RunPolicy": {"Type": "Daily", "StartTime": "00:00:00", "EndTime": "23:59:59"}}},
            {"window": None},
        ),
        (
            {"run": {"RunPolicy": {"Type": "Weekend", "StartTime": "00:00:00", "EndTime": "23:59:59"}}},
            {"window": {"period": "00:00-23:59", "timezone": "UTC", "weekends": True}},
        ),
        ({"periods": {"StartTime": "00:59:30", "EndTime": "03:00:59"}}, {"time_range": "01:00-03:00"}),
        ({"periods": {"StartTime": "00:00:00", "EndTime": "23:59:59"}}, {"time_range": "00:00-23:59"}),
        (
            {
                "periods": {
                    "BizDates": [{"StartBizDate": d, "EndBizDate": d} for d in ("2026-01-09", "2026-01-02")]
                }
            },
            {"bizdates": ["2026-01-02", "2026-01-09"]},
        ),
        ({"TaskParameters": '{"1": "day=$bizdate"}'}, {"overrides": {}}),
        ({"TaskParameters": '{"1": "day=2026 01"}'}, {"overrides": {"open.first": {"day": "2026 01"}}}),
        ({"WorkflowParameters": "ignored=1", "EnvType": "Prod", "Tags": []}, {"name": "again"}),
    ],
)
def test_how_it_runs(admin: Caller, more: dict[str, Any], expected: dict[str, Any]) -> None:
    """POL-1..11, PAR-5: every field in our words."""
    found = options(admin, **more)
    policy = {**found, **found.get("policy", {})}
    assert {name: policy.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"Name": None}, "MissingParameter.Name"),
        ({"Type": None}, "MissingParameter.Type"),
        ({"Type": "Backfill"}, "InvalidParameter.Type"),
        ({"Type": "SmokeTest"}, "Unsupported.Type.SmokeTest"),
        ({"Type": "Manual"}, "Unsupported.Type.Manual"),
        ({"Type": "ManualWorkflow"}, "Unsupported.Type.ManualWorkflow"),
        ({"Type": "TriggerWorkflow"}, "Unsupported.Type.TriggerWorkflow"),
        ({"WorkflowId": 9}, "NotFound.Workflow"),
        ({"ProjectId": 9}, "NotFound"),
        ({"ProjectId": 2}, "InvalidParameter.DefaultRunProperties.RootTaskIds"),
        ({"EnvType": "Dev"}, "InvalidParameter.EnvType"),
        ({"Tags": [{"Key": "a"}]}, "Unsupported.Tags"),
        ({"Name": "x" * 129}, "InvalidParameter"),
        ({"DefaultRunProperties": None}, "MissingParameter.DefaultRunProperties"),
        ({"DefaultRunProperties": "{}"}, "MissingParameter.DefaultRunProperties.RootTaskIds"),
        ({"DefaultRunProperties": {"Owner": "x"}}, "InvalidParameter.DefaultRunProperties"),
        ({"run": {"Mode": "All"}}, "InvalidParameter.DefaultRunProperties.Mode"),
        ({"run": {"Mode": ["General"]}}, "InvalidParameter.DefaultRunProperties.Mode"),
        ({"run": {"RootTaskIds": []}}, "MissingParameter.DefaultRunProperties.RootTaskIds"),
        ({"run": {"RootTaskIds": ["1"]}}, "InvalidParameter.DefaultRunProperties.RootTaskIds"),
        ({"run": {"RootTaskIds": [99]}}, "NotFound"),
        ({"run": {"RootTaskIds": [FIRST, 99]}}, "NotFound"),
        ({"run": {"IncludeProjectIds": [1]}}, "InvalidParameter.DefaultRunProperties.IncludeProjectIds"),
        (
            {"run": {"Mode": "General", "RootTaskIds": [1, 2]}},
            "InvalidParameter.DefaultRunProperties.RootTaskIds",
        ),
        ({"run": {"Mode": "General", "IncludeProjectIds": [9]}}, "NotFound"),
        ({"run": {"Mode": "Chain"}}, "InvalidParameter.DefaultRunProperties.RootTaskIds"),
        (
            {"run": {"Mode": "Chain", "RootTaskIds": None, "IncludeTaskIds": [1]}},
            "InvalidParameter.DefaultRunProperties.IncludeTaskIds",
        ),
        (
            {"run": {"Mode": "Chain", "RootTaskIds": None, "IncludeTaskIds": [2, 1]}},
            "InvalidParameter.NotReachable",
        ),
        (
            {"run": {"Mode": "AllDownstream", "IncludeTaskIds": [2]}},
            "InvalidParameter.DefaultRunProperties.IncludeTaskIds",
        ),
        ({"run": {"Parallelism": None}}, "MissingParameter.DefaultRunProperties.Parallelism"),
        ({"run": {"Parallelism": True}}, "InvalidParameter.DefaultRunProperties.Parallelism"),
        ({"run": {"Parallelism": 11}}, "InvalidParameter.BadGroups"),
        ({"run": {"Parallelism": 0}}, "InvalidParameter.BadGroups"),
        ({"run": {"Order": "Up"}}, "InvalidParameter.DefaultRunProperties.Order"),
        ({"run": {"Analysis": None}}, "MissingParameter.DefaultRunProperties.Analysis"),
        ({"run": {"Analysis": {"Enabled": True}}}, "MissingParameter.DefaultRunProperties.Analysis.Blocked"),
        (
            {"run": {"Analysis": {"Enabled": "yes", "Blocked": True}}},
            "MissingParameter.DefaultRunProperties.Analysis.Enabled",
        ),
        ({"run": {"Priority": 5}}, "Unsupported.DefaultRunProperties.Priority"),
        (
            {"run": {"PriorityWeightStrategy": "Upstream"}},
            "Unsupported.DefaultRunProperties.PriorityWeightStrategy",
        ),
        (
            {"run": {"DataSourceNameMappings": {"a": "b"}}},
            "Unsupported.DefaultRunProperties.DataSourceNameMappings",
        ),
        ({"run": {"RuntimeResource": "moon"}}, "NotFound"),
        ({"run": {"RuntimeResource": 5}}, "InvalidParameter.DefaultRunProperties.RuntimeResource"),
        ({"run": {"Alert": {"NoticeType": "Sms"}}}, "MissingParameter.DefaultRunProperties.Alert.Type"),
        ({"run": {"Alert": {"Type": "Never"}}}, "InvalidParameter.DefaultRunProperties.Alert.Type"),
        (
            {"run": {"RunPolicy": {"Type": "Daily"}}},
            "MissingParameter.DefaultRunProperties.RunPolicy.StartTime",
        ),
        (
            {"run": {"RunPolicy": {"Type": "Hourly", "StartTime": "01:00:00", "EndTime": "02:00:00"}}},
            "InvalidParameter.DefaultRunProperties.RunPolicy.Type",
        ),
        (
            {"run": {"RunPolicy": {"Type": "Daily", "StartTime": "01:00:10", "EndTime": "02:00:00"}}},
            "InvalidParameter.DefaultRunProperties.RunPolicy.StartTime",
        ),
        (
            {"run": {"RunPolicy": {"Type": "Daily", "StartTime": "25:00:00", "EndTime": "02:00:00"}}},
            "InvalidParameter.DefaultRunProperties.RunPolicy.StartTime",
        ),
        (
            {"run": {"RunPolicy": {"Immediately": "x"}}},
            "InvalidParameter.DefaultRunProperties.RunPolicy.Immediately",
        ),
        ({"Periods": None}, "MissingParameter.Periods"),
        ({"periods": {"BizDates": []}}, "MissingParameter.Periods.BizDates"),
        (
            {"periods": {"BizDates": [{"StartBizDate": "2026-01-05"}]}},
            "InvalidParameter.Periods.BizDates.EndBizDate",
        ),
        (
            {"periods": {"BizDates": [{"StartBizDate": "5.1.2026", "EndBizDate": "2026-01-05"}]}},
            "InvalidParameter.Periods.BizDates.StartBizDate",
        ),
        (
            {"periods": {"BizDates": [{"StartBizDate": "2026-02-30", "EndBizDate": "2026-03-01"}]}},
            "InvalidParameter.BadBizdate",
        ),
        (
            {"periods": {"BizDates": [{"StartBizDate": "2026-01-06", "EndBizDate": "2026-01-05"}]}},
            "InvalidParameter.BadBizdate",
        ),
        (
            {"periods": {"BizDates": [{"StartBizDate": "2026-01-05", "EndBizDate": "2026-01-05"}] * 8}},
            "LimitExceeded.Periods.BizDates",
        ),
        ({"periods": {"StartTime": "01:00:00"}}, "MissingParameter.Periods.EndTime"),
        ({"periods": {"EndTime": "01:00:00"}}, "MissingParameter.Periods.StartTime"),
        ({"periods": {"StartTime": "02:00:00", "EndTime": "01:00:00"}}, "InvalidParameter.Periods.EndTime"),
        ({"periods": {"StartTime": "01:00:10", "EndTime": "01:00:50"}}, "InvalidParameter.Periods.EndTime"),
        ({"TaskParameters": "day=1"}, "InvalidParameter.TaskParameters"),
        ({"TaskParameters": '{"first": "day=1"}'}, "InvalidParameter.TaskParameters"),
        ({"TaskParameters": '{"1": "whatever"}'}, "InvalidParameter.TaskParameters"),
        ({"TaskParameters": '{"1": "moon=1"}'}, "InvalidParameter.BadOverride"),
        ({"TaskParameters": '{"99": "day=1"}'}, "NotFound"),
        ({"AutoStartEnabled": "maybe"}, "InvalidParameter.AutoStartEnabled"),
    ],
)
def test_what_cannot_be_asked(admin: Caller, more: dict[str, Any], code: str) -> None:
    """Each names the field; nothing is asked for."""
    before = admin.server.center("admin").errands.unattended()
    assert admin.refused("CreateWorkflowInstances", **asked(**more)) == code
    assert admin.server.center("admin").errands.unattended() == before


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from(["DefaultRunProperties", "Periods", "Tags", "TaskParameters"]), value=JSON)
def test_whatever_is_in_a_field_is_no_bug(admin: Caller, field: str, value: Any) -> None:
    """Refused with a code, or understood."""
    fields = asked(**{field: json.dumps(value)})
    answer = admin.send(admin.signer.sign("CreateWorkflowInstances", form=fields))
    assert answer.status_code < 500, answer.text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(action=st.sampled_from(sorted(FILTERED)), value=JSON)
def test_whatever_is_in_a_filter_is_no_bug(admin: Caller, action: str, value: Any) -> None:
    fields = {**FILTERED[action], FILTER_OF.get(action, "Filter"): json.dumps(value)}
    answer = admin.send(admin.signer.sign(action, form=fields))
    assert answer.status_code < 500, answer.text


def test_who_may_not_run_a_task_is_refused_at_once(admin: Caller) -> None:
    """SEC-4; and what is not seen is not there."""
    dave = caller(admin.server, "dave")
    assert dave.refused("CreateWorkflowInstances", **asked()).startswith("Forbidden")
    greta = caller(admin.server, "greta")
    assert greta.refused("CreateWorkflowInstances", **asked()) == "NotFound"


def test_an_operation_is_of_who_asked(admin: Caller) -> None:
    """SEC-2: to others it is not there."""
    operation = admin.ask("CreateWorkflowInstances", **asked())["OperationId"]
    alice = caller(admin.server, "alice")
    assert alice.refused("GetCreateWorkflowInstancesResult", "GET", OperationId=operation) == "NotFound"
    assert alice.refused("GetCreateWorkflowInstancesResult", "GET", OperationId="x" * 5_000) == "NotFound"


def test_a_backfill_that_is_refused_is_a_failure(tmp_path: Path) -> None:
    """VER-2: CreateFailure, with what was found; with Blocked false it is made all the same."""
    with serving(tmp_path) as server:
        path = tmp_path / "workspaces" / "open" / "workspace.yaml"
        path.write_text(
            path.read_text().replace(
                "owner: carol,", "owner: carol, depends_on: [{task: self, cycle: previous}],"
            )
        )
        server.center("admin").versions.deploy()
        alice = caller(server)
        run = {"Order": "Desc"}
        operation = alice.ask("CreateWorkflowInstances", **asked(run=run))["OperationId"]
        center = server.center("alice")
        center.errands.carry_out(operation)
        result = alice.get("GetCreateWorkflowInstancesResult", OperationId=operation)["Result"]
        assert result["Status"] == "CreateFailure"
        assert "failed its check" in result["FailureMessage"]
        assert (
            alice.get("GetWorkflowInstance", Id=result["WorkflowInstanceIds"][0])["WorkflowInstance"][
                "Status"
            ]
            == "Failure"
        )
        run["Analysis"] = {"Enabled": True, "Blocked": False}  # type: ignore[assignment]
        operation = alice.ask("CreateWorkflowInstances", **asked(run=run))["OperationId"]
        center.errands.carry_out(operation)
        assert (
            alice.get("GetCreateWorkflowInstancesResult", OperationId=operation)["Result"]["Status"]
            == "Created"
        )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a=1  b=$[yyyy-mm-dd hh24:mi] c=", {"a": "1", "b": "$[yyyy-mm-dd hh24:mi]", "c": ""}),
        ("a=x=y", {"a": "x=y"}),
    ],
)
def test_parameters_in_one_text(text: str, found: dict[str, str]) -> None:
    """PAR-1: values may hold spaces."""
    assert read_parameters("P", text) == found
    assert read_parameters("P", parameter_text(found)) == found


@pytest.mark.parametrize("text", ["x", "a=1 =2", "1=2", "a b=1", "a=1 a=2"])
def test_what_is_no_text_of_parameters(text: str) -> None:
    if text == "a=1 =2":  # the value holds it
        assert read_parameters("P", text) == {"a": "1 =2"}
        return
    with pytest.raises(ApiError):
        read_parameters("P", text)
