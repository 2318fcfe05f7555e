"""What may go of files that lie on hosts, beside the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrofill.domain.running.states import State
from retrofill.services.ports.custody import AutoRun, MayGo, OldLog

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.services.instances.graphs import GraphCache
    from retrofill.services.ports import Store
    from retrofill.services.ports.retention import EndedRun, RunName

DAY_MS = 24 * 60 * 60 * 1000
_LONGEST_KEPT = "exclusive"  # what a group that is deployed no longer counts as


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings that say what may go."""

    retention_days: int
    log_days: Mapping[str, int]  # by type of resource group
    auto_log_cap: int  # bytes, 0 for none


class LedgerCustody:
    """As of one moment.

    Args:
        host: whose runs are judged; those of others are unknown to it. None: of all, for who leads.
        is_dry: note nothing.
    """

    def __init__(
        self,
        store: Store,
        graphs: GraphCache,
        now_ms: int,
        rules: Rules,
        host: str | None = None,
        is_dry: bool = False,
    ) -> None:
        self._store = store
        self._graphs = graphs
        self._now_ms = now_ms
        self._rules = rules
        self._host = host
        self._is_dry = is_dry

    def youngest_ms(self) -> int:
        return min(self._rules.log_days.values()) * DAY_MS

    def auto_log_cap(self) -> int:
        return self._rules.auto_log_cap

    def let_go(self, logs: Sequence[OldLog]) -> MayGo:
        with self._store.read() as reader:
            catalog = self._graphs.current(reader)
            runs = reader.retention.runs_named(log.run for log in logs if log.run is not None)
        known = {run.name: run for run in runs if self._host is None or run.host == self._host}
        ended = [log for log in logs if log.run in known and self._has_expired(known[log.run], catalog)]
        if ended and not self._is_dry:
            with self._store.transaction() as tx:
                tx.retention.note_removed_logs(
                    (log.run for log in ended if log.run is not None), self._now_ms
                )
        longest_ms = max(self._rules.log_days.values()) * DAY_MS
        unknown = [log.name for log in logs if log.run not in known and log.age_ms > longest_ms]
        return MayGo([log.name for log in ended], unknown)

    def _has_expired(self, run: EndedRun, catalog: Catalog | None) -> bool:
        group = None if catalog is None else catalog.resource_groups.get(run.resource_group)
        days = self._rules.log_days[_LONGEST_KEPT if group is None else group.type]
        return run.ended_ms is not None and run.ended_ms < self._now_ms - days * DAY_MS

    def open_runs(self) -> set[RunName]:
        with self._store.read() as reader:
            runs = reader.open_runs() if self._host is None else reader.hosting.open_runs(self._host)
        return {(run.instance_id, run.number, run.token) for run in runs}

    def open_versions(self) -> set[int]:
        with self._store.read() as reader:
            rows = reader.instances([run.instance_id for run in reader.open_runs()])
            return {row.code_version_id or self._graphs.of(reader, row).version_id(row.id) for row in rows}

    def auto_dates(self, since_ms: int) -> list[str]:
        with self._store.read() as reader:
            return reader.retention.auto_dates(self._now_ms - since_ms)

    def auto_runs(self, bizdate: str) -> list[AutoRun]:
        with self._store.read() as reader:
            runs = reader.retention.auto_runs(bizdate, self._host)
        return [AutoRun(run.name, run.state == State.FAILED) for run in runs]
