"""The ways of choosing tasks, as requests: full names as the user meant them (SEL-1..4, SEL-9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

NAME_LENGTH = 128


@dataclass(frozen=True, slots=True)
class ManualSelection:
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
class LinkSelection:
    """Everything on the ways from a start to one or more ends (SEL-2)."""

    way: ClassVar[str] = "link"
    start: str
    ends: tuple[str, ...]
    exclude: tuple[str, ...] = ()

    @property
    def first_root(self) -> str:
        return self.start


@dataclass(frozen=True, slots=True)
class WorkspaceSelection:
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
class AllDescendantsSelection:
    """A root and everything below it, looked up when the backfill starts (SEL-4)."""

    way: ClassVar[str] = "all_descendants"
    root: str
    exclude: tuple[str, ...] = ()

    @property
    def first_root(self) -> str:
        return self.root


Selection = ManualSelection | LinkSelection | WorkspaceSelection | AllDescendantsSelection


_WAYS: dict[str, Any] = {
    kind.way: kind for kind in (ManualSelection, LinkSelection, WorkspaceSelection, AllDescendantsSelection)
}


def to_json(selection: Selection) -> dict[str, Any]:
    """Plain values for storage and reuse (SEL-9); `from_json` gives an equal selection."""
    values = {name: getattr(selection, name) for name in selection.__slots__}
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
    return {"way": selection.way, **plain}


def from_json(data: Mapping[str, Any]) -> Selection:
    """The selection that `to_json` wrote."""
    values: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in data.items() if name != "way"
    }
    selection: Selection = _WAYS[data["way"]](**values)
    return selection


def automatic_name(selection: Selection, now: datetime) -> str:
    """The name of a backfill that the user gave none: first root, date and time (SEL-0)."""
    moment = f"_{now:%Y%m%d_%H%M%S}"
    return selection.first_root[: NAME_LENGTH - len(moment)] + moment
