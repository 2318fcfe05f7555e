"""The ledger's first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table of the ledger."""
    op.create_table(
        "catalog_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "operation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.Integer(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("backfill_id", sa.Integer(), nullable=True),
        sa.Column("instance_id", sa.Integer(), nullable=True),
        sa.Column("from_state", sa.Text(), nullable=True),
        sa.Column("to_state", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("operation_backfill", "operation", ["backfill_id", "id"], unique=False)
    op.create_index("operation_instance", "operation", ["instance_id", "id"], unique=False)
    op.create_table(
        "task",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("deployed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "workspace",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("deployed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "backfill",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("check_status", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("task_count", sa.Integer(), nullable=False),
        sa.Column("instance_count", sa.Integer(), nullable=False),
        sa.Column("first_instance_id", sa.Integer(), nullable=False),
        sa.Column("stride", sa.Integer(), nullable=False),
        sa.Column("paused", sa.Integer(), server_default="0", nullable=False),
        sa.Column("stopped", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.Integer(), nullable=False),
        sa.Column("start_ms", sa.Integer(), nullable=True),
        sa.Column("started_ms", sa.Integer(), nullable=True),
        sa.Column("ended_ms", sa.Integer(), nullable=True),
        sa.Column("selection", sa.Text(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("analysis", sa.Text(), nullable=False),
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
        sqlite_where=sa.text("paused = 1 OR stopped = 1"),
    )
    op.create_index(
        "backfill_open", "backfill", ["id"], unique=False, sqlite_where=sa.text("ended_ms IS NULL")
    )
    op.create_table(
        "backfill_date",
        sa.Column("backfill_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("bizdate", sa.Text(), nullable=False),
        sa.Column("group_number", sa.Integer(), nullable=False),
        sa.Column("reached", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("successful", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("running", sa.Integer(), nullable=False),
        sa.Column("frozen", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["backfill_id"],
            ["backfill.id"],
        ),
        sa.PrimaryKeyConstraint("backfill_id", "position"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "backfill_task",
        sa.Column("backfill_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
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
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("backfill_id", sa.Integer(), nullable=True),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("bizdate", sa.Text(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("due_ms", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("frozen_from", sa.Text(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("resource_group", sa.Text(), nullable=False),
        sa.Column("open_waits", sa.Integer(), nullable=False),
        sa.Column("ignores_waits", sa.Integer(), server_default="0", nullable=False),
        sa.Column("start_ms", sa.Integer(), nullable=False),
        sa.Column("run_number", sa.Integer(), server_default="1", nullable=False),
        sa.Column("reruns", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started_ms", sa.Integer(), nullable=True),
        sa.Column("ended_ms", sa.Integer(), nullable=True),
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
    op.create_index(
        "instance_due", "instance", ["start_ms"], unique=False, sqlite_where=sa.text("state = 'waiting_time'")
    )
    op.create_index(
        "instance_ready",
        "instance",
        ["resource_group", sa.text("priority DESC"), "due_ms", "id", "backfill_id", "task_id"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting_resources'"),
    )
    op.create_table(
        "run",
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("started_ms", sa.Integer(), nullable=False),
        sa.Column("ended_ms", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["instance_id"],
            ["instance.id"],
        ),
        sa.PrimaryKeyConstraint("instance_id", "number"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "run_open", "run", ["instance_id"], unique=False, sqlite_where=sa.text("ended_ms IS NULL")
    )
