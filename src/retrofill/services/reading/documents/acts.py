"""What became of what somebody did."""

from __future__ import annotations

from typing import TypedDict

from retrofill.domain.texts import Step, Text
from retrofill.services.reading.documents.backfills import Finding
from retrofill.services.reading.documents.tasks import VersionChanges


class ItemRow(TypedDict):
    """What became of one instance of a batch (OPS-8); one refusal hinders no other."""

    id: int
    ok: bool
    state: str | None  #: as it is now; null where there is none that the asker may see
    unchanged: bool  #: whether it was so before
    note: Text  #: what to know of one that was done; often empty
    error: Text | None  #: why it was refused
    code: str | None  #: of the error
    kind: str | None  #: which sort of refusal it is
    hint: Text | None  #: what to do about it
    steps: list[Step]  #: what the hint speaks of


class TaskItemRow(TypedDict):
    """What became of one task (AUTO-4); one refusal hinders no other."""

    task: str
    ok: bool
    frozen: bool  #: whether what is made of it from now on is frozen
    unchanged: bool  #: whether it was so before
    error: Text | None  #: why it was refused
    code: str | None  #: of the error
    kind: str | None  #: which sort of refusal it is
    hint: Text | None  #: what to do about it
    steps: list[Step]  #: what the hint speaks of


class StopReport(TypedDict):
    """The runs that the stop of a backfill ends (OPS-1)."""

    items: list[ItemRow]
    whole: bool  #: false where something goes on that the asker may not operate (SEC-4)


class SteerReport(TypedDict):
    """A backfill that was paused or resumed (BF-3)."""

    id: int
    unchanged: bool  #: whether it was so before


class ActEffects(TypedDict):
    """What would come of an act on all of a backfill, as it stands at the moment of asking (BF-3)."""

    id: int
    act: str  #: `pause`, `resume`, `stop`, `rerun`, `freeze` or `unfreeze`
    tag: str  #: how the backfill is set up, for `If-Match`
    refusal: Text | None  #: why it would be refused; then nothing would change
    hint: Text | None  #: what to do about that
    unchanged: bool  #: whether it is so already
    whole: bool  #: false where something goes on that the asker may not operate (SEC-4)
    acts_on: int  #: instances that it ends, runs again, freezes or unfreezes
    left_alone: int  #: instances of that state that it would be refused for
    because: Text | None  #: why, of the first of these
    running: int  #: instances that run, and go on to their end
    not_started: int  #: instances that do not start until it is resumed
    going_on: int  #: instances that can go on by themselves because of it
    held_up: int  #: instances that wait afterwards for what failed, is frozen or isolated
    successful: int  #: instances that stay Successful
    failed: int  #: instances that stay Failed


class DifferenceRow(TypedDict):
    """One thing that has changed, in words."""

    what: str
    before: str
    after: str


class ChangePreview(TypedDict):
    """What would come of a change of a backfill, as it stands at the moment of asking (BF-3)."""

    id: int
    tag: str  #: how the backfill is set up, for `If-Match`
    refusal: Text | None  #: why it would be refused; then nothing would change
    hint: Text | None  #: what to do about that
    changed: list[DifferenceRow]  #: nothing where all of it holds already
    notes: list[str]  #: what is to be known besides
    end_at: str | None  #: when what can go on will have run; null where that is unknown, or it is held
    new_end_at: str | None  #: the same, changed
    begin_at_once: list[str]  #: bizdates that groups would come to
    going_on: int  #: instances that wait for something failed, and would not any more
    held_up: int  #: instances that would still wait for something failed, frozen or isolated
    ready: int  #: instances that only lack a slot
    moved: int  #: of these, those that would queue elsewhere
    opens_at: str | None  #: when the window opens next; null where nothing keeps them from starting
    pauses: bool  #: whether it would pause by itself, because as many have failed as it bears


class ChangeDocument(TypedDict):
    """What a change of a backfill has changed (BF-3)."""

    id: int
    changed: list[DifferenceRow]  #: nothing where all of it held already
    notes: list[str]  #: what is to be known besides


class DeployedVersion(TypedDict):
    """What is deployed after a deploy."""

    version: int
    new: bool  #: false where nothing had changed
    notes: list[str]  #: instances that were made at once, and what changes in the first night


class RedeployedVersion(DeployedVersion):
    """What is deployed after an older version was published anew."""

    changes: VersionChanges  #: for the nightly schedule


class ScheduleState(TypedDict):
    """The schedule after a pause or a resume."""

    held: bool  #: whether nothing of it is made or started
    unchanged: bool  #: whether that was so before


class ClockState(TypedDict):
    """The clock after somebody has said that it is right (TIME-8)."""

    now: str
    unchanged: bool  #: whether nobody had doubted it


class TestMessage(TypedDict):
    """A test message by one method (POL-9)."""

    method: str  #: `email` or `sms`
    address: str
    ok: bool
    error: Text | str | None


class AlertObstacle(TypedDict):
    """Why an alert could not be sent as things are."""

    method: str  #: `email` or `sms`
    reason: Text


class CheckRound(TypedDict):
    """What extension checks say to a plan (VER-3)."""

    passed: bool
    findings: list[Finding]


class RetentionReport(TypedDict):
    """What went by age and size, or would go (RET-1, RET-2)."""

    dry_run: bool
    backfills: int
    instances: int
    runs: int
    operations: int  #: lines of the record
    logs: int
    log_bytes: int
    unknown_files: int  #: of runs that nobody knows
    unknown_bytes: int
    journals: int
    drafts: int  #: of forms
    code_folders: int  #: of files that versions include, which no run needs
    cut_logs: int
    cut_bytes: int  #: that were cut out of logs


class BackupDocument(TypedDict):
    """A backup that was taken."""

    file: str
    bytes: int
    made_at: str
    schema: str  #: revision of the store
    logs: int


MigratedDocument = TypedDict("MigratedDocument", {"from": str | None, "to": str})
MigratedDocument.__doc__ = "A store whose schema is that of the program; `from` is null where there was none."


class CopiedTableDocument(TypedDict):
    """A table of which both stores hold the same."""

    table: str
    rows: int
    checksum: str  #: of all rows in the order of their keys


class CopiedDocument(TypedDict):
    """A store that was copied into another database."""

    to: str
    rows: int
    tables: list[CopiedTableDocument]


class RestoredDocument(TypedDict):
    """A store that was made anew from a backup; nothing of it goes on by itself."""

    made_at: str  #: when the backup was taken
    project: str
    schedule_is_held: bool
    paused: list[int]  #: backfills
    lost: list[int]  #: instances that ran when the backup was made
    run_again: list[int]  #: of these, what runs anew once it is resumed (`rerun: {on_lost: true}`)
    logs: int
    replaced: str | None  #: where the store is now that was there
