"""A host alone, and what somebody asks of it."""

from __future__ import annotations

from typing import TypedDict

from retrofill.domain.texts import Text
from retrofill.services.reading.documents.schedule import HeldSlot, HostRow


class HostPage(HostRow):
    """`host show`: a host with what it carries out."""

    why: Text  #: what its state means, and what can be done
    instances: list[HeldSlot]  #: the longest first
    hidden: int  #: runs of instances that the actor may not see
    logs_at: (
        str | None
    )  #: where its logs are read; null where it serves none, and to who is no system administrator


class HostAct(TypedDict):
    """What became of a host that somebody asked for something."""

    name: str
    label: str
    state: (
        str  #: `there`, `draining`, `left`, `unknown` or `lost`; `forgotten`: nothing is known of it any more
    )
    running: int  #: runs that live there and go on
    unchanged: bool  #: it was so already
