"""Settings of a scheduler that runs: they follow the deploy, as alerts and checks do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retrofill.domain.errors import RetrofillError, StoreUnavailableError

if TYPE_CHECKING:
    from retrofill.services.backfills.later_starts import LaterStarts
    from retrofill.services.backfills.requests import PlanLimits
    from retrofill.services.instances.run_specs import RunSpecs
    from retrofill.services.ports import Store
    from retrofill.services.running.nights import NightMaker, ScheduleSettings
    from retrofill.services.running.scheduler import Scheduler
    from retrofill.services.upkeep.daily import Daily


@dataclass(frozen=True, slots=True)
class InForce:
    """What the settings of a version say to a scheduler."""

    stops_for_auto: bool
    clock_tolerance_ms: int
    limits: PlanLimits
    schedule: ScheduleSettings
    retention_minute: int
    timezone: str  # of the deployment
    interpreter: str
    log_cap_bytes: int
    grace_seconds: float
    working_folders: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parts:
    """Who uses them. `limit_runs` takes log_cap_bytes and grace_seconds."""

    scheduler: Scheduler
    later_starts: LaterStarts
    schedule: NightMaker | None
    daily: Daily
    specs: RunSpecs
    limit_runs: Callable[[int, float], None]

    def take(self, found: InForce) -> None:
        """Go on with these."""
        self.scheduler.stops_for_auto = found.stops_for_auto
        self.scheduler.clock_tolerance_ms = found.clock_tolerance_ms
        self.later_starts.limits = found.limits
        self.daily.set_time(found.retention_minute, found.timezone)
        self.specs.interpreter = found.interpreter
        self.specs.working_folders = found.working_folders
        self.limit_runs(found.log_cap_bytes, found.grace_seconds)
        if self.schedule is not None:
            self.schedule.settings = found.schedule


class Following:
    """Gives the parts of a scheduler the settings of the version that is deployed.

    Args:
        read: the settings of the version that is deployed now.
        version_id: the version whose settings the parts have; None: nothing was deployed.
    """

    def __init__(
        self, store: Store, parts: Parts, read: Callable[[], InForce], version_id: int | None
    ) -> None:
        self._store = store
        self._parts = parts
        self._read = read
        self._version_id = version_id

    def look(self) -> str | None:
        """Take what has changed; what is wrong with it, told once: then what was in force stays so.

        Raises:
            StoreUnavailableError: it cannot be read now.
        """
        version_id = self._current()
        if version_id == self._version_id:
            return None
        note = None
        try:
            self._parts.take(self._read())
        except StoreUnavailableError:  # nothing is known of them yet: looked at again
            raise
        except RetrofillError as error:
            note = (
                f"The settings of version {version_id} do not hold here, the old ones stay: {error.message}"
            )
        self._version_id = version_id
        return note

    def _current(self) -> int | None:
        with self._store.read() as reader:
            return reader.current_version_id()
