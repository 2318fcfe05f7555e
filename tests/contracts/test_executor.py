"""What every executor promises."""

from __future__ import annotations

import os
import select
import time

import pytest

from executors.rooms import PATIENCE_SECONDS, Room, collect, is_alive, wait_for_file
from retrofill.services.ports import Executor, RunEnd, RunSpec


@pytest.fixture
def executor(room: Room) -> Executor:
    return room.executor()


def run(executor: Executor, spec: RunSpec) -> RunEnd:
    executor.start([spec])
    (end,) = collect(executor, 1)
    assert end.ref == spec.ref
    return end


def test_a_run_that_succeeds(executor: Executor, room: Room) -> None:
    before = time.time()
    end = run(executor, room.spec("true"))
    assert (end.outcome, end.exit_code, end.signal, end.message) == ("exited", 0, None, "")
    assert end.started_at is not None
    assert before <= end.started_at <= end.ended_at <= time.time()


@pytest.mark.parametrize(
    ("code", "exit_code", "message"),
    [
        ("exit 3", 3, "exit status 3"),
        ("no-such-program --flag", 127, "command not found: no-such-program"),
        ("true; ./no-such-script", 127, "command not found: ./no-such-script"),
        ("exit 127", 127, "exit status 127 (command not found)"),
        ("touch x; ./x", 126, "exit status 126 (a command could not be executed)"),
        (
            "sh -c 'kill -9 $$'",
            137,
            "exit status 137 (a command was killed by signal 9 (SIGKILL, maybe out of memory))",
        ),
    ],
)
def test_a_run_that_fails_says_why(
    executor: Executor, room: Room, code: str, exit_code: int, message: str
) -> None:
    """OPS-0: the exit of the code's last command is the run's."""
    end = run(executor, room.spec(code))
    assert (end.outcome, end.exit_code, end.message) == ("exited", exit_code, message)


def test_a_run_that_a_signal_ends(executor: Executor, room: Room) -> None:
    end = run(executor, room.spec("kill -9 $$"))
    assert (end.outcome, end.exit_code, end.signal) == ("exited", None, 9)
    assert end.message == "killed by signal 9 (SIGKILL, maybe out of memory)"


def test_shell_code_reads_parameters(executor: Executor, room: Room) -> None:
    """PAR-4: as variables of the same name, and as $1 $2 ... in declared order; $0 is the task."""
    spec = room.spec('echo "$0|$1|$2|$day"', "a b", "$(id)", environment={"day": "x  y\nz"})
    assert run(executor, spec).exit_code == 0
    assert room.log(spec) == "ops.task|a b|$(id)|x  y\nz\n"


def test_python_code_reads_parameters(executor: Executor, room: Room) -> None:
    """PAR-4: as variables, and by retrofill.parameters() in declared order."""
    code = "import os, retrofill\nprint(os.environ['day'], retrofill.parameters())"
    environment = {"hour": "01", "day": "x\ny", "RETROFILL_PARAMETERS": '["hour", "day"]'}
    spec = room.spec(code, type="python", environment=environment)
    assert run(executor, spec).message == ""
    assert room.log(spec) == "x\ny {'hour': '01', 'day': 'x\\ny'}\n"


def test_a_run_inherits_little(executor: Executor, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """SEC-3: the scheduler's secrets stay with it; nothing but the log is open."""
    monkeypatch.setenv("RETROFILL_SECRET_X", "hush")
    room.path("open").write_text("")
    with open(room.path("open")) as file:
        os.set_inheritable(file.fileno(), True)
        spec = room.spec("env; ls /proc/$$/fd; readlink /proc/$$/fd/0; pwd", environment={"own": "1"})
        assert run(executor, spec).exit_code == 0
    *variables, a, b, c, stdin, folder = room.log(spec).splitlines()
    names = {line.partition("=")[0] for line in variables}
    allowed = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "PWD"}
    assert names - {name for name in names if name.startswith("LC_")} <= allowed | {"own", "RETROFILL_RUN"}
    assert (a, b, c, stdin, folder) == ("0", "1", "2", "/dev/null", str(room.folder))


def test_a_folder_that_is_not_there(executor: Executor, room: Room) -> None:
    """RUN-3: it may be there again soon, so the run was not started; nothing is left of it."""
    spec = room.spec("true", working_directory="/no/such/folder")
    end = run(executor, spec)
    assert (end.outcome, end.exit_code, end.started_at) == ("not_started", None, None)
    assert end.message == "cannot enter the folder /no/such/folder: No such file or directory"
    assert not room.log_path(spec).exists()


def test_an_interpreter_that_is_not_there(executor: Executor, room: Room) -> None:
    end = run(executor, room.spec("pass", type="python", interpreter="/no/such/python"))
    assert (end.outcome, end.exit_code, end.message) == ("exited", 127, "command not found: /no/such/python")


def test_code_beyond_the_limit_of_an_argument(executor: Executor, room: Room) -> None:
    """The kernel takes 128 KiB in one argument; code may be longer."""
    spec = room.spec("# " + "x" * 300_000 + "\necho $0 $1\nsh -c 'ls /proc/$$/fd'\nfalse\n", "one")
    assert run(executor, spec).exit_code == 1
    assert room.log(spec).split() == ["ops.task", "one", "0", "1", "2"]
    spec = room.spec("print(1)\n#" + "x" * 3_000_000, type="python")
    assert run(executor, spec).exit_code == 0


def test_a_variable_beyond_the_limit_of_an_argument(executor: Executor, room: Room) -> None:
    end = run(executor, room.spec("true", environment={"long": "x" * 200_000}))
    assert (end.outcome, end.exit_code) == ("exited", 126)
    assert "too large" in end.message


@pytest.mark.parametrize(
    "settings", [{"code": "true \0"}, {"arguments": ("a\0b",)}, {"environment": {"a": "\0"}}]
)
def test_a_nul_is_refused(executor: Executor, room: Room, settings: dict[str, object]) -> None:
    spec = room.spec("true", **{key: value for key, value in settings.items() if key != "code"})  # type: ignore[arg-type]
    if "code" in settings:
        spec = room.spec(str(settings["code"]))
    end = run(executor, spec)
    assert (end.outcome, end.exit_code) == ("exited", None)
    assert "NUL" in end.message
    assert end.message.count("\n") == 0


def test_each_run_ends_once(executor: Executor, room: Room) -> None:
    """OPS-0: 60 runs, more than there are processors, 60 ends."""
    specs = [room.spec(f"exit {number % 5}") for number in range(60)]
    executor.start(specs)
    ends = collect(executor, 60)
    assert {end.ref: end.exit_code for end in ends} == {
        spec.ref: number % 5 for number, spec in enumerate(specs)
    }
    assert len(ends) == 60
    assert executor.poll() == []


def test_poll_never_blocks_and_the_descriptor_tells(executor: Executor, room: Room) -> None:
    executor.start([room.spec(f"echo $$ >{room.path('pid')}; read x <{room.path('gate')}")])
    os.mkfifo(room.path("gate"))
    wait_for_file(room.path("pid"))
    assert executor.poll() == []
    assert select.select([executor.fileno()], [], [], 0)[0] == []
    room.path("gate").write_text("go\n")
    assert select.select([executor.fileno()], [], [], 30)[0] == [executor.fileno()]
    assert len(executor.poll()) == 1


def test_stop_ends_the_tree(executor: Executor, room: Room) -> None:
    """OPS-1: the end comes when the last process has gone."""
    spec = room.spec(f"sleep 1000 & echo $$ $! >{room.path('pids')}; wait")
    executor.start([spec])
    pids = [int(word) for word in wait_for_file(room.path("pids")).split()]
    executor.stop(spec.ref)
    (end,) = collect(executor, 1)
    assert not any(map(is_alive, pids))
    assert (end.outcome, end.signal, end.message) == ("stopped", 15, "stopped")
    executor.stop(spec.ref)  # of what has ended: harmless
    assert executor.poll() == []


def test_a_run_that_takes_too_long(executor: Executor, room: Room) -> None:
    """RUN-4: the whole tree is ended."""
    spec = room.spec(f"sleep 1000 & echo $$ $! >{room.path('pids')}; wait", timeout_seconds=1)
    end = run(executor, spec)
    assert (end.outcome, end.message) == ("timeout", "timed out after 1s")
    pids = [int(word) for word in wait_for_file(room.path("pids")).split()]
    assert not any(map(is_alive, pids))


def test_a_run_is_claimed_once(executor: Executor, room: Room) -> None:
    """RUN-3: of however many executors that are told to start it, one does."""
    spec = room.spec(f"echo x >>{room.path('starts')}")
    everyone = [executor, *(room.executor() for _ in range(4))]
    for one in everyone:
        one.start([spec])
    ends: list[RunEnd] = []
    while not ends:
        ready, _, _ = select.select(everyone, [], [], PATIENCE_SECONDS)
        assert ready, "nobody tells of the end"
        ends = [end for one in ready for end in one.poll()]
    assert ends[0].outcome == "exited"
    for one in everyone:
        one.close()  # what was refused has been refused by the time its supervisor has left
    assert room.path("starts").read_text() == "x\n"


def test_adopting_what_was_never_started(executor: Executor, room: Room) -> None:
    """RUN-3: it can then never start under this token, however late the order comes."""
    spec = room.spec(f"touch {room.path('ran')}")
    assert [end.outcome for end in executor.adopt([spec.ref])] == ["not_started"]
    assert [end.outcome for end in executor.adopt([spec.ref])] == ["not_started"]
    executor.start([spec])
    assert [end.outcome for end in collect(executor, 1)] == ["not_started"]
    assert not room.path("ran").exists()


def test_adopting_from_another_boot(executor: Executor, room: Room) -> None:
    """RUN-3: whether it had begun is not known, so it is lost, not started anew."""
    spec = room.spec("true")
    ref = type(spec.ref)(spec.ref.instance_id, 1, spec.ref.token, "another-boot")
    (end,) = executor.adopt([ref])
    assert (end.outcome, end.message) == (
        "lost",
        "the machine was restarted while it ran; what it had done is unknown",
    )


def test_close_leaves_runs_running(executor: Executor, room: Room) -> None:
    """OPS-0: another executor takes them over; nothing is disturbed."""
    os.mkfifo(room.path("gate"))
    spec = room.spec(f"echo $$ >{room.path('pid')}; read x <{room.path('gate')}; echo $x; exit 4")
    executor.start([spec])
    pid = int(wait_for_file(room.path("pid")))
    executor.close()
    other = room.executor()
    assert other.adopt([spec.ref]) == []
    assert is_alive(pid)
    room.path("gate").write_text("through\n")
    (end,) = collect(other, 1)
    assert (end.ref, end.outcome, end.exit_code) == (spec.ref, "exited", 4)
    assert room.log(spec) == "through\n"


def test_ends_while_nobody_listened_are_known(executor: Executor, room: Room) -> None:
    """RUN-3: a recorded end is never lost, and told once."""
    os.mkfifo(room.path("gate"))
    spec = room.spec(f"echo $$ >{room.path('pid')}; read x <{room.path('gate')}; exit 5")
    executor.start([spec])
    wait_for_file(room.path("pid"))
    executor.close()
    room.path("gate").write_text("go\n")
    room.wait_until_idle()
    other = room.executor()
    assert [(end.outcome, end.exit_code) for end in other.adopt([spec.ref])] == [("exited", 5)]
    assert other.poll() == []
