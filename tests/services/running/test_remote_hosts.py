"""Hosts that ask a server with a worker's token (decision 0039): the same port in documents, and what a token is not for."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, replace
from typing import Any

import pytest

from retrofill.domain.catalog.definitions import IncludedFile, ResourceGroup
from retrofill.domain.errors import UnknownNameError
from retrofill.domain.people.roles import system_administrator
from retrofill.domain.people.scopes import Scope
from retrofill.domain.people.visitors import WorkerRight
from retrofill.executors.logs.keeping import KeptLogs
from retrofill.executors.logs.reading import LogFolder
from retrofill.services.instances.graphs import GraphCache
from retrofill.services.people.keys import Keys
from retrofill.services.ports import RunRef, RunSpec
from retrofill.services.ports.hosting import Answer, Exchange, Hosting, HostRefusedError, HostStatus, OwnRun
from retrofill.services.ports.running import IncludedCode
from retrofill.services.running import hosting_documents as documents
from retrofill.services.running.remote_hosts import Behind, RemoteHosts
from retrofill.services.upkeep.custody import LedgerCustody, Rules
from services.fakes import FakeHosts
from services.hosts import Host
from services.running.test_hosting import ETL, tasks
from services.worlds import MakeWorld, World

OTHER = ResourceGroup("other", slots=4, executor="pull")
LIMITS = (1_000_000, 10)


class Server:
    """What stands behind it is the world's; whoever asks has a token."""

    def __init__(self, w: World, hosting: Hosting) -> None:
        assert w.hosts is not None
        self._world = w
        self.logs = LogFolder(w.directory)
        kept = KeptLogs(w.directory, lambda: LIMITS[0])
        behind = Behind(w.store, w.clock, hosting, w.hosts, kept, lambda: LIMITS, self._custody)
        self.hosts = RemoteHosts(behind)

    def _custody(self, host: str) -> LedgerCustody:
        w = self._world
        rules = Rules(retention_days=30, log_days={"exclusive": 30}, auto_log_cap=0)
        return LedgerCustody(w.store, GraphCache(), w.clock.now_ms(), rules, host)

    def right(self, *groups: str, user: str = "admin") -> WorkerRight:
        """Of a new token."""
        record, _ = self._keys.create_token(user, scope=Scope.WORKER, resource_groups=groups)
        return WorkerRight(record.id, groups)

    def revoke(self, right: WorkerRight) -> None:
        self._keys.revoke_token(right.token)

    @property
    def _keys(self) -> Keys:
        w = self._world
        return Keys(w.store, w.catalog, w.clock, system_administrator("admin"))


class FarHost(Host):
    """A host that asks a server: all that it says and hears goes through JSON."""

    def __init__(self, w: World, name: str, right: WorkerRight | None = None, **more: Any) -> None:
        self._right = right
        super().__init__(w, name, **more)

    def begin(self) -> None:
        if not isinstance(self.hosting, _Far):
            server = Server(self._world, self.hosting)
            self.hosting = _Far(server, self._right or server.right("etl"))  # type: ignore[assignment]
        super().begin()

    @property
    def server(self) -> Server:
        assert isinstance(self.hosting, _Far)
        return self.hosting.server

    @property
    def right(self) -> WorkerRight:
        assert isinstance(self.hosting, _Far)
        return self.hosting.right

    def push(self, ref: RunRef, offset: int, data: bytes, missing: int = 0, host: str = "") -> int:
        run = _sent(documents.ref_document(ref))
        return self.server.hosts.keep_log(self.right, host or self.status.name, run, offset, missing, data)


class _Far:
    """The port, asked by a token."""

    def __init__(self, server: Server, right: WorkerRight) -> None:
        self.server, self.right = server, right

    def exchange(self, status: HostStatus, exchange: Exchange) -> Answer:
        asked = _sent(documents.status_document(status)), _sent(documents.exchange_document(exchange))
        return documents.answer_of(_sent(self.server.hosts.exchange(self.right, *asked)))

    def own(self, status: HostStatus) -> list[OwnRun]:
        found = _sent(self.server.hosts.own(self.right, _sent(documents.status_document(status))))
        return list(map(documents.own_of, found["items"]))

    def content(self, sha256: str) -> bytes:
        return self.server.hosts.content(sha256)

    def leave(self, status: HostStatus) -> None:
        self.server.hosts.leave(self.right, _sent(documents.status_document(status)))


def _sent(document: Any) -> Any:
    return json.loads(json.dumps(document))


@pytest.fixture
def w(world: MakeWorld) -> World:
    made = world(*tasks(), groups=(ETL, OTHER), hosts=FakeHosts())
    made.create()
    made.tick()
    return made


def refused(host: FarHost, **changes: Any) -> str:
    """What the host is told that says something else of itself."""
    with pytest.raises(HostRefusedError) as caught:
        host.hosting.exchange(replace(host.status, **changes), Exchange(0))
    return caught.value.message


def test_all_that_a_run_needs_arrives() -> None:
    """RUN-9: nothing of it is left out on the way, also what was added to it last."""
    ref, file = RunRef(7, 2, "token", "boot"), IncludedFile("lib.py", "0" * 64, 12, True)
    spec = RunSpec(
        ref, "sql", "w.a", "SELECT 1", ("x",), {"A": "b"}, "/srv/w", 60, "duckdb:///x", "python3", ("secret",), "db",
        ("raw",), ("mart",), IncludedCode(3, "/srv/code", (file,)), "bash", ("AWS_*",), "a.sql", True,
    )  # fmt: skip
    for field in fields(RunSpec):
        assert field.default is MISSING or getattr(spec, field.name) != field.default, f"{field.name} is sent"
    answer = Answer([spec], [ref], [ref], True, 1, 2)
    assert documents.answer_of(_sent(documents.answer_document(answer))) == answer


def test_rounds_through_a_server(w: World) -> None:
    """RUN-9: claims, ends and stops are those of the port, whatever gets lost or comes twice."""
    one = FarHost(w, "one")
    one.lost = "answer"
    one.worker.round()
    one.lost = ""
    assert one.worker.round().started == 2, "claimed before without having been heard"
    good, to_stop = sorted(one.executor.running)
    names = w.names_of([good, to_stop])
    one.executor.end(good)
    (end,) = one.executor.poll()
    for _ in range(2):  # a proxy has asked twice
        one.hosting.exchange(one.status, Exchange(w.clock.now_ms(), ends=[end]))
    w.do("stop", names[to_stop])
    one.worker.round()
    assert [ref.instance_id for ref in one.executor.told_to_stop] == [to_stop]
    w.tick()
    assert (w.state(names[good]), w.state(names[to_stop])) == ("successful", "running stopping")
    with w.store.read() as reader:
        assert len(reader.runs(good)) == 1
    one.begin()
    assert [ref.instance_id for ref in one.executor.adopted] == [to_stop]


def test_a_token_is_for_its_groups(w: World) -> None:
    """SEC-3: what runs elsewhere, with its code and its secrets, is not handed over."""
    other = FarHost(w, "one", right(w, "other"), groups=("other",))
    assert other.worker.round().started == 0
    assert refused(other, groups=("other", "etl")) == "this token is for other, and not for etl"


def right(w: World, *groups: str) -> WorkerRight:
    """Of a new token."""
    return Server(w, Host(w, "unheard of").hosting).right(*groups)


def test_a_host_belongs_to_its_token(w: World) -> None:
    """SEC-1: nobody speaks in the name of another one's host, also not for the same groups."""
    one = FarHost(w, "one")
    one.worker.round()
    two = FarHost(w, "two")
    assert refused(two, name="one") == f"the host one belongs to token {one.right.token}"
    with pytest.raises(HostRefusedError):
        two.server.hosts.check(two.right, "one")
    near = Host(w, "near")
    near.worker.round()
    assert refused(two, name="near") == "the host near is not one of this token"
    assert w.hosts is not None
    w.hosts.beat("a scheduler's")
    assert refused(two, name="a scheduler's") == "the host a scheduler's is not one of this token"


def test_a_host_goes_on_with_another_token_once_its_own_has_ended(w: World) -> None:
    """SEC-1: of the same user, and for the same groups or more."""
    one = FarHost(w, "one")
    one.worker.round()
    narrow, wide = right(w, "other"), right(w, "other", "etl")
    with pytest.raises(HostRefusedError, match="belongs to token"):
        FarHost(w, "one", wide)
    one.server.revoke(one.right)
    with pytest.raises(HostRefusedError, match="belongs to token"):
        FarHost(w, "one", narrow, groups=("other",))
    after = FarHost(w, "one", wide)
    assert {ref.instance_id for ref in after.executor.adopted} == one.executor.running.keys()


def test_logs_of_own_runs_are_kept(w: World) -> None:
    """SEC-2: those of others are not taken, whoever names them."""
    one, two = FarHost(w, "one"), FarHost(w, "two")
    one.worker.round()
    two.worker.round()
    mine, theirs = (
        min(host.executor.running.values(), key=lambda spec: spec.ref.instance_id).ref for host in (one, two)
    )
    assert one.push(mine, 0, b"hello\n") == 6
    assert one.server.logs.read(mine, 0, 100).data == b"hello\n"
    for foreign in (theirs, replace(mine, token="guessed"), replace(mine, instance_id=999)):
        with pytest.raises(UnknownNameError, match="does not live on one"):
            one.push(foreign, 0, b"forged")
    with pytest.raises(HostRefusedError, match="two is not one of this token"):
        one.push(theirs, 0, b"forged", host="two")


def test_a_host_lets_go_of_nothing_of_others(w: World) -> None:
    """RET-1: it is told of its own runs, and only with its own token."""
    one, two = FarHost(w, "one"), FarHost(w, "two")
    one.worker.round()
    two.worker.round()
    asked = {"logs": [], "since_ms": None, "bizdate": None}
    told = one.server.hosts.custody(one.right, "one", asked)
    assert {run["instance_id"] for run in told["open_runs"]} == one.executor.running.keys()
    with pytest.raises(HostRefusedError, match="two is not one of this token"):
        one.server.hosts.custody(one.right, "two", asked)


def test_files_of_versions(w: World) -> None:
    one = FarHost(w, "one")
    with pytest.raises(UnknownNameError, match="no version holds a file"):
        one.content("0" * 64)


def test_what_a_worker_goes_by_and_who_is_called(w: World) -> None:
    """RUN-9: groups with offers, hosts with something to stop; nobody else is woken."""
    one = FarHost(w, "one", slots=4)
    assert one.server.hosts.rules(one.right) == {
        "resource_groups": ["etl"],
        "log_cap": LIMITS[0],
        "grace_seconds": LIMITS[1],
    }
    groups, hosts = one.server.hosts.called()
    assert ({*groups}, hosts) == ({"etl"}, [])
    one.worker.round()
    assert one.server.hosts.called() == ({}, [])
    w.do("stop", min(one.runs))
    assert one.server.hosts.called() == ({}, ["one"])
