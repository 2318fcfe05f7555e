"""What keeps a deployment in order: its health, what is old, the store."""

from __future__ import annotations

from pydantic import Field

from retrofill.api.operations import Routes
from retrofill.api.requests import Asked, Asking
from retrofill.api.results import page_of
from retrofill.domain.people.scopes import Scope
from retrofill.services.reading.documents import HealthCheck, Page, RetentionReport

routes = Routes("")


class RetentionBody(Asked):
    """What is to be done about what is old."""

    dry_run: bool = Field(False, description="Only say what would go.")


@routes.get("/doctor", "upkeep.doctor", Page[HealthCheck], is_long=True)
def doctor(visit: Asking) -> Page[HealthCheck]:
    """Whether everything is in order, as far as you may know, one item for each thing that was looked at."""
    return page_of(visit.center.upkeep.doctor())


@routes.get("/store/check", "upkeep.check_store", Page[str], scope=Scope.ADMIN, is_long=True)
def check_store(visit: Asking) -> Page[str]:
    """What is wrong with the store, a sentence each."""
    return page_of(visit.center.upkeep.check_store())


@routes.post("/retention/run", "upkeep.remove_old", RetentionReport, scope=Scope.ADMIN)
def remove_old(visit: Asking, body: RetentionBody) -> RetentionReport:
    """Remove what is older than the settings allow."""
    return visit.center.upkeep.remove_old(body.dry_run)
