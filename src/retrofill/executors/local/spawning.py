"""Starting a run's main process: by `posix_spawn`, or as a fork that carries the run out itself.

Either way it has a session, a log and a mark of its own, and no descriptor but those.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import NamedTuple

from retrofill.executors.kernel import MarkSpace, name_process
from retrofill.executors.local.orders import PAYLOAD_DESCRIPTOR, RunOrder
from retrofill.executors.local.processes import MARK

_RESET = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGUSR1)
_MANY = 1 << 20
_CRASHED = 1


class Carrier(NamedTuple):
    """What carries out runs of one kind in a fork of a process that has imported all that they need."""

    kind: str
    run: Callable[[bytes], int]  # payload -> exit status
    mark: MarkSpace


def spawn(order: RunOrder, log: int) -> int:
    """Start the command as a program of its own; its pid.

    Raises:
        OSError: it cannot be started.
    """
    actions = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    payload = -1
    if order.payload:
        payload = os.memfd_create("code", os.MFD_CLOEXEC)
        with open(payload, "wb", closefd=False) as file:
            file.write(order.payload)
        os.lseek(payload, 0, os.SEEK_SET)
        actions.append((os.POSIX_SPAWN_DUP2, payload, PAYLOAD_DESCRIPTOR))
    try:
        return os.posix_spawnp(
            order.arguments[0],
            order.arguments,
            order.environment,
            file_actions=actions,
            setsid=True,
            setsigdef=_RESET,
        )
    finally:
        if payload >= 0:
            os.close(payload)


def fork(order: RunOrder, log: int, carrier: Carrier) -> int:
    """Carry the run out in a fork of this process, which has no threads; the fork's pid.

    TERM is held back until the fork has the default for it: nothing that is sent gets lost.

    Raises:
        OSError: it cannot be forked.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        pid = os.fork()
        if pid == 0:
            _carry_out(order, log, carrier)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    return pid


def _carry_out(order: RunOrder, log: int, carrier: Carrier) -> None:
    """In the fork; does not return."""
    status = _CRASHED
    try:
        os.setsid()
        # The mark comes before the supervisor's socket and lock are let go: as long as they are
        # held, nobody takes this process for one that needs no mark.
        carrier.mark.write(order.environment[MARK.encode()])
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.closerange(3, _MANY)
        for number in _RESET:
            signal.signal(number, signal.SIG_DFL)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(
                number, signal.SIG_IGN
            )  # as in every Python program: an error says more than a death
        name_process(b"retrofill-sql")
        os.environ.clear()
        os.environb.update(order.environment)
        status = carrier.run(order.payload)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else _CRASHED
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)  # taking the interpreter down in order costs more than many a statement
