"""Hosts that claim, report and hear (decision 0035): whatever gets lost, a run starts once and its end is taken in once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.catalogs import make_task
from retrofill.domain.catalog.definitions import Rerun, ResourceGroup
from retrofill.services.ports.hosting import Exchange, Offer
from services.fakes import FakeHosts
from services.hosts import LOST_AFTER_MS, Host
from services.worlds import MakeWorld, World

ETL = ResourceGroup("etl", slots=4, executor="pull")


def tasks(names: str = "abcd", **more: object):  # type: ignore[no-untyped-def]
    return [make_task(f"w.{name}", "0 1 * * *", resource_group="etl", **more) for name in names]


def names_of(offers: list[Offer], w: World) -> set[str]:
    return set(w.names_of(offer.instance_id for offer in offers).values())


@pytest.fixture
def w(world: MakeWorld) -> World:
    made = world(*tasks(), groups=(ETL,), hosts=FakeHosts())
    made.create()
    made.tick()
    return made


def test_an_offer_holds_its_slot_and_lives_nowhere(world: MakeWorld) -> None:
    """RUN-9: it is running, is made known once, and nothing of it starts where the scheduler is."""
    w = world(*tasks(), groups=(replace(ETL, slots=3),), hosts=FakeHosts())
    w.create()
    w.tick()
    w.tick()
    assert len(w.running()) == 3
    assert len(w.dispatcher.offered) == 3
    assert w.executor.started == []
    with w.store.read() as reader:
        assert all(run.is_offered and run.executor == "pull" for run in reader.open_runs())
    assert w.hosts is not None
    assert w.hosts.calls == 1


def test_one_host_wins(w: World) -> None:
    """RUN-9: the most urgent first, each by one of them; what exceeds a host's slots is left to others."""
    one, two, three = (Host(w, name) for name in ("one", "two", "three"))
    first = one.worker.round()
    assert (first.started, first.next_ms) == (2, 10_000), "full: nothing more is asked for"
    assert two.worker.round().started == 2
    assert three.worker.round().started == 0
    assert one.runs.isdisjoint(two.runs)
    assert one.runs | two.runs == w.running()


def test_the_end_of_a_run_elsewhere(w: World) -> None:
    """RUN-3: a report is taken in by the next tick, once; a failure is one here as well."""
    one = Host(w, "one", slots=4)
    one.worker.round()
    good, bad, *_ = sorted(one.executor.running)
    one.executor.end(good)
    one.executor.end(bad, exit_code=3, message="exit status 3")
    assert one.worker.round().ended == 2
    assert len(w.running()) == 4, "a host decides nothing"
    w.tick()
    w.tick()
    assert Counter(w.states().values()) == {"successful": 1, "failed": 1, "running": 2}
    with w.store.read() as reader:
        (run,) = reader.runs(bad)
    assert (run.outcome, run.exit_code, run.message, run.host) == ("exited", 3, "exit status 3", "one")


def test_messages_twice_late_and_from_strangers(w: World) -> None:
    """RUN-9: a message names a run; only one that is open under that token, of a group that is served, is claimed."""
    offers = [one.offer for one in w.dispatcher.offered]
    one, other = Host(w, "one", slots=9), Host(w, "other", slots=9, groups=("default",))
    one.min_age_ms = other.min_age_ms = None
    one.begin()
    other.begin()
    strange = offers[0]._replace(token="guessed")
    one.told.offers = [offers[1], offers[1], strange, Offer(999, 1, "x"), offers[2]]
    other.told.offers = list(offers)
    assert other.worker.round().started == 0
    assert one.worker.round().started == 2
    assert one.runs == names_of(offers[1:3], w)
    one.told.offers = list(offers)
    assert one.worker.round().started == 2, "the others; late and twice"
    for instance_id in sorted(one.executor.running):
        one.executor.end(instance_id)
    one.worker.round()
    w.tick()
    one.told.offers = list(offers)
    assert one.worker.round().started == 0, "they are over"


def test_offers_that_nobody_was_told_of_are_taken_when_they_are_old(w: World) -> None:
    """RUN-9: a message that got lost costs time and nothing else."""
    one = Host(w, "one", slots=9)
    one.min_age_ms = 3_600_000
    one.begin()
    assert one.worker.round().started == 0
    one.min_age_ms = 0
    one.begin()
    assert one.worker.round().started == 4


@pytest.mark.parametrize("lost", ["question", "answer"])
def test_an_exchange_that_gets_lost(w: World, lost: str) -> None:
    """RUN-3: what was claimed without hearing so is started by the next exchange; what was to be reported is."""
    one = Host(w, "one")
    one.lost = lost
    assert one.worker.round().trouble == "lost"
    one.lost = ""
    assert one.worker.round().started == 2
    one.executor.end(min(one.executor.running))
    one.lost = lost
    one.worker.round()
    one.lost = ""
    one.worker.round()
    w.tick()
    assert Counter(w.states().values())["successful"] == 1
    assert len({spec.ref for spec in one.executor.started}) == len(one.executor.started)


def test_what_was_reported_is_not_started_again(w: World) -> None:
    """RUN-9: while nobody schedules, a report stands; who compares what it holds is given nothing of it."""
    one = Host(w, "one", slots=4)
    one.worker.round()
    for instance_id in sorted(one.executor.running):
        one.executor.end(instance_id)
    one.worker.round()
    one.lost = "question"
    one.worker.round()
    one.lost = ""
    assert one.worker.round().started == 0
    w.tick()
    assert set(w.states().values()) == {"successful"}


def test_a_worker_that_begins_anew_adopts(w: World) -> None:
    """RUN-3: also what it had claimed when it died, and never started: the executor judges that."""
    one = Host(w, "one")
    one.lost = "answer"
    one.worker.round()
    one.lost = ""
    one.begin()
    assert len(one.executor.adopted) == 2
    one.worker.round()
    assert one.worker.running == 2, "two that others had not taken yet"
    w.tick()
    w.tick()
    assert one.worker.round().running == 2
    assert Counter(w.states().values()) == {"running": 4}, "what never began is offered anew"


def test_a_host_is_believed_about_its_own_runs_only(w: World) -> None:
    """RUN-9: who names another one's run changes nothing."""
    one, two = Host(w, "one"), Host(w, "two")
    one.worker.round()
    two.worker.round()
    stolen = min(one.executor.running)
    ref = one.executor.running[stolen].ref
    two.executor.end(min(two.executor.running))
    (end,) = two.executor.poll()
    two.hosting.exchange(two.status, Exchange(w.clock.now_ms(), ends=[replace(end, ref=ref)]))
    w.tick()
    assert Counter(w.states().values()) == {"running": 4}


def test_a_draining_host_takes_no_more(w: World) -> None:
    """RUN-9: what runs there goes on."""
    one = Host(w, "one")
    one.worker.round()
    with w.store.transaction() as tx:
        assert tx.hosting.set_draining("one", True)
        assert not tx.hosting.set_draining("nobody", True)
    one.executor.end(min(one.executor.running))
    done = one.worker.round()
    assert (done.is_draining, done.started, done.ended) == (True, 0, 1)


def test_a_host_that_leaves(w: World) -> None:
    """It is known to have left, unless something of it is open."""
    one = Host(w, "one")
    one.worker.round()
    one.worker.leave()
    assert _left(w) is None
    for instance_id in sorted(one.executor.running):
        one.executor.end(instance_id)
    one.worker.status = replace(one.status, slots=0)
    one.worker.round()
    one.worker.leave()
    assert _left(w) is not None, "also before who schedules has taken in what it has reported"
    w.tick()


def _left(w: World) -> int | None:
    with w.store.read() as reader:
        found = reader.hosting.find("one")
    assert found is not None
    return found.left_ms


def test_a_stop_before_and_after_a_claim(w: World) -> None:
    """OPS-1: an offer is closed by who schedules; a run elsewhere by its host."""
    unclaimed, claimed = sorted(w.running())[:2]
    w.do("stop", unclaimed)
    one = Host(w, "one", slots=9)
    one.worker.round()
    assert unclaimed not in one.runs, "who was asked to stop is not claimed any more"
    w.tick()
    assert w.state(unclaimed) == "failed stopped"
    assert names_of(w.dispatcher.withdrawn, w) == {unclaimed}
    w.do("stop", claimed)
    one.worker.round()
    assert names_of(
        [Offer(ref.instance_id, ref.run_number, ref.token) for ref in one.executor.told_to_stop], w
    ) == {claimed}
    one.worker.round()
    w.tick()
    assert w.state(claimed) == "failed stopped"


def test_a_run_that_was_taken_for_lost_is_ended_where_it_runs(w: World) -> None:
    """RUN-3: nobody waits for it any more, and it must not run beside the next one."""
    one = Host(w, "one")
    one.worker.round()
    instance_id = min(one.executor.running)
    ref = one.executor.running[instance_id].ref
    with w.store.transaction() as tx:
        tx.forget_run(ref.instance_id, ref.run_number, ref.token)
    one.lost = "question"
    one.worker.round()
    one.lost = ""
    one.worker.round()
    assert [told.instance_id for told in one.executor.told_to_stop] == [instance_id]


def test_a_worker_that_is_cut_off_ends_what_may_start_elsewhere(world: MakeWorld) -> None:
    """RUN-3: before anybody takes its runs for lost; the others go on, as nobody starts them again."""
    again = Rerun(mode="always", times=3, on_lost=True)
    w = world(*tasks("a", rerun=again), *tasks("b"), groups=(ETL,), hosts=FakeHosts())
    w.create()
    w.tick()
    one = Host(w, "one")
    one.worker.round()
    one.lost = "question"
    w.clock.forward(LOST_AFTER_MS / 1000 * 0.7)
    assert one.worker.round().cut_off == 0
    w.clock.forward(LOST_AFTER_MS / 1000 * 0.1)
    assert one.worker.round().cut_off == 1
    assert one.runs == {"b 5 01:00"}
    one.lost = ""
    one.worker.round()
    w.tick()
    assert w.state("a 5 01:00") == "waiting_time rerun_interval", "lost, and to be rerun by itself"


def test_a_worker_that_stood_still_starts_nothing_that_it_claimed_before(w: World) -> None:
    """RUN-3: it may have been taken for lost and run elsewhere; what is still its own it is given again."""
    one = Host(w, "one", slots=1)
    one.stands_still_seconds = LOST_AFTER_MS / 1000 * 0.8
    assert one.worker.round().started == 0
    assert one.executor.started == []
    one.stands_still_seconds = 0
    assert one.worker.round().started == 1
    two = Host(w, "two", slots=1)
    two.stands_still_seconds = LOST_AFTER_MS / 1000 * 2
    two.worker.round()
    with w.store.read() as reader:
        (lost,) = reader.hosting.open_runs("two")
    with w.store.transaction() as tx:
        tx.forget_run(lost.instance_id, lost.number, lost.token)
    two.stands_still_seconds = 0
    two.worker.round()
    assert lost.token not in {spec.ref.token for spec in two.executor.started}


def test_what_cannot_be_specified_has_ended(world: MakeWorld) -> None:
    """SEC-3: a secret that is missing where the run was claimed fails the instance and says so."""
    w = world(*tasks("a", parameters=(("key", "${secret:K}"),)), groups=(ETL,), hosts=FakeHosts())
    w.create()
    w.tick()
    one = Host(w, "one")
    assert one.worker.round().started == 0
    w.tick()
    assert w.state("a 5 01:00") == "failed exit_code"
    with w.store.read() as reader:
        (run,) = reader.runs(w.id("a 5 01:00"))
    assert "there is no secret K" in (run.message or "")


def test_times_are_those_of_the_store(w: World) -> None:
    """RUN-9: a host tells how long ago something was; what its clock shows does not matter."""
    one = Host(w, "one")
    one.worker.round()
    instance_id = min(one.executor.running)
    w.clock.jump(7_200)
    one.executor.end(instance_id)
    w.clock.forward(60)
    one.worker.round()
    with w.store.read() as reader:
        now_ms = reader.hosting.now_ms()
    w.tick()
    with w.store.read() as reader:
        (run,) = reader.runs(instance_id)
    assert run.ended_ms is not None
    assert abs(now_ms - 60_000 - run.ended_ms) < 60_000


steps = st.lists(
    st.tuples(
        st.sampled_from(["round", "question", "answer", "end", "begin", "tick", "tell", "stop"]),
        st.integers(0, 5),
    ),
    max_size=60,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_whatever_gets_lost_each_run_starts_once(world: MakeWorld, steps: list[tuple[str, int]]) -> None:
    """RUN-9: against the obvious: a set of all that was ever started, and one end for each."""
    w = world(*tasks("abcdef"), groups=(replace(ETL, slots=5),), hosts=FakeHosts())
    w.create()
    hosts = [Host(w, "one"), Host(w, "two", slots=3)]
    for what, number in steps:
        _step(w, hosts[number % 2], what, number)
    for _ in range(20):
        w.tick()
        for host in hosts:
            host.lost = ""
            host.worker.round()
            for instance_id in sorted(host.executor.running):
                host.executor.end(instance_id)
            host.worker.round()
    started = [spec.ref for host in hosts for spec in host.executor.started]
    assert len(set(started)) == len(started)
    assert len({(ref.instance_id, ref.run_number) for ref in started}) == len(started)
    assert set(w.states().values()) <= {"successful", "failed"}
    assert w.drift() == []


def _step(w: World, host: Host, what: str, number: int) -> None:
    if what == "tick":
        w.tick()
    elif what == "end" and host.executor.running:
        host.executor.end(sorted(host.executor.running)[number % len(host.executor.running)])
    elif what == "begin":
        host.begin()
    elif what == "tell":
        host.told.offers += [one.offer for one in w.dispatcher.offered]
    elif what == "stop" and w.running():
        w.do("stop", sorted(w.running())[number % len(w.running())])
    elif what in ("round", "question", "answer"):
        host.lost = "" if what == "round" else what
        host.worker.round()
