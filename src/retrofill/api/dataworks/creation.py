"""CreateWorkflowInstances: what is asked for in the API's words, as the inputs of a backfill."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from retrofill.api.dataworks import words
from retrofill.api.dataworks.asked import Asked, check_workflow
from retrofill.api.dataworks.errors import ApiError, invalid, missing, unsupported
from retrofill.api.dataworks.fields import (
    Field,
    document,
    documents,
    numbers,
    one_of,
    production,
    text,
    whole,
    yes_no,
)
from retrofill.api.dataworks.parameters import read_parameters

CREATE = (
    Field("ProjectId", whole, True),
    Field("Name", text, True),
    Field("Type", one_of("SupplementData", "ManualWorkflow", "Manual", "SmokeTest", "TriggerWorkflow"), True),
    Field("WorkflowId", whole, True),
    Field("EnvType", production),
    Field("DefaultRunProperties", document),
    Field("Periods", document),
    Field("TaskParameters", text),
    Field("AutoStartEnabled", yes_no),
    Field("Comment", text),
    Field("Tags", documents),
    Field("TagCreationPolicy", one_of("Append", "Overwrite")),
    Field("WorkflowParameters", text),
)
GET_RESULT = (Field("OperationId", text, True),)
_PROPERTIES = (
    "Alert", "Analysis", "DataSourceNameMappings", "ExcludeProjectIds", "ExcludeTaskIds", "IncludeProjectIds",
    "IncludeTaskIds", "Mode", "Order", "Parallelism", "Priority", "PriorityWeightStrategy", "RootTaskIds", "RunPolicy",
    "RuntimeResource",
)  # fmt: skip
_MOST_RANGES = 7
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d)")
_WHOLE_DAY = ("00:00:00", "23:59:59")


def create_workflow_instances(asked: Asked) -> dict[str, Any]:
    """CreateWorkflowInstances; what cannot be is refused at once, and the rest is done while nobody waits."""
    given = given_of(asked)
    is_paused = asked["AutoStartEnabled"] is False
    errand = asked.center.errands.ask_for_backfill(given, asked.comment, is_paused)
    asked.carry_out(errand)
    return {"OperationId": errand}


def get_create_workflow_instances_result(asked: Asked) -> dict[str, Any]:
    """GetCreateWorkflowInstancesResult."""
    found = asked.center.errands.show(asked["OperationId"])
    if found["state"] == "under_way":
        asked.take_up(found["id"])
        return {"Result": {"Status": "Creating"}}
    backfill = found["backfill"]
    dates = [] if backfill is None else range(found["bizdates"])
    numbers_of_dates = [words.workflow_instance_id(backfill or 0, position) for position in dates]
    result = {
        "Status": "CreateFailure" if found["state"] == "failed" else "Created",
        "WorkflowInstanceIds": numbers_of_dates,
        "UnifiedWorkflowInstanceIds": numbers_of_dates,
        "WorkflowTaskInstanceIds": [],
    }
    return {"Result": result | ({"FailureMessage": found["failure"]} if found["failure"] else {})}


def given_of(asked: Asked) -> dict[str, Any]:
    """The inputs of a backfill (`domain/selection/asking`, `domain/planning/options`).

    Raises:
        ApiError: something is missing, cannot be, or is nothing that Retrofill has.
    """
    if asked["Type"] != words.BACKFILL:
        raise unsupported(
            f"Type.{asked['Type']}",
            f"Type {asked['Type']} starts what is not scheduled, and Retrofill has only scheduled tasks; SupplementData "
            "backfills them",
        )
    check_workflow(asked["WorkflowId"])
    if asked["Tags"]:
        raise unsupported("Tags", "a backfill has no tags; its Name and Comment are kept")
    properties = _properties(asked["DefaultRunProperties"])
    return {
        "name": asked["Name"],
        **_selection(asked, properties),
        **_periods(asked["Periods"]),
        **_policy(properties),
        **_overrides(asked),
    }


def _properties(given: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if given is None:
        raise missing("DefaultRunProperties")
    found = _object("DefaultRunProperties", given, *_PROPERTIES)
    for name in ("Priority", "PriorityWeightStrategy", "DataSourceNameMappings"):
        if found.get(name) not in (None, {}, "", "Disable"):
            raise unsupported(
                f"DefaultRunProperties.{name}",
                f"{name} is not for backfills of scheduled tasks; leave it out",
            )
    return found


# Which tasks


def _selection(asked: Asked, given: Mapping[str, Any]) -> dict[str, Any]:
    mode = given.get("Mode") or "ManualSelection"
    if not isinstance(mode, str) or mode not in _MODES:
        raise invalid(_at("Mode"), f"Mode is one of {', '.join(_MODES)}, not {_shown(mode)}")
    choose = _MODES[mode]
    workspace = asked.project()
    found = choose(asked, given)
    first = (_ids(given, "RootTaskIds") or _ids(given, "IncludeTaskIds"))[0]
    if asked.center.declared.show(first)["workspace"] != workspace:
        raise invalid(_at("RootTaskIds"), f"task {first} is not of project {asked['ProjectId']}")
    return found


def _manual(asked: Asked, given: Mapping[str, Any]) -> dict[str, Any]:
    roots = _ids(given, "RootTaskIds")
    if not roots:
        raise missing(_at("RootTaskIds"))
    _refuse(given, "ManualSelection", "IncludeProjectIds", "ExcludeProjectIds")
    return _from_roots(given, roots)


def _general(asked: Asked, given: Mapping[str, Any]) -> dict[str, Any]:
    root = _single_root(given, "General")
    if _has_projects(given):
        return _in_projects(asked, given, root)
    return _from_roots(given, [root])


def _from_roots(given: Mapping[str, Any], roots: list[int]) -> dict[str, Any]:
    """The roots, or exactly what is included: a root that is not runs dry."""
    included, left_out = _ids(given, "IncludeTaskIds"), _ids(given, "ExcludeTaskIds")
    if included:
        left_out = [*left_out, *(one for one in roots if one not in included and one not in left_out)]
    return {
        "task": _texts(roots),
        "only": _texts(one for one in included if one not in roots),
        "exclude": _texts(left_out),
    }


def _chain(asked: Asked, given: Mapping[str, Any]) -> dict[str, Any]:
    ends = _ids(given, "IncludeTaskIds")
    if _ids(given, "RootTaskIds"):
        raise invalid(
            _at("RootTaskIds"), "RootTaskIds is empty in mode Chain: the two ends are IncludeTaskIds"
        )
    if len(ends) != 2:
        raise invalid(_at("IncludeTaskIds"), f"a Chain has two ends, start and end, not {len(ends)}")
    _refuse(given, "Chain", "IncludeProjectIds", "ExcludeProjectIds")
    start, end = _texts(ends)
    return {"from": start, "to": [end], "exclude": _texts(_ids(given, "ExcludeTaskIds"))}


def _all_downstream(asked: Asked, given: Mapping[str, Any]) -> dict[str, Any]:
    root = _single_root(given, "AllDownstream")
    _refuse(given, "AllDownstream", "IncludeTaskIds")
    if _has_projects(given):
        return _in_projects(asked, given, root)
    return {"all_descendants": str(root), "exclude": _texts(_ids(given, "ExcludeTaskIds"))}


def _in_projects(asked: Asked, given: Mapping[str, Any], root: int) -> dict[str, Any]:
    """What depends on the root in some projects; where none are included, in all but the excluded ones."""
    without = _ids(given, "ExcludeProjectIds")
    chosen = _ids(given, "IncludeProjectIds") or [
        one["id"] for one in asked.projects if one["id"] is not None
    ]
    return {
        "root": str(root),
        "workspace": [asked.workspace_of(number) for number in chosen if number not in without],
        "include": _texts(one for one in _ids(given, "IncludeTaskIds") if one != root),
        "exclude": _texts(_ids(given, "ExcludeTaskIds")),
    }


_MODES: Mapping[str, Callable[[Asked, Mapping[str, Any]], dict[str, Any]]] = MappingProxyType(
    {"ManualSelection": _manual, "General": _general, "Chain": _chain, "AllDownstream": _all_downstream}
)


def _single_root(given: Mapping[str, Any], mode: str) -> int:
    roots = _ids(given, "RootTaskIds")
    if len(roots) != 1:
        raise invalid(_at("RootTaskIds"), f"mode {mode} has exactly one root task, not {len(roots)}")
    return roots[0]


def _has_projects(given: Mapping[str, Any]) -> bool:
    return bool(_ids(given, "IncludeProjectIds") or _ids(given, "ExcludeProjectIds"))


def _refuse(given: Mapping[str, Any], mode: str, *names: str) -> None:
    for name in names:
        if given.get(name):
            raise invalid(_at(name), f"{name} does not go with mode {mode}")


def _ids(given: Mapping[str, Any], name: str) -> list[int]:
    found = given.get(name)
    return [] if found is None else numbers(_at(name), found)


def _texts(ids: Any) -> list[str]:
    return [str(one) for one in ids]


# Which dates


def _periods(given: Mapping[str, Any] | None) -> dict[str, Any]:
    if given is None:
        raise missing("Periods")
    found = _object("Periods", given, "BizDates", "StartTime", "EndTime")
    ranges = found.get("BizDates")
    if not isinstance(ranges, list) or not ranges:
        raise missing("Periods.BizDates")
    if len(ranges) > _MOST_RANGES:
        raise ApiError(
            400,
            "LimitExceeded.Periods.BizDates",
            f"{len(ranges)} ranges of business dates; at most {_MOST_RANGES}",
        )
    result: dict[str, Any] = {"bizdate": list(map(_range, ranges))}
    ends = (found.get("StartTime"), found.get("EndTime"))
    if ends not in ((None, None), _WHOLE_DAY):
        result["time_range"] = _time_range(*ends)
    return result


def _range(given: Any) -> str:
    found = _object("Periods.BizDates", given, "StartBizDate", "EndBizDate")
    ends = []
    for name in ("StartBizDate", "EndBizDate"):
        value = found.get(name)
        if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
            raise invalid(
                f"Periods.BizDates.{name}", f"{name} is a date such as 2026-01-31, not {_shown(value)}"
            )
        ends.append(value)
    return "..".join(ends)


def _time_range(start: Any, end: Any) -> str:
    """Slots are whole minutes: a start within a minute lets in the next one, an end within one that minute."""
    if start is None or end is None:
        raise missing("Periods.EndTime" if end is None else "Periods.StartTime")
    first, last = _seconds("Periods.StartTime", start), _seconds("Periods.EndTime", end)
    minutes = (-(-first // 60), last // 60)
    if minutes[0] > minutes[1] or minutes[0] > 1439:
        raise invalid("Periods.EndTime", f"no minute lies between {start} and {end}")
    return "-".join(map(_clock, minutes))


# How


def _policy(given: Mapping[str, Any]) -> dict[str, Any]:
    groups = given.get("Parallelism")
    if groups is None:
        raise missing(_at("Parallelism"))
    if not isinstance(groups, int) or isinstance(groups, bool):
        raise invalid(_at("Parallelism"), "Parallelism is a whole number from 1 to 10")
    found: dict[str, Any] = {"groups": str(groups), **_analysis(given), **_window(given), **_alert(given)}
    if given.get("Order") is not None:
        found["order"] = _word(_at("Order"), given["Order"], words.ORDER)
    if given.get("RuntimeResource"):
        if not isinstance(given["RuntimeResource"], str):
            raise invalid(_at("RuntimeResource"), "RuntimeResource is the identifier of a resource group")
        found["resource_group"] = given["RuntimeResource"]
    return found


def _analysis(given: Mapping[str, Any]) -> dict[str, Any]:
    """A risk blocks, unless nobody wants to be blocked or to have it analysed."""
    if given.get("Analysis") is None:
        raise missing(_at("Analysis"))
    found = _object(_at("Analysis"), given["Analysis"], "Enabled", "Blocked")
    for name in ("Enabled", "Blocked"):
        if not isinstance(found.get(name), bool):
            raise missing(f"{_at('Analysis')}.{name}")
    return {} if found["Enabled"] and found["Blocked"] else {"allow_risks": True}


def _window(given: Mapping[str, Any]) -> dict[str, Any]:
    if given.get("RunPolicy") is None:
        return {}
    name = _at("RunPolicy")
    found = _object(name, given["RunPolicy"], "Type", "StartTime", "EndTime", "Immediately")
    at_once = found.get("Immediately")
    if at_once not in (None, True, False):
        raise invalid(f"{name}.Immediately", "Immediately is true or false")
    result: dict[str, Any] = {"run_future": True} if at_once else {}
    parts = [found.get(key) for key in ("Type", "StartTime", "EndTime")]
    if parts == [None, None, None]:
        return result
    for key, value in zip(("Type", "StartTime", "EndTime"), parts, strict=True):
        if value is None:
            raise missing(f"{name}.{key}")
    if parts[0] not in ("Daily", "Weekend"):
        raise invalid(f"{name}.Type", f"Type is Daily or Weekend, not {_shown(parts[0])}")
    weekends = parts[0] == "Weekend"
    is_all_day = (parts[1], parts[2]) == _WHOLE_DAY
    if is_all_day and not weekends:
        return result
    return result | {"window": _opening(name, *parts[1:]), "weekends": weekends}


def _opening(name: str, start: Any, end: Any) -> str:
    """A window has whole minutes, and is open until the minute of its end begins."""
    first, last = _seconds(f"{name}.StartTime", start), _seconds(f"{name}.EndTime", end)
    if first % 60 or last % 60 not in (0, 59):
        raise invalid(
            f"{name}.StartTime", f"a run policy begins and ends with a minute; {start} to {end} does not"
        )
    if (start, end) == _WHOLE_DAY:
        return "00:00-23:59"
    return f"{_clock(first // 60)}-{_clock(-(-last // 60) % 1440)}"


def _alert(given: Mapping[str, Any]) -> dict[str, Any]:
    if given.get("Alert") is None:
        return {}
    name = _at("Alert")
    found = _object(name, given["Alert"], "Type", "NoticeType")
    if found.get("Type") is None:
        raise missing(f"{name}.Type")
    result = {"alert": _word(f"{name}.Type", found["Type"], words.ALERT)}
    if found.get("NoticeType") is not None:
        result["alert_by"] = _word(f"{name}.NoticeType", found["NoticeType"], words.NOTICE)
    return result


def _overrides(asked: Asked) -> dict[str, Any]:
    """Parameters that differ from what is declared."""
    if not asked["TaskParameters"]:
        return {}
    try:
        given = json.loads(asked["TaskParameters"])
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise invalid("TaskParameters", 'TaskParameters is a JSON object such as {"12": "day=20260131"}')
    found = list(_differing(asked, given))
    return {"set": found} if found else {}


def _differing(asked: Asked, given: Mapping[str, Any]) -> Iterator[str]:
    for number, written in given.items():
        if not (number.isascii() and number.isdigit()) or len(number) > 18 or not isinstance(written, str):
            raise invalid("TaskParameters", "TaskParameters holds texts of parameters by ids of tasks")
        declared = asked.center.declared.show(int(number))["parameters"]
        for name, value in read_parameters("TaskParameters", written).items():
            if declared.get(name) != value:
                yield f"{number}.{name}={value}"


# Inside


def _at(name: str) -> str:
    return f"DefaultRunProperties.{name}"


def _object(name: str, given: Any, *known: str) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise invalid(name, f"{name} is an object")
    strangers = sorted(given.keys() - set(known))
    if strangers:
        raise invalid(name, f"{name} has no field {_shown(strangers[0])}")
    return given


def _word(name: str, given: Any, table: Mapping[str, str]) -> str:
    if not isinstance(given, str) or given not in table:
        raise invalid(name, f"{name} is one of {', '.join(table)}, not {_shown(given)}")
    return table[given]


def _seconds(name: str, given: Any) -> int:
    found = _TIME.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise invalid(name, f"{name} is a time such as 23:59:59, not {_shown(given)}")
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _shown(given: Any) -> str:
    return json.dumps(given)[:64]
