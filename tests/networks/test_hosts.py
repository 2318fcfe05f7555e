"""Hosts reach each other, and what is cut or delayed is it, until it is healed."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from networks.hosts import Host, Network

PORT = 7000


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


def listening(host: Host) -> socket.socket:
    with host.inside():
        return socket.create_server((host.address, PORT))


def connected(client: Host, server: Host, listener: socket.socket) -> tuple[socket.socket, socket.socket]:
    """The two ends of a connection; neither waits for ever."""
    with client.inside():
        near = socket.create_connection((server.address, PORT), timeout=30)
    far, address = listener.accept()
    assert address[0] == client.address
    far.settimeout(30)
    return near, far


def test_hosts_reach_each_other_and_nobody_else(network: Network) -> None:
    a, b = network.host("etl1"), network.host("etl2")
    with listening(b) as listener:
        near, far = connected(a, b, listener)
        with near, far:
            near.sendall(b"hello")
            assert far.recv(5) == b"hello"
    with a.inside(), pytest.raises(OSError, match="unreachable"):
        socket.create_connection(("192.0.2.1", PORT), timeout=30)
    with socket.create_server(("127.0.0.1", 0)) as outside, a.inside(), pytest.raises(ConnectionRefusedError):
        socket.create_connection(outside.getsockname(), timeout=30)
    assert a.run(["hostname"], capture_output=True, check=True, text=True).stdout == "etl1\n"


def test_what_is_cut_is_silent_and_comes_after_all_when_healed(network: Network) -> None:
    a, b, c = network.host("a"), network.host("b"), network.host("c")
    with listening(b) as listener:
        near, far = connected(a, b, listener)
        other, theirs = connected(c, b, listener)
        with near, far, other, theirs:
            with network.cut(a, b):
                near.sendall(b"late")
                far.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    far.recv(4)
                with a.inside(), pytest.raises(TimeoutError):
                    socket.create_connection((b.address, PORT), timeout=0.3)
                other.sendall(b"here")
                assert theirs.recv(4) == b"here"  # others are not disturbed
            far.settimeout(30)
            assert far.recv(4) == b"late"


def test_one_that_is_cut_off_reaches_nobody(network: Network) -> None:
    a, b = network.host("a"), network.host("b")
    with listening(b) as listener:
        with network.cut(a), a.inside(), pytest.raises(TimeoutError):
            socket.create_connection((b.address, PORT), timeout=0.3)
        for end in connected(a, b, listener):
            end.close()


def test_a_way_can_be_cut_in_one_direction(network: Network) -> None:
    a, b = network.host("a"), network.host("b")
    with listening(b) as listener:
        near, far = connected(a, b, listener)
        with near, far, network.cut_one_way(a, b):
            far.sendall(b"down")
            assert near.recv(4) == b"down"
            near.sendall(b"up")
            far.settimeout(0.3)
            with pytest.raises(TimeoutError):
                far.recv(2)


def test_a_delayed_host_is_heard_after_one_that_spoke_later(network: Network) -> None:
    slow, fast, middle = network.host("slow"), network.host("fast"), network.host("middle")
    with listening(middle) as listener:
        first, heard_first = connected(slow, middle, listener)
        second, heard_second = connected(fast, middle, listener)
        with first, heard_first, second, heard_second:
            with network.delayed(slow, 2):
                first.sendall(b"1")
                second.sendall(b"2")
                assert heard_second.recv(1) == b"2"
                heard_first.setblocking(False)
                with pytest.raises(BlockingIOError):
                    heard_first.recv(1)
            heard_first.settimeout(30)
            assert heard_first.recv(1) == b"1"


def test_a_crash_ends_all_that_lives_there_and_nothing_else(network: Network) -> None:
    a, b = network.host("a"), network.host("b")
    sleep = "import os, time; os.fork() or os.setsid(); os.write(1, b'here\\n'); time.sleep(600)"
    crashed, spared = (
        host.popen([sys.executable, "-c", sleep], stdout=subprocess.PIPE, text=True) for host in (a, b)
    )
    for process in (crashed, spared):
        assert process.stdout
        assert [process.stdout.readline() for _ in range(2)] == ["here\n"] * 2
    assert len(a.processes()) == 2
    a.crash()
    assert crashed.wait(30) == -9
    assert a.processes() == []
    assert spared.poll() is None
    assert len(b.processes()) == 2
