"""Instances: one task at one scheduled time."""

from __future__ import annotations

from retrofill.services.operation_center.instance_acts import InstanceActs


class InstanceDesk(InstanceActs):
    """What somebody may ask of instances, and do to them."""
