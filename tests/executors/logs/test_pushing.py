"""Logs are brought to shared storage while runs go on, whole once they have ended, and by the next process if need be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from executors.rooms import PATIENCE_SECONDS, Room, collect, wait_for_file, wait_until
from retrofill.executors.local.adoption import name_of
from retrofill.executors.logs.capping import cut_middle
from retrofill.executors.logs.pushing import LogPusher, PushingExecutor
from retrofill.executors.logs.reading import LogFolder
from retrofill.executors.logs.storage import LogStorage, LogStorageError, open_storage
from retrofill.services.ports import RunRef
from retrofill.services.ports.logs import LogAwayError, LogPart, NoLogError

Push = Callable[..., LogPusher]


@pytest.fixture
def storage(room: Room) -> LogStorage:
    return open_storage(f"file://{room.path('bucket')}")


@pytest.fixture
def push(room: Room, storage: LogStorage) -> Iterator[Push]:
    """Makes what one process has, which looks as often as it can."""
    made: list[LogPusher] = []

    def make(say: Callable[[str], None] = pytest.fail) -> LogPusher:
        made.append(LogPusher(room.runs, storage, say, every_seconds=0.01))
        return made[-1]

    yield make
    for pusher in made:
        pusher.close()


def text_of(storage: LogStorage, ref: RunRef) -> str:
    try:
        return storage.read(ref, 0, 1 << 20).data.decode()
    except NoLogError:
        return ""


def marks(room: Room) -> list[str]:
    return sorted(path.name for path in (room.runs / "unpushed").iterdir())


def pieces(room: Room, ref: RunRef) -> list[str]:
    return sorted(path.name for path in room.path("bucket").glob(f"*/*/{name_of(ref)}/*"))


def test_a_log_is_there_while_its_run_goes_on(room: Room, storage: LogStorage, push: Push) -> None:
    """OPS-10: and afterwards as one piece, with nothing left that says it has to be brought."""
    executor = PushingExecutor(room.executor(), push())
    spec = room.spec("echo one; echo two; while [ ! -e go ]; do sleep 0.01; done; echo three")
    executor.start([spec])
    wait_until(lambda: text_of(storage, spec.ref) == "one\ntwo\n", "what it has said so far")
    assert marks(room) == [name_of(spec.ref)]
    room.path("go").touch()
    collect(executor, 1)
    wait_until(lambda: not marks(room), "the end of bringing it")
    assert text_of(storage, spec.ref) == "one\ntwo\nthree\n"
    assert pieces(room, spec.ref) == ["000000000000000-000000000000014.end"]


def test_what_a_killed_process_has_left(room: Room, storage: LogStorage, push: Push) -> None:
    """OPS-10, RUN-2: the next one brings what has ended, and follows what goes on."""
    ended, running = room.spec("echo done"), room.spec("echo begun; while [ ! -e go ]; do sleep 0.01; done")
    gone = PushingExecutor(room.executor(), LogPusher(room.runs, storage, every_seconds=PATIENCE_SECONDS * 9))
    gone.start([ended, running])
    wait_until(lambda: room.log(ended) and room.log(running), "both logs")
    gone.close()
    assert text_of(storage, ended.ref) == text_of(storage, running.ref) == ""
    executor = PushingExecutor(room.executor(), push())
    ends = executor.adopt([ended.ref, running.ref])
    room.path("go").touch()
    collect(executor, 2 - len(ends))
    wait_until(lambda: not marks(room), "the end of bringing them")
    assert (text_of(storage, ended.ref), text_of(storage, running.ref)) == ("done\n", "begun\n")


def test_an_end_that_was_heard_and_not_brought(room: Room, storage: LogStorage, push: Push) -> None:
    """OPS-10: the ledger knows of the end, so nobody adopts it; the mark on disk tells of it."""
    spec = room.spec("echo done")
    runs = PushingExecutor(room.executor(), LogPusher(room.runs, storage, every_seconds=PATIENCE_SECONDS * 9))
    runs.start([spec])
    wait_until(lambda: room.log(spec), "its log")
    runs.close()  # before it has heard of the end
    PushingExecutor(room.executor(), push()).adopt([])
    wait_until(lambda: not marks(room), "the end of bringing it")
    assert text_of(storage, spec.ref) == "done\n"


def test_many_short_runs(room: Room, storage: LogStorage, push: Push) -> None:
    """OPS-10: every log is there, an empty one and one of a run that never began, too."""
    executor = PushingExecutor(room.executor(), push())
    specs = [room.spec(f"echo {number}") for number in range(40)]
    silent, impossible = room.spec("true"), room.spec("true", working_directory="/no/such/folder")
    executor.start([*specs, silent, impossible])
    collect(executor, 42)
    wait_until(lambda: not marks(room), "the end of bringing them")
    assert [text_of(storage, spec.ref) for spec in specs] == [f"{number}\n" for number in range(40)]
    assert storage.read(silent.ref, 0, 10).size == 0
    with pytest.raises(NoLogError):
        storage.read(impossible.ref, 0, 10)


def test_a_storage_that_refuses(room: Room, storage: LogStorage, push: Push) -> None:
    """OPS-10: runs go on, it is said once, and the logs come when it takes them again."""
    room.path("bucket").write_text("no folder")
    said: list[str] = []
    executor = PushingExecutor(room.executor(), push(said.append))
    specs = [room.spec("echo one"), room.spec("echo two")]
    executor.start(specs)
    assert [end.exit_code for end in collect(executor, 2)] == [0, 0]
    wait_until(lambda: said, "a word about it")
    assert len(marks(room)) == 2
    room.path("bucket").unlink()
    wait_until(lambda: not marks(room), "the end of bringing them")
    assert sorted(text_of(storage, spec.ref) for spec in specs) == ["one\n", "two\n"]
    assert len(said) == 1
    assert said[0].startswith("Logs cannot be pushed for now, and are tried again: ")


def test_a_run_that_says_very_much(room: Room, storage: LogStorage) -> None:
    """OPS-10: only so much of it is brought while it goes on, and all that its machine has at its end."""
    pusher = LogPusher(room.runs, storage, pytest.fail, every_seconds=0.01, most_bytes=1000)
    executor = PushingExecutor(room.executor(), pusher)
    spec = room.spec("head -c 5000 /dev/zero; while [ ! -e go ]; do sleep 0.01; done; echo end")
    executor.start([spec])
    wait_until(lambda: len(text_of(storage, spec.ref)) == 1000, "as much as may be")
    wait_until(lambda: room.log_path(spec).stat().st_size == 5000, "all that it says")
    room.path("go").touch()
    collect(executor, 1)
    wait_until(lambda: not marks(room), "the end of bringing it")
    wait_until(lambda: len(text_of(storage, spec.ref)) == 5004, "all of it")
    pusher.close()


def test_a_log_whose_middle_was_cut_out_while_it_grew(room: Room, storage: LogStorage, push: Push) -> None:
    """OPS-10, RET-2: what lies there at the end is what the machine has, with the same gap."""
    executor = PushingExecutor(room.executor(), push())
    room_log = LogFolder(room.runs)
    script = "head -c 100000 /dev/zero | tr '\\\\0' x; echo >ready; while [ ! -e go ]; do sleep 0.01; done; echo end"
    spec = room.spec(script)
    executor.start([spec])
    wait_until(lambda: len(text_of(storage, spec.ref)) == 100_000, "what it has said")
    wait_for_file(room.path("ready"))
    with room.log_path(spec).open("r+b") as log:
        cut_middle(log.fileno(), 10_000, 10_000)
    room.path("go").touch()
    collect(executor, 1)
    wait_until(lambda: not marks(room), "the end of bringing it")
    assert room_log.gaps(spec.ref)
    wait_until(lambda: storage.gaps(spec.ref) == room_log.gaps(spec.ref), "the same gap")
    assert storage.read_tail(spec.ref, 4).data == b"end\n"


def test_retention_sees_each_log_once(room: Room, storage: LogStorage, push: Push) -> None:
    """RET-1: those of its own store, whatever the number of pieces, and removes them whole."""
    executor = PushingExecutor(room.executor(), push())
    refs = [RunRef(5_001, 1, "aaaaaaaa11", ""), RunRef(5_002, 1, "aaaaaaaa22", "")]
    specs = [room.spec("echo one", ref=refs[0]), room.spec("echo longer", ref=refs[1])]
    stranger = room.spec("echo other", ref=RunRef(5_003, 1, "bbbbbbbb33", ""))
    executor.start([*specs, stranger])
    collect(executor, 3)
    wait_until(lambda: not marks(room), "the end of bringing them")
    found = {file.run: file for file in storage.scan("aaaaaaaa")}
    assert {run: file.bytes for run, file in found.items()} == {
        (5_001, 1, "aaaaaaaa11"): 4,
        (5_002, 1, "aaaaaaaa22"): 7,
    }
    assert all(file.modified_ms > 1_700_000_000_000 for file in found.values())
    assert text_of(storage, specs[0].ref) == "one\n"
    storage.remove([found[5_001, 1, "aaaaaaaa11"].name])
    assert [text_of(storage, spec.ref) for spec in (*specs, stranger)] == ["", "longer\n", "other\n"]
    assert list(storage.scan("cccccccc")) == []


@pytest.mark.parametrize("url", ["nosuchscheme://x/y", "s3a3://x"])
def test_a_url_that_nothing_reads(url: str) -> None:
    with pytest.raises(LogStorageError, match=r"^no logs can be kept at "):
        open_storage(url)


def test_nothing_is_read_from_elsewhere(tmp_path: Path) -> None:
    """SEC-2: what lies in a log's folder and is no piece of it is not taken for one."""
    storage = open_storage(f"file://{tmp_path}")
    ref = RunRef(7, 1, "0a1b2c3d44", "")
    folder = tmp_path / "0a1b2c3d/0" / name_of(ref)
    folder.mkdir(parents=True)
    for name in ("notes.txt", "000000000000000-000000000000003.part", "0-3"):
        (folder / name).write_text("abc")
    with pytest.raises(NoLogError):
        storage.read(ref, 0, 10)


class Unreachable:
    """A driver whose network is down."""

    def __init__(self) -> None:
        self.asked = 0

    def ls(self, path: str, detail: bool) -> list[str]:
        self.asked += 1
        raise TimeoutError("no route to host")


def test_a_storage_that_cannot_be_reached_is_left_alone_for_a_moment() -> None:
    """OPS-10: a page with many logs waits for it once; it is said that it is away, not that there is no log."""
    now, files = 1000.0, Unreachable()
    storage = LogStorage(files, "bucket", monotonic=lambda: now)
    for _ in range(3):
        with pytest.raises(LogAwayError, match="cannot be reached: no route to host"):
            storage.read(RunRef(7, 1, "0a1b2c3d44", ""), 0, 10)
    assert files.asked == 1
    now += 60
    with pytest.raises(LogAwayError):
        storage.read(RunRef(7, 1, "0a1b2c3d44", ""), 0, 10)
    assert files.asked == 2


@pytest.mark.parametrize("order", ["in order", "twice", "late"])
def test_what_servers_keep_for_hosts_that_reach_nothing_else(room: Room, order: str) -> None:
    """OPS-10: pieces may come twice or late, and to another server; with the gaps that they tell of."""
    url = f"file://{room.path('bucket')}"
    one, two = open_storage(url), open_storage(url)
    ref = RunRef(7, 1, "0a1b2c3d44", "")
    assert one.keep(ref, LogPart(0, b"one", 0, 3)) == 3
    if order == "twice":
        assert one.keep(ref, LogPart(0, b"one", 0, 3)) == 3
        assert one.keep(ref, LogPart(1, b"ne t", 0, 5)) == 5
    if order == "late":
        assert two.keep(ref, LogPart(7, b"three", 0, 12)) == 3
    assert two.keep(ref, LogPart(3, b" two", 0, 7)) == 7
    assert one.keep(ref, LogPart(100, b" end", 93, 104)) == 104
    assert (one.read(ref, 0, 50).data, one.gaps(ref)) == (b"one two", ((7, 100),))
    assert two.read_tail(ref, 50) == LogPart(100, b" end", 46, 104)


def test_an_empty_log_that_a_server_keeps(room: Room) -> None:
    """OPS-10: there is one."""
    storage, ref = open_storage(f"file://{room.path('bucket')}"), RunRef(7, 1, "0a1b2c3d44", "")
    assert storage.keep(ref, LogPart(0, b"", 0, 0)) == 0
    assert storage.read(ref, 0, 10) == LogPart(0, b"", 0, 0)
