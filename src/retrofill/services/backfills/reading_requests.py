"""A request for a backfill out of what somebody gives: texts, numbers and switches by names of inputs.

The same for options of the command line, fields of a form and documents of programs; which inputs there
are say the tables in `domain/selection/asking` and `domain/planning/options`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from retrofill.domain.errors import UsageError, shown
from retrofill.domain.inputs import integer_id
from retrofill.domain.texts import Option, Text
from retrofill.services.backfills.requests import Request, check_name
from retrofill.services.catalogs.deploy import find_task

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.domain.inputs import Given
    from retrofill.domain.people.rights import Rights
    from retrofill.domain.planning.option_forms import Around
    from retrofill.domain.planning.policy import Policy
    from retrofill.domain.selection.ways import Selection


@dataclass(frozen=True, slots=True)
class RequestReader:
    """Reads the requests of one who asks.

    Attributes:
        task_ids: by full name.
        rights: what he may see of the catalog.
        today: from which relative bizdates count.
        earlier: what a backfill chose, by its id; raises where he sees no such backfill.
    """

    catalog: Catalog
    task_ids: Mapping[str, int]
    rights: Rights
    today: date
    earlier: Callable[[int], Selection]

    def read(self, given: Given) -> Request:
        """The request that is meant; names are resolved to full ones.

        Raises:
            UsageError: what does not go together, values in a wrong form.
            UnknownNameError: a task, workspace or backfill that does not exist.
        """
        from retrofill.domain.planning.option_forms import Around
        from retrofill.domain.selection.asking import Finding, read_selection

        name = given.get("name")
        if name is not None:
            check_name(name)
        selection = read_selection(given, Finding(self._task, self._matching, self._reused))
        return Request(selection, _policy(given, Around(self.today, self.catalog.timezone, self._task)), name)

    def _task(self, text: str) -> str:
        return find_task(self.catalog, self.task_ids, text, self.rights.sees)

    def _matching(self, conditions: Sequence[str]) -> Sequence[str]:
        """Tasks by conditions; different keys must all hold, the same key twice means either (SEL-1)."""
        from retrofill.domain.selection.filters import matching, parse_conditions

        found = matching(self.catalog, parse_conditions(conditions), self.rights)
        if not found:
            raise UsageError(
                f"no task fits {shown(' '.join(conditions))}",
                "Different keys must all hold, the same key twice means either; leave one out.",
            )
        return found

    def _reused(self, text: str) -> Selection:
        """The tasks of an earlier backfill, whatever became of it (SEL-9)."""
        from retrofill.domain.selection.choice import check_names

        backfill_id = integer_id(text, "a backfill")
        selection = self.earlier(backfill_id)
        check_names(selection, self.catalog, self.rights, f"backfill {backfill_id} chose")
        return selection


def _policy(given: Given, around: Around) -> Policy:
    from retrofill.domain.planning.options import ASKED, read_all
    from retrofill.domain.planning.policy import Policy

    if not given.get("bizdate"):
        one, several = Option("bizdate", "2013-01-01"), Option("bizdate", "2013-01-01..2013-01-31")
        raise UsageError(
            "no business dates are chosen", Text("Add {one} or {several}.", one=one, several=several)
        )
    return Policy(**read_all(ASKED, given, around))


def are_merged(given: Given, policy: Policy, today: date) -> bool:
    """Whether bizdates were given that overlap."""
    from retrofill.domain.time.bizdates import parse_range

    return sum(len(parse_range(text, today)) for text in given["bizdate"]) > policy.date_count
