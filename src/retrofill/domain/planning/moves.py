"""What a deploy that changes the slots of tasks means for the first night after it (AUTO-1, AUTO-2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.planning.template import dependencies
from retrofill.domain.time.bizdates import ONE_DAY
from retrofill.domain.words import many, names

_SHOWN = 4  # times in a sentence


def first_night_sentences(
    made: Catalog, current: Catalog, last: date, sees: Callable[[str], bool] = lambda _: True
) -> Iterator[str]:
    """One sentence for each task with other slots that a previous-cycle dependency leads to.

    Args:
        made: what the night of bizdate `last` was made from, the newest one that was made.
        sees: whether the reader may see a task; others are counted, not named (SEC-2).
    """
    tasks = tuple(current.tasks.values())
    index_of = {task.name: i for i, task in enumerate(tasks)}
    waiting: dict[int, set[int]] = defaultdict(set)
    for up, down, is_same_cycle in dependencies(tasks, index_of):
        if not is_same_cycle:
            waiting[up].add(down)
    for up in sorted(waiting):
        task, before = tasks[up], made.tasks.get(tasks[up].name)
        if before is None or before.schedule.slots == task.schedule.slots or not sees(task.name):
            continue
        who = ["itself"] if up in waiting[up] else []
        others = sorted(tasks[i].name for i in waiting[up] - {up})
        hidden = sum(not sees(name) for name in others)
        who += [names([name for name in others if sees(name)])] if hidden < len(others) else []
        who += [many(hidden, "task") + " of other workspaces"] if hidden else []
        yield (
            f"{task.name} is scheduled at {_times(task.schedule.slots)} from bizdate {last + ONE_DAY} on; "
            f"bizdates up to {last} keep {_times(before.schedule.slots)}. In the first night, what waits for its "
            f"previous cycle ({', '.join(who)}) waits for it as bizdate {last} has it."
        )


def made_sentences(made: Mapping[date, int]) -> Iterator[str]:
    """What a deploy has made at once, by bizdate."""
    for bizdate, count in sorted(made.items()):
        yield (
            f"{many(count, 'instance')} of bizdate {bizdate} {'was' if count == 1 else 'were'} made at once: "
            "remaining times of tasks that are new or ask for it."
        )


def _times(slots: Sequence[int]) -> str:
    shown = ", ".join(f"{slot // 60:02}:{slot % 60:02}" for slot in slots[:_SHOWN])
    return f"{shown} and {len(slots) - _SHOWN:,} more times" if len(slots) > _SHOWN else shown
