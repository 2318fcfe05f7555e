"""Hosts as people and programs see them, on one view of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.running.presence import Presence
from retrofill.domain.texts import Step, Text
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.domain.words import duration, many
from retrofill.services.reading.holding import held_slots

if TYPE_CHECKING:
    from retrofill.services.reading.documents import HostPage, HostRow
    from retrofill.services.reading.known_hosts import KnownHost, KnownHosts
    from retrofill.services.reading.view import View


def is_gone(host: KnownHost) -> bool:
    """Whether it needs nobody's attention any more."""
    return not host.running and host.presence in (Presence.LEFT, Presence.LOST)


def host_row(host: KnownHost) -> HostRow:
    """A host in a list."""
    record = host.record
    return {
        "name": host.name,
        "label": host.label,
        "state": host.presence.value,
        "silent_seconds": None if host.silent_ms is None else host.silent_ms / 1000,
        "executor": host.executor,
        "resource_groups": list(host.groups),
        "slots": host.slots,
        "running": host.running,
        "version": None if record is None else record.version,
        "since": None if record is None else shown_instant(record.since_ms),
    }


def host_page(view: View, hosts: KnownHosts, host: KnownHost) -> HostPage:
    """A host with what it carries out, as far as the actor sees it."""
    lives = [(row, run) for row, run in view.reader.running() if run.host == host.name]
    seen = [pair for pair in lives if view.access.sees_instance(pair[0])]
    is_told = view.actor.is_system_administrator
    return {
        **host_row(host),
        "why": _why(host, hosts.lost_after_ms),
        "instances": held_slots(view, hosts, seen),
        "hidden": len(lives) - len(seen),
        "logs_at": (host.record.logs_at or None) if host.record is not None and is_told else None,
    }


def _why(host: KnownHost, lost_after_ms: int) -> Text:
    runs = many(host.running, "run")
    match host.presence:
        case Presence.LEFT:
            return Text("It has left by itself; started again in the same folder it is this host again.")
        case Presence.LOST:
            lost = f"{runs} that lived there {'is' if host.running == 1 else 'are'} taken for lost"
            told = f"It was {host.silence}: {lost if host.running else 'nothing lives there'}; "
            return Text(
                "{told}{forget} removes it here.", told=told, forget=Step("host.forget", name=host.name)
            )
        case Presence.UNKNOWN:
            after = duration(lost_after_ms / 1000)
            they = f"whether {runs} there {'goes' if host.running == 1 else 'go'} on is not known"
            told = f"It was {host.silence}: {they if host.running else 'nothing lives there'}"
            return Text.of(f"{told}; after {after} of silence it is taken for lost.")
        case Presence.DRAINING:
            left = (
                f"{runs} go{'es' if host.running == 1 else ''} on"
                if host.running
                else "nothing runs there any more"
            )
            return Text(
                "It takes no more, as somebody has asked; {left}; {undrain} lets it take work again.",
                left=left,
                undrain=Step("host.undrain", name=host.name),
            )
    if host.record is None:
        return Text("It schedules or stands by, and runs what its groups run locally.")
    free = f"{host.free:,} of {many(host.slots or 0, 'slot')} {'is' if host.free == 1 else 'are'} free"
    return Text.of(f"It takes work; {free}.")
