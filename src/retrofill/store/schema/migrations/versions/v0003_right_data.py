"""What keeps data right: versions hold the files that tasks include."""

import sqlalchemy as sa
from alembic import op

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
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.add_column("catalog_version", sa.Column("task_count", sa.Integer(), nullable=True))
    op.add_column("catalog_version", sa.Column("published_from", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE catalog_version SET task_count = (SELECT count(*) FROM json_each(document, '$.tasks')) "
        "WHERE json_valid(document)"
    )


def _note_the_clock() -> None:
    """When the clock was believed last (TIME-8)."""
    op.create_table(
        "clock_anchor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("booted", sa.Integer(), nullable=False),
        sa.Column("wall", sa.Integer(), nullable=False),
        sa.Column("tolerance", sa.Integer(), nullable=False),
        sa.Column("shift", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("gap", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _belong_to_a_folder() -> None:
    """A store knows its folder, so that a copy can be told from it (RUN-8)."""
    op.create_table(
        "identity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("inode", sa.Text(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name="one_identity"),
        sa.PrimaryKeyConstraint("id"),
    )


def _note_missed_nights() -> None:
    """Nights that came while no scheduler ran, and are not made (AUTO-3)."""
    op.create_table(
        "missed_night",
        sa.Column("bizdate", sa.Text(), nullable=False),
        sa.Column("noted_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("bizdate"),
    )


def _note_failures_and_idle_time() -> None:
    """When a backfill pauses by itself (POL-14), and how long nothing of it could go on (BF-2)."""
    op.add_column("backfill", sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("backfill", sa.Column("paused_by", sa.Text(), nullable=True))
    op.add_column("backfill", sa.Column("idle_ms", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("backfill", sa.Column("idle_since_ms", sa.Integer(), nullable=True))


def _rerun_with_newer_code() -> None:
    """Whose code an instance runs, and a run ran, where it is not that of the version it was made from (OPS-2)."""
    op.add_column("instance", sa.Column("code_version_id", sa.Integer(), nullable=True))
    op.add_column("run", sa.Column("version_id", sa.Integer(), nullable=True))


def _keep_expected_ends() -> None:
    """When a backfill is expected to end, so that a list need not estimate it (BF-2)."""
    op.add_column("backfill", sa.Column("expected", sa.Text(), nullable=True))


def _know_what_ran() -> None:
    """How many instances of a backfill really run, and which bizdates of a task are there (VER-1)."""
    op.add_column("backfill", sa.Column("run_count", sa.Integer(), nullable=True))
    op.create_index(
        "instance_done",
        "instance",
        ["task_id", "bizdate"],
        sqlite_where=sa.text("state = 'successful' AND kind = 'run'"),
    )


def _note_failed_starts() -> None:
    """What could not be started, and is tried again (RUN-3)."""
    op.create_table(
        "failed_start",
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("since_ms", sa.Integer(), nullable=False),
        sa.Column("tried_ms", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"]),
        sa.PrimaryKeyConstraint("instance_id"),
    )
