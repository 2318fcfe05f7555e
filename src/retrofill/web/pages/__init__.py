"""One module a group of pages: its routes, what its pages hold, and how that is asked for."""

from __future__ import annotations

from retrofill.web.pages import (
    account,
    backfill,
    backfill_acts,
    backfill_change,
    backfills,
    home,
    hosts,
    instance,
    instance_acts,
    lineage,
    looking,
    new,
    operations,
    resource_groups,
    schedule,
    several_backfills,
    signing_in,
    task,
    tasks,
    user_questions,
    users,
    workspaces,
)

# Those that say what they are before those whose path holds any name.
ALL = (
    home,
    new,
    backfills,
    several_backfills,
    schedule,
    operations,
    looking,
    account,
    users,
    user_questions,
    instance_acts,
    instance,
    signing_in,
    backfill,
    backfill_acts,
    backfill_change,
    tasks,
    task,
    lineage,
    resource_groups,
    hosts,
    workspaces,
)
