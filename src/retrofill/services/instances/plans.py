"""What never changes once it is stored, worked out once for all threads: catalogs, plans, templates of nights."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from retrofill.services.instances.stored import choice_of, policy_of
from retrofill.services.ports.records import BackfillRecord

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.domain.planning.plan import Plan
    from retrofill.domain.planning.template import Template
    from retrofill.domain.running.expected import Expected
    from retrofill.services.ports import Reader

_KEPT, _KEPT_TEMPLATES, _KEPT_ESTIMATES = 64, 12, 256
_KEPT_WORKSPACES = 4_096

TroubleKey = tuple[int, str]
"""A backfill, and in whose eyes; empty for all who see all of it."""
KnownTrouble = tuple[Hashable, int, Any]
"""What it follows from, when it was found, and the document."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """The values that were wanted last, for any number of threads."""

    def __init__(self, most: int = _KEPT) -> None:
        self._most = most
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = Lock()

    def get(self, key: K) -> V | None:
        with self._lock:
            found = self._values.get(key)
            if found is not None:
                self._values.move_to_end(key)
            return found

    def put(self, key: K, value: V) -> V:
        with self._lock:
            self._values[key] = value
            if len(self._values) > self._most:
                self._values.popitem(last=False)
            return value

    def got(self, key: K, make: Callable[[], V]) -> V:
        """The value, made if need be: outside of the lock, so two threads may make the same one."""
        found = self.get(key)
        return self.put(key, make()) if found is None else found


class PlanCache:
    """Shared by the threads of a process; each looks things up in a view of its own."""

    def __init__(self) -> None:
        self._catalogs: Kept[int, Catalog] = Kept()
        self._plans: Kept[tuple[int, int, str, str], Plan] = Kept()
        self.templates: Kept[int, Template] = Kept(_KEPT_TEMPLATES)  # of nights, by version
        self.workspaces: Kept[tuple[int, int], frozenset[str]] = Kept(_KEPT_WORKSPACES)
        self.troubles: Kept[TroubleKey, KnownTrouble] = Kept(_KEPT_ESTIMATES)
        self.expected: Kept[int, Expected] = Kept(_KEPT_ESTIMATES)  # ends of backfills, as looked at lately

    def catalog(self, tx: Reader, version_id: int) -> Catalog:
        """What a version says.

        Raises:
            KeyError: there is no such version.
        """
        found = self._catalogs.get(version_id)
        if found is None:
            from retrofill.services.catalogs import document as catalog_document

            found = self._catalogs.put(version_id, catalog_document.load(tx.version(version_id)))
        return found

    def plan(self, tx: Reader, record: BackfillRecord) -> Plan:
        """The plan of a stored backfill, by the policy that its record has."""
        key = _key(record)
        return self._plans.got(key, lambda: self.build(tx, record))

    def put(self, record: BackfillRecord, plan: Plan) -> None:
        """Keep a plan that has just been made, so that it need not be rebuilt."""
        self._plans.put(_key(record), plan)

    def build(self, tx: Reader, record: BackfillRecord, frozen: frozenset[str] = frozenset()) -> Plan:
        """A plan anew, which is not kept.

        Args:
            frozen: tasks that a command has frozen; matters until the instances are made.
        """
        from retrofill.domain.planning.plan import build

        catalog = self.catalog(tx, record.version_id)
        return build(catalog, choice_of(record), policy_of(record), frozen=frozen)


def _key(record: BackfillRecord) -> tuple[int, int, str, str]:
    return record.id, record.version_id, record.choice, record.policy
