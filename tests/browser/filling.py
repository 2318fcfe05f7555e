"""A ledger in which there is something to see on every page: what has ended well, failed, runs, waits and is held."""

from __future__ import annotations

from dataclasses import dataclass

from browser.flights import SMALL_DAY
from browser.places import Place
from retrofill.domain.running.searches import InstanceSearch


@dataclass(frozen=True)
class Filling:
    """Ids of what is in there.

    Attributes:
        failed: the backfill of `flights` in which one date failed and holds up others.
        running: one in which one instance runs and others wait.
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
            "task": "ops.check_departures",
            "name": "ops.check_departures",
            "group": "default",
            "workspace": "ops",
            "user": "admin",
        }


def fill(place: Place, days: int = 2) -> Filling:
    """Make it, and wait until it stands so.

    Args:
        days: of January 2013 that are backfilled, up to the one that fails, which is the third, or beyond it.
    """
    last = SMALL_DAY.replace(day=max(days + 1, SMALL_DAY.day))
    first = SMALL_DAY.replace(day=max(last.day - days + 1, 1))
    failed = place.create(
        "admin",
        all_descendants="ops.start_of_day",
        bizdate=(f"{first}..{last}",),
        groups="2",
        name="winter, again",
    )
    held, paused_day, done_day = place.days(3)
    done = place.create(task=("lab.count",), bizdate=(done_day,), name="counts of one day")
    running = place.create(all_descendants="lab.load", bizdate=(held,), name="rates, mended by hand")
    paused = place.create(all_descendants="lab.load", bizdate=(paused_day,), name="the day after")
    place.center("ada").backfills.pause(paused, "until the rates are there")
    running_row = place.wait_for(running, "lab.load", held, "running")
    place.wait(done, "succeeded")
    place.wait(failed, "failed")
    small = str(SMALL_DAY)
    waiting = place.center().instances.list(InstanceSearch(backfills=[failed], states=["not_run"]))["items"]
    return Filling(
        failed,
        running,
        done,
        paused,
        place.instance(failed, "ops.check_departures", small)["id"],
        waiting[-1]["id"],
        running_row["id"],
    )
