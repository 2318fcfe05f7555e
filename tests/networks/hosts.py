"""Hosts as network namespaces of this machine, on one router whose links can be cut, delayed and healed.

    with Network() as network:
        db, etl1 = network.host("db"), network.host("etl1")
        with db.inside():
            server = Server(directory, ["listen_addresses=*"])  # whatever starts in here lives on `db`
        worker = etl1.popen([RETROFILL, "worker", ...])  # and reaches it at db.address
        with network.cut(etl1, db):
            ...

What a cut swallows nobody is told, as on a real network: no refusal, no reset, only silence; what is sent meanwhile
TCP sends again. Hosts share files, processes and the clock of the machine; they have addresses, a loopback and a
hostname of their own, and no way out. A namespace lives as long as this process or something in it: nothing has to be
tidied up after a crash. Where the right is missing to make any, tests are skipped; with RETROFILL_TEST_SERVICES=required
they fail.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import combinations
from pathlib import Path
from typing import Any, Self

import pytest

_NET, _UTS = 0x40000000, 0x04000000  # CLONE_NEWNET, CLONE_NEWUTS of sched.h
_KINDS = {"net": _NET, "uts": _UTS}
_RELAY = Path(__file__).with_name("relay.py")
_MOST_HOSTS = 250
# Of the rules of the router: what was held back goes its way, what is cut is dropped, what is to be held back is.
_CUT, _HELD, _TO_HOLD = 10, 20, 30
_libc = ctypes.CDLL(None, use_errno=True)


class Network:
    """A router in a namespace of its own, and the hosts that hang on it."""

    def __init__(self) -> None:
        reason = why_not()
        if reason is not None and os.environ.get("RETROFILL_TEST_SERVICES") == "required":
            pytest.fail(reason)
        if reason is not None:
            pytest.skip(reason)
        self._hosts: list[Host] = []
        self._router = Host("router", "")
        # Two ways lead to a host that is delayed: where a packet comes from is not judged.
        for key, value in {
            "ip_forward": "1",
            "conf/all/rp_filter": "0",
            "conf/default/rp_filter": "0",
        }.items():
            with self._router.inside():
                Path("/proc/sys/net/ipv4", key).write_text(value)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for host in [*self._hosts, self._router]:
            host.close()

    def host(self, name: str) -> Host:
        """A new host with this hostname, which all others reach."""
        number = len(self._hosts) + 1
        assert number <= _MOST_HOSTS
        host = Host(name, f"198.18.{number}.2")
        link, theirs = f"host{number}", f"198.18.{number}.1"
        self._router.ip(f"link add {link} type veth peer name eth0 netns {host.netns}")
        self._router.ip(f"address add {theirs}/30 dev {link}")
        self._router.ip(f"link set {link} up")
        host.ip(f"address add {host.address}/30 dev eth0")
        host.ip("link set eth0 up")
        host.ip(f"route add default via {theirs}")
        self._hosts.append(host)
        return host

    @contextmanager
    def cut(self, *hosts: Host) -> Iterator[None]:
        """No packet passes between any two of these hosts; one alone is cut off from everybody. Healed at the end."""
        pairs = list(combinations([host.address for host in hosts], 2))
        pairs = pairs or [(hosts[0].address, "198.18.0.0/16")]
        rules = [f"from {a} to {b} blackhole" for pair in pairs for a, b in (pair, pair[::-1])]
        with self._rules(_CUT, rules):
            yield

    @contextmanager
    def cut_one_way(self, sender: Host, receiver: Host) -> Iterator[None]:
        """What `sender` sends does not arrive; what comes back would."""
        with self._rules(_CUT, [f"from {sender.address} to {receiver.address} blackhole"]):
            yield

    @contextmanager
    def delayed(self, host: Host, seconds: float) -> Iterator[None]:
        """Each packet from and to this host takes so much longer; none is lost at the end."""
        number = self._hosts.index(host) + 1
        device, table = f"slow{number}", 100 + number
        with ExitStack() as ended:
            relay = self._router.popen(
                [sys.executable, _RELAY, device, str(seconds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            ended.callback(relay.wait)
            assert relay.stdin
            assert relay.stdout
            ended.callback(relay.stdin.close)  # it hands on what it holds, and ends
            assert relay.stdout.readline() == b"ready\n"
            self._router.ip(f"link set {device} up")
            self._router.ip(f"route add default dev {device} table {table}")
            ended.enter_context(self._rules(_HELD, [f"iif {device} lookup main"]))
            rules = [f"{way} {host.address} lookup {table}" for way in ("from", "to")]
            ended.enter_context(self._rules(_TO_HOLD, rules))
            yield

    @contextmanager
    def _rules(self, priority: int, rules: Sequence[str]) -> Iterator[None]:
        with ExitStack() as added:
            for rule in rules:
                self._router.ip(f"rule add priority {priority} {rule}")
                added.callback(self._router.ip, f"rule delete priority {priority} {rule}")
            yield


class Host:
    """One machine: what starts `inside` of it has its addresses and its hostname.

    Attributes:
        address: at which all other hosts reach it.
    """

    def __init__(self, name: str, address: str) -> None:
        self.name, self.address = name, address
        self._spaces: dict[str, int] = {}
        made = threading.Thread(target=self._make)  # namespaces are a thread's; this one ends with them made
        made.start()
        made.join()
        with self.inside():
            subprocess.run(["hostname", name], check=True)
        self.ip("link set lo up")

    def _make(self) -> None:
        _check(_libc.unshare(_NET | _UTS))
        self._spaces = _spaces_of_this_thread()

    @property
    def netns(self) -> str:
        """As the program `ip` takes it."""
        return f"/proc/{os.getpid()}/fd/{self._spaces['net']}"

    @contextmanager
    def inside(self) -> Iterator[None]:
        """This thread is on this host, with the sockets that it opens and the processes that it starts."""
        before = _spaces_of_this_thread()
        try:
            _enter(self._spaces)
            yield
        finally:
            _enter(before)
            for space in before.values():
                os.close(space)

    def popen(self, arguments: Sequence[Any], **options: Any) -> subprocess.Popen[Any]:
        """A process on this host; options as those of Popen."""
        with self.inside():
            return subprocess.Popen(arguments, **options)

    def run(self, arguments: Sequence[Any], **options: Any) -> subprocess.CompletedProcess[Any]:
        """What a command that ran on this host has answered; options as those of subprocess.run."""
        with self.inside():
            return subprocess.run(arguments, **options)  # noqa: PLW1510  the caller says whether it is checked

    def ip(self, words: str) -> None:
        """Change the network of this host with iproute2."""
        done = self.run(["ip", *words.split()], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"ip {words}: {done.stderr}"

    def processes(self) -> list[int]:
        """Whatever lives here, also in sessions of its own."""
        mine = os.stat(self.netns).st_ino
        return [pid for pid in _pids() if pid != os.getpid() and _netns_of(pid) == mine]

    def crash(self) -> None:
        """All of its processes are killed, as without power: the folder stays as it is."""
        while found := self.processes():
            for pid in found:
                _kill(pid)

    def close(self) -> None:
        """What still lives here is killed, and the host is gone."""
        self.crash()
        for space in self._spaces.values():
            os.close(space)


def why_not() -> str | None:
    """What keeps this machine from having hosts; None if nothing does."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "hosts as network namespaces need Linux and root"
    missing = [name for name in ("ip", "hostname", "unshare") if shutil.which(name) is None]
    if missing:
        return (
            f"hosts as network namespaces need {', '.join(missing)} (Debian: iproute2, hostname, util-linux)"
        )
    tried = subprocess.run(
        ["unshare", "--net", "--uts", "ip", "rule", "add", "from", "198.18.0.1", "blackhole"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return f"no network namespace here: {tried.stderr.strip()}" if tried.returncode else None


def _spaces_of_this_thread() -> dict[str, int]:
    return {kind: os.open(f"/proc/thread-self/ns/{kind}", os.O_RDONLY) for kind in _KINDS}


def _enter(spaces: dict[str, int]) -> None:
    for kind, space in spaces.items():
        _check(_libc.setns(space, _KINDS[kind]))


def _check(answer: int) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _pids() -> list[int]:
    return [int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()]


def _netns_of(pid: int) -> int | None:
    """None of one that has just ended; one that has and is not waited for has none either."""
    try:
        return os.stat(f"/proc/{pid}/ns/net").st_ino
    except OSError:
        return None


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
