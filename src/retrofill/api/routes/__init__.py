"""One module a noun: what can be asked of a desk of the operation center, and at which address."""

from retrofill.api.routes import backfills

ALL = (backfills,)
