"""What pages keep for whoever looks at them: forms as they were typed, and views of lists."""

import sqlalchemy as sa
from alembic import op

from retrofill.store.schema.columns import Int, Text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Extend the ledger."""
    op.create_table(
        "saved_form",
        sa.Column("id", Int, nullable=False, autoincrement=False),
        sa.Column("user_name", Text, nullable=False),
        sa.Column("page", Text, nullable=False),
        sa.Column("name", Text, nullable=True),
        sa.Column("fields", Text, nullable=False),
        sa.Column("saved_ms", Int, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_name", "page", "name"),
    )
