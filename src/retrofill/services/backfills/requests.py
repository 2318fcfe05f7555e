"""What somebody asks for, and the plan that it gives: preview and creation read the same value (VER-4).

Planning is imported where a plan is made: commands that only look read this module too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.errors import UsageError, shown
from retrofill.domain.people.rights import ALL_RIGHTS, Rights
from retrofill.domain.planning.overrides import check_may_override, check_secrets
from retrofill.domain.planning.policy import Policy
from retrofill.domain.selection import choice as selections
from retrofill.domain.selection.choice import Choice, Limits
from retrofill.domain.selection.ways import Selection
from retrofill.domain.texts import Text
from retrofill.domain.time.milliseconds import ms_of
from retrofill.domain.verification.findings import Finding, has_risk
from retrofill.services.backfills.estimates import PlanningFacts, document, estimate_plan

if TYPE_CHECKING:
    from retrofill.domain.estimating.estimate import Estimate
    from retrofill.domain.planning.plan import Plan

_NAME_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for: which tasks, which dates, how."""

    selection: Selection
    policy: Policy
    name: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedBackfill:
    """A plan with what verification found: preview and creation are made from this same value (VER-4)."""

    request: Request
    choice: Choice
    plan: Plan
    findings: tuple[Finding, ...]
    estimate: Estimate | None = None  # when it would end; None where nobody asked

    @property
    def has_risk(self) -> bool:
        return has_risk(self.findings)

    @property
    def is_refused(self) -> bool:
        """Whether it may be stored, but must not run (VER-2)."""
        return self.has_risk and not self.request.policy.allow_risks

    def summary(self) -> dict[str, Any]:
        """What is stored with a backfill."""
        from retrofill.domain.verification.summaries import summary

        expected = None if self.estimate is None else document(self.estimate)
        return summary(self.plan, self.findings) | {"estimate": expected}


@dataclass(frozen=True, slots=True)
class PlanLimits:
    """The settings that bound a backfill (SEL-1, POL-1, POL-13)."""

    selection: Limits
    max_bizdates: int
    max_instances: int


def make_plan(
    catalog: Catalog,
    request: Request,
    limits: PlanLimits,
    now: datetime,
    facts: PlanningFacts | None = None,
    rights: Rights = ALL_RIGHTS,
) -> PlannedBackfill:
    """Choose, plan and verify; creates nothing.

    Args:
        facts: frozen tasks, auto triggered instances, and from what to estimate when it would end
            (BF-2); None: that is not asked.
        rights: what whoever asks may backfill, override and see of this catalog (SEL-5, SEL-7, PAR-5).

    Raises:
        SelectionError, InvalidValueError, LimitError, UnknownNameError: as the domain says.
        NotPermittedError: a task that was named, or a parameter that is set, without the right to.
    """
    from retrofill.domain.planning.plan import build
    from retrofill.domain.verification.idleness import check_runs
    from retrofill.domain.verification.verify import verify

    request.policy.check_size(limits.max_bizdates)
    choice = selections.resolve(request.selection, catalog, limits.selection, rights)
    check_may_override(request.policy.overrides, rights)
    frozen = facts.frozen if facts is not None else ()
    plan = build(catalog, choice, request.policy, frozen=frozen, max_instances=limits.max_instances)
    check_secrets(catalog.tasks, request.policy.overrides)
    check_runs(plan)
    if facts is None:
        return PlannedBackfill(request, choice, plan, verify(plan, now))
    from retrofill.domain.estimating.estimate import seconds_per_run

    seconds = seconds_per_run(plan, facts.times)
    findings = verify(plan, now, auto_conflicts=facts.auto_tasks, seconds_per_run=seconds)
    return PlannedBackfill(request, choice, plan, findings, estimate_plan(plan, facts, ms_of(now)))


def check_name(name: str) -> None:
    """SEL-0.

    Raises:
        UsageError: empty, too long, or with characters that cannot be shown.
    """
    if not name.isprintable():
        raise UsageError(
            f'"{shown(name)}" cannot be a backfill\'s name: it holds characters that cannot be shown',
            Text("Choose another {option.name}, or leave it out."),
        )
    if not name.strip() or len(name) > _NAME_LENGTH:
        raise UsageError(
            f"a backfill's name has 1 to {_NAME_LENGTH} printable characters, this one has {len(name)}",
            Text("Choose another {option.name}, or leave it out."),
        )
