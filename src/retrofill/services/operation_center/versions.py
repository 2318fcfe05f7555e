"""Deployed versions."""

from __future__ import annotations

from retrofill.services.operation_center.version_acts import VersionActs


class VersionDesk(VersionActs):
    """What somebody may ask of versions, and publish."""
