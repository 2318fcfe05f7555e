"""What needs somebody about hosts: offers that no host takes, and hosts that are not heard of though runs live there.

That all hosts of a group are full is none of it: they take the next one when one of theirs has ended.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrofill.domain.running.presence import Presence
from retrofill.domain.texts import Step, Text
from retrofill.domain.words import duration, many
from retrofill.services.reading.known_hosts import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from retrofill.services.ports import Reader
    from retrofill.services.ports.records import RunRecord
    from retrofill.services.reading.known_hosts import KnownHost, KnownHosts
    from retrofill.services.reading.view import View

SOON_MS = 60_000  # a worker that is being restarted is back by then


@dataclass(frozen=True, slots=True)
class Offers:
    """Those of one resource group that no host has claimed.

    Attributes:
        ids: of their instances.
        age_ms: of the oldest.
    """

    group: str
    ids: tuple[int, ...]
    age_ms: int


@dataclass(frozen=True, slots=True)
class Unattended:
    """A group whose offers nobody takes, or a host that is silent.

    Attributes:
        kind: `no_worker` or `unknown_host`.
        name: of the group or of the host.
        ids: of the instances that it is about.
    """

    kind: str
    name: str
    text: Text
    steps: tuple[Step, ...]
    ids: tuple[int, ...]
    since_ms: int  # how long ago it began


def offers_of(reader: Reader) -> dict[str, Offers]:
    """What is offered now, by resource group."""
    waiting = {run.instance_id: run for run in reader.hosting.waiting()}
    if not waiting:
        return {}
    now_ms = reader.hosting.now_ms()
    by_group: Mapping[str, list[RunRecord]] = defaultdict(list)
    for row in reader.instances(sorted(waiting)):
        by_group[row.resource_group].append(waiting[row.id])
    return {group: _offers(group, runs, now_ms) for group, runs in by_group.items()}


def _offers(group: str, runs: Sequence[RunRecord], now_ms: int) -> Offers:
    oldest = min(runs, key=lambda run: run.started_ms)
    ids = tuple(run.instance_id for run in runs)
    return Offers(group, ids, max(now_ms - oldest.started_ms, 0))


def find_unattended(view: View, hosts: KnownHosts) -> list[Unattended]:
    """All of it that is about an instance which the actor sees; costs next to nothing where one machine has the store."""
    found = [
        one
        for offers in offers_of(view.reader).values()
        if offers.age_ms >= SOON_MS
        and (one := _without_taker(offers, hosts.serving(offers.group))) is not None
    ]
    return [one for one in [*found, *_silent(view.reader, hosts)] if _sees_any(view, one.ids)]


def _sees_any(view: View, ids: Iterable[int]) -> bool:
    return view.access.is_unlimited or any(map(view.access.sees_instance, view.reader.instances(sorted(ids))))


def _without_taker(offers: Offers, serving: Sequence[KnownHost]) -> Unattended | None:
    heard = [host for host in serving if host.presence.is_heard]
    if any(host.presence is Presence.THERE for host in heard):
        return None
    waits = f"{many(len(offers.ids), 'instance')} of resource group {offers.group} {'waits' if len(offers.ids) == 1 else 'wait'}"
    start = Step("worker.start", resource_group=offers.group)
    if heard:
        step = Step("host.undrain", name=heard[0].name)
        text = Text(
            "{waits} for a host, and all of its hosts drain ({hosts}); {undrain} lets one take work again.",
            waits=waits,
            hosts=named(heard),
            undrain=step,
        )
        return Unattended("no_worker", offers.group, text, (step,), offers.ids, offers.age_ms)
    if serving:
        silent = min(serving, key=lambda host: host.silent_ms if host.silent_ms is not None else 1 << 62)
        text = Text(
            "{waits} for a host, and none of its hosts is heard of ({host} was {silence}); {start} starts one.",
            waits=waits,
            host=silent.title,
            silence=silent.silence,
            start=start,
        )
        return Unattended("no_worker", offers.group, text, (start,), offers.ids, offers.age_ms)
    text = Text("{waits} for a host, and no host takes them; {start} starts one.", waits=waits, start=start)
    return Unattended("no_worker", offers.group, text, (start,), offers.ids, offers.age_ms)


def _silent(reader: Reader, hosts: KnownHosts) -> Iterable[Unattended]:
    silent = {
        host.name: host
        for host in hosts.all
        if host.running and host.presence in (Presence.UNKNOWN, Presence.LOST)
    }
    if not silent:
        return
    lives: Mapping[str, list[int]] = defaultdict(list)
    for run in reader.open_runs():
        if run.host in silent:
            lives[run.host].append(run.instance_id)
    for name, host in silent.items():
        runs, count = many(host.running, "run"), host.running
        after = duration(hosts.lost_after_ms / 1000)
        step = Step("host.show", name=name)
        text = Text(
            "Host {host} was {silence}; whether {runs} there {go} on is not known, and after {after} of silence {they} "
            "taken for lost; {show} tells which.",
            host=host.title,
            silence=host.silence,
            runs=runs,
            go="goes" if count == 1 else "go",
            after=after,
            they="it is" if count == 1 else "they are",
            show=step,
        )
        yield Unattended("unknown_host", name, text, (step,), tuple(lives[name]), host.silent_ms or 0)
