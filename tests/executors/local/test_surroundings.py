"""CAT-10: what a task finds around it."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from executors.rooms import Room, collect
from retrofill.domain.catalog.task_types import types_that
from retrofill.executors.local.orders import Limits, encode_run

_BASH = "a=(1 2 3); echo ${#a[@]} $0 $1"


@pytest.mark.parametrize("shell", ["bash", shutil.which("bash") or "/bin/bash"])
def test_another_shell(room: Room, shell: str) -> None:
    """CAT-10: with the same names and values as sh."""
    end, log = room.run(_BASH, "x y", shell=shell)
    assert (end.exit_code, log) == (0, "3 ops.task x y\n")


def test_sh_is_the_default(room: Room) -> None:
    _, log = room.run("readlink /proc/$$/exe; echo $0", shell="")
    assert os.path.realpath("/bin/sh") == log.split()[0]


@pytest.mark.parametrize("first", ["#!/bin/bash", "#!/usr/bin/env bash", "#!/usr/bin/env -S bash -e"])
def test_a_first_line_names_the_shell(room: Room, first: str) -> None:
    """CAT-10."""
    end, log = room.run(f"{first}\n{_BASH}", "x y")
    assert (end.exit_code, log) == (0, "3 ops.task x y\n")


def test_the_options_of_a_first_line_hold(room: Room) -> None:
    end, log = room.run("#!/bin/sh -e\nfalse\necho not here")
    assert (end.exit_code, log) == (1, "")


def test_long_code_of_another_shell(room: Room) -> None:
    """CAT-10: also beyond the limit of one argument."""
    end, log = room.run(f"#!/bin/bash\n# {'x' * 200_000}\n{_BASH}; ls /proc/$$/fd", "x y")
    assert (end.exit_code, log) == (0, "3 ops.task x y\n0\n1\n2\n")


def test_a_first_line_names_a_python(room: Room) -> None:
    """CAT-10: it finds modules beside it, its values, and tracebacks show its lines."""
    room.path("beside.py").write_text("x = 7\n")
    code = f"#!{sys.executable} -B\nimport sys, beside\nprint(sys.argv, beside.x)\nraise ValueError('here')\n"
    end, log = room.run(code, "v w")
    assert end.exit_code == 1
    assert log.startswith("['ops.task', 'v w'] 7\n")
    assert "    raise ValueError('here')\n" in log


def test_a_first_line_names_another_program(room: Room) -> None:
    """CAT-10: it is given a file with the code, then the values."""
    end, log = room.run("#!/usr/bin/awk -f\nBEGIN { print ARGV[1] }", "x y")
    assert (end.exit_code, log) == (0, "x y\n")


def test_a_program_that_is_not_there(room: Room) -> None:
    end, _ = room.run("#!/no/such/shell\ntrue")
    assert (end.exit_code, end.message) == (127, "command not found: /no/such/shell")


def test_variables(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """CAT-10: what a task is given goes before what it inherits, and secrets are never inherited (SEC-3)."""
    for name in ("FOO_A", "FOO_B", "BAR", "RETROFILL_SECRET_FOO"):
        monkeypatch.setenv(name, f"outer {name}")
    executor = room.executor()
    spec = room.spec("env", environment={"FOO_B": "own", "PATH": "/bin:/usr/bin"}, inherit=("FOO_*", "HOME"))
    executor.start([spec])
    collect(executor, 1)
    seen = dict(line.split("=", 1) for line in room.log(spec).splitlines())
    assert (seen["FOO_A"], seen["FOO_B"], seen["PATH"]) == ("outer FOO_A", "own", "/bin:/usr/bin")
    assert not {"BAR", "RETROFILL_SECRET_FOO"} & set(seen)


def test_a_python_task_knows_its_file(room: Room) -> None:
    """CAT-10: `__file__`, where there is one."""
    code = "try: print(__file__)\nexcept NameError: print('none')"
    _, log = room.run(code, type="python", code_file="/p/workspaces/ops/it's.py")
    assert log == "/p/workspaces/ops/it's.py\n"
    _, log = room.run(code, type="python")
    assert log == "none\n"


def test_a_failed_statement_is_found_by_its_line(room: Room) -> None:
    """PAR-4: lines are those of the whole code, comments and earlier statements included."""
    code = "-- first\ncreate table t(a int);\n\ninsert into t\n  values (1);\n-- next\nselect\n  b from t;\n"
    for url in (f"duckdb:///{room.path('w.duckdb')}", f"sqlite:///{room.path('w.sqlite')}"):
        _, log = room.run(code, type="sql", url=url)
        assert "Statement 3 of 3, in line 7, failed: " in log


@pytest.mark.parametrize("word", ["spark", "virtual", ""])
def test_what_nothing_runs_is_not_taken_for_a_shell_script(room: Room, word: str) -> None:
    """CAT-5: a type that this executor does not know, or that has no code, fails and says so."""
    end, log = room.run("echo never", type=word)
    assert (end.outcome, end.exit_code, log) == ("exited", None, "")
    assert end.message == f"ops.task cannot be started: this program runs no task of type {word!r}"


@pytest.mark.parametrize("word", types_that(lambda traits: traits.has_code))
def test_every_type_with_code_has_a_command(room: Room, word: str) -> None:
    """CAT-5: the code reaches it, as an argument or beside it."""
    spec = room.spec("the code", type=word, url="sqlite://")
    assert b"the code" in encode_run(spec, "run", Limits(1, 1), {})
