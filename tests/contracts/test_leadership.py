"""What every leadership must do: one leads, and everybody can ask who."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection

from e2e.sandboxes import until
from retrofill.services.ports import Leader, Leadership

Candidate = Callable[[], Leadership]


def test_one_leads_and_others_stand_by(candidate: Candidate) -> None:
    """RUN-1: who leads is named; once it has resigned another one may."""
    one, other = candidate(), candidate()
    assert other.leader() is None
    assert one.lead()
    assert not other.lead(auto=True)
    found = other.leader()
    assert found is not None
    assert (found.host, found.pid, found.starts_auto) == (os.uname().nodename, os.getpid(), False)
    assert found.since_ms
    other.resign()
    assert other.leader() == found, "who does not lead ends no term"
    one.resign()
    assert other.leader() is None
    assert other.lead(auto=True)
    again = one.leader()
    assert again is not None
    assert again.starts_auto
    other.resign()


def test_a_term_goes_on_while_it_is_renewed(candidate: Candidate) -> None:
    one = candidate()
    assert one.lost(), "who never led does not lead"
    assert one.lead()
    one.renew()
    assert one.lost() is None
    one.resign()
    assert one.lost()


def test_what_a_leader_starts() -> None:
    """AUTO-1: a command that only waits for a backfill starts no auto triggered instances."""
    assert Leader("host", 1, None, starts_auto=False).starts(auto=False)
    assert not Leader("host", 1, None, starts_auto=False).starts(auto=True)
    assert Leader("host", 1, None, starts_auto=True).starts(auto=True)


def _lead(candidate: Candidate, said: Connection) -> None:
    said.send(candidate().lead())
    signal.pause()


def test_a_leader_that_is_killed_leads_no_more(candidate: Candidate) -> None:
    """RUN-1: nothing is left that somebody would have to clear away."""
    hears, says = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_lead, args=(candidate, says))
    process.start()
    says.close()  # so that nobody waits for one that has died
    assert hears.recv()
    other = candidate()
    assert not other.lead()
    process.kill()
    process.join()
    assert other.leader() is None
    assert other.lead()
    other.resign()


def test_who_only_waits_for_a_backfill_gives_way(candidate: Candidate) -> None:
    """AUTO-1: on a store that several machines share, to who starts auto triggered instances, too."""
    waits, other = candidate(), candidate()
    assert waits.lead()
    other.wish()
    if waits.renew() is None:
        assert waits.lost() is None, "on one machine a second one does not wait"
    else:
        until(lambda: waits.lost() is not None, "it has heard of the wish")
        waits.resign()
        assert not waits.lead(), "the wish holds"
        assert other.lead(auto=True)
    waits.resign()
    other.resign()
