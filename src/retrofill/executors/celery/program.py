"""The application that Celery's workers run: one task, which hands an offer to this machine's worker.

It serves two ways of starting. `retrofill worker --executor celery` starts Celery itself (`child`) and says in the
environment where its home is. `celery -A retrofill.executors.celery worker -Q etl` comes first, and starts a worker of
this machine in a session of its own unless one is there; `-Q` names resource groups.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrofill.executors.celery.broker import TASK
from retrofill.executors.celery.handover import FOREIGN, Handover, NoWorkerError

if TYPE_CHECKING:
    from celery import Celery

HOME = "RETROFILL_WORKER_HOME"
PARENT = "RETROFILL_WORKER_PID"  # of the worker that has started Celery
OPTIONS = "RETROFILL_WORKER_OPTIONS"  # of the worker that Celery starts
_MARK = "retrofill.yaml"
_COMMAND = "from retrofill.cli.main import main; main()"  # of this interpreter, wherever its programs are
_PATIENCE_SECONDS = 60.0  # for a worker that begins
_PAUSE_SECONDS = 0.1
LATE = "late"  # the offer is found in the ledger, here or elsewhere


def make_app() -> Celery:
    """Celery with no more than is needed of it; broker and queues are known once its worker begins."""
    from celery import Celery
    from celery.signals import celeryd_init, worker_shutdown

    app = Celery("retrofill", set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_acks_late=False,
        task_default_delivery_mode="transient",
        task_create_missing_queues=False,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # as long as it takes
    )
    attendant = Attendant(home_of(os.environ))
    app.task(attendant.claim, name=TASK, ignore_result=True)

    def begin(conf: Any, options: dict[str, Any], **_: object) -> None:
        attendant.begin(conf, groups_of(options.get("queues")))

    def end(**_: object) -> None:
        attendant.end()

    celeryd_init.connect(begin, weak=False)
    worker_shutdown.connect(end, weak=False)
    return app


class Attendant:
    """What one process of Celery's knows of this machine's worker.

    Args:
        home: the worker's folder.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._handover = Handover(home)
        self._groups: list[str] = []
        self._resident: subprocess.Popen[bytes] | None = None

    @property
    def _is_child(self) -> bool:
        return PARENT in os.environ

    def begin(self, conf: Any, groups: list[str]) -> None:
        """Find the worker, or start it, and take from it what Celery is to consume."""
        if self._is_child:
            _end_with(int(os.environ[PARENT]))
        self._groups = groups
        try:
            broker, served = self._ask_broker()
        except (NoWorkerError, TimeoutError) as error:
            raise SystemExit(f"Error: there is no worker in {self._home}: {error}") from None
        broker.configure(conf, served)

    def _ask_broker(self) -> tuple[Any, list[str]]:
        try:
            return self._handover.ask_broker()
        except (NoWorkerError, TimeoutError):
            if self._is_child:
                raise
        self._start_resident()
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return self._handover.ask_broker()
            except NoWorkerError:
                if self._resident is None or self._resident.poll() is not None:
                    raise NoWorkerError("it has not begun; what is above says why") from None
                if time.monotonic() > until:
                    raise
                time.sleep(_PAUSE_SECONDS)

    def _start_resident(self) -> None:
        """Where another one is just beginning there, this one finds its home taken and leaves."""
        groups = [word for group in self._groups for word in ("--resource-group", group)]
        more = shlex.split(os.environ.get(OPTIONS, ""))
        self._resident = subprocess.Popen(
            [sys.executable, "-P", "-c", _COMMAND, "worker", "--executor", "celery", "--attended",
             "--home", str(self._home), *groups, *more],
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def claim(self, *said: object) -> str:
        """The task: hand the offer over, and say what became of it."""
        if len(said) != 4:
            return FOREIGN
        for is_last in (False, True):
            try:
                return self._handover.hand_over(*said)
            except TimeoutError:
                return LATE
            except NoWorkerError:
                if is_last or self._is_child:
                    raise
                with suppress(NoWorkerError):
                    self._ask_broker()
        raise AssertionError

    def end(self) -> None:
        """With Celery the worker that it has started leaves; what runs goes on."""
        if self._resident is not None and self._resident.poll() is None:
            self._resident.send_signal(signal.SIGTERM)


def home_of(environ: Any) -> Path:
    """The worker's folder: that of the environment, else `.retrofill/worker` of the project in or around which we are."""
    if HOME in environ:
        return Path(environ[HOME])
    named = environ.get("RETROFILL_PROJECT")
    here = Path.cwd()
    project = next((one for one in (here, *here.parents) if (one / _MARK).exists()), here)
    return (Path(named) if named else project).absolute() / ".retrofill" / "worker"


def groups_of(queues: object) -> list[str]:
    """What `-Q` names, as text or list; nothing: all."""
    if isinstance(queues, str):
        return [word for word in queues.split(",") if word]
    return [str(word) for word in queues] if isinstance(queues, list | tuple) else []


def _end_with(parent: int) -> None:
    """Without the worker there is nobody to hand anything to."""
    from retrofill.executors import kernel

    kernel.die_with_parent(signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit("Error: the worker that has started this Celery has ended")
