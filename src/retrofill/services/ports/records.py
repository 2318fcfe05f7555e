"""Rows of the ledger as services see them. Field order is column order.

Instants are integers: milliseconds since 1970 in UTC (`..._ms`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import repeat
from typing import NamedTuple

Partition = tuple[int, str, int]
"""What an instance produces: task, bizdate and slot; it has one writer at a time (RUN-7)."""


class VersionRecord(NamedTuple):
    """A deployed version, without what it holds; `published_from` is the older one that it is anew (CAT-9)."""

    id: int
    created_ms: int
    created_by: str
    task_count: int | None
    published_from: int | None


class BackfillRecord(NamedTuple):
    """One submitted backfill; `choice`, `policy`, `selection`, `analysis` are JSON texts."""

    id: int
    name: str
    phase: str
    check_status: str
    version_id: int
    selection: str
    choice: str
    policy: str
    analysis: str
    task_count: int
    instance_count: int
    first_instance_id: int
    stride: int
    paused: int
    stopped: int
    created_by: str
    created_ms: int
    start_ms: int | None
    started_ms: int | None
    ended_ms: int | None
    failures: int = 0
    paused_by: str | None = None
    idle_ms: int = 0
    idle_since_ms: int | None = None
    run_count: int | None = None  # instances that really run; unknown of older ones
    edition: int = 0  # one more with each change of its policy, pause, stop, or their end


class OpenBackfill(NamedTuple):
    """What a tick must know of every backfill that has not ended, or that is held."""

    id: int
    phase: str
    paused: int
    stopped: int
    started_ms: int | None
    policy: str


class DateRecord(NamedTuple):
    """One bizdate of a backfill, with its counters of states."""

    backfill_id: int
    position: int
    bizdate: str
    group_number: int
    reached: int
    total: int
    successful: int
    failed: int
    running: int
    frozen: int


class BackfillFigures(NamedTuple):
    """What a list shows of a backfill beyond its record.

    Attributes:
        progress: sums of total, successful, failed, running, frozen.
        waiting: how many instances wait for resources and for time.
        bizdates: in running order; none where it has no dates of its own yet.
        first_estimate: the estimate that was stored with it, as JSON.
        expected: the end that is expected of it, as JSON; None where nothing was estimated.
    """

    progress: tuple[int, int, int, int, int]
    waiting: tuple[int, int]
    bizdates: tuple[str, ...]
    first_estimate: str | None
    expected: str | None


class GenerationRecord(NamedTuple):
    """Auto triggered instances of one bizdate that were made at once: by a night, or by a deploy.

    Instances have the ids `first_instance_id` + place in the template of all tasks of the version; not
    every place need have one.
    """

    id: int
    bizdate: str
    kind: str  # night | immediate
    phase: str  # creating | releasing | active
    version_id: int
    first_instance_id: int
    stride: int
    made_ms: int


class Outcome(NamedTuple):
    """As much of an instance as tells what has become of its partition."""

    id: int
    task_id: int
    bizdate: str
    slot: int
    kind: str
    state: str
    started_ms: int | None
    ended_ms: int | None


class InstanceRecord(NamedTuple):
    """One instance. `open_waits` counts upstream instances that are not Successful."""

    id: int
    backfill_id: int | None
    task_id: int
    bizdate: str
    slot: int
    due_ms: int
    kind: str
    state: str
    reason: str | None
    frozen_from: str | None
    priority: int
    resource_group: str
    open_waits: int
    ignores_waits: int
    start_ms: int
    run_number: int
    reruns: int
    started_ms: int | None
    ended_ms: int | None
    code_version_id: int | None = (
        None  # whose code it runs; None: that of the version it was made from (OPS-2)
    )

    @property
    def partition(self) -> Partition:
        """What it produces, whoever runs it."""
        return self.task_id, self.bizdate, self.slot

    @property
    def date(self) -> date:
        """The bizdate as a date."""
        return date.fromisoformat(self.bizdate)

    @property
    def scheduled_at(self) -> datetime:
        """T, the wall-clock slot: on the day after the bizdate (chapter 0)."""
        day = self.date + timedelta(days=1)
        return datetime(day.year, day.month, day.day, self.slot // 60, self.slot % 60)  # noqa: DTZ001


def in_columns(**columns: Iterable[object]) -> Iterator[tuple[object, ...]]:
    """Rows of instances for `Ledger.add_instances`, out of their columns by name.

    Plain tuples in the order of `InstanceRecord`: making records of hundreds of thousands takes three times as long.

    Args:
        columns: one for each field; those that have a default may be left out.
    """
    given = {name: repeat(value) for name, value in InstanceRecord._field_defaults.items()} | columns
    assert given.keys() <= set(InstanceRecord._fields), "a column that an instance has not"
    return zip(*(given[name] for name in InstanceRecord._fields), strict=False)


class RunRecord(NamedTuple):
    """One run of an instance."""

    instance_id: int
    number: int
    token: str
    boot_id: str
    started_ms: int
    ended_ms: int | None
    outcome: str | None
    exit_code: int | None
    message: str | None
    log_removed_ms: int | None = None
    version_id: int | None = None  # whose code ran; None: that of the version its instance was made from
    host: str | None = None  # where it lives; None: on the one machine that has the store, or offered
    executor: str | None = None  # what has offered it to other machines; None: who scheduled has started it

    @property
    def is_offered(self) -> bool:
        """Whether it waits for a machine that claims it."""
        return self.executor is not None and self.host is None and self.ended_ms is None


class ReportedEnd(NamedTuple):
    """How a run on another machine has ended, as that has reported it; times by the store's clock."""

    instance_id: int
    number: int
    token: str
    outcome: str
    exit_code: int | None
    signal: int | None
    started_ms: int | None
    ended_ms: int
    message: str


class HostRecord(NamedTuple):
    """A machine that carries out what is offered, as it said of itself; `groups` is JSON."""

    name: str
    label: str
    executor: str
    groups: str
    slots: int
    version: str
    logs_at: str
    since_ms: int
    draining: int = 0
    left_ms: int | None = None
    token_id: int | None = None  # with which it asks a server; None: it reaches the store


class EndOfRun(NamedTuple):
    """What is written of a run's end; the token says which run it is of."""

    instance_id: int
    number: int
    token: str
    ended_ms: int
    outcome: str
    exit_code: int | None = None
    message: str | None = None


class Upcoming(NamedTuple):
    """The earliest moments for which something waits, which may be in the past; None: nothing does."""

    start_ms: int | None  # an instance for its time
    alert_ms: int | None  # an alert for being sent


class FailedStartRecord(NamedTuple):
    """An instance that could not be started and is tried again (RUN-3)."""

    instance_id: int
    tries: int
    since_ms: int
    tried_ms: int
    message: str


class AlertRecord(NamedTuple):
    """One message about a backfill, to be sent or sent (POL-9)."""

    id: int
    backfill_id: int
    round: int
    event: str
    method: str
    instance_id: int | None
    queued_ms: int
    state: str
    tries: int
    next_ms: int | None
    done_ms: int | None
    reason: str | None


class OperationRecord(NamedTuple):
    """What somebody did (OPS-8)."""

    id: int
    at_ms: int
    user: str
    action: str
    backfill_id: int | None
    instance_id: int | None
    from_state: str | None
    to_state: str | None
    comment: str
    task_id: int | None


class UserRecord(NamedTuple):
    """What is known of a user beyond the roles that a catalog gives; empty texts are not known."""

    id: int
    name: str
    email: str
    phone: str
    is_administrator: int  # of the system
    created_ms: int


class TokenRecord(NamedTuple):
    """An API token; its secret is not kept."""

    id: int
    user_name: str
    label: str
    created_ms: int
    revoked_ms: int | None
    scope: str
    expires_ms: int | None
    seen_ms: int | None
    resource_groups: str | None = (
        None  # JSON: those whose runs a worker may carry out; None: it is no worker's
    )


class AccessKeyRecord(NamedTuple):
    """A key that signs requests; `made_with` is the fingerprint of the server's key that its secret comes from."""

    id: int
    key_id: str
    user_name: str
    label: str
    scope: str
    made_with: str
    created_ms: int
    expires_ms: int | None
    seen_ms: int | None
    revoked_ms: int | None


class SessionRecord(NamedTuple):
    """What a browser shows from request to request; its secret is not kept."""

    id: int
    user_name: str
    way: str
    address: str
    browser: str
    created_ms: int
    seen_ms: int
    expires_ms: int
    ended_ms: int | None


class LinkRecord(NamedTuple):
    """A link that signs somebody in once; its secret is not kept."""

    user_name: str
    created_ms: int
    expires_ms: int
    used_ms: int | None


class PasswordRecord(NamedTuple):
    """The hash of a password, with the parameters it was made with."""

    user_name: str
    hash: str
    set_ms: int


class RequestKeyRecord(NamedTuple):
    """A key by which a request is known again.

    Attributes:
        request: tells it from others (a hash).
        backfill_id: that it has made; 0: something else.
    """

    user_name: str
    name: str
    request: str
    backfill_id: int
    created_ms: int


class SavedFormRecord(NamedTuple):
    """What somebody has typed into a page and keeps; without a name a draft. `fields` is a JSON text."""

    id: int
    user_name: str
    page: str
    name: str | None
    fields: str
    saved_ms: int


class ErrandRecord(NamedTuple):
    """What somebody has asked for and does not wait for; `request` is a JSON text."""

    id: str
    kind: str
    user_name: str
    request: str
    created_ms: int
    backfill_id: int | None = None
    ended_ms: int | None = None
    failure: str | None = None
