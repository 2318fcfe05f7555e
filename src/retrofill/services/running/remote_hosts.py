"""Hosts that reach the deployment through a server only: what each may do with a worker's token, in documents.

A token is for some resource groups, and a host belongs to the token with which it was first heard of: with another one
nobody speaks in its name, also where that is for the same groups. Once its token has ended, the host may go on with
another one of the same user, for the same groups or more.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrofill.domain.errors import StoreUnavailableError, UnknownNameError, shown
from retrofill.domain.texts import Text
from retrofill.domain.words import names
from retrofill.services.people.keys import is_live, worker_right
from retrofill.services.ports.hosting import HostRefusedError
from retrofill.services.ports.logs import LogPart
from retrofill.services.ports.records import HostRecord
from retrofill.services.running import hosting_documents as documents

if TYPE_CHECKING:
    from retrofill.domain.people.visitors import WorkerRight
    from retrofill.services.ports import Clock, Ledger, Reader, Store
    from retrofill.services.ports.custody import Custody
    from retrofill.services.ports.hosting import Hosting, HostStatus
    from retrofill.services.ports.hosts import Hosts
    from retrofill.services.ports.logs import LogKeeper
    from retrofill.services.ports.records import TokenRecord
    from retrofill.services.reading.documents.hosting import CustodyAnswer, ExchangeAnswer, HostRules, OwnRuns
    from retrofill.services.running.hosting_documents import Json

MOST_HOSTS = 1_000  # of one token


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind the server.

    Attributes:
        hosting: the deployment as its hosts see it, beside the ledger.
        hosts: where beats are kept.
        logs: keeps what they push.
        limits: the settings `log_cap` and `grace_seconds`, as of now.
        custody: what a host may let go of, as of now.
    """

    store: Store
    clock: Clock
    hosting: Hosting
    hosts: Hosts
    logs: LogKeeper
    limits: Callable[[], tuple[int, int]]
    custody: Callable[[str], Custody]


class RemoteHosts:
    """For any number of them, and of threads. Each question names who asks: what a worker's token opens.

    Every question raises `HostRefusedError` where that token is not for it.
    """

    def __init__(self, behind: Behind) -> None:
        self._behind = behind

    def rules(self, right: WorkerRight) -> HostRules:
        """What a worker goes by."""
        log_cap, grace_seconds = self._behind.limits()
        return {
            "resource_groups": list(right.groups),
            "log_cap": log_cap,
            "grace_seconds": grace_seconds,
        }

    def exchange(self, right: WorkerRight, status: Json, exchange: Json) -> ExchangeAnswer:
        """One round of one host."""
        host = self._admit(right, status)
        answer = self._behind.hosting.exchange(host, documents.exchange_of(exchange))
        return documents.answer_document(answer)

    def own(self, right: WorkerRight, status: Json) -> OwnRuns:
        """The open runs that live there."""
        host = self._admit(right, status)
        return {"items": list(map(documents.own_document, self._behind.hosting.own(host)))}

    def leave(self, right: WorkerRight, status: Json) -> None:
        """The host has gone."""
        self._behind.hosting.leave(self._admit(right, status))

    def content(self, sha256: str) -> bytes:
        """A file of a version.

        Raises:
            UnknownNameError: there is none.
        """
        try:
            return self._behind.hosting.content(sha256)
        except KeyError:
            raise UnknownNameError(f"no version holds a file {shown(sha256)}") from None

    def keep_log(
        self, right: WorkerRight, host: str, run: Json, offset: int, missing: int, data: bytes
    ) -> int:
        """A piece of a log, before which so many bytes were cut out; how long the log is now.

        Raises:
            UnknownNameError: no such run lives on that host.
            StoreUnavailableError: there is no room for it.
        """
        ref = documents.ref_of(run)
        with self._behind.store.read() as reader:
            self._check_own(reader, right, host)
            known = any(
                (one.number, one.token, one.host) == (ref.run_number, ref.token, host)
                for one in reader.runs(ref.instance_id)
            )
        if not known:
            raise UnknownNameError(
                f"run {ref.run_number} of instance {ref.instance_id} does not live on {shown(host)}"
            )
        try:
            return self._behind.logs.keep(ref, LogPart(offset, data, missing, offset + len(data)))
        except OSError as error:
            raise StoreUnavailableError(
                f"the server cannot keep logs now: {error.strerror or error}", "They are pushed again."
            ) from error

    def custody(self, right: WorkerRight, host: str, asked: Json) -> CustodyAnswer:
        """What the host may let go of of its own; see `ports.custody`."""
        with self._behind.store.read() as reader:
            self._check_own(reader, right, host)
        custody = self._behind.custody(host)
        gone = custody.let_go([documents.old_log_of(log) for log in asked["logs"]])
        since_ms, bizdate = asked["since_ms"], asked["bizdate"]
        auto_runs = [] if bizdate is None else custody.auto_runs(bizdate)
        return {
            "youngest_ms": custody.youngest_ms(),
            "auto_log_cap": custody.auto_log_cap(),
            "ended": gone.ended,
            "unknown": gone.unknown,
            "open_runs": list(map(documents.run_name_document, sorted(custody.open_runs()))),
            "open_versions": sorted(custody.open_versions()),
            "auto_dates": [] if since_ms is None else custody.auto_dates(since_ms),
            "auto_runs": [
                {"run": documents.run_name_document(run), "is_failed": failed} for run, failed in auto_runs
            ],
        }

    def check(self, right: WorkerRight, host: str) -> None:
        """Whether a host is that of this token."""
        with self._behind.store.read() as reader:
            self._check_own(reader, right, host)

    def called(self) -> tuple[dict[str, int], list[str]]:
        """Resource groups that have offers, with when the newest was made; and hosts on which something is to be stopped."""
        with self._behind.store.read() as reader:
            return reader.hosting.called()

    # Whose host it is

    def _admit(self, right: WorkerRight, found: Json) -> HostStatus:
        """Who asks, once it is sure that it is theirs.

        It serves no logs: what it says of its address would let it send this server anywhere.
        """
        status = documents.status_of({**found, "logs_at": ""})
        foreign = [name for name in status.groups if name not in right.groups]
        if foreign:
            raise HostRefusedError(
                f"this token is for {names(right.groups)}, and not for {shown(foreign[0])}",
                Text("Leave that {option.resource_group} out, or make a token for it."),
            )
        with self._behind.store.read() as reader:
            record = reader.hosting.find(status.name)
        if record is None or record.token_id != right.token:
            self._take(right, status)
        return status

    def _take(self, right: WorkerRight, status: HostStatus) -> None:
        """Let a host that is nobody's be that of this token."""
        beating = {host.name for host in self._behind.hosts.all()}
        with self._behind.store.transaction() as tx:
            record = tx.hosting.find(status.name)
            if record is not None:
                self._check_succession(tx, right, record)
                tx.hosting.bind(status.name, right.token)
                return
            if status.name in beating or tx.hosting.open_runs(status.name):
                raise _others(status.name)
            if tx.hosting.with_token(right.token) >= MOST_HOSTS:
                raise HostRefusedError(
                    f"{MOST_HOSTS:,} hosts ask with this token, and that is the most",
                    "Make another token, or forget hosts that have gone.",
                )
            tx.hosting.note(_record(status, right.token, tx.hosting.now_ms()))

    def _check_succession(self, tx: Ledger, right: WorkerRight, record: HostRecord) -> None:
        """Whether a host of another token may go on with this one."""
        if record.token_id is None:
            raise _others(record.name)
        before, now = tx.people.find_token(record.token_id), tx.people.find_token(right.token)
        assert now is not None
        if before is None:
            return
        may_follow = before.user_name == now.user_name and _groups(before) <= set(right.groups)
        if is_live(before, self._behind.clock.now_ms()) or not may_follow:
            raise HostRefusedError(
                f"the host {shown(record.name)} belongs to token {before.id}",
                "Use that one; once it is revoked, another one of the same user for the same resource groups.",
            )

    def _check_own(self, reader: Reader, right: WorkerRight, host: str) -> None:
        record = reader.hosting.find(host)
        if record is None or record.token_id != right.token:
            raise _others(host)


def _groups(record: TokenRecord) -> set[str]:
    right = worker_right(record)
    return set() if right is None else set(right.groups)


def _record(status: HostStatus, token_id: int, now_ms: int) -> HostRecord:
    groups = json.dumps(list(status.groups))
    what = (status.executor, groups, status.slots, status.version, status.logs_at)
    return HostRecord(status.name, status.label, *what, now_ms, token_id=token_id)


def _others(host: str) -> HostRefusedError:
    return HostRefusedError(
        f"the host {shown(host)} is not one of this token",
        Text(
            "Give the worker a folder of its own ({option.home}), which no other worker or scheduler has had."
        ),
    )
