"""How many slots an elastic resource group needs, and how many its hosts have.

Wanted is what would be used if it were there: what holds a slot of the group now, offers among it, and what only lacks
one, up to the slots of the group. Present is what hosts that take work have. Whoever scales adds hosts while wanted is
more than present, and lets idle ones go when it is less.
"""

from __future__ import annotations

from typing import NamedTuple


class Scale(NamedTuple):
    """Of one group, in slots."""

    wanted: int
    present: int


def scale_of(most: int, held: int, waiting: int, present: int) -> Scale:
    """What to tell who scales.

    Args:
        most: slots of the group.
        held: instances that hold one, also those that no host has claimed.
        waiting: instances that only lack one.
        present: slots of hosts that take its instances.
    """
    return Scale(min(most, held + waiting), present)
