"""Runs that are offered to other machines, what these say of themselves, and how their runs have ended."""

import sqlalchemy as sa
from alembic import op

from retrofill.store.schema.columns import Int, Text, where

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Extend the ledger."""
    _offer_runs()
    _report_ends()
    _know_hosts()


def _offer_runs() -> None:
    op.add_column("run", sa.Column("executor", Text, nullable=True))
    offered = "ended_ms IS NULL AND host IS NULL AND executor IS NOT NULL"
    op.create_index("run_offered", "run", ["instance_id"], **where(offered))


def _report_ends() -> None:
    op.create_table(
        "reported_end",
        sa.Column("instance_id", Int, nullable=False),
        sa.Column("number", Int, nullable=False),
        sa.Column("token", Text, nullable=False),
        sa.Column("outcome", Text, nullable=False),
        sa.Column("exit_code", Int, nullable=True),
        sa.Column("signal", Int, nullable=True),
        sa.Column("started_ms", Int, nullable=True),
        sa.Column("ended_ms", Int, nullable=False),
        sa.Column("message", Text, nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "number", "token"),
        sqlite_with_rowid=False,
    )


def _know_hosts() -> None:
    op.create_table(
        "host",
        sa.Column("name", Text, nullable=False),
        sa.Column("label", Text, nullable=False),
        sa.Column("executor", Text, nullable=False),
        sa.Column("groups", Text, nullable=False),
        sa.Column("slots", Int, nullable=False),
        sa.Column("version", Text, nullable=False),
        sa.Column("logs_at", Text, nullable=False),
        sa.Column("since_ms", Int, nullable=False),
        sa.Column("draining", Int, server_default="0", nullable=False),
        sa.Column("left_ms", Int, nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
