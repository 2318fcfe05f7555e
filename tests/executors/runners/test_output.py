"""What a task prints of a secret never stays in its log, and is not shown while it runs."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executors.rooms import Room, collect, kill, wait_until
from retrofill.domain.running.masking import Masking

_SECRET = "hunter2-hunter2"


def masked(secrets: list[str], *pieces: bytes) -> bytes:
    masking = Masking(secrets)
    return b"".join(masking.feed(piece) for piece in pieces) + masking.flush()


def test_a_value_becomes_as_many_asterisks() -> None:
    """SEC-3."""
    assert masked(["pass-word"], b"login pass-word ok\n") == b"login ********* ok\n"


def test_a_value_across_pieces() -> None:
    """SEC-3: however it is written; what has not begun a value is given out at once."""
    masking = Masking(["pass-word"])
    assert masking.feed(b"a line\npass") == b"a line\n"
    assert masking.feed(b"-wo") == b""
    assert masking.feed(b"rd!") == b"*********!"
    assert masking.feed(b"pass me") == b"pass me"


@pytest.mark.parametrize(
    ("secret", "printed", "expected"),
    [
        ("p@ss/word", b"p%40ss%2Fword", b"*************"),
        ("p%40ss", b"p@ss", b"****"),
        ("one line\nanother line", b"=another line=", b"=" + b"*" * 12 + b"="),
        ("trailing\n", b"trailing", b"********"),
        ("abc", b"abc", b"abc"),
        ("", b"x", b"x"),
        ("pässword", "pässword".encode(), b"*" * 9),
    ],
)
def test_forms_of_a_value(secret: str, printed: bytes, expected: bytes) -> None:
    """SEC-3: as URLs and terminals show it; shorter than four bytes is not masked."""
    assert masked([secret], printed) == expected


def test_values_that_overlap() -> None:
    """SEC-3: no end of the second shows, also where the first was complete in an earlier piece."""
    assert masked(["abcdef", "defghi"], b"abcdefghi") == b"*********"
    assert masked(["abcdef", "defghi"], b"abcdef", b"ghi.") == b"*********."
    assert masked(["aaaa"], b"aaa", b"aaa", b"b") == b"******b"


@given(
    secrets=st.lists(st.text("ab", min_size=4, max_size=6), min_size=1, max_size=3),
    pieces=st.lists(st.binary().map(lambda b: bytes(97 + x % 3 for x in b)), max_size=6),
)
def test_pieces_make_no_difference(secrets: list[str], pieces: list[bytes]) -> None:
    """SEC-3: the same bytes are masked as if all had been looked at as a whole, one by one."""
    whole = b"".join(pieces)
    hidden = [False] * len(whole)
    for secret in secrets:
        for at in range(len(whole)):
            if whole[at : at + len(secret)] == secret.encode():
                hidden[at : at + len(secret)] = [True] * len(secret)
    expected = bytes(ord("*") if is_hidden else byte for byte, is_hidden in zip(whole, hidden, strict=True))
    assert masked(secrets, *pieces) == expected


@pytest.mark.parametrize("type", ["shell", "python"])
def test_a_run_that_prints_its_secret(room: Room, type: str) -> None:
    """SEC-3: neither its log nor its message, its journal or any other file of ours holds the value."""
    code = (
        'echo "got $token"; $token' if type == "shell" else "import os; raise SystemExit(os.environ['token'])"
    )
    spec = room.spec(code, type=type, environment={"token": _SECRET}, secrets=(_SECRET,))
    executor = room.executor()
    executor.start([spec])
    (end,) = collect(executor, 1)
    assert end.exit_code in (127, 1)
    assert "*" * len(_SECRET) in room.log(spec)
    assert _SECRET not in end.message
    for path in room.runs.rglob("*"):
        assert not path.is_file() or _SECRET.encode() not in path.read_bytes(), path


def test_a_running_task_is_masked(room: Room) -> None:
    """SEC-3: before anything is written, so whoever reads the file needs no knowledge; also in pieces."""
    half = len(_SECRET) // 2
    code = f'printf %s "${{token%{_SECRET[half:]}}}"; read x <{room.path("gate")}; echo "${{token#{_SECRET[:half]}}}"; sleep 1000'
    os.mkfifo(room.path("gate"))
    spec = room.spec(code, environment={"token": _SECRET}, secrets=(_SECRET,))
    executor = room.executor(grace_seconds=0.2)
    executor.start([spec])
    room.path("gate").write_text("go\n")
    wait_until(lambda: room.log(spec).endswith("\n"), "the output")
    assert room.log(spec) == "*" * len(_SECRET) + "\n"
    executor.stop(spec.ref)
    (end,) = collect(executor, 1)
    assert end.outcome == "stopped"
    assert room.log(spec) == "*" * len(_SECRET) + "\n"


def test_a_log_whose_supervisor_was_killed_is_masked(room: Room) -> None:
    """SEC-3."""
    spec = room.spec(
        'echo "$token"; echo done; sleep 1000', environment={"token": _SECRET}, secrets=(_SECRET,)
    )
    executor = room.executor()
    executor.start([spec])
    wait_until(lambda: room.log(spec).endswith("done\n"), "the output")
    kill(room.supervisors()[0])
    assert collect(executor, 1)[0].outcome == "lost"
    assert room.log(spec) == "*" * len(_SECRET) + "\ndone\n"


def test_nothing_gets_lost_on_the_way_to_a_masked_log(room: Room) -> None:
    """OPS-10: however much is written, and by whom."""
    code = "seq 200000; (seq 5 >&2); exec >&- 2>&-; read x <{gate}".format(gate=room.path("gate"))
    os.mkfifo(room.path("gate"))
    spec = room.spec(code, secrets=(_SECRET,))
    executor = room.executor()
    executor.start([spec])
    room.path("gate").write_text("go\n")
    assert collect(executor, 1)[0].exit_code == 0
    numbers = [*range(1, 200_001), *range(1, 6)]
    assert room.log(spec) == "".join(f"{number}\n" for number in numbers)
