"""One module a noun: what can be asked of a desk of the operation center, and at which address."""

from retrofill.api.routes import (
    access_keys,
    backfills,
    instances,
    me,
    plans,
    sessions,
    tokens,
    users,
)

# What has a name in its place of the path comes before what has an id there.
ALL = (plans, backfills, instances, users, sessions, tokens, access_keys, me)
