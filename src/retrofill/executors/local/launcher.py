"""The launcher: a small process without threads that forks supervisors when it is asked to.

It has imported all that a supervisor needs and owns nothing: a new one takes its place if it
dies. It ends when the executor's end of its control socket closes. A warm one has also imported what
runs of one kind need: its supervisors carry them out in forks of themselves.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
import time

from retrofill.executors.kernel import MarkSpace, become_subreaper, name_process
from retrofill.executors.local.descriptors import set_soft_limit
from retrofill.executors.local.orders import UNBORN, receive
from retrofill.executors.local.processes import MARK, MARK_BYTES
from retrofill.executors.local.spawning import Carrier
from retrofill.executors.local.supervisor import Supervisor
from retrofill.executors.logs.paths import RunPaths
from retrofill.executors.runners.warm import prepare
from retrofill.failpoints import fail_point

CONTROL_DESCRIPTOR = 3
_FORK_PATIENCE_SECONDS = 1.0
_MANY = 1 << 20


def main() -> None:
    """Serve fork requests: one message each, with the new supervisor's socket.

    Arguments: the runs' folder, the scheduler's wake socket (may be empty), the boot id, the kind
    of runs to be warm for (may be empty), how many files a task may have open.
    """
    directory, wake_socket, boot_id, kind, open_files = sys.argv[1:6]
    mark = MarkSpace(MARK, MARK_BYTES)
    control = socket.socket(fileno=CONTROL_DESCRIPTOR)
    os.set_inheritable(CONTROL_DESCRIPTOR, False)
    os.closerange(CONTROL_DESCRIPTOR + 1, _MANY)  # whatever the scheduler's own starter left open
    places = RunPaths(directory).held()
    if os.path.dirname(wake_socket) == os.path.dirname(directory):
        wake_socket = f"{places.directory}/../{os.path.basename(wake_socket)}"
    set_soft_limit(int(open_files))
    name_process(b"retrofill-start")
    become_subreaper()  # what a dead supervisor leaves comes to us, where the executor finds it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # supervisors that end leave no zombies
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a terminal's or a service's stop concerns the scheduler
    os.chdir("/")
    carry = prepare(kind) if kind else None
    carrier = None if carry is None else Carrier(kind, carry, mark)
    gc.collect()
    gc.freeze()
    while True:
        message, descriptor = receive(control, 16)
        if not message:
            return
        fail_point("launcher.received")
        if descriptor < 0:
            continue  # no descriptor was free for it: the executor sees its end closed
        scheduler = socket.socket(fileno=descriptor)
        if (pid := _fork(scheduler)) == 0:
            control.close()
            _supervise(scheduler, places, wake_socket, boot_id, carrier)
        if pid > 0:
            fail_point("launcher.forked")
        scheduler.close()


def _supervise(
    scheduler: socket.socket, places: RunPaths, wake_socket: str, boot_id: str, carrier: Carrier | None
) -> None:
    """In the fork; does not return."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    become_subreaper()
    name_process(b"retrofill-run")
    os.setsid()
    try:
        fail_point("fault.supervisor")
        supervisor = Supervisor(scheduler, places, wake_socket, boot_id, carrier)
    except OSError as error:
        _tell(scheduler, f"cannot make a supervisor: {error.strerror or error}")
        os._exit(1)
    supervisor.serve()
    os._exit(0)


def _fork(scheduler: socket.socket) -> int:
    """Fork, with patience while the machine has no process to spare; -1, which is told, when patience ends."""
    give_up_at = time.monotonic() + _FORK_PATIENCE_SECONDS
    while True:
        try:
            fail_point("fault.fork")
            return os.fork()
        except OSError as error:
            if time.monotonic() > give_up_at:
                _tell(scheduler, f"cannot make a process: {error.strerror or error}")
                return -1
            time.sleep(0.05)


def _tell(scheduler: socket.socket, why: str) -> None:
    with contextlib.suppress(OSError):
        scheduler.send(UNBORN + why.encode())
