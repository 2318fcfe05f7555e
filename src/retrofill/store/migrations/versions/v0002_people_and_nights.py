"""Checks before a backfill runs, and auto triggered instances in the queue."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Extend the ledger."""
    with op.batch_alter_table("backfill", recreate="always") as backfill:
        backfill.drop_constraint("phase", type_="check")
        backfill.create_check_constraint(
            "phase", "phase IN ('checking', 'creating', 'refused', 'planned', 'active')"
        )
