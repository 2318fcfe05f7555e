"""Where services learn the time."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """The only source of the present."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        ...
