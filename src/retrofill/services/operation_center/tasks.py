"""Tasks of the project."""

from __future__ import annotations

from retrofill.services.operation_center.task_acts import TaskActs


class TaskDesk(TaskActs):
    """What somebody may ask of it, and do to it."""
