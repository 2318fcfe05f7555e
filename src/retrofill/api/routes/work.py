"""Who does the work, and what waits for somebody who does."""

from __future__ import annotations

from pydantic import Field

from retrofill.api.operations import Routes
from retrofill.api.requests import Asked, AskedIds, Asking
from retrofill.api.results import page_of
from retrofill.domain.people.scopes import Scope
from retrofill.services.reading.documents import (
    InstanceHome,
    Page,
    SchedulerState,
    StandstillRow,
    Unstarted,
)

routes = Routes("scheduler")


class Instances(Asked):
    """Instances that something is asked about."""

    instances: AskedIds = Field(description="Their ids.")


class GoingOn(Asked):
    """What may wait for a scheduler."""

    backfills: AskedIds = Field([], description="Ids of backfills.")
    instances: AskedIds = Field(
        [], description="Ids of instances, whose backfills are meant, and the schedule."
    )


@routes.get("", "work.scheduler", SchedulerState)
def scheduler(visit: Asking) -> SchedulerState:
    """Whether somebody schedules, and what that one starts."""
    return visit.center.work.scheduler()


@routes.get("/standstills", "work.standstills", Page[StandstillRow])
def standstills(visit: Asking) -> Page[StandstillRow]:
    """Processes of the server's machine that are alive and do nothing."""
    return page_of(visit.center.work.standstills())


@routes.post("/unstarted", "work.unstarted", Unstarted, scope=Scope.READ)
def unstarted(visit: Asking, body: GoingOn) -> Unstarted:
    """What of these goes on, and is started by nobody."""
    return visit.center.work.unstarted(body.backfills, body.instances)


@routes.post("/backfills-of", "work.backfills_of", Page[InstanceHome], scope=Scope.READ)
def backfills_of(visit: Asking, body: Instances) -> Page[InstanceHome]:
    """Which backfills these instances are of, as far as you see them."""
    return page_of(visit.center.work.backfills_of(body.instances))


@routes.post("/still-running", "work.still_running", Page[int], scope=Scope.READ)
def still_running(visit: Asking, body: Instances) -> Page[int]:
    """Those of these instances that run."""
    return page_of(visit.center.work.still_running(body.instances))
