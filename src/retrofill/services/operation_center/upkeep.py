"""What keeps a deployment in order: letting go of what is old, copies of the store (RET-1, RET-2, SEC-4)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from retrofill.domain.errors import WrongStateError
from retrofill.domain.people.roles import check_system_administrator
from retrofill.domain.texts import Text
from retrofill.services.operation_center.desk import Desk

if TYPE_CHECKING:
    from retrofill.services.reading.documents import (
        BackupDocument,
        CopiedDocument,
        HealthCheck,
        MigratedDocument,
        RestoredDocument,
        RetentionReport,
    )


class UpkeepDesk(Desk):
    """What concerns every workspace: all but `doctor` raise NotPermittedError for who is no system administrator."""

    def doctor(self) -> Sequence[HealthCheck]:
        """Whether everything is in order, as far as the actor may know, one row for each thing that was looked at."""
        from retrofill.services.operation_center.health import Examination

        found = Examination(self._parts, self._actor).all()
        return [{"check": one.check, "ok": one.ok, "detail": Text.of(one.detail)} for one in found]

    def remove_old(self, dry_run: bool = False) -> RetentionReport:
        """Remove what is older than the settings allow, with pauses in which others can write.

        Args:
            dry_run: only say what would go.

        Raises:
            ClockDoubtedError: what is old cannot be told (TIME-8).
        """
        from retrofill.services.upkeep.files import Report
        from retrofill.services.upkeep.retention import Pacing

        check_system_administrator(self._actor, "remove what is old")
        is_there = self._parts.deployed is not None
        report = self._parts.retention(dry_run).run(Pacing().pause) if is_there else Report()
        return cast("RetentionReport", {"dry_run": dry_run, **report.row()})

    def back_up(self, file: Path, with_logs: bool = False, force: bool = False) -> BackupDocument:
        """Write a consistent copy of the store, also while a scheduler runs.

        Args:
            force: write over a file that is there.

        Raises:
            WrongStateError: there is no store yet, or such a file already.
        """
        check_system_administrator(self._actor, "take backups")
        deployed = self._parts.deployed
        if deployed is None:
            raise WrongStateError(
                "there is no store yet, so there is nothing to back up", Text("{project.deploy} makes one.")
            )
        return self._parts.copies.take(file, deployed.catalog.project, with_logs, force)

    def restore(self, file: Path, force: bool = False) -> RestoredDocument:
        """Make the store anew from a backup; nothing starts until somebody resumes it.

        Args:
            force: take the place of the store that is there.

        Raises:
            WrongStateError: a scheduler runs, runs go on, or there is a store.
            UsageError: there is no such file, or it is no backup.
        """
        check_system_administrator(self._actor, "restore a backup")
        return self._parts.copies.put_back(file, self._actor.name, force)

    def migrate_store(self) -> MigratedDocument:
        """Make the store, or bring its schema to that of this program."""
        check_system_administrator(self._actor, "migrate the store")
        return self._parts.copies.migrate()

    def copy_store(self, url: str) -> CopiedDocument:
        """Copy the whole store to a server, or from a server into the folder; nothing of it changes.

        Args:
            url: of a database that holds nothing yet, or the word `embedded`.

        Raises:
            WrongStateError: a scheduler or a creation is at work, there is no store, or one in that place.
            UsageError: that is no place for it.
        """
        check_system_administrator(self._actor, "copy the store")
        if self._parts.deployed is None:
            raise WrongStateError("there is no store yet", Text("{project.deploy} makes one."))
        return self._parts.copies.copy_to(url)

    def check_store(self) -> list[str]:
        """What is wrong with the store, a sentence each: damaged data, and counters that differ from the states."""
        from retrofill.domain.running.filters import BackfillFilter
        from retrofill.services.upkeep.consistency import drift, schedule_drift

        check_system_administrator(self._actor, "check the store")
        with self._parts.store.read() as reader:
            graphs = self._parts.graphs
            records = reader.backfills(BackfillFilter(phase="active"), limit=-1)
            drifts = [sentence for record in records for sentence in drift(reader, graphs, record)]
            return [*reader.health.damage(), *drifts, *schedule_drift(reader, graphs)]
