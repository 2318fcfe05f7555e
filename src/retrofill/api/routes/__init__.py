"""One module a noun: what can be asked of a desk of the operation center, and at which address."""

from retrofill.api.routes import (
    access_keys,
    backfills,
    feed,
    home,
    hosting,
    instances,
    me,
    names,
    plans,
    record,
    resource_groups,
    saved_forms,
    schedule,
    sessions,
    tables,
    tasks,
    tokens,
    upkeep,
    users,
    versions,
    work,
    workspaces,
)

# What has a name in its place of the path comes before what has an id there.
ALL = (
    plans,
    feed,
    backfills,
    instances,
    tasks,
    tables,
    workspaces,
    resource_groups,
    record,
    schedule,
    versions,
    names,
    work,
    upkeep,
    users,
    sessions,
    tokens,
    access_keys,
    saved_forms,
    me,
    home,
    hosting,
)
# Paths that take larger bodies than others, and how many bytes.
LARGER = {**versions.LARGER, **hosting.LARGER}
