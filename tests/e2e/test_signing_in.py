"""People sign in at real servers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from e2e.sandboxes import Sandbox
from e2e.test_up import TASKS, Up
from retrofill.bootstrap.centers import Call
from retrofill.bootstrap.deployment import open_deployment

pytestmark = pytest.mark.slow

RIGHT = "correct horse battery"


class Visitor:
    """A browser at one address, which says that its forms come from there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.Client(base_url=url, headers={"Origin": url}, timeout=60)

    def submit(self, path: str, **fields: str) -> httpx.Response:
        return self.client.post(path, data=fields or {"go": "on"})

    def sign_in(self, user: str) -> int:
        return self.submit("/sign-in", user=user, password=RIGHT).status_code

    def is_in(self) -> bool:
        return self.client.get("/api/v1/me").status_code == 200


def memory_of(pid: int) -> int:
    """Most bytes that a process has held."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmHWM" in line)
    return int(line.split()[1]) * 1024


def add_users(sandbox: Sandbox, *names: str) -> None:
    with closing(open_deployment(str(sandbox.home), {})) as deployment:
        people = Call(deployment).center.people
        for name in names:
            people.add(name)
            people.set_password(name, RIGHT)


def test_twenty_at_once(sandbox: Sandbox) -> None:
    """SEC-6: all get in, and the server stays below 250 MB."""
    sandbox.write(TASKS)
    sandbox.call("deploy")
    names = [f"user{number}" for number in range(20)]
    add_users(sandbox, *names)
    server = Up(sandbox, "serve", "--port", 0)
    with ThreadPoolExecutor(20) as threads:
        found = list(threads.map(lambda name: Visitor(server.url).sign_in(name), names))
    assert found == [303] * 20
    assert memory_of(server.process.pid) < 250_000_000
    server.leave()


def test_the_first_start(sandbox: Sandbox) -> None:
    """SEC-1: from the link that is printed to a password; the link opens once."""
    sandbox.write(TASKS)
    group = Up(sandbox)
    visitor = Visitor(group.url)
    path = group.told["sign_in_url"].removeprefix(group.url)
    assert "as <strong>admin</strong>" in visitor.client.get(path).text
    secret = path.partition("link=")[2]
    assert visitor.submit("/sign-in/link", link=secret).status_code == 303
    assert visitor.client.get("/api/v1/me").json()["administrator"]
    assert visitor.submit("/password", password=RIGHT).status_code == 303
    assert visitor.submit("/sign-out").status_code == 303
    assert not visitor.is_in()
    assert visitor.submit("/sign-in/link", link=secret).status_code == 401
    assert visitor.sign_in("admin") == 303
    assert visitor.is_in()
    left = group.leave()
    assert secret not in left.stderr
    assert RIGHT not in left.stdout + left.stderr


def test_servers_of_one_deployment_know_the_same_people(sandbox: Sandbox) -> None:
    """SEC-6: sessions and failures belong to the deployment, not to a process."""
    sandbox.write(TASKS)
    sandbox.call("deploy")
    add_users(sandbox, "ann", "bob")
    one, other = (Up(sandbox, "serve", "--port", 0) for _ in range(2))
    here, there = Visitor(one.url), Visitor(other.url)
    assert here.sign_in("ann") == 303
    name, secret = next(iter(here.client.cookies.items()))
    there.client.cookies.set(name.replace(one.url.rpartition(":")[2], other.url.rpartition(":")[2]), secret)
    assert there.is_in()
    assert here.submit("/sign-out").status_code == 303
    assert not there.is_in()
    wrong = [
        visitor.submit("/sign-in", user="bob", password="wrong").status_code for visitor in (here, there) * 3
    ]
    assert wrong == [401] * 5 + [429]
    for server in (one, other):
        server.leave()
