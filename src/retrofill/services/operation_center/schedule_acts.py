"""What somebody does to the regular schedule, which concerns every workspace (AUTO-1, TIME-8, SEC-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.people.roles import check_system_administrator
from retrofill.domain.texts import Text
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.operation_center.desk import Desk

if TYPE_CHECKING:
    from retrofill.services.reading.documents import ClockState, ScheduleState


class ScheduleActs(Desk):
    """Each raises NotPermittedError for who is no system administrator."""

    def pause(self, comment: str = "") -> ScheduleState:
        """Make nothing and start nothing of the schedule; what runs, ends."""
        self._check("pause the schedule")
        changed = self._parts.schedule().pause(self._actor.name, comment)
        return {"held": True, "unchanged": not changed}

    def resume(self, comment: str = "") -> ScheduleState:
        """Let the schedule go on; a scheduler makes the nights that were missed (AUTO-3)."""
        self._check("resume the schedule")
        changed = self._parts.schedule().resume(self._actor.name, comment)
        return {"held": False, "unchanged": not changed}

    def accept_clock(self, comment: str = "") -> ClockState:
        """Say that the clock of this machine is right, after it has jumped."""
        from retrofill.services.upkeep.clocks import accept_clock

        check_system_administrator(self._actor, "accept the clock")
        check = accept_clock(self._parts.store, self._parts.clock, self._actor.name, comment)
        now = shown_instant(check.wall_ms // 1000 * 1000)
        return {"now": now, "unchanged": check.expected_ms is None}

    def _check(self, what: str) -> None:
        hint = Text(
            "Ask a system administrator; a workspace's administrator can freeze its tasks with {task.freeze}."
        )
        check_system_administrator(self._actor, what, hint)
