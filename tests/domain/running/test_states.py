"""The state table: which moves are legal, and what a refused one says."""

import pytest

from retrofill.domain.errors import Kind, WrongStateError
from retrofill.domain.running.states import MOVES, Move, State, check, is_legal

OPERATIONS = {
    Move.STOP: {State.RUNNING},
    Move.RERUN: {State.SUCCESSFUL, State.FAILED},
    Move.SET_SUCCESSFUL: {State.FAILED},
    Move.FREEZE: {State.NOT_RUN, State.SUCCESSFUL, State.FAILED},
    Move.UNFREEZE: {State.FROZEN},
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("move", OPERATIONS)
def test_operations_are_legal_only_where_the_rules_say(move: Move, state: State) -> None:
    """OPS-1, OPS-2, OPS-5, OPS-6: every operation on every state."""
    assert is_legal(move, state) == (state in OPERATIONS[move])


@pytest.mark.parametrize("state", State)
def test_a_refused_operation_names_the_state_and_those_that_fit(state: State) -> None:
    """OPS-1: not-run, successful and failed instances cannot be stopped: clear error."""
    if state is State.RUNNING:
        check(Move.STOP, state, "instance 7")
        return
    with pytest.raises(WrongStateError) as refused:
        check(Move.STOP, state, "instance 7")
    assert refused.value.message == f"instance 7 is {state.words}; only Running instances can be stopped"
    assert refused.value.kind is Kind.WRONG_STATE


def test_only_a_start_leads_to_running_and_only_an_end_leaves_it() -> None:
    """OPS-0: Running from the commit that starts it until its exit is known."""
    into = {move for move, rule in MOVES.items() if State.RUNNING in rule.targets}
    out = {move for move, rule in MOVES.items() if State.RUNNING in rule.sources}
    assert into == {Move.START}
    assert out == {Move.SUCCEED, Move.FAIL, Move.RERUN_BY_ITSELF, Move.START_ANEW, Move.MAKE_WAY, Move.STOP}


def test_every_state_can_be_left() -> None:
    """OPS-2, OPS-6: no state is a dead end for a person."""
    for state in State:
        assert any(state in rule.sources for rule in MOVES.values()), state


def test_frozen_is_left_only_by_unfreezing() -> None:
    """OPS-6: frozen blocks until somebody unfreezes it."""
    assert [move for move, rule in MOVES.items() if State.FROZEN in rule.sources] == [Move.UNFREEZE]
