"""What keeps data right: versions hold the files that tasks include."""

import sqlalchemy as sa
from alembic import op

from retrofill.store.schema.columns import Int, Text, where

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Extend the ledger."""
    _hold_included_files()
    _belong_to_a_folder()
    _note_missed_nights()
    _note_the_clock()
    _note_failures_and_idle_time()
    _note_failed_starts()
    _rerun_with_newer_code()
    _keep_expected_ends()
    _know_what_ran()


def _hold_included_files() -> None:
    """Files of versions by their hash, and what a list of versions shows (CAT-9)."""
    op.create_table(
        "content",
        sa.Column("sha256", Text, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.add_column("catalog_version", sa.Column("task_count", Int, nullable=True))
    op.add_column("catalog_version", sa.Column("published_from", Int, nullable=True))
    if op.get_bind().dialect.name == "sqlite":  # older stores of another kind there are none
        op.execute(
            "UPDATE catalog_version SET task_count = (SELECT count(*) FROM json_each(document, '$.tasks')) "
            "WHERE json_valid(document)"
        )


def _note_the_clock() -> None:
    """When the clock was believed last (TIME-8)."""
    op.create_table(
        "clock_anchor",
        sa.Column("id", Int, nullable=False, autoincrement=False),
        sa.Column("boot", Text, nullable=False),
        sa.Column("booted", Int, nullable=False),
        sa.Column("wall", Int, nullable=False),
        sa.Column("tolerance", Int, nullable=False),
        sa.Column("shift", Int, nullable=False),
        sa.Column("accepted", Int, nullable=False),
        sa.Column("gap", Int, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _belong_to_a_folder() -> None:
    """A store knows its folder, so that a copy can be told from it (RUN-8)."""
    op.create_table(
        "identity",
        sa.Column("id", Int, nullable=False, autoincrement=False),
        sa.Column("word", Text, nullable=False),
        sa.Column("device", Text, nullable=False),
        sa.Column("inode", Text, nullable=False),
        sa.Column("boot_id", Text, nullable=False),
        sa.CheckConstraint("id = 1", name="one_identity"),
        sa.PrimaryKeyConstraint("id"),
    )


def _note_missed_nights() -> None:
    """Nights that came while no scheduler ran, and are not made (AUTO-3)."""
    op.create_table(
        "missed_night",
        sa.Column("bizdate", Text, nullable=False),
        sa.Column("noted_ms", Int, nullable=False),
        sa.PrimaryKeyConstraint("bizdate"),
    )


def _note_failures_and_idle_time() -> None:
    """When a backfill pauses by itself (POL-14), and how long nothing of it could go on (BF-2)."""
    op.add_column("backfill", sa.Column("failures", Int, nullable=False, server_default="0"))
    op.add_column("backfill", sa.Column("paused_by", Text, nullable=True))
    op.add_column("backfill", sa.Column("idle_ms", Int, nullable=False, server_default="0"))
    op.add_column("backfill", sa.Column("idle_since_ms", Int, nullable=True))


def _rerun_with_newer_code() -> None:
    """Whose code an instance runs, and a run ran, where it is not that of the version it was made from (OPS-2)."""
    op.add_column("instance", sa.Column("code_version_id", Int, nullable=True))
    op.add_column("run", sa.Column("version_id", Int, nullable=True))


def _keep_expected_ends() -> None:
    """When a backfill is expected to end, so that a list need not estimate it (BF-2)."""
    op.add_column("backfill", sa.Column("expected", Text, nullable=True))


def _know_what_ran() -> None:
    """How many instances of a backfill really run, and which bizdates of a task are there (VER-1)."""
    op.add_column("backfill", sa.Column("run_count", Int, nullable=True))
    op.create_index(
        "instance_done",
        "instance",
        ["task_id", "bizdate"],
        **where("state = 'successful' AND kind = 'run'"),
    )


def _note_failed_starts() -> None:
    """What could not be started, and is tried again (RUN-3)."""
    op.create_table(
        "failed_start",
        sa.Column("instance_id", Int, nullable=False),
        sa.Column("tries", Int, nullable=False),
        sa.Column("since_ms", Int, nullable=False),
        sa.Column("tried_ms", Int, nullable=False),
        sa.Column("message", Text, nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"]),
        sa.PrimaryKeyConstraint("instance_id"),
    )
