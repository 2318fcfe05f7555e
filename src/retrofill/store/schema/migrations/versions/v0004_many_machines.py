"""What several machines on one store need to know of each other."""

import sqlalchemy as sa
from alembic import op

from retrofill.store.schema.columns import Int, Text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Extend the ledger."""
    _belong_to_a_deployment()
    _refer_to_nothing()
    _hold_for_a_while()
    _run_somewhere()


def _refer_to_nothing() -> None:
    """On a server, instances are written without a look at their backfill and task."""
    if op.get_bind().dialect.name == "postgresql":
        for column in ("backfill_id", "task_id"):
            op.drop_constraint(f"instance_{column}_fkey", "instance", type_="foreignkey")


def _belong_to_a_deployment() -> None:
    """A store that no folder holds knows its deployment by name (RUN-8)."""
    op.add_column("identity", sa.Column("project", Text, nullable=True))


def _hold_for_a_while() -> None:
    """Who does something that only one may do at a time, until when by the clock of the database."""
    op.create_table(
        "lease",
        sa.Column("name", Text, nullable=False),
        sa.Column("holder", Text, nullable=False),
        sa.Column("number", Int, nullable=False),
        sa.Column("until_ms", Int, nullable=False),
        sa.Column("note", Text, server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _run_somewhere() -> None:
    """A run lives on one of several machines; a scheduler adopts what lives on its own."""
    op.add_column("run", sa.Column("host", Text, nullable=True))
