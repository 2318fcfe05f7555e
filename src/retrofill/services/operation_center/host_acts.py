"""What somebody asks of a host: to take no more, to take work again, to be forgotten (SEC-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrofill.domain.errors import UnknownNameError, UsageError, WrongStateError, did_you_mean, shown
from retrofill.domain.people.roles import check_system_administrator
from retrofill.domain.running.presence import Presence
from retrofill.domain.texts import Step, Text
from retrofill.domain.words import many
from retrofill.services.operation_center.desk import Desk
from retrofill.services.reading.known_hosts import KnownHosts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retrofill.services.ports import Ledger, Reader
    from retrofill.services.reading.documents import HostAct
    from retrofill.services.reading.known_hosts import KnownHost


class SeveralHostsError(UsageError):
    """Give the name of one of them."""

    code = "several_hosts"


class HostActs(Desk):
    """Each raises NotPermittedError for who is no system administrator."""

    def drain(self, host: str, comment: str = "") -> HostAct:
        """Let a host take no more; what runs there ends by itself.

        Args:
            host: its name, or its label where no other host has that.

        Raises:
            UnknownNameError: there is no such host.
            SeveralHostsError: several have this label.
            WrongStateError: it schedules, so that draining it would mean nothing.
        """
        return self._set_draining(host, True, comment)

    def undrain(self, host: str, comment: str = "") -> HostAct:
        """Let a host that drains take work again.

        Args:
            host: its name, or its label where no other host has that.

        Raises:
            UnknownNameError: there is no such host.
            SeveralHostsError: several have this label.
            WrongStateError: it schedules.
        """
        return self._set_draining(host, False, comment)

    def forget(self, host: str, comment: str = "") -> HostAct:
        """Remove what is known of a host that is gone; should it come back, it is known again.

        Args:
            host: its name, or its label where no other host has that.

        Raises:
            UnknownNameError: there is no such host.
            SeveralHostsError: several have this label.
            WrongStateError: it is heard of, or runs live there.
        """
        check_system_administrator(self._actor, "forget hosts")
        with self._parts.store.transaction() as tx:
            found = self._find(tx, host)
            _check_gone(found)
            tx.hosting.forget(found.name)
            self._record(tx, "forget-host", found, comment)
        return _act(found, "forgotten", unchanged=False)

    # Inside

    def _set_draining(self, host: str, is_draining: bool, comment: str) -> HostAct:
        check_system_administrator(self._actor, "drain hosts" if is_draining else "let hosts take work again")
        with self._parts.store.transaction() as tx:
            found = self._find(tx, host)
            if found.record is None:
                raise WrongStateError(
                    f"{found.title} schedules or stands by, and takes nothing that could be drained",
                    "End its scheduler; another machine leads then.",
                )
            unchanged = bool(found.record.draining) == is_draining
            if not unchanged:
                tx.hosting.set_draining(found.name, is_draining)
                self._record(tx, "drain-host" if is_draining else "undrain-host", found, comment)
            now = self._find(tx, found.name)
        return _act(now, now.presence.value, unchanged)

    def _find(self, reader: Reader, host: str) -> KnownHost:
        hosts = KnownHosts(reader, self._parts.watch)
        found = hosts.called(host)
        if not found:
            raise unknown_host(host, {word for one in hosts.all for word in (one.name, one.label)})
        if len(found) > 1:
            named = ", ".join(shown(one.name) for one in found[:5])
            raise SeveralHostsError(f'{len(found)} hosts are called "{shown(host)}": {named}')
        return found[0]

    def _record(self, tx: Ledger, action: str, host: KnownHost, comment: str) -> None:
        words = f"{host.title} ({shown(host.name)})" if host.label != host.name else host.title
        told = f"{words}: {comment}" if comment else words
        tx.record(self._parts.clock.now_ms(), self._actor.name, action, comment=told)


def unknown_host(host: str, known: Iterable[str] = ()) -> UnknownNameError:
    """The answer to a name that no host has."""
    return UnknownNameError(
        f'there is no host "{shown(host)}"{did_you_mean(host, known)}', Text("{host.list} shows all of them.")
    )


def _check_gone(host: KnownHost) -> None:
    if host.running:
        runs = f"{many(host.running, 'run')} {'lives' if host.running == 1 else 'live'} there"
        raise WrongStateError(
            f"{host.title} cannot be forgotten: {runs}",
            Text(
                "{show} tells which; they end, or are taken for lost.", show=Step("host.show", name=host.name)
            ),
        )
    if host.presence.is_heard or host.presence is Presence.UNKNOWN:
        raise WrongStateError(
            f"{host.title} cannot be forgotten: it was heard of {round((host.silent_ms or 0) / 1000)} seconds ago",
            "End its worker or scheduler first.",
        )


def _act(host: KnownHost, state: str, unchanged: bool) -> HostAct:
    return {
        "name": host.name,
        "label": host.label,
        "state": state,
        "running": host.running,
        "unchanged": unchanged,
    }
