"""What a user may backfill, override and see (SEL-5, SEL-7, PAR-5, SEC-2)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rights:
    """What the user may backfill, see and override; None is everything (SEL-5, SEL-7, PAR-5).

    `permitted` and `overridable` hold full names of tasks, `workspaces` those that the user is
    a member of.
    """

    permitted: Collection[str] | None = None
    workspaces: Collection[str] | None = None
    overridable: Collection[str] | None = None

    def may_run(self, task: str) -> bool:
        return self.permitted is None or task in self.permitted

    def may_override(self, task: str) -> bool:
        return self.overridable is None or task in self.overridable

    def sees(self, name: str) -> bool:
        """Whether a task or a workspace may be shown; `name` is its full name (SEC-2)."""
        return self.workspaces is None or name.partition(".")[0] in self.workspaces


ALL_RIGHTS = Rights()
