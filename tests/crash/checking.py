"""What the oracle's events must look like for a plan that was run to its end.

Pure: events and plan in, sentences about what is wrong out. The order of events is the order
of their lines. A run is (instance, run number).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

Slot = tuple[str, str]  # task and scheduled time: what an instance is in a plan

_NEVER = -1


class Event(NamedTuple):
    """One line of the oracle; see oracle_task.py."""

    kind: str
    instance: int
    run: int
    pid: int
    boot_id: str
    monotonic_ns: int
    details: tuple[str, ...]

    @property
    def slot(self) -> Slot:
        """Of a `start`: which instance of the plan this is."""
        return self.details[0], self.details[1]


def parse_events(text: str) -> list[Event]:
    """The events of an oracle's file.

    Raises:
        ValueError: a line is not whole.
    """
    events = []
    for line in text.splitlines():
        kind, instance, run, pid, boot_id, at, *details = line.split("\t")
        events.append(Event(kind, int(instance), int(run), int(pid), boot_id, int(at), tuple(details)))
    return events


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a plan says about order, in its own words.

    `waits` holds every instance in an order in which they may run; those that run no code have
    no events, and pass at once when what they wait for has ended. `barriers` are pairs of sets
    of slots: all of the first must have ended before any of the second starts.
    """

    waits: Mapping[Slot, Sequence[Slot]]
    running: frozenset[Slot]
    barriers: Sequence[tuple[frozenset[Slot], frozenset[Slot]]]


def expect(lines: Sequence[Mapping[str, Any]], barrier: str) -> Expectation:
    """The expectation of the lines of `backfill plan --instances --output jsonl`.

    Args:
        barrier: `date` or `task` (POL-6).
    """
    waits = {
        (line["task"], line["scheduled_at"]): [(task, at) for task, at in line["waits_for"]] for line in lines
    }
    running = frozenset((line["task"], line["scheduled_at"]) for line in lines if line["kind"] == "run")
    chains: defaultdict[tuple[Any, ...], dict[str, set[Slot]]] = defaultdict(dict)
    for line in lines:  # the lines are in running order, so each chain's dates are too
        chain = (line["group"],) if barrier == "date" else (line["group"], line["task"])
        dates = chains[chain]
        dates.setdefault(line["bizdate"], set()).add((line["task"], line["scheduled_at"]))
    barriers: list[tuple[frozenset[Slot], frozenset[Slot]]] = []
    for dates in chains.values():
        steps = [frozenset(slots) for slots in dates.values()]
        barriers += pairwise(steps)
    return Expectation(waits, running, barriers)


class Ended(NamedTuple):
    """An instance as the database shows it at the end."""

    state: str
    run_number: int


@dataclass(slots=True)
class Verdict:
    """What was found: counts for the summary, and a sentence for each violation."""

    starts: int = 0
    reruns: int = 0
    repeated: list[tuple[int, int]] = field(
        default_factory=list
    )  # done again though they did not say they failed
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    @property
    def violations(self) -> list[str]:
        return [*self.lost, *self.doubled, *self.out_of_order, *self.other]

    def add(self, other: Verdict) -> None:
        """What was found of another backfill."""
        self.starts += other.starts
        self.reruns += other.reruns
        for name in ("repeated", "lost", "doubled", "out_of_order", "other"):
            getattr(self, name).extend(getattr(other, name))


def check(events: Sequence[Event], expectation: Expectation, ended: Mapping[Slot, Ended]) -> Verdict:
    """Hold the events of one finished backfill against its plan and against the database's last word."""
    verdict = Verdict()
    slots = {event.instance: event.slot for event in events if event.kind == "start"}
    by_instance: defaultdict[int, list[Event]] = defaultdict(list)
    for event in events:
        by_instance[event.instance].append(event)
    for instance, own in by_instance.items():
        _check_instance(verdict, instance, slots.get(instance), own)
    _check_ends(verdict, expectation, ended, {slots[i]: own for i, own in by_instance.items() if i in slots})
    _check_order(verdict, expectation, _spans(events, slots))
    return verdict


def check_partitions(events: Sequence[Event]) -> list[str]:
    """RUN-7: of whatever backfill, no instance starts while another one writes the same task and time."""
    slots = {event.instance: event.slot for event in events if event.kind == "start"}
    found = []
    latest: dict[Slot, tuple[int, int]] = {}  # who started last
    for event in events:
        slot = slots.get(event.instance)
        if slot is None:
            continue
        who = f"{' '.join(slot)}: run {event.run} of instance {event.instance}"
        if event.kind == "start":
            latest[slot] = event.instance, event.run
        elif event.kind == "beside":
            found.append(f"{who} started while another run wrote the same partition")
        elif event.kind == "end" and latest[slot][0] != event.instance:
            found.append(
                f"{who} was at work after instance {latest[slot][0]} had started on the same partition"
            )
    return found


def _check_instance(verdict: Verdict, instance: int, slot: Slot | None, events: Iterable[Event]) -> None:
    """One start a run, ascending, and nothing of an earlier run after the start of a later one."""
    name = f"instance {instance} ({' '.join(slot) if slot else 'never started'})"
    started: set[int] = set()
    latest = 0
    failed: set[int] = set()
    for event in events:
        if event.kind == "start":
            verdict.starts += 1
            if event.run in started:
                verdict.doubled.append(f"{name}: run {event.run} started twice")
            elif event.run < latest:
                verdict.out_of_order.append(f"{name}: run {event.run} started after run {latest}")
            elif event.run > 1:
                verdict.reruns += 1
                if latest and latest not in failed:
                    verdict.repeated.append((instance, latest))
            started.add(event.run)
            latest = max(latest, event.run)
        elif event.kind == "alive":
            verdict.doubled.append(
                f"{name}: run {event.run} started while process {event.details[1]} of run {event.details[0]} lived"
            )
        elif event.kind == "overlap":
            verdict.doubled.append(f"{name}: run {event.run} started while another run held the instance")
        elif event.kind == "end":
            if event.run < latest:
                verdict.doubled.append(f"{name}: run {event.run} was at work after run {latest} had started")
            if event.run not in started:
                verdict.other.append(f"{name}: run {event.run} ended without having started")
            if event.details[0] != "0":
                failed.add(event.run)


def _check_ends(
    verdict: Verdict,
    expectation: Expectation,
    ended: Mapping[Slot, Ended],
    by_slot: Mapping[Slot, Sequence[Event]],
) -> None:
    """Every instance Successful, and those that run code because a run of theirs said so."""
    for slot in expectation.waits:
        name = " ".join(slot)
        row = ended.get(slot)
        if row is None:
            verdict.lost.append(f"{name}: planned, but not in the backfill")
            continue
        if row.state != "successful":
            verdict.lost.append(f"{name}: ended as {row.state}")
        events = by_slot.get(slot, ())
        if slot not in expectation.running:
            if events:
                verdict.other.append(f"{name}: runs no code, and was started")
            continue
        good = [event.run for event in events if event.kind == "end" and event.details[0] == "0"]
        if row.state == "successful" and row.run_number not in good:
            verdict.lost.append(f"{name}: successful with run {row.run_number}, which did not do its work")
        if events and max(event.run for event in events) > row.run_number:
            verdict.doubled.append(f"{name}: a run later than its last one, {row.run_number}, was started")
    for slot in [*(set(ended) - set(expectation.waits)), *(set(by_slot) - set(expectation.waits))]:
        verdict.other.append(f"{' '.join(slot)}: not planned")


def _spans(events: Sequence[Event], slots: Mapping[int, Slot]) -> dict[Slot, tuple[int, int]]:
    """Where an instance's first start and its last event stand in the oracle's file."""
    spans: dict[Slot, tuple[int, int]] = {}
    for position, event in enumerate(events):
        slot = slots.get(event.instance)
        if slot is not None:
            first = spans[slot][0] if slot in spans else position
            spans[slot] = (first, position)
    return spans


def _check_order(verdict: Verdict, expectation: Expectation, spans: Mapping[Slot, tuple[int, int]]) -> None:
    """No instance starts before the last event of what it waits for, also through those without code."""
    before: defaultdict[Slot, list[int]] = defaultdict(list)
    for number, (_, behind) in enumerate(expectation.barriers):
        for slot in behind:
            before[slot].append(number)
    ends: dict[Slot, _End] = {}
    barrier_ends: dict[int, _End] = {}
    for slot, waits in expectation.waits.items():
        latest = max((ends[wait] for wait in waits if wait in ends), default=_End(_NEVER, slot))
        for number in before[slot]:
            if number not in barrier_ends:
                barrier_ends[number] = max(ends[one] for one in expectation.barriers[number][0])
            latest = max(latest, barrier_ends[number])
        if slot not in expectation.running:
            ends[slot] = latest
            continue
        start, end = spans.get(slot, (latest.position, _NEVER))
        ends[slot] = _End(end, slot)
        if start < latest.position:
            verdict.out_of_order.append(
                f"{' '.join(slot)} started before {' '.join(latest.slot)}, which it waits for, had ended"
            )


class _End(NamedTuple):
    """The last event that an instance, or what it passes on, has in the oracle's file, and whose that is."""

    position: int
    slot: Slot
