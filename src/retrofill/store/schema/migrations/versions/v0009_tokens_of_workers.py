"""What workers that reach no database ask a server with: tokens for resource groups, and whose host is whose."""

import sqlalchemy as sa
from alembic import op

from retrofill.store.schema.columns import Int, Text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Extend the ledger."""
    op.add_column("token", sa.Column("resource_groups", Text, nullable=True))
    op.add_column("host", sa.Column("token_id", Int, nullable=True))
