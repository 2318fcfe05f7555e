"""The machine and the folder that a deployment lives in, as `doctor` finds them."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from retrofill.domain.errors import shown
from retrofill.domain.texts import Text
from retrofill.domain.words import many, names
from retrofill.services.ports.health import Found
from retrofill.store.sqlite.leftovers import leftovers

if TYPE_CHECKING:
    from retrofill.bootstrap.deployment import Deployment

_FREE_BYTES = 500 << 20


class LocalPremises:
    """Looks anew at every question."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._home = deployment.folder.home

    def disk(self) -> Iterator[Found]:
        place = self._home if self._home.is_dir() else self._deployment.folder.directory
        free = shutil.disk_usage(place).free
        yield Found("disk", free > _FREE_BYTES, f"{free >> 20} MiB free")

    def machines(self) -> Iterator[Found]:
        hosts = self._deployment.hosts()
        if hosts is None:
            return
        with self._deployment.store.read() as reader:
            open_runs = Counter(run.host for run in reader.open_runs())
            workers = {record.name for record in reader.hosting.all()}  # looked at as hosts
        machines = [host for host in hosts.all() if host.name not in workers]
        known = [host for host in machines if host.left_ms >= 0 or open_runs[host.name]]
        here = self._deployment.host
        words = [
            f"{shown(host.name)}{' (this one)' if host.name == here else ''}: "
            f"{many(open_runs[host.name], 'open run')}{'' if host.left_ms >= 0 else ', not heard of'}"
            for host in known
        ]
        all_heard = all(host.left_ms >= 0 for host in known)
        yield Found("machines", all_heard, "; ".join(words) or "no scheduler has run on any")

    def runner(self) -> Iterator[Found]:
        can = os.path.exists("/proc/self/stat")
        yield Found("runner", can, "process trees can be followed" if can else "/proc is not mounted")

    def secrets(self) -> Iterator[Found]:
        """Whether what tasks name is to be had here, where the setting `secrets` says from where."""
        lacking = self._deployment.lacking_secrets()
        if lacking is not None:
            told = "; ".join(f"{name} {why}" for name, why in lacking.items())
            yield Found("secrets", not lacking, told or "all that tasks name are to be had here")

    def webhooks(self) -> Iterator[Found]:
        """Those that will not be reached."""
        for name, error in self._deployment.internal_webhooks(self._deployment.in_force()).items():
            yield Found("webhooks", False, f"{name}: {error.advice}")

    def files(self) -> Iterator[Found]:
        folder = self._deployment.runs_folder()
        sizes = [file.bytes for file in folder.scan()]
        yield Found("logs", True, f"{many(len(sizes), 'log')}, {sum(sizes) / 1e6:.1f} MB")
        strangers = folder.strangers()
        if strangers:
            text = "among the journals: no file, and read by nobody; remove what it is"
            yield Found("journals", False, f"{names(strangers)} {text}")
        yield from self._left()

    def _left(self) -> Iterator[Found]:
        """What restores and backups have left."""
        aside = sorted(path.name for path in self._home.glob("replaced.*"))
        detail = f"{', '.join(aside)} in {self._home}; remove what nobody needs" if aside else "none"
        yield Found("left by restore", True, detail)
        broken_off = leftovers(self._home)
        removed = Text(
            "{files}; the next {store.back_up} or {store.restore} removes it", files=names(broken_off)
        )
        yield Found("broken off", True, removed if broken_off else "none")
