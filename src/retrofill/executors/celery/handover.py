"""From a task of Celery's to the worker of this machine: a socket in the worker's home.

One packet each way. A task says `{"deployment", "instance", "run", "token"}` and hears a word: `claimed`; `refused`,
because the ledger does not offer that any more; `foreign`, because it is of another deployment, or no offer at all. While
the worker's slots are full there is no answer, so that the task keeps its place and Celery takes no more messages than
it has tasks. Celery itself, when it begins, asks `{"ask": "broker"}` and hears where the worker's offers come from.
"""

from __future__ import annotations

import json
import os
import select
import socket
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from retrofill.executors.celery.broker import Broker
from retrofill.services.ports.hosting import Offer

_NAME = "offers.sock"
_LONGEST = 4096  # bytes of a packet
HOLD_SECONDS = 15.0  # that a task waits for a slot; a worker that is to end waits for its tasks
_BEYOND = 1 << 63  # what an integer of the ledger holds
_WAITING = 256  # connections that nobody has taken yet
CLAIMED, REFUSED, FOREIGN = "claimed", "refused", "foreign"


class NoWorkerError(Exception):
    """There is nobody at the other end, or not any more."""


class Reception:
    """The worker's end.

    Args:
        home: the worker's folder, which it has alone.
        broker: where its offers come from.
        groups: the resource groups whose offers it takes.
    """

    def __init__(self, home: Path, broker: Broker, groups: Sequence[str]) -> None:
        self._broker = broker
        self._groups = groups
        self._directory = os.open(home, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        with suppress(FileNotFoundError):
            os.unlink(_NAME, dir_fd=self._directory)
        self._listening = _socket()
        self._listening.setblocking(False)
        self._listening.bind(_address(self._directory))
        os.chmod(_address(self._directory), 0o600)
        self._listening.listen(_WAITING)
        self._epoll = select.epoll()
        self._epoll.register(self._listening, select.EPOLLIN)
        self._callers: dict[int, socket.socket] = {}
        self._waiting: dict[int, Offer] = {}  # callers that wait for an answer

    def fileno(self) -> int:
        """Readable when `hear` may have something."""
        return self._epoll.fileno()

    def hear(self) -> None:
        """Take what was handed over; never blocks."""
        for descriptor, _ in self._epoll.poll(0):
            if descriptor == self._listening.fileno():
                self._accept()
            else:
                self._receive(descriptor)

    @property
    def waiting(self) -> list[Offer]:
        """Offers whose tasks wait for an answer, as they came."""
        return [*self._waiting.values()]

    def answer(self, claimed: Collection[Offer], asked: Collection[Offer]) -> None:
        """Tell the tasks of these offers how it went.

        Args:
            claimed: those that run here now.
            asked: all that the ledger was asked for.
        """
        for descriptor, offer in [*self._waiting.items()]:
            if offer in asked or offer in claimed:
                del self._waiting[descriptor]
                self._say(descriptor, CLAIMED if offer in claimed else REFUSED)

    def close(self) -> None:
        for caller in self._callers.values():
            caller.close()
        self._epoll.close()
        self._listening.close()
        with suppress(FileNotFoundError):
            os.unlink(_NAME, dir_fd=self._directory)
        os.close(self._directory)

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            while True:
                caller, _ = self._listening.accept()
                caller.setblocking(False)
                self._callers[caller.fileno()] = caller
                self._epoll.register(caller, select.EPOLLIN)

    def _receive(self, descriptor: int) -> None:
        try:
            packet = self._callers[descriptor].recv(_LONGEST)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        said = _read(packet)
        if not packet:  # the task has gone, and what it has handed over is found in the ledger
            self._drop(descriptor)
        elif said.get("ask") == "broker":
            known = {
                "url": self._broker.url,
                "deployment": self._broker.deployment,
                "groups": [*self._groups],
            }
            self._say(descriptor, json.dumps(known))
        elif (offer := read_offer(said, self._broker.deployment)) is None:
            self._say(descriptor, FOREIGN)
        else:
            self._waiting[descriptor] = offer

    def _say(self, descriptor: int, word: str) -> None:
        try:
            self._callers[descriptor].send(word.encode())
        except OSError:
            self._drop(descriptor)

    def _drop(self, descriptor: int) -> None:
        self._waiting.pop(descriptor, None)
        self._epoll.unregister(descriptor)
        self._callers.pop(descriptor).close()


def _read(packet: bytes) -> dict[str, object]:
    try:
        said = json.loads(packet or b"{}")
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def read_offer(said: Mapping[str, object], deployment: str) -> Offer | None:
    """What a packet names; None: no offer of this deployment."""
    if said.get("deployment") != deployment:
        return None
    instance, run, token = said.get("instance"), said.get("run"), said.get("token")
    if not isinstance(token, str) or not _is_number(instance) or not _is_number(run):
        return None
    return Offer(instance, run, token)  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < _BEYOND


class Handover:
    """A task's end; one for a process, connected when it is first used.

    Args:
        home: the worker's folder.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._socket: socket.socket | None = None

    def hand_over(self, deployment: object, instance: object, run: object, token: object) -> str:
        """What became of it, when that is known.

        Raises:
            NoWorkerError: nobody is there.
            TimeoutError: the worker's slots have been full for as long as a task waits.
        """
        return self._ask({"deployment": deployment, "instance": instance, "run": run, "token": token})

    def ask_broker(self) -> tuple[Broker, list[str]]:
        """Where the worker's offers come from, and the resource groups that it takes.

        Raises:
            NoWorkerError: nobody answers.
        """
        known = json.loads(self._ask({"ask": "broker"}))
        return Broker(known["url"], known["deployment"]), known["groups"]

    def _ask(self, said: Mapping[str, object]) -> str:
        packet = json.dumps(said).encode()
        if len(packet) > _LONGEST:
            return FOREIGN
        try:
            if self._socket is None:
                self._socket = connect(self._home)
                self._socket.settimeout(HOLD_SECONDS)
            self._socket.send(packet)
            answer = self._socket.recv(_LONGEST).decode()
        except TimeoutError:
            self.close()  # an answer that comes yet is none to the next question
            raise
        except OSError as error:
            self.close()
            raise NoWorkerError(str(error)) from error
        if not answer:
            self.close()
            raise NoWorkerError("it has left")
        return answer

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def connect(home: Path) -> socket.socket:
    """A connection to the worker of this home.

    Raises:
        OSError: there is none.
    """
    directory = os.open(home, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    made = _socket()
    try:
        made.connect(_address(directory))
    except BaseException:
        made.close()
        raise
    finally:
        os.close(directory)
    return made


def _socket() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)


def _address(directory: int) -> str:
    """Through a descriptor, because a socket's path may have only 107 bytes."""
    return f"/proc/self/fd/{directory}/{_NAME}"
