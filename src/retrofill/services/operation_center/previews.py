"""A plan as it is shown before it is created (VER-4). Imported where somebody plans: a class like this takes time to make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from retrofill.domain.time.milliseconds import shown_instant

if TYPE_CHECKING:
    from retrofill.domain.estimating.estimate import Load
    from retrofill.domain.people.rights import Rights
    from retrofill.services.backfills.requests import PlannedBackfill
    from retrofill.services.ports import Check
    from retrofill.services.reading.documents import Load as LoadDocument
    from retrofill.services.reading.documents import PlanSummary


@dataclass(frozen=True)
class Preview:
    """A plan as it was shown; it can be created as it is.

    Attributes:
        user: in whose name it was planned.
        notes: what is to be known of how the request was understood.
        checks: that are asked when it is created.
        now: as of which it was planned.
        task_ids, rights: by what and as far as its instances are shown.
    """

    planned: PlannedBackfill
    user: str
    notes: tuple[str, ...]
    checks: Sequence[Check]
    now: datetime
    task_ids: dict[str, int]
    rights: Rights

    @property
    def is_refused(self) -> bool:
        """Whether it may be stored, but must not run (VER-2)."""
        return self.planned.is_refused

    @property
    def instance_count(self) -> int:
        return self.planned.plan.instance_count

    @property
    def checks_to_ask(self) -> list[str]:
        """Names of the extension checks that are asked when it is created."""
        return [check.name for check in self.checks]

    @property
    def document(self) -> PlanSummary:
        findings = [finding.document() for finding in self.planned.findings]
        found = cast("PlanSummary", {**self._summary, "findings": findings})
        estimate = self.planned.estimate
        found["load"] = None if estimate is None or estimate.load is None else _load(estimate.load)
        return {**found, "checks_to_ask": self.checks_to_ask} if self.checks else found

    @cached_property
    def _summary(self) -> dict[str, Any]:
        return self.planned.summary()

    @cached_property
    def digest(self) -> str:
        """Tells this plan from another: what was asked for, what would be made and run, and what was found (VER-4)."""
        import hashlib

        from retrofill.domain.catalog.definitions import told_of_runs
        from retrofill.services.instances.stored import text_of

        planned = self.planned
        summary = {key: value for key, value in self._summary.items() if key != "estimate"}
        texts = map(text_of, (planned.request.selection, planned.request.policy, planned.choice, summary))
        runs = told_of_runs(planned.plan.catalog, planned.choice.tasks)
        return hashlib.sha256("\n".join([*texts, *runs]).encode(errors="surrogatepass")).hexdigest()

    def instances(self) -> Iterator[dict[str, Any]]:
        """Every instance, in an order in which they may run."""
        from retrofill.domain.planning.rows import plan_rows

        return plan_rows(self.planned.plan, self.now, self.task_ids or None, self.rights.sees)


def _load(found: Load) -> LoadDocument:
    """How many slots a plan would hold, in stretches of equal length."""
    return {
        "resource_group": found.resource_group,
        "slots": found.slots,
        "peak": found.peak,
        "from_at": shown_instant(found.from_ms),
        "step_seconds": found.step_ms / 1000,
        "used": [round(one, 2) for one in found.used],
    }
