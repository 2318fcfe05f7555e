"""The operation center over HTTP: what it can be asked on a machine, a program asks a server from anywhere.

    from retrofill import Client

    with Client("https://retrofill.example.com", token) as client:
        preview = client.backfills.plan({"task": ["ops.raw"], "bizdate": ["2026-01-05..2026-01-07"]})
        number = client.backfills.create(preview)
        row = client.wait(number)

A desk has the methods of the operation center's desk of that name, and refuses with the same errors
(`retrofill.domain.errors`), besides `ServerUnreachableError` where nobody answers. Threads may share a client.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from retrofill.client.transport import Transport
from retrofill.client.troubles import ServerUnreachableError, still_away
from retrofill.domain.errors import Kind, RetrofillError, StoreUnavailableError, UsageError
from retrofill.domain.texts import Step, Text

if TYPE_CHECKING:
    from retrofill.client.backfills import BackfillDesk
    from retrofill.client.feed import FeedDesk
    from retrofill.client.groups import GroupDesk
    from retrofill.client.home import HomeDesk
    from retrofill.client.hosts import HostDesk
    from retrofill.client.instances import InstanceDesk
    from retrofill.client.names import NameDesk
    from retrofill.client.operations import OperationDesk
    from retrofill.client.people import PeopleDesk
    from retrofill.client.saved import SavedDesk
    from retrofill.client.schedule import ScheduleDesk
    from retrofill.client.tables import TableDesk
    from retrofill.client.tasks import TaskDesk
    from retrofill.client.upkeep import UpkeepDesk
    from retrofill.client.versions import VersionDesk
    from retrofill.client.work import WorkDesk
    from retrofill.services.reading.documents import BackfillRow, Progress

__all__ = ["Client", "NotInTimeError", "ServerUnreachableError", "client_of"]

_LOOK_SECONDS = 1.0


class NotInTimeError(RetrofillError):
    """It goes on; wait for it again."""

    code = "not_in_time"
    kind = Kind.TIMED_OUT


class Client:
    """A server, as whoever a token is for.

    Args:
        url: where it answers, `http(s)://HOST[:PORT][/PATH]`.
        token: as it was shown when it was made.
        project: the folder whose files `versions.deploy` sends; None: the current one or the nearest one above it.

    Raises:
        UsageError: an address or a token in a wrong form.
    """

    def __init__(self, url: str, token: str, project: str | Path | None = None) -> None:
        self._transport = Transport(url, token)
        self._project = project

    def __repr__(self) -> str:
        return f"Client({self._transport.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of its connections; it opens new ones where it is asked again."""
        self._transport.close()

    def patient(self, seconds: float | None = None, on_away: Callable[[], object] = lambda: None) -> Client:
        """A client that goes on asking while the server is away or busy: ten minutes for each absence.

        It shares the connections of this one, which gives up after some seconds.

        Args:
            seconds: after which it is patient no longer; None: it always is.
            on_away: called once for each absence that is longer than a moment.
        """
        other = Client.__new__(type(self))
        other._transport = self._transport.patient(seconds, on_away)
        other._project = self._project
        return other

    # The desks

    @cached_property
    def backfills(self) -> BackfillDesk:
        """Backfills: planned, created, looked at, stopped, rerun."""
        from retrofill.client.backfills import BackfillDesk

        return BackfillDesk(self._transport)

    @cached_property
    def feed(self) -> FeedDesk:
        """What has changed since a revision."""
        from retrofill.client.feed import FeedDesk

        return FeedDesk(self._transport)

    @cached_property
    def groups(self) -> GroupDesk:
        """Resource groups: how much of them is used, and by whom."""
        from retrofill.client.groups import GroupDesk

        return GroupDesk(self._transport)

    @cached_property
    def home(self) -> HomeDesk:
        """What needs a person, what is under way, what comes."""
        from retrofill.client.home import HomeDesk

        return HomeDesk(self._transport)

    @cached_property
    def hosts(self) -> HostDesk:
        """The machines that carry out runs, and which of them are heard of."""
        from retrofill.client.hosts import HostDesk

        return HostDesk(self._transport)

    @cached_property
    def instances(self) -> InstanceDesk:
        """Instances: why they wait, their logs, and what can be done to them."""
        from retrofill.client.instances import InstanceDesk

        return InstanceDesk(self._transport)

    @cached_property
    def names(self) -> NameDesk:
        """Names that begin in some way, for completion."""
        from retrofill.client.names import NameDesk

        return NameDesk(self._transport)

    @cached_property
    def operations(self) -> OperationDesk:
        """The record of who did what."""
        from retrofill.client.operations import OperationDesk

        return OperationDesk(self._transport)

    @cached_property
    def people(self) -> PeopleDesk:
        """Users, their tokens and access keys."""
        from retrofill.client.people import PeopleDesk

        return PeopleDesk(self._transport)

    @cached_property
    def saved(self) -> SavedDesk:
        """What one keeps of the forms of pages: drafts, views."""
        from retrofill.client.saved import SavedDesk

        return SavedDesk(self._transport)

    @cached_property
    def schedule(self) -> ScheduleDesk:
        """The nightly schedule: its nights, paused and resumed."""
        from retrofill.client.schedule import ScheduleDesk

        return ScheduleDesk(self._transport)

    @cached_property
    def tables(self) -> TableDesk:
        """Tables that tasks read and write, and how tasks join them."""
        from retrofill.client.tables import TableDesk

        return TableDesk(self._transport)

    @cached_property
    def tasks(self) -> TaskDesk:
        """Tasks of the deployed version, frozen and unfrozen."""
        from retrofill.client.tasks import TaskDesk

        return TaskDesk(self._transport)

    @cached_property
    def upkeep(self) -> UpkeepDesk:
        """Retention, and the examination of the store."""
        from retrofill.client.upkeep import UpkeepDesk

        return UpkeepDesk(self._transport)

    @cached_property
    def versions(self) -> VersionDesk:
        """Deployed versions: published, shown, published again."""
        from retrofill.client.versions import VersionDesk

        return VersionDesk(self._transport, self._folder)

    @cached_property
    def work(self) -> WorkDesk:
        """Who schedules, and what stands still."""
        from retrofill.client.work import WorkDesk

        return WorkDesk(self._transport)

    def _folder(self) -> Path:
        from retrofill.bootstrap.folder import find_folder

        return find_folder(None if self._project is None else str(self._project), {}).directory

    # Who asks, and of what

    @cached_property
    def user(self) -> str:
        """The name of who asks and acts."""
        return self.people.me()["user"]

    @property
    def deployed_version(self) -> int | None:
        """The version that is deployed; None before the first deploy."""
        newest = self.versions.list(1)["items"]
        return newest[0]["version"] if newest else None

    @property
    def is_deployed(self) -> bool:
        """Whether anything is deployed yet."""
        return self.deployed_version is not None

    # Going on

    def wait(
        self,
        backfill_id: int,
        timeout_seconds: float | None = None,
        on_progress: Callable[[Progress], object] = lambda _: None,
        on_away: Callable[[], object] = lambda: None,
    ) -> BackfillRow:
        """Wait until a backfill has ended; its row then. A server that is restarted meanwhile is waited for.

        Args:
            on_progress: called with how far it has come, about once a second.
            on_away: called once whenever the server is away for longer than a moment.

        Raises:
            NotInTimeError: it goes on after that time.
            UnknownNameError: there is none with this id, as far as one knows.
            ServerUnreachableError: the server was away for ten minutes, or when the time was over.
        """
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        self.backfills.progress(backfill_id)  # who cannot be asked at all is not waited for
        backfills = self.patient(timeout_seconds, on_away).backfills
        try:
            while True:
                progress = backfills.progress(backfill_id)
                on_progress(progress)
                if progress["ended_at"] is not None:
                    return backfills.row(backfill_id)
                if deadline is not None and time.monotonic() >= deadline:
                    raise NotInTimeError(f"backfill {backfill_id} goes on after {timeout_seconds:g} seconds")
                time.sleep(_LOOK_SECONDS)
        except (ServerUnreachableError, StoreUnavailableError) as error:
            raise still_away(error, Step("backfill.wait", id=backfill_id)) from None

    def follow_log(
        self, instance_id: int, run_number: int | None = None, on_away: Callable[[], object] = lambda: None
    ) -> Iterator[bytes]:
        """The log of a run, piece by piece, until the run has ended; what is cut out of it is left out.

        A server that is restarted meanwhile is waited for, and the log goes on where it was.

        Args:
            run_number: None for the last run.
            on_away: called once whenever the server is away for longer than a moment.

        Raises:
            UnknownNameError: there is no such instance, as far as one knows, or it has no such run.
            WrongStateError: it has not run yet.
            ServerUnreachableError: the server was away for ten minutes.
        """
        self.instances.log(instance_id, run_number)  # who cannot be asked at all is not waited for
        try:
            opened = self.patient(on_away=on_away).instances.log(instance_id, run_number)
            if isinstance(opened, str):
                yield opened.encode()
                return
            while True:
                has_ended = opened.has_ended()  # asked first: what was written at the end is there then
                yield from (data for _, _, data in opened.pieces())
                if has_ended:
                    return
                time.sleep(_LOOK_SECONDS)
        except (ServerUnreachableError, StoreUnavailableError) as error:
            raise still_away(error, Step("instance.log", id=instance_id, follow=True)) from None


def client_of(environ: Mapping[str, str], project: str | None = None) -> Client:
    """The client of the server that RETROFILL_URL names, as whom RETROFILL_TOKEN says.

    Raises:
        UsageError: one of them is missing or in a wrong form.
    """
    url, token = address_of(environ)
    return Client(url, token, project or environ.get("RETROFILL_PROJECT"))


def address_of(environ: Mapping[str, str]) -> tuple[str, str]:
    """The server that RETROFILL_URL names, and the token with which it is asked.

    Raises:
        UsageError: there is no token.
    """
    url, token = environ.get("RETROFILL_URL", ""), environ.get("RETROFILL_TOKEN", "")
    if not token:
        raise UsageError(
            "RETROFILL_URL names a server, and RETROFILL_TOKEN is not set",
            Text(
                "{token.create} makes one on the server's machine, in the project's folder, with RETROFILL_URL unset. "
                "Or ask an administrator of the server for one."
            ),
        )
    return url, token
