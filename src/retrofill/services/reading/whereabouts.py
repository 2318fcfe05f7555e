"""Where a run is that counts as running: offered to hosts, on one that is heard of, or on one that is not (RUN-3, OPS-9).

An offer that nobody claims has one of a few causes, in this order: no host takes its group, none of those is heard of,
all that are drain, or all are full. What is on a host that is not heard of may go on there: it is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrofill.domain.running.presence import Presence
from retrofill.domain.texts import Step, Text
from retrofill.domain.words import duration, many
from retrofill.services.reading.known_hosts import named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrofill.services.ports.records import RunRecord
    from retrofill.services.reading.known_hosts import KnownHost, KnownHosts

_SOON_MS = 30_000  # hosts claim what is offered within seconds


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Of one run.

    Attributes:
        code: in a word: `running`, `offered`, `no_worker`, `unheard_workers`, `draining_workers`, `full_workers`,
            `unknown_host` or `lost_host`.
        text: follows "It " in a sentence.
        short: a few words for a row; empty: it runs, and nothing more is to be said.
    """

    code: str
    text: Text
    short: str = ""


def whereabouts(run: RunRecord, group: str, on_lost: bool, hosts: KnownHosts, age_ms: int) -> Whereabouts:
    """Where an open run is.

    Args:
        group: the resource group of its instance.
        on_lost: whether it starts again where it was lost.
        age_ms: since it was offered or claimed, by the clock that hosts share.
    """
    if run.is_offered:
        return _offered(group, hosts.serving(group), age_ms)
    host = hosts.of(run)
    if host is None:
        return Whereabouts("running", Text("is running (run {run})", run=str(run.number)))
    if host.presence in (Presence.UNKNOWN, Presence.LOST):
        return _unheard(run, host, on_lost, hosts.lost_after_ms)
    return Whereabouts(
        "running",
        Text("is running on {host} (run {run})", host=host.title, run=str(run.number)),
        f"on {host.title}",
    )


def _offered(group: str, serving: Sequence[KnownHost], age_ms: int) -> Whereabouts:
    offered = f"is offered to workers of resource group {group}"
    heard = [host for host in serving if host.presence.is_heard]
    takers = [host for host in heard if host.presence is Presence.THERE]
    start = Step("worker.start", resource_group=group)
    if not serving:
        return Whereabouts(
            "no_worker",
            Text("{offered}, and none is there; {start} starts one", offered=offered, start=start),
            f"no worker of {group} is there",
        )
    if not heard:
        silences = "; ".join(f"{host.title} was {host.silence}" for host in serving[:3])
        return Whereabouts(
            "unheard_workers",
            Text(
                "{offered}, and none of them is heard of ({silences}); {start} starts one",
                offered=offered,
                silences=silences,
                start=start,
            ),
            f"no worker of {group} is heard of",
        )
    if not takers:
        undrain = Step("host.undrain", name=heard[0].name)
        return Whereabouts(
            "draining_workers",
            Text(
                "{offered}, and all of them drain ({hosts}); {undrain} lets one take work again",
                offered=offered,
                hosts=named(heard),
                undrain=undrain,
            ),
            f"all workers of {group} drain",
        )
    free = sum(host.free for host in takers)
    if not free:
        full = ", ".join(f"{host.title} carries out {host.running} of {host.slots}" for host in takers[:3])
        more = f" and {many(len(takers) - 3, 'more worker')}" if len(takers) > 3 else ""
        return Whereabouts(
            "full_workers",
            Text.of(f"{offered}, and all of them are full ({full}{more})"),
            f"all workers of {group} are full",
        )
    return Whereabouts("offered", _about_to_be_claimed(offered, takers, free, age_ms), f"offered to {group}")


def _about_to_be_claimed(offered: str, takers: Sequence[KnownHost], free: int, age_ms: int) -> Text:
    if age_ms < _SOON_MS:
        return Text.of(f"{offered} and is about to start there")
    host = next(host for host in takers if host.free)
    return Text(
        "{offered} since {age}, though {free} free on {hosts}: see what those say; {show}",
        offered=offered,
        age=duration(age_ms / 1000),
        free=f"{many(free, 'slot')} {'is' if free == 1 else 'are'}",
        hosts=named([one for one in takers if one.free]),
        show=Step("host.show", name=host.name),
    )


def _unheard(run: RunRecord, host: KnownHost, on_lost: bool, lost_after_ms: int) -> Whereabouts:
    where = f"was running on {host.title} (run {run.number}), which was {host.silence}"
    then = "starts again elsewhere, as its task says (rerun: on_lost)" if on_lost else "fails as lost"
    if host.presence is Presence.LOST:
        return Whereabouts(
            "lost_host", Text.of(f"{where}: it is taken for lost and {then}"), f"on {host.title}, lost"
        )
    after = duration(lost_after_ms / 1000)
    text = f"{where}: whether it goes on there is not known; after {after} of silence it {then}"
    return Whereabouts("unknown_host", Text.of(text), f"on {host.title}, {host.silence}: unknown")
