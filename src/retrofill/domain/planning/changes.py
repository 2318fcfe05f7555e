"""What somebody changes about how a backfill runs, after it was created (BF-3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from retrofill.domain.errors import UsageError
from retrofill.domain.inputs import Given
from retrofill.domain.planning.option_forms import Around
from retrofill.domain.planning.options import CHANGEABLE, read_all
from retrofill.domain.planning.policy import Policy
from retrofill.domain.texts import Option, Text


@dataclass(frozen=True, slots=True)
class Changes:
    """New values by fields of a policy; what is left out stays, None takes away.

    A window without a time zone is meant in the deployment's (POL-11).

    Raises:
        UsageError: nothing is changed, or what cannot change.
    """

    values: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not self.values:
            inputs = (Text("{one}", one=Option(one.name)) for option in CHANGEABLE for one in option.changing)
            named = reduce(lambda before, one: Text("{before}, {one}", before=before, one=one), inputs)
            raise UsageError("nothing is to be changed", Text("Name what: {named}.", named=named))
        for name in self.values.keys() - {option.key for option in CHANGEABLE}:
            raise UsageError(f"{name.replace('_', ' ')} cannot change once a backfill exists")

    @property
    def given(self) -> Given:
        """What `read_changes` reads them from; a window is meant in the deployment's time zone."""
        given: dict[str, Any] = {}
        for option in CHANGEABLE:
            if option.key in self.values:
                given |= option.given(self.values[option.key])
        return given

    @property
    def groups(self) -> int | None:
        return self.values.get("groups")

    def applied_to(self, policy: Policy, timezone: str) -> Policy:
        """The policy with all changes but that of groups, which asks how far these have come.

        Args:
            timezone: the deployment's.

        Raises:
            InvalidValueError: a value that there is not, or that does not go with the others.
        """
        values = {key: value for key, value in self.values.items() if key != "groups"}
        window = values.get("window")
        if window is not None and not window.timezone:
            values["window"] = replace(window, timezone=timezone)
        return replace(policy, **values)


def read_changes(given: Given) -> Changes:
    """What somebody means to change.

    Raises:
        UsageError: nothing, one thing in two ways, or a value in a wrong form.
    """
    return Changes(read_all(CHANGEABLE, given, Around(None, "", str)))


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
    now = replace(policy, groups=policy.wanted_groups)
    return {option.name.replace("_", " "): option.words(getattr(now, option.key)) for option in CHANGEABLE}
