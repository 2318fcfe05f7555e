"""Whether an operation fits an instance, judged before it is done and, by the same functions, when it is.

Each raises why it does not fit, and answers whether it would change anything. Nothing is written here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from retrofill.domain.errors import UnknownNameError, UsageError, WrongStateError, did_you_mean, shown
from retrofill.domain.running.states import WAITING, Move, Reason, State, check, check_changeable, is_legal
from retrofill.domain.texts import Step, Text
from retrofill.services.instances.as_run import as_run, check_latest
from retrofill.services.ports.interventions import ISOLATION

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from retrofill.domain.catalog.definitions import ResourceGroup
    from retrofill.services.instances.graph import InstanceGraph
    from retrofill.services.instances.graphs import GraphCache
    from retrofill.services.people.access import Access
    from retrofill.services.ports import Reader
    from retrofill.services.ports.records import InstanceRecord


class NotBoundError(UsageError):
    """Choose a resource group that is bound to the workspace; {resource_group.list} shows them."""

    code = "not_bound"


class Case(Protocol):
    """What an operation on instances of one backfill, or of the schedule, is judged by.

    Attributes:
        restored: ids that an earlier part of the same batch has brought back with a sibling (POL-7).
    """

    @property
    def tx(self) -> Reader: ...

    @property
    def context(self) -> InstanceGraph: ...

    @property
    def access(self) -> Access: ...

    @property
    def restored(self) -> Collection[int]: ...

    def state(self, row: InstanceRecord) -> State:
        """The state as people see it (OPS-0)."""
        ...


def describe(row: InstanceRecord, context: InstanceGraph) -> str:
    """An instance as sentences name it."""
    return f"instance {row.id} ({context.task(row.id).name} {row.scheduled_at:%Y-%m-%d %H:%M})"


def judge_move(case: Case, move: Move, row: InstanceRecord) -> None:
    """Refuse a move that does not start from the instance's state (OPS-1..6)."""
    state = case.state(row)
    if not is_legal(move, state):
        check(move, state, describe(row, case.context))


def judge_stop(case: Case, row: InstanceRecord) -> bool:
    """OPS-1."""
    judge_move(case, Move.STOP, row)
    return row.reason != Reason.STOPPING


def is_back(case: Case, row: InstanceRecord) -> bool:
    """Whether a rerun of a sibling has brought it back already, in an earlier part of the batch."""
    return row.id in case.restored and row.state in {State.NOT_RUN, *WAITING}


def judge_rerun(case: Case, row: InstanceRecord, graphs: GraphCache, is_latest: bool) -> int | None:
    """OPS-2; the version that is asked for, None for the one that it has."""
    if not is_back(case, row):
        judge_move(case, Move.RERUN, row)
    mode, version_id = _code_of(case, row, graphs, is_latest)
    if not is_back(case, row) and (mode == "never" or (mode == "on_failure" and row.state != State.FAILED)):
        raise WrongStateError(
            f"{describe(row, case.context)} cannot be rerun: its task says rerun mode {mode}",
            Text("Change `rerun.mode` of the task, deploy, and rerun it with {option.latest}."),
        )
    return version_id


def _code_of(case: Case, row: InstanceRecord, graphs: GraphCache, is_latest: bool) -> tuple[str, int | None]:
    """The rerun mode that holds, and the version that is asked for (OPS-2)."""
    if not is_latest:
        return as_run(row, graphs.of(case.tx, row)).task.rerun.mode, None
    version_id = case.tx.current_version_id()
    assert version_id is not None
    current = graphs.catalog(case.tx, version_id)
    task = check_latest(row, case.context, current, version_id, describe(row, case.context))
    return task.rerun.mode, version_id


def judge_set_successful(case: Case, row: InstanceRecord) -> bool:
    """OPS-5."""
    judge_move(case, Move.SET_SUCCESSFUL, row)
    return True


def judge_freeze(case: Case, row: InstanceRecord) -> bool:
    """OPS-6."""
    if row.state == State.FROZEN:
        return False
    judge_move(case, Move.FREEZE, row)
    return True


def judge_unfreeze(case: Case, row: InstanceRecord) -> bool:
    """OPS-6, OPS-8: what is not frozen stays as it is."""
    return row.state == State.FROZEN


def judge_waits(case: Case, row: InstanceRecord, wanted: frozenset[int] | None) -> frozenset[int]:
    """OPS-7; those of the wanted waits that are there and not removed yet, `ISOLATION` among them.

    Args:
        wanted: ids; None for all that it waits for.
    """
    judge_change(case, row)
    removed = case.tx.interventions.removed_of(row.id)
    known = set(case.context.upstream(row.id))
    if case.context.isolated_from(row.id) or row.reason == Reason.ISOLATED:
        known.add(ISOLATION)
    asked = frozenset(known) if wanted is None else wanted
    if strangers := sorted(asked - known):
        names = ", ".join(f"instance {number}" for number in strangers)
        raise WrongStateError(
            f"{describe(row, case.context)} does not wait for {names}",
            Text("{dag} shows what it waits for.", dag=Step("instance.dag", id=row.id)),
        )
    return asked - removed


def judge_priority(case: Case, row: InstanceRecord, priority: int) -> bool:
    """OPS-7."""
    judge_place(case, row)
    place = case.tx.interventions.find_place(row.id)
    return place is None or place.priority != priority


def judge_group(case: Case, row: InstanceRecord, name: str) -> bool:
    """OPS-7, by what is deployed on this view of the ledger: the group may have gone since it was named."""
    judge_place(case, row)
    deployed = case.access.deployed
    groups = {} if deployed is None else deployed.resource_groups
    check_known(name, groups)
    workspace = case.context.task(row.id).workspace
    if not groups[name].is_bound_to(workspace):
        raise NotBoundError(
            f"{describe(row, case.context)} cannot use resource group {name}, which is not bound to "
            f"workspace {workspace}"
        )
    place = case.tx.interventions.find_place(row.id)
    return place is None or place.resource_group != name


def check_known(name: str, groups: Mapping[str, ResourceGroup]) -> None:
    """Refuse the name of a resource group that is none of these."""
    if name not in groups:
        raise UnknownNameError(
            f'there is no resource group "{shown(name)}"{did_you_mean(name, groups)}',
            Text("{resource_group.list} shows all of them."),
        )


def judge_change(case: Case, row: InstanceRecord) -> State:
    """OPS-7: only what has not run yet is changed; the state that it has."""
    state = case.state(row)
    check_changeable(state, describe(row, case.context))
    return state


def judge_place(case: Case, row: InstanceRecord) -> State:
    """The same, of what takes a place in a queue."""
    state = judge_change(case, row)
    if not row.resource_group:
        raise WrongStateError(
            f"{describe(row, case.context)} passes without a slot ({row.kind}), so it has no place in a queue",
            "Change what it waits for, or what runs after it.",
        )
    return state
