"""The tables of the ledger, as SQLAlchemy Core metadata.

Migrations are compared with this metadata by a test. Instants are integers: milliseconds
since 1970 in UTC (`..._ms`), because they are compared and sorted far more often than
shown. Business dates are ISO text, slots are minutes after midnight.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Table,
    UniqueConstraint,
    text,
)

from retrofill.domain.alerts import AlertState
from retrofill.domain.running.states import State
from retrofill.store.schema import people
from retrofill.store.schema.columns import Int, Text, metadata, one_of, where

__all__ = ["metadata", "people"]  # the tables of people are part of the ledger

_KINDS = ("run", "dry_run", "off_day", "virtual", "frozen")

catalog_version = Table(
    "catalog_version",
    metadata,
    Column("id", Int, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),  # services.catalog_document
    Column("created_ms", Int, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("task_count", Int),
    Column("published_from", Int),  # the older version that this one is anew (CAT-9)
)

content = Table(  # of the files that versions include, each once (CAT-9)
    "content",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

identity = Table(  # whom the store belongs to (RUN-8)
    "identity",
    metadata,
    Column("id", Int, primary_key=True, autoincrement=False),
    Column("word", Text, nullable=False),  # random; tokens of runs begin with it
    Column("device", Text, nullable=False),
    Column("inode", Text, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("project", Text),  # of a store that lies in no folder: the deployment's name
    CheckConstraint("id = 1", name="one_identity"),
)

task = Table(
    "task",
    metadata,
    Column("id", Int, primary_key=True, autoincrement=False),  # survives redeploys (CAT-3)
    Column("name", Text, nullable=False, unique=True),
    Column("deployed", Int, nullable=False),  # 0: not in the current version
    Column("frozen", Int, nullable=False, server_default="0"),  # by a command (AUTO-4)
)

task_time = Table(
    "task_time",
    metadata,
    Column("task_id", Int, ForeignKey("task.id"), primary_key=True),
    Column("recent", Text, nullable=False),  # JSON: the latest successful run times in ms, oldest first
    Column("updated_ms", Int, nullable=False),
)

workspace = Table(
    "workspace",
    metadata,
    Column("id", Int, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
    Column("deployed", Int, nullable=False),
)

backfill = Table(
    "backfill",
    metadata,
    Column("id", Int, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    # checking: extension checks are asked (VER-3), no instances yet
    # creating: rows are being written, invisible · refused: verification said no, no instances
    # planned: instances are made when it starts (SEL-4) · active
    # expired: retention deletes its rows, invisible (RET-1)
    Column("phase", Text, nullable=False),
    Column("check_status", Text, nullable=False),
    Column("version_id", Int, ForeignKey("catalog_version.id"), nullable=False),
    Column("policy", Text, nullable=False),  # JSON
    Column("task_count", Int, nullable=False),
    Column("instance_count", Int, nullable=False),
    # Instances have the ids first_instance_id + date position * stride + place in the template.
    Column("first_instance_id", Int, nullable=False),
    Column("stride", Int, nullable=False),
    Column("paused", Int, nullable=False, server_default="0"),
    Column("stopped", Int, nullable=False, server_default="0"),
    Column("created_by", Text, nullable=False),
    Column("created_ms", Int, nullable=False),
    Column("start_ms", Int),  # planned: the moment at which it starts
    Column("started_ms", Int),
    Column("ended_ms", Int),
    Column("round", Int, nullable=False, server_default="1"),  # one more when it goes on after its end
    # Long texts last, so that a tick that looks at the others does not read past them.
    Column("selection", Text, nullable=False),  # JSON: the request, for reuse
    Column("choice", Text, nullable=False),  # JSON: participating tasks, dry runs
    Column("analysis", Text, nullable=False),  # JSON: counts and findings (VER-1)
    Column("first_estimate", Text),  # JSON: when it was expected to end, before it began (BF-2)
    Column("failures", Int, nullable=False, server_default="0"),  # for good, since the last resume (POL-14)
    Column("paused_by", Text),  # max_failures: by itself; null: by a person, or not paused
    # How long nothing of it could go on before somebody stepped in, and since when that is so now.
    Column("idle_ms", Int, nullable=False, server_default="0"),
    Column("idle_since_ms", Int),
    Column("expected", Text),  # JSON: when it is expected to end now, and from where it stood (BF-2)
    Column("run_count", Int),  # instances that really run (VER-1)
    Column("edition", Int, nullable=False, server_default="0"),  # one more whenever it is set up anew
    CheckConstraint(
        "phase IN ('checking', 'creating', 'refused', 'planned', 'active', 'expired')", name="phase"
    ),
    CheckConstraint("check_status IN ('checking', 'passed', 'failed')", name="check_status"),
    Index("backfill_open", "id", **where("ended_ms IS NULL")),
    Index("backfill_ended", "ended_ms", **where("ended_ms IS NOT NULL")),  # retention
    # A stopped backfill has ended, and yet a tick must know that nothing of it may start.
    Index("backfill_held", "id", **where("paused = 1 OR stopped = 1")),
)

backfill_task = Table(
    "backfill_task",
    metadata,
    Column("backfill_id", Int, ForeignKey("backfill.id"), primary_key=True),
    Column("task_id", Int, ForeignKey("task.id"), primary_key=True),
    sqlite_with_rowid=False,
)

backfill_date = Table(
    "backfill_date",
    metadata,
    Column("backfill_id", Int, ForeignKey("backfill.id"), primary_key=True),
    Column("position", Int, primary_key=True),  # in running order over all groups
    Column("bizdate", Text, nullable=False),
    Column("group_number", Int, nullable=False),
    Column("reached", Int, nullable=False),  # its group has come to it (POL-6)
    # Counters of states, kept in the transaction that changes a state.
    Column("total", Int, nullable=False),
    Column("successful", Int, nullable=False),
    Column("failed", Int, nullable=False),
    Column("running", Int, nullable=False),
    Column("frozen", Int, nullable=False),
    sqlite_with_rowid=False,
)

generation = Table(  # auto triggered instances of a bizdate that were made at once
    "generation",
    metadata,
    Column("id", Int, primary_key=True, autoincrement=False),
    Column("bizdate", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # creating: rows are being written, invisible · releasing: what waits for nothing becomes ready · active
    Column("phase", Text, nullable=False),
    Column("version_id", Int, ForeignKey("catalog_version.id"), nullable=False),
    Column("first_instance_id", Int, nullable=False, unique=True),
    Column("stride", Int, nullable=False),
    Column("made_ms", Int, nullable=False),
    CheckConstraint("kind IN ('night', 'immediate')", name="kind"),
    CheckConstraint("phase IN ('creating', 'releasing', 'active')", name="phase"),
    Index("generation_bizdate", "bizdate"),
    Index("generation_unfinished", "phase", **where("phase <> 'active'")),
)

clock_anchor = (
    Table(  # one row: when the clock was believed last; the columns are those of domain.clocks.Anchor
        "clock_anchor",
        metadata,
        Column("id", Int, primary_key=True, autoincrement=False),
        Column("boot", Text, nullable=False),
        Column("booted", Int, nullable=False),
        Column("wall", Int, nullable=False),
        Column("tolerance", Int, nullable=False),
        Column("shift", Int, nullable=False),
        Column("accepted", Int, nullable=False),
        Column("gap", Int, nullable=False),
    )
)

missed_night = Table(  # nights that came while no scheduler ran, and are not made (AUTO-3)
    "missed_night",
    metadata,
    Column("bizdate", Text, primary_key=True),
    Column("noted_ms", Int, nullable=False),
)

instance = Table(
    "instance",
    metadata,
    Column("id", Int, primary_key=True, autoincrement=False),
    Column("backfill_id", Int),  # null: auto triggered
    Column("task_id", Int, nullable=False),
    Column("bizdate", Text, nullable=False),
    Column("slot", Int, nullable=False),
    Column("due_ms", Int, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("frozen_from", Text),
    Column("priority", Int, nullable=False),
    Column("resource_group", Text, nullable=False),  # empty: passes without a slot (RUN-2)
    Column("open_waits", Int, nullable=False),  # upstream instances not Successful; isolated: one more
    Column("ignores_waits", Int, nullable=False, server_default="0"),  # OPS-3
    Column("start_ms", Int, nullable=False),  # not before: T, POL-2's moment or a rerun's interval
    Column("run_number", Int, nullable=False, server_default="1"),
    Column("reruns", Int, nullable=False, server_default="0"),  # automatic ones, since a person's
    Column("started_ms", Int),
    Column("ended_ms", Int),
    Column("code_version_id", Int),  # whose code it runs; null: of the version it was made from (OPS-2)
    # A server looks for both before it writes a row, which takes longer than the row; and whoever deletes a
    # backfill would wait until it has looked through all instances.
    ForeignKeyConstraint(["backfill_id"], ["backfill.id"]).ddl_if(dialect="sqlite"),
    ForeignKeyConstraint(["task_id"], ["task.id"]).ddl_if(dialect="sqlite"),
    CheckConstraint(one_of("state", State), name="state"),
    CheckConstraint(one_of("kind", _KINDS), name="kind"),
    CheckConstraint("(state = 'frozen') = (frozen_from IS NOT NULL)", name="frozen_from"),
    CheckConstraint("state <> 'running' OR started_ms IS NOT NULL", name="running_has_started"),
    CheckConstraint("open_waits >= 0", name="open_waits"),
    Index(
        "instance_ready",
        "resource_group",
        text("priority DESC"),
        text("(backfill_id IS NOT NULL)"),  # RUN-1: auto triggered before backfill
        "due_ms",
        "id",
        "backfill_id",  # so that what is held or full is passed over without a look at its row
        "task_id",
        **where("state = 'waiting_resources'"),
    ),
    Index("instance_due", "start_ms", **where("state = 'waiting_time'")),
    # What waits in one backfill, however much waits in others.
    Index("instance_ready_of", "backfill_id", **where("state = 'waiting_resources'")),
    Index("instance_due_of", "backfill_id", **where("state = 'waiting_time'")),
    # An auto triggered instance is there once for its task and slot.
    Index("instance_auto", "bizdate", "task_id", "slot", unique=True, **where("backfill_id IS NULL")),
    Index(
        "instance_auto_ready",
        "task_id",
        **where("state = 'waiting_resources' AND backfill_id IS NULL"),
    ),
    # What needs somebody, however much there is besides; how far each night has come.
    Index("instance_failed", "backfill_id", "ended_ms", "id", "reason", **where("state = 'failed'")),
    Index("instance_night", "bizdate", "state", "ended_ms", **where("backfill_id IS NULL")),
    # Which bizdates of a task are there (VER-1).
    Index(
        "instance_done",
        "task_id",
        "bizdate",
        **where("state = 'successful' AND kind = 'run'"),
    ),
)

run = Table(
    "run",
    metadata,
    Column("instance_id", Int, ForeignKey("instance.id"), primary_key=True),
    Column("number", Int, primary_key=True),
    Column("token", Text, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("started_ms", Int, nullable=False),
    Column("ended_ms", Int),
    Column("outcome", Text),  # exited | stopped | timeout | lost
    Column("exit_code", Int),
    Column("message", Text),
    Column("log_removed_ms", Int),  # by retention (RET-1)
    Column("version_id", Int),  # whose code ran; null: of the version its instance was made from
    Column(
        "host", Text
    ),  # where it lives, of the machines that share the store; null: of the one that has it
    Column(
        "executor", Text
    ),  # what has offered it to other machines; null: who scheduled has started it there
    Index("run_open", "instance_id", **where("ended_ms IS NULL")),
    Index(
        "run_offered", "instance_id", **where("ended_ms IS NULL AND host IS NULL AND executor IS NOT NULL")
    ),
    sqlite_with_rowid=False,
)

reported_end = Table(  # how a run on another machine has ended, until who schedules has taken it in
    "reported_end",
    metadata,
    Column("instance_id", Int, primary_key=True),
    Column("number", Int, primary_key=True),
    Column("token", Text, primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("exit_code", Int),
    Column("signal", Int),
    Column("started_ms", Int),
    Column("ended_ms", Int, nullable=False),
    Column("message", Text, nullable=False),
    sqlite_with_rowid=False,
)

host = Table(  # machines that carry out what is offered, as they said of themselves; whether they are there: leases
    "host",
    metadata,
    Column("name", Text, primary_key=True),
    Column("label", Text, nullable=False),
    Column("executor", Text, nullable=False),
    Column("groups", Text, nullable=False),  # JSON: names of resource groups
    Column("slots", Int, nullable=False),
    Column("version", Text, nullable=False),
    Column("logs_at", Text, nullable=False),
    Column("since_ms", Int, nullable=False),
    Column("draining", Int, nullable=False, server_default="0"),  # a person wants that it takes no more
    Column("left_ms", Int),  # when it has left by itself, with nothing running
    Column("token_id", Int),  # with which it asks a server; null: it reaches the store
)

removed_wait = Table(  # what an administrator has told an instance not to wait for (OPS-7)
    "removed_wait",
    metadata,
    Column("instance_id", Int, ForeignKey("instance.id"), primary_key=True),
    Column("upstream_id", Int, primary_key=True),  # 0: its isolation
    Index("removed_wait_upstream", "upstream_id"),
    sqlite_with_rowid=False,
)

fixed_place = Table(  # where an administrator has told an instance to queue, whatever else says (OPS-7)
    "fixed_place",
    metadata,
    Column("instance_id", Int, ForeignKey("instance.id"), primary_key=True),
    Column("priority", Int),
    Column("resource_group", Text),
)

failed_start = Table(  # what could not be started and is tried again; gone once it has started (RUN-3)
    "failed_start",
    metadata,
    Column("instance_id", Int, ForeignKey("instance.id"), primary_key=True),
    Column("tries", Int, nullable=False),
    Column("since_ms", Int, nullable=False),
    Column("tried_ms", Int, nullable=False),
    Column("message", Text, nullable=False),
)

operation = Table(
    "operation",
    metadata,
    Column("id", Int, primary_key=True, autoincrement=False),
    Column("at_ms", Int, nullable=False),
    Column("user", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("backfill_id", Int),
    Column("instance_id", Int),
    Column("from_state", Text),
    Column("to_state", Text),
    Column("comment", Text, nullable=False, server_default=""),
    Column("task_id", Int),
    Index("operation_backfill", "backfill_id", "id"),
    Index("operation_instance", "instance_id", "id"),
    Index("operation_task", "task_id", "id", **where("task_id IS NOT NULL")),
)

alert = Table(
    "alert",
    metadata,
    Column("id", Int, primary_key=True, autoincrement=False),
    Column("backfill_id", Int, ForeignKey("backfill.id", ondelete="CASCADE"), nullable=False),
    Column("round", Int, nullable=False),
    Column("event", Text, nullable=False),  # success | failure
    Column("method", Text, nullable=False),  # email | sms
    Column("instance_id", Int),  # the one that failed first
    Column("queued_ms", Int, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Int, nullable=False, server_default="0"),
    Column("next_ms", Int),  # when it is due, or its claim runs out; null: done with
    Column("done_ms", Int),
    Column("reason", Text),  # why the last try failed, or why there is none
    UniqueConstraint("backfill_id", "round", "event", "method", name="alert_once"),
    CheckConstraint(one_of("state", AlertState), name="alert_state"),
    CheckConstraint("(state IN ('pending', 'sending')) = (next_ms IS NOT NULL)", name="alert_next"),
    Index("alert_due", "next_ms", **where("next_ms IS NOT NULL")),
)

counter = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Int, nullable=False),
)

revision = Table(  # what each write transaction has changed of what is shown; the last ones (services.ports.revisions)
    "revision",
    metadata,
    Column("number", Int, primary_key=True, autoincrement=False),
    Column("backfills", Text, nullable=False),  # ids, with commas between them
    Column("whole", Text, nullable=False),
    Column("instances", Text, nullable=False),
    Column("rights", Int, nullable=False),
)

lease = Table(  # what only one may do at a time, on a store that several machines share
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),  # random, of one process
    Column("number", Int, nullable=False),  # one more with every new holder
    Column("until_ms", Int, nullable=False),  # by the clock of the database
    Column("note", Text, nullable=False, server_default=""),
)

errand = Table(  # what somebody has asked for and does not wait for
    "errand",
    metadata,
    Column("id", Text, primary_key=True),  # random
    Column("kind", Text, nullable=False),
    Column("user_name", Text, nullable=False),
    Column("request", Text, nullable=False),  # JSON
    Column("created_ms", Int, nullable=False),
    Column("backfill_id", Int),  # that it has made
    Column("ended_ms", Int),
    Column("failure", Text),  # why it did not come off
    CheckConstraint("kind IN ('create', 'rerun')", name="errand_kind"),
    Index("errand_unended", "created_ms", **where("ended_ms IS NULL")),
)

request_key = Table(  # by which a request is known again
    "request_key",
    metadata,
    Column("user_name", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("request", Text, nullable=False),  # a hash of it
    Column("backfill_id", Int, nullable=False),  # that it has made
    Column("created_ms", Int, nullable=False),
    Index("request_key_created", "created_ms"),
)
