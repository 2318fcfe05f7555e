"""What publishing a catalog changes for the nightly schedule, against the version before (CAT-1, AUTO-1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

from retrofill.domain.catalog.definitions import Catalog, Task, Workspace

_WORDS = {
    "code_file": "code",
    "depends_on": "dependencies",
    "timeout_seconds": "timeout",
    "valid_from": "validity",
    "valid_until": "validity",
}
_NONE: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Differences:
    """Full names of tasks; of a changed one also what has changed. `hidden` tasks may not be named."""

    added: tuple[str, ...] = ()
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NONE)
    removed: tuple[str, ...] = ()
    hidden: int = 0
    besides: tuple[str, ...] = ()  # what else has changed
    loses_everything: bool = False  # there were workspaces, and now there is none

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.hidden or self.besides)

    def seen_by(self, sees: Callable[[str], bool]) -> Differences:
        """As somebody sees it who may not know of every workspace (SEC-2)."""
        added, removed = (tuple(filter(sees, names)) for names in (self.added, self.removed))
        changed = {name: what for name, what in self.changed.items() if sees(name)}
        count = len(self.added) + len(self.removed) + len(self.changed)
        hidden = self.hidden + count - len(added) - len(removed) - len(changed)
        besides = tuple(text for text in self.besides if _is_seen(text, sees))
        return Differences(added, changed, removed, hidden, besides, self.loses_everything)


def differences(old: Catalog | None, new: Catalog) -> Differences:
    """What the new catalog has that the old one, None before the first deploy, has not."""
    if old is None:
        return Differences(added=tuple(new.tasks))
    both = [name for name in new.tasks if name in old.tasks]
    changed = {name: what for name in both if (what := changes_between(old.tasks[name], new.tasks[name]))}
    return Differences(
        added=tuple(name for name in new.tasks if name not in old.tasks),
        changed=MappingProxyType(changed),
        removed=tuple(name for name in old.tasks if name not in new.tasks),
        besides=tuple(_besides(old, new)),
        loses_everything=bool(old.workspaces) and not new.workspaces,
    )


def changes_between(old: Task, new: Task) -> tuple[str, ...]:
    """What has changed of a task, in words."""
    return tuple(dict.fromkeys(words_of(name) for name in changed_fields(old, new)))


def changed_fields(old: Task, new: Task) -> list[str]:
    """The fields in which two tasks differ."""
    if old == new:
        return []
    return [one.name for one in fields(Task) if getattr(old, one.name) != getattr(new, one.name)]


def words_of(field_name: str) -> str:
    """What a field of a task is called."""
    return _WORDS.get(field_name, field_name.replace("_", " "))


_OF_WORKSPACES = {
    "members": "members of",
    "timezone": "time zone of",
    "region": "region of",
    "files": "files that are included by",
}


def _besides(old: Catalog, new: Catalog) -> list[str]:
    found = [
        name.replace("_", " ")
        for name in (
            "project",
            "timezone",
            "region",
            "connections",
            "resource_groups",
            "baselines",
            "settings",
        )
        if getattr(old, name) != getattr(new, name)
    ]
    for name, words in _OF_WORKSPACES.items():
        found += [
            f"{words} {workspace.name}"
            for workspace in new.workspaces.values()
            if _differs(old.workspaces.get(workspace.name), workspace, name)
        ]
    return found


def _differs(old: Workspace | None, new: Workspace, name: str) -> bool:
    return old is not None and getattr(old, name) != getattr(new, name)


def _is_seen(text: str, sees: Callable[[str], bool]) -> bool:
    words, _, workspace = text.rpartition(" ")
    return words not in _OF_WORKSPACES.values() or sees(workspace)
