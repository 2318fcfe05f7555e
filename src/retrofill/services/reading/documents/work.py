"""Who does the work, and whether everything is in order."""

from __future__ import annotations

from typing import TypedDict

from retrofill.domain.texts import Text


class HealthCheck(TypedDict):
    """One thing that `doctor` looked at."""

    check: str
    ok: bool
    detail: Text


class SchedulerState(TypedDict):
    """Who starts instances now."""

    runs: bool  #: whether anybody does
    starts_auto: bool  #: and not only instances of backfills
    host: str | None  #: the machine; null to who is no system administrator
    process: int | None  #: null where that is not known, and to who is no system administrator
    since: str | None  #: null where that is not known


class StandstillRow(TypedDict):
    """An own process that is alive and does nothing."""

    part: str  #: `scheduler`, `launcher` or `supervisor`
    process: int
    instance: int | None  #: whose run it carries out; null where there is none that may be named
    text: str  #: a clause that names it and says what lets it go on


class Unstarted(TypedDict):
    """What goes on, and is started by nobody."""

    backfill: int | None  #: the first one of which nothing starts
    auto: bool  #: whether auto triggered instances wait for a scheduler that starts them


class InstanceHome(TypedDict):
    """Which backfill an instance is of."""

    id: int
    backfill: int | None  #: null where it is auto triggered
