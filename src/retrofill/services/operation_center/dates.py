"""What has one bizdate, for who asks date by date and in pages by number: dates of backfills, all instances of a date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retrofill.domain.running.searches import DateInstanceSearch, DateSearch, Numbered
from retrofill.services.operation_center.desk import Desk
from retrofill.services.people.access import unknown_backfill, unknown_instance

if TYPE_CHECKING:
    from retrofill.services.reading.documents import BackfillDate, InstanceDetail, Neighbour, NumberedPage

_FIRST_PAGE = Numbered()


class DateDesk(Desk):
    # Questions

    def list(self, search: DateSearch, page: Numbered = _FIRST_PAGE) -> NumberedPage[BackfillDate]:
        """Bizdates of backfills.

        Raises:
            UnknownNameError: one that is asked for by its number is not there, as far as the actor knows.
        """
        from retrofill.services.reading.dates import search_dates

        with self.view_if_deployed() as view:
            return {"items": [], "total": 0} if view is None else search_dates(view, search, page)

    def show(self, backfill_id: int, position: int) -> BackfillDate:
        """One bizdate of a backfill.

        Args:
            position: in running order, from 0.

        Raises:
            UnknownNameError: there is no such backfill, as far as the actor knows, or it has fewer dates.
        """
        from retrofill.services.reading.dates import DateReader, get_date

        with self.view(unknown_backfill(backfill_id)) as view:
            return DateReader(view).row(get_date(view, backfill_id, position))

    def instances(
        self, search: DateInstanceSearch, page: Numbered = _FIRST_PAGE
    ) -> NumberedPage[InstanceDetail]:
        """Instances of a bizdate in one workspace, of backfills and auto triggered ones.

        Raises:
            UnknownNameError: there is no such workspace or date of a backfill, as far as the actor knows.
        """
        from retrofill.services.reading.date_instances import search_date_instances

        with self.view_if_deployed() as view:
            return {"items": [], "total": 0} if view is None else search_date_instances(view, search, page)

    def instance(self, instance_id: int) -> InstanceDetail:
        """One instance with what is declared of its task.

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.reading.date_instances import detail

        with self.view(unknown_instance(instance_id)) as view:
            return detail(view, view.access.get_instance(instance_id))

    def neighbours(self, instance_id: int, below: bool) -> Sequence[Neighbour]:
        """What an instance waits for, or what waits for it, by id.

        Args:
            below: what waits for it.

        Raises:
            UnknownNameError: there is none with this id, as far as the actor knows.
        """
        from retrofill.services.reading.date_instances import neighbours

        with self.view(unknown_instance(instance_id)) as view:
            return neighbours(view, view.access.get_instance(instance_id), below)
