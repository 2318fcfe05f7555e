"""The regular schedule of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrofill.client.desk import Desk

if TYPE_CHECKING:
    from retrofill.services.reading.documents import (
        ClockState,
        NightRow,
        Page,
        ScheduleDocument,
        ScheduleState,
    )


class ScheduleDesk(Desk):
    # Questions

    def show(self) -> ScheduleDocument:
        """When the next night is, whether the schedule goes on, and which nights were missed."""
        return self._server.get("schedule")

    def nights(self, limit: int = 30, before: str | None = None) -> Page[NightRow]:
        """Bizdates with auto triggered instances, newest first."""
        return self._page("schedule/nights", {"cursor": before}, limit)

    # Acts

    def pause(self, comment: str = "") -> ScheduleState:
        """Make nothing and start nothing of the schedule; what runs, ends."""
        return self._act("pause", comment)

    def resume(self, comment: str = "") -> ScheduleState:
        """Let the schedule go on; a scheduler makes the nights that were missed."""
        return self._act("resume", comment)

    def accept_clock(self, comment: str = "") -> ClockState:
        """Say that the clock of the server's machine is right, after it has jumped."""
        return self._act("accept-clock", comment)

    def _act(self, act: str, comment: str) -> Any:
        return self._server.act("POST", f"schedule/{act}", {"comment": comment})
