"""What somebody has typed: all texts of each field, in the order of the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

Texts = tuple[str, ...]

PAGE = "new"  # of what is saved

PICK, LINK, WORKSPACE, ALL = "pick", "link", "workspace", "all"
WAYS = (PICK, LINK, WORKSPACE, ALL)

# Every field, with what stands there at first.
FIELDS: Mapping[str, Texts] = MappingProxyType(
    {
        "name": (),
        "reason": (),
        "way": (PICK,),
        # tasks: what is chosen, then what is left out of it
        "task": (),
        "only": (),
        "level": (),
        "norun": (),
        "from": (),
        "to": (),
        "skip": (),
        "root": (),
        "workspace": (),
        "no_root": (),
        "include": (),
        "all_descendants": (),
        "exclude": (),
        # what is being written before it is added
        "add_task": (),
        "add_to": (),
        "add_include": (),
        "add_exclude": (),
        "pasted": (),
        "keep_as": (),
        "where_workspace": (),
        "where_type": (),
        "where_cycle": (),
        "where_tag": (),
        "where_owner": (),
        "where_resource_group": (),
        "where_baseline": (),
        # how
        "first": ("",),
        "last": ("",),
        "time_from": (),
        "time_to": (),
        "groups": ("1",),
        "order": ("asc",),
        "barrier": ("date",),
        "across_groups": ("wait",),
        "on_failure": ("stop",),
        "max_failures": (),
        "run_future": (),
        "window": (),
        "window_from": (),
        "window_to": (),
        "resource_group": (),
        "alert": (),
        "alert_by": ("both",),
        "notify": (),
        "set_name": (),
        "set_value": (),
        "strict": ("on",),
    }
)
# What the page shows of tasks for each way of choosing; of the other ways it keeps what is typed.
_SHOWN: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        PICK: frozenset({"task", "only", "norun"}),
        LINK: frozenset({"from", "to", "skip"}),
        WORKSPACE: frozenset({"root", "workspace", "no_root", "include", "exclude"}),
        ALL: frozenset({"all_descendants", "exclude"}),
    }
)
CONDITIONS = ("workspace", "type", "cycle", "tag", "owner", "resource_group", "baseline")


class Typed:
    """One form; two with the same texts are equal. Fields that are not known are left out.

    Args:
        fields: what is not there has nothing in it.
    """

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        self._fields: dict[str, Texts] = {name: tuple(fields[name]) for name in FIELDS if fields.get(name)}

    @classmethod
    def fresh(cls, **fields: Sequence[str]) -> Typed:
        """A new form, with what is given in it."""
        return cls({**FIELDS, **fields})

    @classmethod
    def sent(cls, pairs: Iterable[tuple[str, str]]) -> Typed:
        """What a browser has sent."""
        found: dict[str, list[str]] = {}
        for name, value in pairs:
            found.setdefault(name, []).append(value)
        return cls(found)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Typed) and self._fields == other._fields

    def __hash__(self) -> int:
        return hash(tuple(self._fields.items()))

    @property
    def fields(self) -> Mapping[str, Texts]:
        """As a draft keeps it."""
        return MappingProxyType(self._fields)

    def one(self, name: str) -> str:
        """What is written in a field, without blanks around it."""
        return next(reversed(self.all(name)), "").strip()

    def all(self, name: str) -> Texts:
        """Every text of a field, empty ones too."""
        return self._fields.get(name, ())

    def has(self, name: str) -> bool:
        """Whether a box is ticked."""
        return bool(self.all(name))

    @property
    def way(self) -> str:
        """How tasks are chosen."""
        return self.one("way") if self.one("way") in WAYS else PICK

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Ranges of bizdates: first and last, as they are written; at least one."""
        return _pairs(self.all("first"), self.all("last")) or [("", "")]

    @property
    def overrides(self) -> list[tuple[str, str]]:
        """Parameters that are set: name and value."""
        return _pairs(self.all("set_name"), self.all("set_value"))

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What was typed for other ways of choosing than this one."""
        others = frozenset().union(*_SHOWN.values()) - _SHOWN[self.way]
        return [
            (name, text) for name, texts in self._fields.items() if name in others for text in texts if text
        ]

    def replaced(self, **fields: Sequence[str]) -> Typed:
        """With other texts in some fields."""
        return Typed({**self._fields, **fields})

    def added(self, name: str, *texts: str) -> Typed:
        """With further texts in a field, each once."""
        return self.replaced(**{name: tuple(dict.fromkeys((*self.all(name), *texts)))})

    def without(self, name: str, *texts: str) -> Typed:
        """Without some texts of a field."""
        return self.replaced(**{name: tuple(one for one in self.all(name) if one not in texts)})

    def with_rows(self, rows: Iterable[tuple[str, str]]) -> Typed:
        """With other ranges of bizdates."""
        pairs = list(rows) or [("", "")]
        return self.replaced(first=[a for a, _ in pairs], last=[b for _, b in pairs])

    def with_overrides(self, pairs: Iterable[tuple[str, str]]) -> Typed:
        """With other parameters that are set."""
        kept = list(pairs)
        return self.replaced(set_name=[a for a, _ in kept], set_value=[b for _, b in kept])


def _pairs(some: Texts, others: Texts) -> list[tuple[str, str]]:
    most = max(len(some), len(others))
    padded = ((*one, *("",) * (most - len(one))) for one in (some, others))
    return [(a.strip(), b.strip()) for a, b in zip(*padded, strict=True)]
