"""What has one bizdate: a date of a backfill, and instances with what is declared of their tasks."""

from __future__ import annotations

from typing import Generic, TypedDict, TypeVar

from retrofill.services.reading.documents.instances import InstanceRow

_Item = TypeVar("_Item")


class NumberedPage(TypedDict, Generic[_Item]):
    """One page of a list whose pages have numbers."""

    items: list[_Item]
    total: int  #: on all pages


class BackfillDate(TypedDict):
    """One bizdate of a backfill."""

    backfill: int
    position: int  #: among its bizdates in running order, from 0
    name: str  #: of the backfill
    bizdate: str
    state: str  #: a state of instances (OPS-0) that tells most of all of them, or `checking`
    total: int  #: instances
    successful: int
    failed: int
    running: int
    frozen: int
    workspace: str | None  #: of the first of its tasks that may be known
    created_by: str
    created_at: str
    started_at: str | None  #: when the first of its instances started
    ended_at: str | None  #: when the last one ended; null while any is left that has not


class InstanceDetail(InstanceRow):
    """An instance with what is declared of its task, as of the version whose code it runs."""

    task_id: int
    type: str
    owner: str | None
    description: str | None
    connection: str | None
    baseline: str | None
    rerun_mode: str  #: `always`, `on_failure` or `never`
    timeout_seconds: int
    declared: dict[str, str]  #: parameters as declared, or as the backfill overrides them
    tags: list[str]
    cycle_number: int  #: which of the times of its task on that date it is, from 1
    due_at: str  #: the instant of its scheduled time
    created_at: str
    created_by: str | None  #: null where it is auto triggered
    position: int | None  #: of its bizdate in its backfill, from 0; null where it is auto triggered
    code: str


class Neighbour(TypedDict):
    """An instance that waits for another one, or that is waited for."""

    dependency: str  #: `same_cycle` or `earlier_cycle`
    instance: InstanceDetail
