"""What a worker process needs: its home, its executor, and the deployment as its host sees it.

A home is a folder of one worker at a time, which a lock says; its folder of runs names the host.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from retrofill import __version__
from retrofill.bootstrap.hearing import CELERY, MIN_AGE_MS, Hear, Hearing, looking, through_celery
from retrofill.domain.errors import RetrofillError, UsageError, WrongStateError, shown

if TYPE_CHECKING:
    from retrofill.bootstrap.deployment import Deployment
    from retrofill.executors.code import CodeFolders
    from retrofill.executors.logs.door import LogDoor
    from retrofill.services.instances.run_specs import RunSpecs
    from retrofill.services.ports import Ear, Executor, RunSpec
    from retrofill.services.ports.custody import Custody
    from retrofill.services.ports.hosting import Hosting, HostStatus
    from retrofill.services.running import worker as running
    from retrofill.services.running.hosting import LedgerHosting
    from retrofill.services.running.worker import Round
    from retrofill.settings.in_force import Settings

_LOCK = "worker.lock"
_SETTINGS_SECONDS = 5.0  # after which a deploy is noticed


class WorkerRunsError(WrongStateError):
    """One worker serves a home; give another one a home of its own."""

    code = "worker_runs"


class NoSharedStoreError(UsageError):
    """Put the store on a PostgreSQL server (the setting `store`)."""

    code = "no_shared_store"


class NothingToTakeError(UsageError):
    """Give a resource group this executor in retrofill.yaml and deploy it, or name the groups that the worker serves."""

    code = "nothing_to_take"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What whoever starts a worker wants of it.

    Attributes:
        executor: how it hears of offers.
        groups: resource groups; none: all of that executor.
        slots: how many runs at once; 0: two for each processor.
        min_age_ms: it takes offers that nobody has told it of when they are as old as this; None: none.
        serve_logs: address at which its logs can be read (`executors.logs.door`); empty: nowhere.
        logs_at: the URL by which others reach that; empty: as the address says.
    """

    executor: str = "pull"
    groups: tuple[str, ...] = ()
    slots: int = 0
    min_age_ms: int | None = 0
    serve_logs: str = ""
    logs_at: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker works.

    Attributes:
        home: its own folder.
        folder: the project's folder as it is called here; relative paths of tasks are below it.
        code: where files of versions are laid out (CAT-9).
        log_cap: most bytes of one log.
        grace_seconds: between TERM and KILL.
    """

    home: Path
    folder: Path
    code: Path
    log_cap: int
    grace_seconds: int


class LogWays(Protocol):
    """How others come by the logs of a host."""

    def pushed(self, executor: Executor, runs_directory: Path) -> Executor:
        """The executor with its logs brought to where others read them, if that is wanted."""
        ...

    def door(self, address: str, host: str, runs_directory: Path) -> LogDoor:
        """Let servers read them here."""
        ...

    def own_door(self, host: str, runs_directory: Path) -> LogDoor | None:
        """Let who is on this machine read them; None where they are brought to a server anyway."""
        ...


@dataclass
class Worker:
    """One worker of this machine, whatever way it reaches its deployment.

    Attributes:
        hear: how it is told of offers.
        logs: where its logs are served, and brought besides; None: they stay in its home.
        custody: what the ledger lets a host of this name let go of; None: everything stays.
    """

    hosting: Hosting
    place: Place
    wanted: Wanted
    listen: Callable[[Path], Ear]
    hear: Hear = looking
    logs: LogWays | None = None
    custody: Callable[[str], Custody] | None = None

    def run(
        self,
        observe: Callable[[Round], bool],
        on_ready: Callable[[HostStatus], None],
        takes: Callable[[], bool] = lambda: True,
    ) -> None:
        """Work until `observe` says that it is enough; running instances go on.

        Args:
            observe: called after every round, and every second while nothing happens.
            on_ready: called once it has taken over what an earlier worker has left.
            takes: whether it takes more.

        Raises:
            WorkerRunsError: another one works in this home.
            HostRefusedError: the deployment does not want this host as it is.
            LogDoorError, ServerKeyError: its logs cannot be served.
        """
        from retrofill.services.running.worker import WorkerLoop

        with alone(self.place.home), self.hear(self.place.home) as hearing, ExitStack() as closing:
            executor = self._executor()
            closing.callback(executor.close)
            made = self._begin(executor, hearing, takes, closing)

            def noted(done: Round) -> bool:
                hearing.observe(done, takes=takes())
                return observe(done)

            made.start()
            on_ready(made.status)
            WorkerLoop(made, executor, self.listen(self.place.home), hearing.watched).run(noted)
            made.leave()

    def _begin(
        self, executor: Executor, hearing: Hearing, takes: Callable[[], bool], closing: ExitStack
    ) -> running.Worker:
        """What sees to the runs, and what goes on beside it until `closing` is."""
        from retrofill.executors.clock import SystemClock
        from retrofill.services.running import worker as running

        logs_at = self._open_door(executor.host or "", closing)
        self._tidy_daily(executor.host or "", closing)
        status = self._status(executor.boot_id, executor.host or "", logs_at)
        how = (SystemClock(), _passed_seconds, self.wanted.min_age_ms, hearing.told, takes)
        return running.Worker(self.hosting, executor, status, *how)

    @property
    def _runs(self) -> Path:
        return self.place.home / "runs"

    def _open_door(self, host: str, closing: ExitStack) -> str:
        """Let servers read the logs of this host from now on; the URL that they are told, empty without.

        Without an address, those of this machine can.
        """
        if self.logs is None:
            return ""
        wanted = self.wanted.serve_logs
        door = self.logs.door(wanted, host, self._runs) if wanted else self.logs.own_door(host, self._runs)
        if door is None:
            return ""
        closing.callback(door.close)
        return self.wanted.logs_at or door.url

    def _tidy_daily(self, host: str, closing: ExitStack) -> None:
        from retrofill.bootstrap.tidying import Tidying
        from retrofill.executors.local.folder import RunsFolder

        custody = self.custody
        if custody is not None:
            folder = RunsFolder(self._runs)
            job = Tidying(self.place.home, lambda: custody(host), folder, self._code)
            closing.enter_context(job.going_on())

    @cached_property
    def _code(self) -> CodeFolders:
        from retrofill.executors.code import CodeFolders

        return CodeFolders(self.place.code)

    def _executor(self) -> Executor:
        from retrofill.executors.contents import ContentCache
        from retrofill.executors.local.executor import LocalExecutor
        from retrofill.executors.local.hosts import host_of

        contents, runs = ContentCache(self.place.home / "contents", self._content), self._runs

        def prepare(spec: RunSpec) -> None:
            self._code.prepare(spec, contents.get)
            make_working_folder(self.place.folder, spec.working_directory)

        executor = LocalExecutor(
            runs,
            self.place.home / "wake.sock",
            log_cap_bytes=self.place.log_cap,
            grace_seconds=self.place.grace_seconds,
            host=host_of(runs),
            prepare=prepare,
        )
        return executor if self.logs is None else self.logs.pushed(executor, runs)

    def _content(self, sha256: str) -> bytes:
        """A file of a version; where it cannot be had now, the start is tried again, as on a full disk."""
        try:
            return self.hosting.content(sha256)
        except RetrofillError as error:
            raise OSError(errno.EIO, error.message) from error

    def _status(self, boot_id: str, host: str, logs_at: str) -> HostStatus:
        from retrofill.services.ports.hosting import HostStatus

        wanted = self.wanted
        return HostStatus(
            name=host,
            boot_id=boot_id,
            label=os.uname().nodename,
            executor=wanted.executor,
            groups=wanted.groups,
            slots=wanted.slots or 2 * (os.cpu_count() or 1),
            version=__version__,
            folder=str(self.place.folder),
            interpreter=sys.executable,
            logs_at=logs_at,
        )


def worker_of(
    deployment: Deployment, wanted: Wanted, home: Path | None = None, *, is_attended: bool = False
) -> Worker:
    """A worker beside the store, which this machine reaches.

    Args:
        home: its folder; None: `worker` beside the project's runs.
        is_attended: Celery was there first, and has started it.

    Raises:
        NoSharedStoreError: no other machine reaches the store.
        NothingToTakeError: no group has its executor.
        NoBrokerError, NoCeleryError: it cannot be told through Celery here.
    """
    if deployment.store_url is None:
        raise NoSharedStoreError(
            "the store is a file of this machine, whose scheduler runs everything itself"
        )
    from retrofill.bootstrap.tidying import custody_of

    settings = deployment.settings()
    hosts = deployment.hosts(settings.host_lost_minutes)
    assert hosts is not None
    folder = deployment.folder
    place = Place(
        (home or folder.home / "worker").absolute(),
        folder.directory,
        folder.code,
        settings.log_cap,
        settings.grace_seconds,
    )
    takes = _with_groups(deployment, wanted)
    hear: Hear = looking
    if takes.executor == CELERY:
        takes = replace(takes, min_age_ms=MIN_AGE_MS)
        hear = through_celery(deployment, takes.groups, is_attended=is_attended)
    custody = partial(custody_of, deployment)
    return Worker(hosting_of(deployment), place, takes, hosts.listen, hear, deployment.logs, custody)


def _with_groups(deployment: Deployment, wanted: Wanted) -> Wanted:
    found = deployment.in_force().resource_groups
    unknown = [name for name in wanted.groups if name not in found]
    if unknown and deployment.deployed() is not None:  # else they are deployed later, and it is there already
        known = ", ".join(found)
        raise NothingToTakeError(f"there is no resource group {shown(unknown[0])}; there are {known}")
    groups = wanted.groups or tuple(name for name, one in found.items() if one.executor == wanted.executor)
    if not groups:
        raise NothingToTakeError(f"no resource group has the executor {wanted.executor}")
    return replace(wanted, groups=groups)


def hosting_of(deployment: Deployment) -> LedgerHosting:
    """The deployment as its hosts see it, beside the store; one for a process."""
    from retrofill.services.running.hosting import LedgerHosting, Premises

    recent = _RecentSettings(deployment)
    hosts = deployment.hosts(recent.get().host_lost_minutes)
    assert hosts is not None

    def specs(status: HostStatus) -> RunSpecs:
        from retrofill.services.instances.run_specs import RunSpecs

        settings = recent.get()
        interpreter = settings.python or status.interpreter
        find = deployment.secrets.find_soon
        return RunSpecs(Path(status.folder), find, interpreter, settings.working_folders)

    def lost_after_ms() -> int:
        return 60_000 * recent.get().host_lost_minutes

    return LedgerHosting(deployment.store, hosts, Premises(deployment.graphs, specs, lost_after_ms))


class _RecentSettings:
    """Those that are deployed, asked for now and then: an exchange needs them thrice, and they seldom change."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._read_at = 0.0
        self._settings: Settings | None = None

    def get(self) -> Settings:
        now = time.monotonic()
        if self._settings is None or now - self._read_at > _SETTINGS_SECONDS:
            self._settings, self._read_at = self._deployment.settings(), now
        return self._settings


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Have a home alone until the end, or until this process dies.

    Raises:
        WorkerRunsError: another worker has it.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(home / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(lock, 20, 0).decode("ascii", "replace").strip()
            whose = f", as process {pid}" if pid else ""
            raise WorkerRunsError(f"a worker runs already in {shown(str(home))}{whose}") from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(lock)


def make_working_folder(folder: Path, path: str) -> None:
    """On a host without the project's files a workspace's folder is made, empty; elsewhere it is one of these files.

    Args:
        folder: the project's, as it is called here.
    """
    if not os.path.isdir(path) and not (folder / "retrofill.yaml").exists() and folder in Path(path).parents:
        os.makedirs(path, mode=0o700, exist_ok=True)


def _passed_seconds() -> float:
    """Since the machine was started, suspended or not."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
