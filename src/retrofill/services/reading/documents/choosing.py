"""What can be chosen for a backfill."""

from __future__ import annotations

from typing import TypedDict


class ChoosableTask(TypedDict):
    """A task that can be chosen, or that lies between tasks that are; of one that may not be seen only its name."""

    id: int | None  #: null before it is deployed
    task: str  #: its full name
    level: int  #: steps from the nearest of the tasks that were named
    type: str | None
    schedule_in_words: str | None
    owner: str | None
    permitted: bool  #: whether who asks may backfill it


class TaskWays(TypedDict):
    """All that lies on the ways from a task to others."""

    tasks: list[ChoosableTask]  #: by name, with both ends
    edges: list[list[str]]  #: pairs: what is waited for, and what waits
