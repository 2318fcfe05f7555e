"""Pictures of a backfill: the tabs grid, timeline and graph."""

from __future__ import annotations

from collections.abc import Sequence

from retrofill.web.pages.backfill_frame import Tab

TABS: Sequence[Tab] = ()
