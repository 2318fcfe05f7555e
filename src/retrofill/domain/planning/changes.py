"""What somebody changes about how a backfill runs, after it was created (BF-3)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from retrofill.domain.errors import UsageError
from retrofill.domain.planning.policy import MOST_GROUPS, GroupCountError, OnFailure, Policy
from retrofill.domain.texts import Option, Text
from retrofill.domain.time.windows import parse_window


@dataclass(frozen=True, slots=True)
class Changes:
    """What is left out (None, False) stays.

    Args:
        window: HH:MM-HH:MM in the deployment's time zone (POL-11); `no_window` takes it away.
        priority: stands for every task's own; `own_priority` gives these back (POL-12).
        resource_group: `own_resource_group` gives each task its own back (POL-10).
        max_failures: `no_max_failures` takes it away (POL-14).

    Raises:
        UsageError: nothing is changed, or one thing in two ways.
        GroupCountError: not 1 to 10 groups.
    """

    groups: int | None = None
    window: str | None = None
    weekends: bool = False
    no_window: bool = False
    priority: int | None = None
    own_priority: bool = False
    resource_group: str | None = None
    own_resource_group: bool = False
    on_failure: OnFailure | None = None
    max_failures: int | None = None
    no_max_failures: bool = False

    def __post_init__(self) -> None:
        given = {
            "window": self.window is not None,
            "no_window": self.no_window,
            "priority": self.priority is not None,
            "own_priority": self.own_priority,
            "resource_group": self.resource_group is not None,
            "own_resource_group": self.own_resource_group,
            "on_failure": self.on_failure is not None,
            "max_failures": self.max_failures is not None,
            "no_max_failures": self.no_max_failures,
        }
        for one, other in (
            ("window", "no_window"),
            ("priority", "own_priority"),
            ("resource_group", "own_resource_group"),
            ("max_failures", "no_max_failures"),
        ):
            if given[one] and given[other]:
                raise UsageError(
                    Text("{one} and {other} do not go together", one=Option(one), other=Option(other)),
                    "Give one of the two.",
                )
        if self.weekends and not given["window"]:
            raise UsageError(Text("{option.weekends} goes with {option.window}"), "Name the window too.")
        if self.groups is None and not any(given.values()):
            raise UsageError(
                "nothing is to be changed",
                Text(
                    "Name what: {option.groups}, {option.window} or {option.no_window}, {option.priority} or "
                    "{option.own_priority}, {option.resource_group} or {option.own_resource_group}, {option.on_failure}, "
                    "{option.max_failures} or {option.no_max_failures}."
                ),
            )
        if self.groups is not None and not 1 <= self.groups <= MOST_GROUPS:
            raise GroupCountError(f"{self.groups} groups: a backfill has 1 to {MOST_GROUPS}")

    def applied_to(self, policy: Policy, timezone: str) -> Policy:
        """The policy with all changes but that of groups, which asks how far these have come.

        Raises:
            ClockRangeError, PriorityError, FailurePolicyError: a value in a wrong form, or that does not fit.
        """
        if self.window is not None:
            policy = replace(policy, window=parse_window(self.window, timezone, self.weekends))
        if self.no_window:
            policy = replace(policy, window=None)
        if self.priority is not None or self.own_priority:
            policy = replace(policy, priority=self.priority)
        if self.resource_group is not None or self.own_resource_group:
            policy = replace(policy, resource_group=self.resource_group)
        if self.on_failure is not None:
            policy = replace(policy, on_failure=self.on_failure)
        if self.max_failures is not None or self.no_max_failures:
            policy = replace(policy, max_failures=self.max_failures)
        return policy


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that has changed, before and after, in words."""

    what: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.what} {self.before} -> {self.after}"


def differences(before: Policy, after: Policy) -> tuple[Difference, ...]:
    """How two policies of one backfill differ, as far as `Changes` can make them."""
    old, new = in_words(before), in_words(after)
    return tuple(Difference(what, old[what], new[what]) for what in old if old[what] != new[what])


def in_words(policy: Policy) -> dict[str, str]:
    """The settings of a policy that can be changed."""
    return {
        "groups": str(policy.wanted_groups),
        "window": "none" if policy.window is None else policy.window.words,
        "priority": "own" if policy.priority is None else str(policy.priority),
        "resource group": policy.resource_group or "own",
        "on failure": policy.on_failure.value,
        "max failures": "none" if policy.max_failures is None else str(policy.max_failures),
    }
