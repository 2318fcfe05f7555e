"""A ledger in which there is something to see on every page: what has ended well, failed, runs, waits and is held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from browser.places import Place
from retrofill.services.ports.records import HostRecord

_A_MONTH_SECONDS = 300.0  # that a whole month may take where the machine has other things to do
_HOST = HostRecord("etl1-4f0c9a1b", "etl1", "pull", '["default"]', 8, "0.1.0", "", 1_700_000_000_000)


@dataclass(frozen=True)
class Filling:
    """Ids of what is in there.

    Attributes:
        failed: the backfill of `flights` in which one date failed and holds up others.
        running: one of six dates, in three groups: some instances run, one has failed, others wait.
        done: one that has succeeded.
        paused: one that is paused.
        failed_instance, waiting_instance: of `failed`; `running_instance`: of `running`.
    """

    failed: int
    running: int
    done: int
    paused: int
    failed_instance: int
    waiting_instance: int
    running_instance: int

    def values(self) -> dict[str, int | str]:
        """For what stands in braces in the path of a page."""
        return {
            "backfill_id": self.failed,
            "instance_id": self.failed_instance,
            "number": self.failed_instance,
            "task": "ops.check_departures",
            "name": "ops.check_departures",
            "group": "default",
            "workspace": "ops",
            "user": "admin",
            "host": _HOST.name,
        }


def fill(place: Place, first: date | None = None, last: date | None = None) -> Filling:
    """Make it, and wait until it stands so.

    Args:
        first, last: days of January 2013 that are backfilled, with the small one among them, which fails; without
            them, that one and the one before.
    """
    small = place.small_day
    first, last = first or small - timedelta(days=1), last or small
    done_day, paused_day, *held = place.days(8)
    with place.deployment.store.transaction() as tx:
        tx.hosting.note(_HOST)
    failed = place.create(
        "admin",
        all_descendants="ops.start_of_day",
        bizdate=(f"{first}..{last}",),
        groups="2",
        name="winter, again",
    )
    done = place.create(task=("lab.count",), bizdate=(done_day,), name="counts of one day")
    place.let_go(held[0], held[2])
    place.mend(held[0])
    running = place.create(
        all_descendants="lab.load",
        bizdate=(f"{held[0]}..{held[-1]}",),
        groups="3",
        name="rates, mended by hand",
        on_failure="continue",
    )
    paused = place.create(all_descendants="lab.load", bizdate=(paused_day,), name="the day after")
    place.center("ada").backfills.pause(paused, "until the rates are there")
    running_row = place.wait_for(running, "lab.load", held[1], "running")
    place.wait_for(running, "lab.check", held[2], "failed")
    place.wait(done, "succeeded")
    place.wait(failed, "failed", _A_MONTH_SECONDS)
    return Filling(
        failed,
        running,
        done,
        paused,
        place.instance(failed, "ops.check_departures", str(small))["id"],
        place.instance(failed, "ops.flights", str(small))["id"],
        running_row["id"],
    )
