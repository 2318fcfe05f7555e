"""The API's words for Retrofill's, and the other way round; each table is one of the guide's.

Where the API has no word, the nearest one stands here, and the guide says so: a frozen instance is `NotRun` with
`TriggerRecurrence` `Pause`, a dry run or an off day is `Skip`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from retrofill.api.dataworks.errors import invalid
from retrofill.domain.running.states import State
from retrofill.domain.time.instants import day_start
from retrofill.domain.time.milliseconds import instant_of, ms_of

STATUS: Mapping[str, str] = MappingProxyType(
    {
        "checking": "Checking",
        State.NOT_RUN: "NotRun",
        State.FROZEN: "NotRun",
        State.WAITING_TIME: "WaitTime",
        State.WAITING_RESOURCES: "WaitResource",
        State.RUNNING: "Running",
        State.SUCCESSFUL: "Success",
        State.FAILED: "Failure",
    }
)
STATUSES = (
    "NotRun",
    "Running",
    "WaitTime",
    "CheckingCondition",
    "WaitResource",
    "Failure",
    "Success",
    "Checking",
    "WaitTrigger",
)
NEVER = frozenset({"never"})  # no state, no kind: of what Retrofill does not have

RECURRENCE: Mapping[str, str] = MappingProxyType(
    {"run": "Normal", "virtual": "Normal", "dry_run": "Skip", "off_day": "Skip", "frozen": "Pause"}
)
TASK_RECURRENCE: Mapping[str, str] = MappingProxyType(
    {"normal": "Normal", "dry_run": "Skip", "paused": "Pause"}
)
RECURRENCES = ("Normal", "Skip", "Pause")
RERUN_MODE: Mapping[str, str] = MappingProxyType(
    {"always": "AllAllowed", "on_failure": "FailureAllowed", "never": "AllDenied"}
)
INSTANCE_MODE: Mapping[str, str] = MappingProxyType({"next_day": "T+1", "immediate": "Immediately"})
TASK_TYPE: Mapping[str, str] = MappingProxyType(
    {"shell": "SHELL", "python": "PYTHON", "sql": "SQL", "virtual": "VIRTUAL"}
)
DEPENDENCY: Mapping[str, str] = MappingProxyType({"same_cycle": "Normal", "earlier_cycle": "CrossCycle"})
TASK_DEPENDENCY: Mapping[str, str] = MappingProxyType(
    {
        "same_cycle": "Normal",
        "self": "CrossCycleDependsOnSelf",
        "previous": "CrossCycleDependsOnOtherNode",
        "children": "CrossCycleDependsOnChildren",
    }
)
GROUP_TYPE: Mapping[str, str] = MappingProxyType(
    {"exclusive": "ExclusiveScheduler", "shared": "CommonV2", "serverless": "CommonV2"}
)
ALERT: Mapping[str, str] = MappingProxyType(
    {"Success": "success", "Failure": "failure", "SuccessFailure": "either"}
)
NOTICE: Mapping[str, str] = MappingProxyType({"Sms": "sms", "Mail": "email", "SmsMail": "both"})
ORDER: Mapping[str, str] = MappingProxyType({"Asc": "asc", "Desc": "desc"})
NORMAL, BACKFILL = "Normal", "SupplementData"
WORKFLOW_TYPES = (NORMAL, "Manual", "SmokeTest", BACKFILL, "ManualWorkflow", "TriggerWorkflow")
WORKFLOW_ID = 1  # of all scheduled tasks

_DATES = 100_000  # more than a backfill may have


def states_of(status: str) -> frozenset[str]:
    """The states that are shown as a status; of one that Retrofill does not have, none there is."""
    return frozenset(state for state, word in STATUS.items() if word == status) or NEVER


def kinds_of(recurrence: str) -> frozenset[str]:
    """The kinds of instances that are shown as a recurrence."""
    return frozenset(kind for kind, word in RECURRENCE.items() if word == recurrence)


def workflow_instance_id(backfill: int, position: int) -> int:
    """A bizdate of a backfill as one number, the place in running order from 0."""
    return backfill * _DATES + position + 1


def date_of_workflow_instance(number: int) -> tuple[int, int]:
    """A backfill's id and the place of a bizdate, out of one number; a number that was never made fits none."""
    backfill, position = divmod(number, _DATES)
    return backfill, position - 1


def day_ms(bizdate: str, timezone: str) -> int:
    """00:00 of a date in the deployment's time zone, in ms."""
    return ms_of(day_start(date.fromisoformat(bizdate), timezone))


def day_of(name: str, ms: int, timezone: str) -> date:
    """The date that begins at an instant.

    Raises:
        ApiError: no date begins then; names the zone and the date that was probably meant.
    """
    try:
        there = instant_of(ms).astimezone(ZoneInfo(timezone))
        found = (there + timedelta(hours=12)).date()
        is_start = ms_of(day_start(found, timezone)) == ms
    except (OverflowError, ValueError, OSError):
        raise invalid(name, f"{name} is in milliseconds since 1970, and {ms} is no date") from None
    if not is_start:
        raise invalid(
            name,
            f"{name} is 00:00 of a business date in {timezone}, the deployment's time zone, in milliseconds; {ms} is "
            f"{there:%Y-%m-%d %H:%M:%S} there; {found} is {ms_of(day_start(found, timezone))}",
        )
    return found


def ms_text(instant: str | None) -> int | None:
    """An instant of a document in ms."""
    return None if instant is None else ms_of(datetime.fromisoformat(instant))
