"""Whoever waits for something at a server bears with its restarts; who only asks does not."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from checks.servers import hangs_up, raw, serving
from client.test_transport import TOKEN, Pauses, asking, fine, problem
from retrofill import Client
from retrofill.cli.main import run
from retrofill.client import ServerUnreachableError
from retrofill.client.logs import open_log
from retrofill.client.transport import AWAY_SECONDS
from retrofill.domain.errors import RetrofillError
from retrofill.domain.texts import Step

Answer = Callable[[BaseHTTPRequestHandler], None]
AWAY = [hangs_up, problem(503, kind="unavailable"), raw(b"<html>Bad Gateway</html>", 502)]


@pytest.mark.parametrize("trouble", AWAY)
def test_who_waits_goes_on_asking_and_hears_once_that_the_server_is_away(trouble: Answer) -> None:
    told: list[str] = []
    with serving(*[trouble] * 20, fine(1), *[trouble] * 6, fine(2)) as server:
        patient = asking(server.url()).patient(None, lambda: told.append("away"))
        assert patient.get("tasks") == 1
        assert told == ["away"]
        assert patient.get("tasks") == 2
    assert told == ["away", "away"]


def test_a_moment_is_no_absence() -> None:
    with serving(*[hangs_up] * 4, fine(1)) as server:
        assert asking(server.url()).patient(None, lambda: pytest.fail("said too early")).get("tasks") == 1


@pytest.mark.parametrize(("seconds", "most"), [(None, AWAY_SECONDS), (20.0, 20.0)])
def test_nobody_waits_for_ever(seconds: float | None, most: float) -> None:
    """Ten minutes, or until the time that was given is over; and who comes back is noticed soon."""
    pauses = Pauses()
    with serving(hangs_up) as server, pytest.raises(ServerUnreachableError):
        asking(server.url(), pauses).patient(seconds, lambda: None).get("tasks")
    assert sum(pauses[:-1]) < most <= sum(pauses)
    assert max(pauses) <= 2.5


def test_an_act_is_no_question_for_the_patient_either() -> None:
    with serving(hangs_up) as server, pytest.raises(ServerUnreachableError):
        asking(server.url()).patient(None, lambda: None).act("POST", "backfills/1/stop", {})
    assert len(server.asked) == 1


def _piece(offset: int, data: bytes) -> bytes:
    return json.dumps({"offset": offset, "missing": 0, "base64": base64.b64encode(data).decode()}).encode()


def _breaks_after(line: bytes) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%s\n\r\n" % (len(line) + 1, line) if line else b"")
        handler.close_connection = True

    return answer


def test_a_log_that_breaks_off_goes_on_where_it_was() -> None:
    runs = fine({"runs": [{"run_number": 1, "ended_at": None}]})
    with serving(runs, _breaks_after(_piece(0, b"one ")), hangs_up, raw(_piece(4, b"two"))) as server:
        opened = open_log(asking(server.url()), 7, None, 0)
        assert not isinstance(opened, str)
        assert b"".join(data for _, _, data in opened.pieces()) == b"one two"
    assert [one.path.partition("?")[2] for one in server.asked[1:]] == [
        "run=1&offset=0",
        "run=1&offset=4",
        "run=1&offset=4",
    ]


def test_a_log_that_always_breaks_off_is_given_up() -> None:
    runs = fine({"runs": [{"run_number": 1, "ended_at": None}]})
    with serving(runs, _breaks_after(b"")) as server:
        opened = open_log(asking(server.url()), 7, None, 0)
        assert not isinstance(opened, str)
        with pytest.raises(RetrofillError):
            [*opened.pieces()]
    assert len(server.asked) < 10


@pytest.fixture
def leaving() -> Iterator[str]:
    """A server that answers once and is away from then on."""
    progress = {"ended_at": None, "held": None, "dates": [], "running_count": 0}
    with serving(fine(progress), hangs_up) as server:
        yield server.url("")


def test_a_program_that_waited_in_vain_is_told_how_to_go_on(leaving: str) -> None:
    told: list[str] = []
    with Client(leaving, TOKEN) as client, pytest.raises(ServerUnreachableError) as caught:
        client.wait(7, 0.0, on_away=lambda: told.append("away"))
    assert caught.value.hint.steps == (Step("backfill.wait", id=7),)


def test_a_command_that_waited_in_vain_says_how_to_go_on(
    leaving: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETROFILL_URL", leaving)
    monkeypatch.setenv("RETROFILL_TOKEN", TOKEN)
    monkeypatch.setattr("sys.argv", ["retrofill", "backfill", "wait", "7", "--timeout", "1s"])
    assert run() == 124
    told = capsys.readouterr().err
    assert "timed out: " in told
    assert "`retrofill backfill wait 7` goes on waiting" in told
