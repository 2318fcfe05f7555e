"""Users and tokens, alerts, checks before a backfill runs, and auto triggered instances in the queue."""

import sqlalchemy as sa
from alembic import op

from retrofill.store.schema.columns import Int, Text, where

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Extend the ledger."""
    with op.batch_alter_table("backfill") as backfill:
        backfill.add_column(sa.Column("first_estimate", Text))
        backfill.drop_constraint("phase", type_="check")
        backfill.create_check_constraint(
            "phase", "phase IN ('checking', 'creating', 'refused', 'planned', 'active', 'expired')"
        )
        backfill.add_column(sa.Column("round", Int, server_default="1", nullable=False))
    _add_alerts()
    _add_people()
    _add_run_times()
    _add_auto_triggered_instances()
    _add_emergencies()
    _index_what_waits()


def _add_alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("id", Int, nullable=False, autoincrement=False),
        sa.Column("backfill_id", Int, nullable=False),
        sa.Column("round", Int, nullable=False),
        sa.Column("event", Text, nullable=False),
        sa.Column("method", Text, nullable=False),
        sa.Column("instance_id", Int, nullable=True),
        sa.Column("queued_ms", Int, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("tries", Int, server_default="0", nullable=False),
        sa.Column("next_ms", Int, nullable=True),
        sa.Column("done_ms", Int, nullable=True),
        sa.Column("reason", Text, nullable=True),
        sa.CheckConstraint(
            "state = 'pending' OR state = 'sending' OR state = 'sent' OR state = 'undeliverable' OR state = 'given_up'",
            name="alert_state",
        ),
        sa.CheckConstraint("(state IN ('pending', 'sending')) = (next_ms IS NOT NULL)", name="alert_next"),
        sa.ForeignKeyConstraint(["backfill_id"], ["backfill.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("backfill_id", "round", "event", "method", name="alert_once"),
    )
    op.create_index("alert_due", "alert", ["next_ms"], **where("next_ms IS NOT NULL"))


def _add_people() -> None:
    op.create_table(
        "user",
        sa.Column("id", Int, nullable=False, autoincrement=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("email", Text, server_default="", nullable=False),
        sa.Column("phone", Text, server_default="", nullable=False),
        sa.Column("is_administrator", Int, server_default="0", nullable=False),
        sa.Column("created_ms", Int, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "token",
        sa.Column("id", Int, nullable=False, autoincrement=False),
        sa.Column("user_name", Text, nullable=False),
        sa.Column("label", Text, server_default="", nullable=False),
        sa.Column("secret_hash", Text, nullable=False),
        sa.Column("created_ms", Int, nullable=False),
        sa.Column("revoked_ms", Int, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_hash"),
    )


def _add_auto_triggered_instances() -> None:
    op.add_column("task", sa.Column("frozen", Int, server_default="0", nullable=False))
    op.add_column("operation", sa.Column("task_id", Int, nullable=True))
    op.create_table(
        "generation",
        sa.Column("id", Int, nullable=False, autoincrement=False),
        sa.Column("bizdate", Text, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("phase", Text, nullable=False),
        sa.Column("version_id", Int, nullable=False),
        sa.Column("first_instance_id", Int, nullable=False),
        sa.Column("stride", Int, nullable=False),
        sa.Column("made_ms", Int, nullable=False),
        sa.CheckConstraint("kind IN ('night', 'immediate')", name="kind"),
        sa.CheckConstraint("phase IN ('creating', 'releasing', 'active')", name="phase"),
        sa.ForeignKeyConstraint(["version_id"], ["catalog_version.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("first_instance_id"),
    )
    op.create_index("generation_bizdate", "generation", ["bizdate"])
    op.create_index("generation_unfinished", "generation", ["phase"], **where("phase <> 'active'"))
    op.drop_index("instance_ready", "instance")
    op.create_index(
        "instance_ready",
        "instance",
        [
            "resource_group",
            sa.text("priority DESC"),
            sa.text("(backfill_id IS NOT NULL)"),
            "due_ms",
            "id",
            "backfill_id",
            "task_id",
        ],
        **where("state = 'waiting_resources'"),
    )
    op.create_index(
        "instance_auto",
        "instance",
        ["bizdate", "task_id", "slot"],
        unique=True,
        **where("backfill_id IS NULL"),
    )
    op.create_index(
        "instance_auto_ready",
        "instance",
        ["task_id"],
        **where("state = 'waiting_resources' AND backfill_id IS NULL"),
    )


def _add_run_times() -> None:
    op.create_table(
        "task_time",
        sa.Column("task_id", Int, sa.ForeignKey("task.id"), primary_key=True),
        sa.Column("recent", Text, nullable=False),
        sa.Column("updated_ms", Int, nullable=False),
    )
    _retention()


def _retention() -> None:
    """What is let go of by age (RET-1, RET-2)."""
    op.add_column("run", sa.Column("log_removed_ms", Int, nullable=True))
    op.create_index("backfill_ended", "backfill", ["ended_ms"], **where("ended_ms IS NOT NULL"))


def _add_emergencies() -> None:
    """What administrators have changed for single instances (OPS-7), and the record per task (OPS-8)."""
    op.create_table(
        "removed_wait",
        sa.Column("instance_id", Int, sa.ForeignKey("instance.id"), primary_key=True),
        sa.Column("upstream_id", Int, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("removed_wait_upstream", "removed_wait", ["upstream_id"])
    op.create_table(
        "fixed_place",
        sa.Column("instance_id", Int, sa.ForeignKey("instance.id"), primary_key=True),
        sa.Column("priority", Int, nullable=True),
        sa.Column("resource_group", Text, nullable=True),
    )
    op.create_index("operation_task", "operation", ["task_id", "id"], **where("task_id IS NOT NULL"))


def _index_what_waits() -> None:
    """By backfill: whether anything waits in it decides its status (BF-5)."""
    for name, state in (("instance_ready_of", "waiting_resources"), ("instance_due_of", "waiting_time")):
        op.create_index(name, "instance", ["backfill_id"], **where(f"state = '{state}'"))
