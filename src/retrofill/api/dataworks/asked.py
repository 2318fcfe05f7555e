"""One request of the API: its fields, in whose name it is, and the page that it asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from retrofill.api.dataworks import words
from retrofill.api.dataworks.errors import ApiError, invalid
from retrofill.api.dataworks.fields import Field, Fields, text, whole
from retrofill.domain.errors import UnknownNameError
from retrofill.domain.running.searches import Numbered

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrofill.bootstrap.centers import Call
    from retrofill.services.operation_center import OperationCenter
    from retrofill.services.reading.documents import WorkspaceRow

PAGING = (Field("PageNumber", whole), Field("PageSize", whole))
_DEFAULT_SIZE, _MOST_PAGES = 10, 1_000_000
MOST_ON_A_PAGE = 500


class Asked:
    """What somebody asks for.

    Attributes:
        carry_out: has an errand carried out, by its id, while the request is answered.
    """

    def __init__(self, call: Call, fields: Fields, carry_out: Callable[[str], None]) -> None:
        self._call = call
        self.fields = fields
        self.carry_out = carry_out

    def take_up(self, errand_id: str) -> None:
        """Have an errand carried out that was left by a server that is gone."""
        if any(one.id == errand_id for one in self.center.errands.unattended()):
            self.carry_out(errand_id)

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    @property
    def center(self) -> OperationCenter:
        return self._call.center

    @property
    def timezone(self) -> str:
        """In which business dates begin."""
        return self._call.in_force.timezone

    @property
    def now_ms(self) -> int:
        return self._call.clock.now_ms()

    def numbers(self, *names: str) -> list[int]:
        """The ids that all of these fields name, of which each holds one or several; none where none asks for any.

        Raises:
            ApiError: two of them have no id in common.
        """
        given = [(name, self[name]) for name in self.fields.given(*names)]
        lists = [found if isinstance(found, list) else [found] for _, found in given]
        common = [number for number in lists[0] if all(number in other for other in lists)] if lists else []
        if lists and not common:
            raise invalid(given[0][0], f"{' and '.join(name for name, _ in given)} name different ones")
        return common

    @property
    def comment(self) -> str:
        return self["Comment"] or ""

    # Projects

    @cached_property
    def projects(self) -> Sequence[WorkspaceRow]:
        """All that are seen, by id."""
        found = (one for one in self.center.tasks.workspaces() if one["id"] is not None)
        return sorted(found, key=lambda one: one["id"] or 0)

    def project(self, name: str = "ProjectId") -> str:
        """The workspace that a field names.

        Raises:
            UnknownNameError: there is none with this id, as far as it is seen.
        """
        return self.workspace_of(self[name])

    def workspace_of(self, project_id: int) -> str:
        """A workspace by its id; errors as `project`."""
        for one in self.projects:
            if one["id"] == project_id:
                return one["workspace"]
        raise UnknownNameError(f"there is no project {project_id}", "ListProjects shows all of them.")

    def project_ids(self) -> Mapping[str, int]:
        """Ids by name."""
        return {one["workspace"]: one["id"] for one in self.projects if one["id"] is not None}

    # Dates and pages

    def bizdate(self, name: str) -> date:
        return words.day_of(name, self[name], self.timezone)

    def page(self, sorts: Mapping[str, str] | None = None) -> Numbered:
        """Which page, and how it is sorted.

        Args:
            sorts: what may be sorted by, and our word for it.

        Raises:
            ApiError: a page that cannot be, or a field that is not sorted by.
        """
        number, size = self["PageNumber"], self["PageSize"]
        number, size = 1 if number is None else number, _DEFAULT_SIZE if size is None else size
        if not 1 <= number <= _MOST_PAGES:
            raise invalid("PageNumber", f"PageNumber begins with 1, and {number} is no page")
        if not 1 <= size <= MOST_ON_A_PAGE:
            raise invalid("PageSize", f"PageSize is 1 to {MOST_ON_A_PAGE}, not {size}")
        by, is_descending = ("id", True) if sorts is None else self._sort(sorts)
        return Numbered((number - 1) * size, size, by, is_descending)

    def _sort(self, sorts: Mapping[str, str]) -> tuple[str, bool]:
        given = self["SortBy"] or "Id Desc"
        field, _, order = given.partition(" ")
        if field not in sorts or order not in ("", "Asc", "Desc"):
            raise invalid("SortBy", f"SortBy is one of {', '.join(sorts)}, then Asc or Desc after a space")
        return sorts[field], order == "Desc"

    def paged(self, key: str, items: Sequence[Any], page: Numbered, total: int) -> dict[str, Any]:
        """A page in the API's shape."""
        number = page.offset // page.limit + 1
        return {"PagingInfo": {"PageNumber": number, "PageSize": page.limit, "TotalCount": total, key: items}}

    def cut(self, key: str, found: Sequence[Any]) -> dict[str, Any]:
        """The page of a list that is all there."""
        page = self.page()
        items = list(found[page.offset : page.offset + page.limit])
        return self.paged(key, items, page, len(found))


def without_none(**fields: Any) -> dict[str, Any]:
    """A shape of the API without what there is not: a client reads that as None."""
    return {name: value for name, value in fields.items() if value is not None}


def done(ids: Iterable[int]) -> dict[str, Any]:
    """What was done to all of these: where it cannot be done to one, it is done to none, and that is an error."""
    return {"SuccessInfo": {str(number): {"Success": True} for number in ids}}


def check_workflow(number: int | None) -> None:
    """Refuse a workflow that there is not.

    Raises:
        ApiError: another one than that of all scheduled tasks.
    """
    if number not in (None, words.WORKFLOW_ID):
        raise ApiError(
            404, "NotFound.Workflow", f"there is no workflow {number}: scheduled tasks are of workflow 1"
        )


SORT = Field("SortBy", text)
