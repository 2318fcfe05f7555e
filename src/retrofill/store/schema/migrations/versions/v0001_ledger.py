"""The ledger's first schema."""

import sqlalchemy as sa
from alembic import op

from retrofill.store.schema.columns import Int, Text, where

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table of the ledger."""
    op.create_table(
        "catalog_version",
        sa.Column("id", Int, nullable=False, autoincrement=False),
        sa.Column("document", Text, nullable=False),
        sa.Column("created_ms", Int, nullable=False),
        sa.Column("created_by", Text, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "counter",
        sa.Column("name", Text, nullable=False),
        sa.Column("value", Int, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "operation",
        sa.Column("id", Int, nullable=False, autoincrement=False),
        sa.Column("at_ms", Int, nullable=False),
        sa.Column("user", Text, nullable=False),
        sa.Column("action", Text, nullable=False),
        sa.Column("backfill_id", Int, nullable=True),
        sa.Column("instance_id", Int, nullable=True),
        sa.Column("from_state", Text, nullable=True),
        sa.Column("to_state", Text, nullable=True),
        sa.Column("comment", Text, server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("operation_backfill", "operation", ["backfill_id", "id"], unique=False)
    op.create_index("operation_instance", "operation", ["instance_id", "id"], unique=False)
    op.create_table(
        "task",
        sa.Column("id", Int, nullable=False, autoincrement=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("deployed", Int, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "workspace",
        sa.Column("id", Int, nullable=False, autoincrement=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("deployed", Int, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "backfill",
        sa.Column("id", Int, nullable=False, autoincrement=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("phase", Text, nullable=False),
        sa.Column("check_status", Text, nullable=False),
        sa.Column("version_id", Int, nullable=False),
        sa.Column("policy", Text, nullable=False),
        sa.Column("task_count", Int, nullable=False),
        sa.Column("instance_count", Int, nullable=False),
        sa.Column("first_instance_id", Int, nullable=False),
        sa.Column("stride", Int, nullable=False),
        sa.Column("paused", Int, server_default="0", nullable=False),
        sa.Column("stopped", Int, server_default="0", nullable=False),
        sa.Column("created_by", Text, nullable=False),
        sa.Column("created_ms", Int, nullable=False),
        sa.Column("start_ms", Int, nullable=True),
        sa.Column("started_ms", Int, nullable=True),
        sa.Column("ended_ms", Int, nullable=True),
        sa.Column("selection", Text, nullable=False),
        sa.Column("choice", Text, nullable=False),
        sa.Column("analysis", Text, nullable=False),
        sa.CheckConstraint("check_status IN ('checking', 'passed', 'failed')", name="check_status"),
        sa.CheckConstraint("phase IN ('creating', 'refused', 'planned', 'active')", name="phase"),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["catalog_version.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "backfill_held",
        "backfill",
        ["id"],
        unique=False,
        **where("paused = 1 OR stopped = 1"),
    )
    op.create_index("backfill_open", "backfill", ["id"], unique=False, **where("ended_ms IS NULL"))
    op.create_table(
        "backfill_date",
        sa.Column("backfill_id", Int, nullable=False),
        sa.Column("position", Int, nullable=False),
        sa.Column("bizdate", Text, nullable=False),
        sa.Column("group_number", Int, nullable=False),
        sa.Column("reached", Int, nullable=False),
        sa.Column("total", Int, nullable=False),
        sa.Column("successful", Int, nullable=False),
        sa.Column("failed", Int, nullable=False),
        sa.Column("running", Int, nullable=False),
        sa.Column("frozen", Int, nullable=False),
        sa.ForeignKeyConstraint(
            ["backfill_id"],
            ["backfill.id"],
        ),
        sa.PrimaryKeyConstraint("backfill_id", "position"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "backfill_task",
        sa.Column("backfill_id", Int, nullable=False),
        sa.Column("task_id", Int, nullable=False),
        sa.ForeignKeyConstraint(
            ["backfill_id"],
            ["backfill.id"],
        ),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["task.id"],
        ),
        sa.PrimaryKeyConstraint("backfill_id", "task_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "instance",
        sa.Column("id", Int, nullable=False, autoincrement=False),
        sa.Column("backfill_id", Int, nullable=True),
        sa.Column("task_id", Int, nullable=False),
        sa.Column("bizdate", Text, nullable=False),
        sa.Column("slot", Int, nullable=False),
        sa.Column("due_ms", Int, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("reason", Text, nullable=True),
        sa.Column("frozen_from", Text, nullable=True),
        sa.Column("priority", Int, nullable=False),
        sa.Column("resource_group", Text, nullable=False),
        sa.Column("open_waits", Int, nullable=False),
        sa.Column("ignores_waits", Int, server_default="0", nullable=False),
        sa.Column("start_ms", Int, nullable=False),
        sa.Column("run_number", Int, server_default="1", nullable=False),
        sa.Column("reruns", Int, server_default="0", nullable=False),
        sa.Column("started_ms", Int, nullable=True),
        sa.Column("ended_ms", Int, nullable=True),
        sa.CheckConstraint("(state = 'frozen') = (frozen_from IS NOT NULL)", name="frozen_from"),
        sa.CheckConstraint(
            "kind = 'run' OR kind = 'dry_run' OR kind = 'off_day' OR kind = 'virtual' OR kind = 'frozen'",
            name="kind",
        ),
        sa.CheckConstraint("state <> 'running' OR started_ms IS NOT NULL", name="running_has_started"),
        sa.CheckConstraint(
            "state = 'not_run' OR state = 'waiting_time' OR state = 'waiting_resources' OR state = 'running' OR state = 'successful' OR state = 'failed' OR state = 'frozen'",
            name="state",
        ),
        sa.CheckConstraint("open_waits >= 0", name="open_waits"),
        sa.ForeignKeyConstraint(
            ["backfill_id"],
            ["backfill.id"],
        ),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["task.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("instance_due", "instance", ["start_ms"], unique=False, **where("state = 'waiting_time'"))
    op.create_index(
        "instance_ready",
        "instance",
        ["resource_group", sa.text("priority DESC"), "due_ms", "id", "backfill_id", "task_id"],
        unique=False,
        **where("state = 'waiting_resources'"),
    )
    op.create_table(
        "run",
        sa.Column("instance_id", Int, nullable=False),
        sa.Column("number", Int, nullable=False),
        sa.Column("token", Text, nullable=False),
        sa.Column("boot_id", Text, nullable=False),
        sa.Column("started_ms", Int, nullable=False),
        sa.Column("ended_ms", Int, nullable=True),
        sa.Column("outcome", Text, nullable=True),
        sa.Column("exit_code", Int, nullable=True),
        sa.Column("message", Text, nullable=True),
        sa.ForeignKeyConstraint(
            ["instance_id"],
            ["instance.id"],
        ),
        sa.PrimaryKeyConstraint("instance_id", "number"),
        sqlite_with_rowid=False,
    )
    op.create_index("run_open", "run", ["instance_id"], unique=False, **where("ended_ms IS NULL"))
