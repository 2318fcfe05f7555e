"""The ways of choosing tasks, as requests: full names as the user meant them (SEL-1..4, SEL-9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from retrofill.domain.errors import InvalidValueError, shown

NAME_LENGTH = 128


class _Way:
    """What the ways have in common.

    Attributes:
        way: its name in JSON.
        is_chosen_at_start: whether the tasks are looked up again when the backfill starts (SEL-4).
    """

    __slots__ = ()
    way: ClassVar[str]
    is_chosen_at_start: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class ManualSelection(_Way):
    """Roots, and descendants of them down to a level or one by one (SEL-1)."""

    way: ClassVar[str] = "manual"
    roots: tuple[str, ...]
    descendants: int | Literal["all"] | None = None
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def first_root(self) -> str:
        return self.roots[0]


@dataclass(frozen=True, slots=True)
class LinkSelection(_Way):
    """Everything on the ways from a start to one or more ends (SEL-2)."""

    way: ClassVar[str] = "link"
    start: str
    ends: tuple[str, ...]
    exclude: tuple[str, ...] = ()

    @property
    def first_root(self) -> str:
        return self.start


@dataclass(frozen=True, slots=True)
class WorkspaceSelection(_Way):
    """The root's descendants in some workspaces, and a whitelist (SEL-3)."""

    way: ClassVar[str] = "workspace"
    root: str
    workspaces: tuple[str, ...]
    include_root: bool = True
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def first_root(self) -> str:
        return self.root


@dataclass(frozen=True, slots=True)
class AllDescendantsSelection(_Way):
    """A root and everything below it, looked up when the backfill starts (SEL-4)."""

    way: ClassVar[str] = "all_descendants"
    is_chosen_at_start: ClassVar[bool] = True
    root: str
    exclude: tuple[str, ...] = ()

    @property
    def first_root(self) -> str:
        return self.root


Selection = ManualSelection | LinkSelection | WorkspaceSelection | AllDescendantsSelection


WAYS = {
    kind.way: kind for kind in (ManualSelection, LinkSelection, WorkspaceSelection, AllDescendantsSelection)
}
NAMES_TASKS = ("roots", "root", "start", "ends", "only", "include", "exclude")  # fields
NAMES_WORKSPACES = ("workspaces",)


class UnknownWayError(InvalidValueError):
    """Choose by one of the ways that the reference names; what a newer program stored, only that can read."""

    code = "unknown_way"


def to_json(selection: Selection) -> dict[str, Any]:
    """Plain values for storage and reuse (SEL-9); `from_json` gives an equal selection."""
    values = {name: getattr(selection, name) for name in selection.__slots__}
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
    return {"way": selection.way, **plain}


def from_json(data: Mapping[str, Any]) -> Selection:
    """The selection that `to_json` wrote.

    Raises:
        UnknownWayError: no way is called so.
    """
    kind: Any = WAYS.get(data["way"])
    if kind is None:
        raise UnknownWayError(f'no way of choosing tasks is called "{shown(str(data["way"]))}"')
    values: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in data.items() if name != "way"
    }
    selection: Selection = kind(**values)
    return selection


def automatic_name(selection: Selection, now: datetime) -> str:
    """The name of a backfill that the user gave none: first root, date and time (SEL-0)."""
    moment = f"_{now:%Y%m%d_%H%M%S}"
    return selection.first_root[: NAME_LENGTH - len(moment)] + moment
