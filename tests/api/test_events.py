"""Streams of changes and of logs, over a socket: nothing is missed, and none goes on without its right."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from api.servers import Server, problem
from api.streams import Event, Stream, listening, opened
from executors.rooms import wait_until
from retrofill.api.hub import MOST_OF_A_USER, hub_of
from retrofill.api.links import PREFIX
from retrofill.domain.running.searches import InstanceSearch
from retrofill.executors.logs.names import run_name
from retrofill.executors.logs.paths import RunPaths
from retrofill.services.ports.records import EndOfRun


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    with listening(server.app) as address:
        yield address + PREFIX
        hub_of(server.app).close()


def instances_of(server: Server, number: int) -> list[int]:
    page = server.center("admin").instances.list(InstanceSearch(backfills=(number,)), 100)
    return [row["id"] for row in page["items"]]


def prioritise(server: Server, *ids: int) -> None:
    with server.deployment.store.transaction() as tx:
        for number in ids:
            tx.interventions.set_priority(number, 7)


def test_a_change_is_told_with_ids(server: Server, url: str) -> None:
    """Live changes of one backfill; contents are asked for elsewhere."""
    number = server.create()
    first, second, *_ = instances_of(server, number)
    with opened(f"{url}/backfills/{number}/events", server.token("alice")) as stream:
        begin = stream.next()
        assert (begin.kind, begin.data["missed"], begin.id) == ("change", True, begin.data["revision"])
        prioritise(server, first, second)
        told = stream.next()
        assert told.data == {
            "revision": told.id, "missed": False, "changed": True, "instances": [first, second]
        }  # fmt: skip


def test_who_comes_back_misses_nothing(server: Server, url: str) -> None:
    """What happened in between is the first that a new stream tells; it may be told twice, but never not at all."""
    number = server.create()
    first, second, *_ = instances_of(server, number)
    path, token = f"{url}/backfills/{number}/events", server.token("alice")
    with opened(path, token) as stream:
        heard = stream.next().id
    prioritise(server, first)
    prioritise(server, second)
    with opened(path, token, since=heard) as stream:
        told = stream.next()
        assert (told.data["missed"], told.data["instances"]) == (False, [first, second])
        prioritise(server, first)
        assert first in stream.next().data["instances"]


def test_a_stream_that_ends_again_and_again_misses_nothing(server: Server, url: str) -> None:
    """Each time from the last event that was heard, while somebody goes on writing."""
    number = server.create()
    ids = instances_of(server, number)
    path, token = f"{url}/backfills/{number}/events", server.token("alice")
    heard, told = None, set[int]()
    for one in ids:
        with opened(path, token, since=heard) as stream:
            begin = stream.next()
            told.update(begin.data["instances"] or ())
            prioritise(server, one)
            heard = begin.id
    with opened(path, token, since=heard) as stream:
        told.update(stream.next().data["instances"])
    assert told == set(ids)


def test_what_is_foreign_is_not_told(server: Server, url: str) -> None:
    """SEC-2: alice sees the backfill, and of its instances those of her workspace."""
    number = server.create("admin", task=("open.first",), descendants="all")
    with opened(f"{url}/backfills/{number}/events", server.token("alice")) as stream:
        stream.next()
        prioritise(server, *instances_of(server, number))
        told = stream.next().data["instances"]
    with server.deployment.store.read() as reader:
        names = {reader.task_name(row.task_id) for row in reader.instances(told)}
        assert names == {"open.first", "open.last"}


def test_a_foreign_backfill_has_no_stream(server: Server, url: str) -> None:
    """SEC-2."""
    foreign = server.create("greta", task=("vault.goldmine",))
    for number in (foreign, 777):
        answer = httpx.get(
            f"{url}/backfills/{number}/events",
            headers={"Authorization": f"Bearer {server.token('alice')}", "Accept": "text/event-stream"},
        )
        assert problem(answer, 404)["detail"] == f"there is no backfill {number}"


def test_the_list_tells_which_have_changed(server: Server, url: str) -> None:
    """BF-1: the next page of a list that is live; a new backfill is told, a foreign one is not."""
    with opened(f"{url}/backfills/events", server.token("alice")) as stream:
        assert stream.next().data["missed"]
        server.create("greta", task=("vault.goldmine",))
        mine = server.create("alice")
        told = until(stream, mine)
    assert told == {mine}


def until(stream: Stream, number: int) -> set[int]:
    """All backfills that are told up to this one; being written, it may be told in steps."""
    found: set[int] = set()
    while number not in found:
        found.update(stream.next().data["backfills"])
    return found


def test_who_wants_no_stream_is_answered(server: Server) -> None:
    """The same question, asked again and again."""
    number = server.create()
    asked = server.by("alice")
    first = asked.get(f"{PREFIX}/backfills/{number}/events").json()
    assert first["missed"]
    prioritise(server, *instances_of(server, number)[:1])
    later = asked.get(f"{PREFIX}/backfills/{number}/events", params={"since": first["revision"]}).json()
    assert later["instances"] == instances_of(server, number)[:1]
    page = asked.get(f"{PREFIX}/backfills/events", params={"since": first["revision"]}).json()
    assert page == {"revision": later["revision"], "missed": False, "backfills": [number], "schedule": False}


def test_a_revoked_token_ends_its_streams(server: Server, url: str) -> None:
    """SEC-1: at once, in whatever process it was revoked; who comes back is refused."""
    number = server.create()
    people = server.center("admin").people
    made = people.create_token("alice")
    path = f"{url}/backfills/{number}/events"
    with ExitStack() as both:
        hers = both.enter_context(opened(path, made["token"]))
        other = both.enter_context(opened(path, server.token("alice")))
        hers.next(), other.next()
        people.revoke_token(made["id"])
        assert hers.rest() == [Event("end", "", {"reason": "refused"})]
        prioritise(server, *instances_of(server, number)[:1])
        assert other.next().data["instances"] == instances_of(server, number)[:1]
    problem(httpx.get(path, headers={"Authorization": f"Bearer {made['token']}"}), 401)


def test_other_roles_end_a_stream(server: Server, url: str) -> None:
    """SEC-2: who sees more or less by now comes again, and is told what they see."""
    number = server.create()
    path, token = f"{url}/backfills/{number}/events", server.token("alice")
    with opened(path, token) as stream:
        stream.next()
        folder = server.deployment.folder.directory / "workspaces" / "vault" / "workspace.yaml"
        folder.write_text(
            folder.read_text().replace("greta: administrator", "greta: administrator, alice: visitor")
        )
        server.center("admin").versions.deploy()
        assert stream.rest()[-1:] == [Event("end", "", {"reason": "rights"})]
    with opened(path, token) as stream:
        assert stream.next().data["missed"]


def test_a_server_that_stops_ends_its_streams(server: Server) -> None:
    """Within its patience, and with a word."""
    number = server.create()
    with listening(server.app) as address, ExitStack() as streams:
        path = f"{address}{PREFIX}/backfills/{number}/events"
        one, other = (streams.enter_context(opened(path, server.token("alice"))) for _ in range(2))
        one.next(), other.next()
        hub_of(server.app).close()
        assert one.rest() == other.rest() == [Event("end", "", {"reason": "closing"})]
        with opened(path, server.token("alice")) as late:
            assert late.rest()[-1] == Event("end", "", {"reason": "closing"})


def test_a_stream_too_many_is_refused(server: Server, url: str) -> None:
    """Each user has so many; who closes one may open another."""
    number = server.create()
    path, token = f"{url}/backfills/{number}/events", server.token("alice")
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    with ExitStack() as streams:
        all_open = [streams.enter_context(opened(path, token)) for _ in range(MOST_OF_A_USER)]
        assert all(stream.next().data["missed"] for stream in all_open)
        answer = httpx.get(path, headers=headers)
        assert problem(answer, 503)["code"] == "too_many_streams"
        assert answer.headers["retry-after"]
        with opened(path, server.token("bob")) as stream:
            assert stream.next().data["missed"], "another one has their own"
    wait_until(lambda: hub_of(server.app).count_of("alice") == 0, "their streams to be closed")
    with opened(path, token) as stream:
        assert stream.next().data["missed"]


# Logs

_TOKEN = "f" * 24


@dataclass(frozen=True)
class Run:
    """A run that goes on as its test says."""

    server: Server
    instance: int

    def print(self, data: bytes) -> None:
        paths = RunPaths(str(self.server.deployment.folder.runs))
        with Path(paths.log(run_name(self.instance, 1, _TOKEN))).open("ab") as log:
            log.write(data)

    def end(self) -> None:
        with self.server.deployment.store.transaction() as tx:
            assert tx.end_runs([EndOfRun(self.instance, 1, _TOKEN, 9, "exited", 0)]) == [True]
            tx.succeed([(9, self.instance)])


@pytest.fixture
def run(server: Server) -> Run:
    instance = instances_of(server, server.create())[0]
    with server.deployment.store.transaction() as tx:
        tx.wait_for_resources([(instance, 1, "default")])
        tx.start([(instance, 1, _TOKEN)], "boot", 5)
    RunPaths(str(server.deployment.folder.runs)).make()
    return Run(server, instance)


def test_a_log_is_told_as_it_grows(server: Server, url: str, run: Run) -> None:
    """To the end of its run, and then that it has ended; a letter that is written in two halves is whole."""
    run.print("one\né"[:-1].encode() + "é".encode()[:1])
    with opened(f"{url}/instances/{run.instance}/log/events", server.token("alice")) as stream:
        first = stream.next()
        assert (first.kind, first.id) == ("output", "1.4")
        assert first.data == {"run_number": 1, "offset": 0, "missing": 0, "text": "one\n"}
        run.print("é".encode()[1:] + b"two\n")
        assert stream.next() == Event(
            "output", "1.10", {"run_number": 1, "offset": 4, "missing": 0, "text": "étwo\n"}
        )
        run.print(b"last \xff")
        run.end()
        rest = stream.rest()
    text = "".join(one.data["text"] for one in rest[:-1])
    assert text == "last \ufffd"
    assert rest[-1] == Event("end", "", {"reason": "ended"})


def test_who_comes_back_to_a_log_goes_on_where_they_were(server: Server, url: str, run: Run) -> None:
    run.print(b"0123456789")
    path, token = f"{url}/instances/{run.instance}/log/events", server.token("alice")
    with opened(path, token) as stream:
        heard = stream.next().id
    run.print(b"abc")
    run.end()
    with opened(path, token, since=heard) as stream:
        assert [one.data.get("text") for one in stream.rest()] == ["abc", None]
    with opened(path, token, since="1.7") as stream:
        assert stream.next().data == {"run_number": 1, "offset": 7, "missing": 0, "text": "789abc"}


def test_bytes_that_are_no_text_are_told_as_they_are(server: Server, run: Run) -> None:
    """A program may want them; with another `Accept` the answer ends."""
    run.print(b"\xff\xfe\x00")
    answer = server.by("alice").get(f"{PREFIX}/instances/{run.instance}/log/events")
    (event,) = (json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: "))
    assert base64.b64decode(event["base64"]) == b"\xff\xfe\x00"


def test_a_log_that_nobody_may_see_has_no_stream(server: Server, run: Run) -> None:
    """SEC-2."""
    problem(server.by("greta").get(f"{PREFIX}/instances/{run.instance}/log/events"), 404)


def test_a_revoked_token_ends_the_stream_of_a_log(server: Server, url: str, run: Run) -> None:
    """SEC-1: also where nobody listens to changes."""
    people = server.center("admin").people
    made = people.create_token("alice")
    run.print(b"one")
    with opened(f"{url}/instances/{run.instance}/log/events", made["token"]) as stream:
        stream.next()
        people.revoke_token(made["id"])
        assert stream.rest() == [Event("end", "", {"reason": "refused"})]


def test_what_ran_no_code_says_so(server: Server, url: str) -> None:
    """RUN-2."""
    number = server.create()
    (first, *_) = instances_of(server, number)
    with server.deployment.store.transaction() as tx:
        tx.pass_by([(first, "off_day")], 5)
    with opened(f"{url}/instances/{first}/log/events", server.token("alice")) as stream:
        line, end = stream.rest()
    assert line.data["text"].startswith("Off day")
    assert end == Event("end", "", {"reason": "ended"})
