"""Everything that somebody may ask or do, in the name of one actor: the only thing that faces import of the services.

One module a noun. Its convention, in every method:

- A question opens one view of the store (`Desk.view`), asks `Access`, and answers with documents of
  `reading.documents` that hold nothing that the actor may not know. What somebody may not see is answered
  exactly like what does not exist.
- An act checks the actor's rights itself, before anything is done.
- Before the first deploy there may be no store, and looking makes none: questions answer empty
  (`Desk.view_if_deployed`) or that there is no such thing (`Desk.view`).
- Arguments are plain values and domain values, never the store's or an adapter's.
- What plans, estimates or acts is imported where it is needed: a command that only looks is instant.

`tests/services/operation_center/test_foreign_names.py` calls every public method as a member of one workspace
and looks for names of others: a new method has no answer there until its arguments stand in the table.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrofill.domain.people.roles import Actor
    from retrofill.services.operation_center.backfills import BackfillDesk
    from retrofill.services.operation_center.dates import DateDesk
    from retrofill.services.operation_center.declared import DeclaredDesk
    from retrofill.services.operation_center.errands import ErrandDesk
    from retrofill.services.operation_center.feed import FeedDesk
    from retrofill.services.operation_center.groups import GroupDesk
    from retrofill.services.operation_center.home import HomeDesk
    from retrofill.services.operation_center.hosts import HostDesk
    from retrofill.services.operation_center.instances import InstanceDesk
    from retrofill.services.operation_center.names import NameDesk
    from retrofill.services.operation_center.operations import OperationDesk
    from retrofill.services.operation_center.parts import Parts
    from retrofill.services.operation_center.people import PeopleDesk
    from retrofill.services.operation_center.saved import SavedDesk
    from retrofill.services.operation_center.schedule import ScheduleDesk
    from retrofill.services.operation_center.tables import TableDesk
    from retrofill.services.operation_center.tasks import TaskDesk
    from retrofill.services.operation_center.together import TogetherActs
    from retrofill.services.operation_center.upkeep import UpkeepDesk
    from retrofill.services.operation_center.versions import VersionDesk
    from retrofill.services.operation_center.work import WorkDesk


class OperationCenter:
    """One for each call of the command line, each request.

    Args:
        parts: what it works with, as of one deployed version.
        actor: in whose name everything is asked and done.
    """

    def __init__(self, parts: Parts, actor: Actor) -> None:
        self._parts = parts
        self._actor = actor

    @property
    def user(self) -> str:
        """The name of who asks and acts."""
        return self._actor.name

    @property
    def deployed_version(self) -> int | None:
        """The version that is deployed; None: there is nothing but the folder yet."""
        deployed = self._parts.deployed
        return None if deployed is None else deployed.version_id

    @property
    def is_deployed(self) -> bool:
        """Whether anything is deployed yet."""
        return self._parts.deployed is not None

    @cached_property
    def backfills(self) -> BackfillDesk:
        from retrofill.services.operation_center.backfills import BackfillDesk

        return BackfillDesk(self._parts, self._actor)

    @cached_property
    def dates(self) -> DateDesk:
        from retrofill.services.operation_center.dates import DateDesk

        return DateDesk(self._parts, self._actor)

    @cached_property
    def declared(self) -> DeclaredDesk:
        from retrofill.services.operation_center.declared import DeclaredDesk

        return DeclaredDesk(self._parts, self._actor)

    @cached_property
    def errands(self) -> ErrandDesk:
        from retrofill.services.operation_center.errands import ErrandDesk

        return ErrandDesk(self._parts, self._actor)

    @cached_property
    def feed(self) -> FeedDesk:
        from retrofill.services.operation_center.feed import FeedDesk

        return FeedDesk(self._parts, self._actor)

    @cached_property
    def groups(self) -> GroupDesk:
        from retrofill.services.operation_center.groups import GroupDesk

        return GroupDesk(self._parts, self._actor)

    @cached_property
    def home(self) -> HomeDesk:
        from retrofill.services.operation_center.home import HomeDesk

        return HomeDesk(self._parts, self._actor)

    @cached_property
    def hosts(self) -> HostDesk:
        from retrofill.services.operation_center.hosts import HostDesk

        return HostDesk(self._parts, self._actor)

    @cached_property
    def instances(self) -> InstanceDesk:
        from retrofill.services.operation_center.instances import InstanceDesk

        return InstanceDesk(self._parts, self._actor)

    @cached_property
    def names(self) -> NameDesk:
        from retrofill.services.operation_center.names import NameDesk

        return NameDesk(self._parts, self._actor)

    @cached_property
    def operations(self) -> OperationDesk:
        from retrofill.services.operation_center.operations import OperationDesk

        return OperationDesk(self._parts, self._actor)

    @cached_property
    def people(self) -> PeopleDesk:
        from retrofill.services.operation_center.people import PeopleDesk

        return PeopleDesk(self._parts, self._actor)

    @cached_property
    def saved(self) -> SavedDesk:
        from retrofill.services.operation_center.saved import SavedDesk

        return SavedDesk(self._parts, self._actor)

    @cached_property
    def schedule(self) -> ScheduleDesk:
        from retrofill.services.operation_center.schedule import ScheduleDesk

        return ScheduleDesk(self._parts, self._actor)

    @cached_property
    def tables(self) -> TableDesk:
        from retrofill.services.operation_center.tables import TableDesk

        return TableDesk(self._parts, self._actor)

    @cached_property
    def tasks(self) -> TaskDesk:
        from retrofill.services.operation_center.tasks import TaskDesk

        return TaskDesk(self._parts, self._actor)

    @cached_property
    def together(self) -> TogetherActs:
        from retrofill.services.operation_center.together import TogetherActs

        return TogetherActs(self._parts, self._actor)

    @cached_property
    def upkeep(self) -> UpkeepDesk:
        from retrofill.services.operation_center.upkeep import UpkeepDesk

        return UpkeepDesk(self._parts, self._actor)

    @cached_property
    def versions(self) -> VersionDesk:
        from retrofill.services.operation_center.versions import VersionDesk

        return VersionDesk(self._parts, self._actor)

    @cached_property
    def work(self) -> WorkDesk:
        from retrofill.services.operation_center.work import WorkDesk

        return WorkDesk(self._parts, self._actor)
