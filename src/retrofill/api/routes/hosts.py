"""Hosts as people look at them, and what these ask of one. What hosts themselves ask stands in `hosting`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

from retrofill.api.operations import Routes
from retrofill.api.requests import Asked, Asking, Commented
from retrofill.api.results import page_of
from retrofill.domain.people.scopes import Scope
from retrofill.services.reading.documents import HostAct, HostPage, HostRow, Page

routes = Routes("hosts")

HostName = Annotated[
    str, Path(max_length=1_000, description="Its name, or its label where no other has that.")
]


class HostQuery(Asked):
    """Which hosts."""

    everything: bool = Field(
        False, description="Also those that have left, and lost ones where nothing lives."
    )


@routes.get("", "hosts.list", Page[HostRow])
def list_hosts(visit: Asking, asked: Annotated[HostQuery, Query()]) -> Page[HostRow]:
    """The machines that carry out runs, and which of them are heard of."""
    return page_of(visit.center.hosts.list(asked.everything))


@routes.get("/{host}", "hosts.show", HostPage)
def show(visit: Asking, host: HostName) -> HostPage:
    """One host, with the instances that it carries out."""
    return visit.center.hosts.show(host)


@routes.post("/{host}/drain", "hosts.drain", HostAct, scope=Scope.ADMIN)
def drain(visit: Asking, host: HostName, body: Commented) -> HostAct:
    """Let a host take no more; what runs there ends by itself."""
    return visit.center.hosts.drain(host, body.comment)


@routes.post("/{host}/undrain", "hosts.undrain", HostAct, scope=Scope.ADMIN)
def undrain(visit: Asking, host: HostName, body: Commented) -> HostAct:
    """Let a host that drains take work again."""
    return visit.center.hosts.undrain(host, body.comment)


@routes.post("/{host}/forget", "hosts.forget", HostAct, scope=Scope.ADMIN)
def forget(visit: Asking, host: HostName, body: Commented) -> HostAct:
    """Remove what is known of a host that is gone; should it come back, it is known again."""
    return visit.center.hosts.forget(host, body.comment)
