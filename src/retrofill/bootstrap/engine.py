"""What a process needs that schedules a deployment: executor, loop, couriers, and the settings it goes by.

It follows deploys: `Following` asks for the settings of the version that is deployed, when the scheduler was
woken. Settings of a version that do not hold here leave the old ones in force.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING

from retrofill.bootstrap.deployment import Deployment
from retrofill.domain.errors import RetrofillError

if TYPE_CHECKING:
    from retrofill.executors.code import CodeFolders
    from retrofill.executors.routing import Dispatchers
    from retrofill.services.alerts.delivery import Courier, Delivery
    from retrofill.services.instances.run_specs import RunSpecs
    from retrofill.services.ports import Executor, Leadership
    from retrofill.services.ports.hosts import Hosts
    from retrofill.services.running.following import InForce, Parts
    from retrofill.services.running.loop import Loop
    from retrofill.services.running.nights import NightMaker
    from retrofill.services.running.offering import Offering
    from retrofill.services.running.scaling import Scaling
    from retrofill.services.running.scheduler import Scheduler
    from retrofill.services.running.tick_report import TickReport
    from retrofill.services.upkeep.daily import Daily
    from retrofill.services.upkeep.retention import Retention


class Engine:
    """Schedules one deployment, for who leads.

    Args:
        leadership: of this process, which takes and resigns it.
    """

    def __init__(self, deployment: Deployment, leadership: Leadership) -> None:
        self._deployment = deployment
        self._leadership = leadership
        self._graphs = deployment.graphs()
        self._version = deployment.published()
        self.settings = deployment.settings_of(self._version.catalog)  # in force here

    def follow(self) -> InForce:
        """Take the settings of the version that is deployed now.

        Raises:
            SettingError: they do not hold here; the old ones stay.
        """
        version = self._deployment.published()
        self.settings = self._deployment.settings_of(version.catalog)
        self._version = version
        self._learn_secrets()
        self._dispatchers.close()  # each is made anew when it is needed, by the settings of now
        return self._in_force()

    def _in_force(self) -> InForce:
        from retrofill.settings.in_force import scheduling

        return scheduling(self.settings, self._version.catalog.timezone)

    def _learn_secrets(self) -> None:
        """Ask for what tasks name before one of them starts: a start waits for no secret."""
        from retrofill.domain.planning.overrides import secrets_of

        self._deployment.secrets.learn(secrets_of(self._version.catalog))

    # Running

    @cached_property
    def specs(self) -> RunSpecs:
        found = self._in_force()
        return self._deployment.specs(found.interpreter, found.working_folders, starts=True)

    def _executor(self) -> Executor:
        """What carries out runs, observed where events are to be sent."""
        from retrofill.executors.local.executor import LocalExecutor

        folder = self._deployment.folder
        self._local = executor = LocalExecutor(
            folder.runs,
            folder.home / "wake.sock",
            log_cap_bytes=self.settings.log_cap,
            grace_seconds=self.settings.grace_seconds,
            host=self._deployment.host,
            prepare=lambda spec: self._code_folders.prepare(spec, self._content),
        )
        found = self._observed(executor) if self.settings.openlineage else executor
        return self._deployment.logs.pushed(found, folder.runs)

    @cached_property
    def _code_folders(self) -> CodeFolders:
        from retrofill.executors.code import CodeFolders

        return CodeFolders(self._deployment.folder.code)

    def _content(self, sha256: str) -> bytes:
        """A file of a version; a store that cannot be read is a start to be tried again, as a full disk is."""
        try:
            with self._deployment.store.read() as reader:
                return reader.versions.content(sha256)
        except RetrofillError as error:
            raise OSError(errno.EIO, error.message) from error

    def _observed(self, executor: Executor) -> Executor:
        """The executor with its runs told to a lineage service."""
        from retrofill.lineage.openlineage.emitter import observed

        on, key = self._deployment, self._deployment.secrets.find_or_none("OPENLINEAGE_API_KEY")
        url, project = self.settings.openlineage, self._version.catalog.project
        return observed(executor, url, key, project, lambda ref: self.specs.find(on.store, on.graphs(), ref))

    def run(
        self,
        observe: Callable[[TickReport], bool],
        observe_ms: int | None = None,
        *,
        starts: bool = True,
        auto: bool = False,
        stands_by: bool = False,
    ) -> None:
        """Schedule until `observe` says that it is enough; running instances go on.

        Args:
            observe: called after every tick and at least every `observe_ms`.
            starts: False to see ends through and start nothing.
            auto: make and start auto triggered instances too, and not those of backfills only.
            stands_by: another process leads; only ends of what runs on this machine are seen to.

        Raises:
            NotLeadingError: somebody else may lead by now.
        """
        from retrofill.services.running.offering import Offering

        hosts = self._deployment.hosts(self.settings.host_lost_minutes)
        self._learn_secrets()
        executor = self._executor()
        tally = self._deployment.tallies.open()
        scaling = None if stands_by or hosts is None else self._scaling(hosts)

        def noted(ticked: TickReport) -> bool:
            if not stands_by:
                tally.note(ticked, self._deployment.clock.now_ms())
            if scaling is not None:
                scaling.stir()
            ticked.notes += self._dispatchers.news()
            return observe(ticked)

        try:
            with (
                hosts.beating() if hosts is not None else nullcontext(),
                self._tidying(stands_by),
                scaling.going_on() if scaling is not None else nullcontext(),
            ):
                if hosts is not None and not stands_by:
                    self._note_that_it_leads()
                offering = Offering(hosts, self._dispatchers.get)
                loop = self._loop(executor, starts and not stands_by, auto, hosts, stands_by, offering)
                loop.run(noted, observe_ms)
        finally:
            tally.close()
            self._dispatchers.close()
            executor.close()

    def _tidying(self, stands_by: bool) -> AbstractContextManager[None]:
        """While another machine leads, what lies on this one is let go of all the same."""
        from retrofill.bootstrap.tidying import tidying_of

        job = tidying_of(self._deployment) if stands_by else None
        return nullcontext() if job is None else job.going_on()

    def _scaling(self, hosts: Hosts) -> Scaling:
        """What tells the scalers of elastic groups, by what is deployed."""
        from retrofill.bootstrap.scaling import Scalers
        from retrofill.executors.local.watch import LocalWatch
        from retrofill.services.running.scaling import Scaling

        on = self._deployment
        watch = LocalWatch(
            on.folder.runs,
            self._leadership.leader,
            on.host,
            lambda: hosts,
            lambda: 60_000 * self.settings.host_lost_minutes,
        )
        scalers = Scalers(on, lambda: self.settings)
        return Scaling(on.store, on.clock, lambda: self._version.catalog, watch, scalers, on.say)

    @cached_property
    def _dispatchers(self) -> Dispatchers:
        from retrofill.executors.routing import Dispatchers

        return Dispatchers(
            lambda: self._deployment.surroundings(self._version.catalog.project, self.settings)
        )

    def _note_that_it_leads(self) -> None:
        """In the record of operations: which of several machines, from when on."""
        on = self._deployment
        with on.store.transaction() as tx:
            self._leadership.check(tx)
            tx.record(on.clock.now_ms(), "scheduler", "lead", comment=f"on {on.host}")

    def _loop(
        self,
        executor: Executor,
        starts: bool,
        auto: bool,
        hosts: Hosts | None,
        stands_by: bool,
        offering: Offering,
    ) -> Loop:
        from retrofill.services.backfills.expecting import Expecting
        from retrofill.services.running.following import Following
        from retrofill.services.running.loop import Loop
        from retrofill.services.running.scheduler import Scheduler

        store, graphs, clock = self._deployment.store, self._graphs, self._deployment.clock
        found = self._in_force()
        scheduler = Scheduler(
            store,
            executor,
            clock,
            self.specs,
            graphs,
            starts,
            auto,
            found.stops_for_auto,
            None if stands_by else self._leadership,
            hosts,
            not stands_by,
            offering,
        )
        scheduler.clock_tolerance_ms = found.clock_tolerance_ms
        parts = self._parts(scheduler, auto)
        following = Following(store, parts, self.follow, self._version.version_id)
        expecting = Expecting(store, graphs, clock)
        return Loop(
            scheduler,
            parts.later_starts,
            parts.schedule,
            executor,
            store.listen(),
            clock,
            self.courier,
            parts.daily,
            following,
            expecting,
            self._leadership,
            stands_by,
        )

    def _parts(self, scheduler: Scheduler, auto: bool) -> Parts:
        from retrofill.services.backfills.later_starts import LaterStarts
        from retrofill.services.running.following import Parts

        on, found = self._deployment, self._in_force()
        later = LaterStarts(on.store, self._graphs, on.clock, found.limits, on.checks_of, on.known_of)
        schedule = self.schedule() if auto else None
        return Parts(scheduler, later, schedule, self.daily(), self.specs, self._local.set_limits)

    def schedule(self) -> NightMaker:
        """What makes auto triggered instances."""
        from retrofill.services.running.nights import NightMaker

        on = self._deployment
        return NightMaker(on.store, self._graphs, on.clock, self._in_force().schedule)

    def daily(self) -> Daily:
        """The job that a scheduler does once a day."""
        from retrofill.services.upkeep.daily import Daily

        on, found = self._deployment, self._in_force()
        return Daily(on.store, self._retention, on.clock, found.retention_minute, found.timezone)

    def _retention(self) -> Retention:
        return self._deployment.retention(self.settings)

    def ask_to_end(self, instance_ids: Collection[int]) -> None:
        """Let the supervisors of these instances end them, where a scheduler cannot pass it on.

        What lives on another host is left to that.
        """
        from retrofill.executors.local.standstill import ask_to_end

        on = self._deployment
        with on.store.read() as reader:
            runs = [
                run for run in reader.open_runs() if run.instance_id in instance_ids and run.host == on.host
            ]
        ask_to_end(on.folder.runs, [self.specs.ref(run) for run in runs], self.settings.grace_seconds)

    # Alerts

    @cached_property
    def courier(self) -> Courier:
        """Sends alerts beside the scheduler, in a thread of its own."""
        from retrofill.services.alerts.delivery import Courier

        return Courier(self._delivery, self._deployment.clock, self._deployment.store.wake)

    def _delivery(self) -> Delivery:
        """By the settings of now."""
        from retrofill.services.alerts.delivery import Delivery, Ways

        on = self._deployment
        catalog = on.in_force()
        settings = on.settings_of(catalog)
        ways = Ways(on.notifier(settings), on.poster(settings))
        return Delivery(on.store, ways, on.clock, catalog.project, on.command, on.graphs())
