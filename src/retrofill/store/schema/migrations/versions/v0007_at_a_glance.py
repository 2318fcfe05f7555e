"""What a page must find at once among a million instances: what failed, and how far nights have come."""

from alembic import op

from retrofill.store.schema.columns import where

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Extend the ledger."""
    failed = ["backfill_id", "ended_ms", "id", "reason"]
    op.create_index("instance_failed", "instance", failed, **where("state = 'failed'"))
    night = ["bizdate", "state", "ended_ms"]
    op.create_index("instance_night", "instance", night, **where("backfill_id IS NULL"))
