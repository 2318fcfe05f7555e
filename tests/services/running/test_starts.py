"""What could not be started is not the task's failure: it waits, and is tried again (RUN-3)."""

from __future__ import annotations

from typing import Any

from domain.catalogs import make_task
from retrofill.cli.steps import told
from retrofill.domain.catalog.definitions import Rerun
from retrofill.services.ports.secrets import SecretUnavailableError
from services.worlds import MakeWorld, World

FULL = "cannot write to runs: No space left on device"
A = make_task("w.a", "0 1 * * *", rerun=Rerun(times=1, interval_seconds=60))


def refuse(w: World, name: str = "a 5 01:00", message: str = FULL) -> None:
    w.end(name, outcome="not_started", exit_code=None, message=message)


def test_pauses_grow_and_the_number_stays(world: MakeWorld) -> None:
    """RUN-3: at once, then after 1, 2, 5, 10, 30 and each time 60 s; nothing is counted as a rerun."""
    w = world(A)
    w.create()
    w.tick()
    refuse(w)
    assert w.state("a 5 01:00") == "running", "the first may have been lost with a process of ours"
    for pause in (1, 2, 5, 10, 30, 60, 60, 60):
        refuse(w)
        assert w.state("a 5 01:00") == "waiting_time not_started"
        assert w.tick().next_ms == w.clock.ms + 1000 * pause
        w.clock.ms += 1000 * pause - 1
        w.tick()
        assert w.running() == set()
        w.clock.ms += 1
        w.tick()
        assert w.state("a 5 01:00") == "running"
    row = w.rows()["a 5 01:00"]
    assert (row.run_number, row.reruns) == (1, 0)
    w.end("a 5 01:00")
    assert w.state("a 5 01:00") == "successful"
    with w.store.read() as reader:
        assert reader.failed_starts.ids() == []


def test_why_names_the_reason_and_the_next_try(world: MakeWorld) -> None:
    """OPS-9, RUN-3."""
    w = world(A)
    number = w.create()
    w.tick()
    refuse(w)
    refuse(w)
    found = w.why("a 5 01:00")
    assert (found.code, found.text) == (
        "not_started",
        f"It could not be started, 2 times since 2026-03-02 12:00:00 UTC ({FULL}); that is not its task's failure, and "
        "it is tried again at 2026-03-02 12:00:01 UTC.",
    )
    assert w.status(number) == "pending"
    assert w.rows()["a 5 01:00"].started_ms is None


def test_the_slot_is_free_meanwhile(world: MakeWorld) -> None:
    """RUN-1, RUN-3: whatever else can be started goes on."""
    w = world(A, make_task("w.b", "0 2 * * *"), slots=1)
    w.create()
    w.tick()
    refuse(w)
    refuse(w)
    assert w.running() == {"b 5 02:00"}


def test_a_new_scheduler_knows_how_often_it_was_tried(world: MakeWorld) -> None:
    """RUN-3: pauses go on where they were, and what started is forgotten."""
    w = world(A)
    w.create()
    w.tick()
    for _ in range(4):
        refuse(w)
        w.clock.forward(60)
        w.restart()
        w.tick()
    refuse(w)
    assert w.tick().next_ms == w.clock.ms + 10_000
    w.clock.forward(10)
    w.restart()
    w.tick()
    w.end("a 5 01:00", exit_code=1)
    with w.store.read() as reader:
        assert reader.failed_starts.ids() == []
    assert w.state("a 5 01:00") == "waiting_time rerun_interval"


def test_people_are_told_once_and_when_it_is_over(world: MakeWorld) -> None:
    """RUN-3: not of one that got lost with a process of ours."""
    w = world(A, make_task("w.b", "0 2 * * *"))
    w.create()
    w.tick()
    notes = []
    for name in ("a 5 01:00", "a 5 01:00", "b 5 02:00", "b 5 02:00"):
        w.executor.end(w.id(name), outcome="not_started", exit_code=None, message=FULL)
        notes.append([told(note) for note in w.tick().notes])
    said = f"Instance {w.id('a 5 01:00')} could not be started: {FULL}; what cannot be started is tried again with "
    assert notes == [[], [f"{said}growing pauses, and `retrofill doctor` counts it."], [], []]
    w.clock.forward(1)
    w.tick()
    w.executor.end(w.id("a 5 01:00"))
    assert w.tick().notes == []
    w.executor.end(w.id("b 5 02:00"))
    assert w.tick().notes == ["All that could not be started has started."]


def test_a_clock_that_is_doubted_makes_no_pause_longer(world: MakeWorld) -> None:
    """RUN-3, TIME-8: a start that got lost while the clock was a year ahead is made anew at once."""
    w = world(A)
    w.create()
    w.tick()
    w.clock.jump(365 * 86_400)
    refuse(w)
    w.clock.jump(-365 * 86_400)
    w.clock.forward(1)
    w.tick()
    assert w.state("a 5 01:00") == "running"


def test_what_is_stopped_before_it_started_has_failed(world: MakeWorld) -> None:
    """OPS-1: and is not tried again."""
    w = world(A)
    w.create()
    w.tick()
    refuse(w)
    w.executor.obeys = False
    w.do("stop", "a 5 01:00")
    refuse(w)
    assert w.state("a 5 01:00") == "failed stopped"
    with w.store.read() as reader:
        assert reader.failed_starts.ids() == []


def test_a_full_disk_for_a_minute_fails_nothing(world: MakeWorld) -> None:
    """RUN-3, POL-7, POL-14: six hundred instances, every start refused for a minute."""
    w = world(make_task("w.h", "* * * * *"), slots=50)
    number = w.create(dates="2026-01-05", time_range=(0, 599), max_failures=1)
    until = w.clock.ms + 60_000
    w.tick()
    while w.status(number) != "succeeded":
        for instance_id in sorted(w.executor.running):
            if w.clock.ms < until:
                w.executor.end(instance_id, outcome="not_started", exit_code=None, message=FULL)
            else:
                w.executor.end(instance_id)
        w.clock.ms = max(w.clock.ms, w.tick().next_ms or 0) if not w.executor.running else w.clock.ms + 500
        w.tick()
    assert w.row(number)["counts"]["successful"] == 600
    assert w.clock.ms < until + 120_000


class Vault(dict[str, str]):
    """Secrets that are to be had while it is open."""

    is_open = True

    def get(self, name: str, default: object = None) -> Any:
        if not self.is_open:
            raise SecretUnavailableError(f"the secret {name} is still being asked for")
        return super().get(name)


def test_a_secret_that_cannot_be_had_now_is_no_failure(world: MakeWorld) -> None:
    """SEC-3, RUN-3: the instance waits with its number, its slot is free, and starts with the value."""
    vault = Vault(PW="hush")
    w = world(
        make_task("w.a", "0 1 * * *", parameters=(("pw", "${secret:PW}"),)),
        make_task("w.b", "0 2 * * *"),
        secrets=vault,
        slots=1,
    )
    w.create()
    vault.is_open = False
    assert w.tick().more
    assert w.tick().more
    assert w.state("a 5 01:00") == "waiting_time not_started"
    assert "the secret PW is still being asked for" in w.why("a 5 01:00").text
    assert not w.tick().more
    assert w.running() == {"b 5 02:00"}
    w.end("b 5 02:00")
    vault.is_open = True
    w.clock.ms += 1000
    w.tick()
    assert w.running() == {"a 5 01:00"}
    (spec,) = [spec for spec in w.executor.started if spec.name == "w.a"]
    assert (spec.ref.run_number, spec.environment["pw"], spec.secrets) == (1, "hush", ("hush",))
