"""python tasks: what their code sees, and what a traceback shows."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

import retrofill
from executors.rooms import Room


def test_code_is_the_main_module(room: Room) -> None:
    """PAR-4: with the task's folder first on the path, and the task's name as program."""
    room.path("neighbour.py").write_text("value = 5\n")
    code = (
        "import sys, os, neighbour\n"
        "print(__name__, sys.modules['__main__'].__dict__ is globals(), sys.argv, neighbour.value)\n"
        "print(sys.path[0] == os.getcwd(), sorted(name for name in globals() if not name.startswith('__')))\n"
        "print(os.listdir('/proc/self/fd')[:3], sys.stdin.read())\n"
    )
    end, log = room.run(code, type="python")
    assert end.exit_code == 0, log
    assert log.splitlines() == [
        "__main__ True ['ops.task'] 5",
        "True ['neighbour', 'os', 'sys']",
        "['0', '1', '2'] ",
    ]


def test_a_traceback_shows_the_tasks_lines_only(room: Room) -> None:
    code = "def divide(a, b):\n    return a / b\n\ndivide(1, 0)\n"
    end, log = room.run(code, type="python")
    assert (end.exit_code, end.message) == (1, "exit status 1")
    assert log.splitlines()[:5] == [
        "Traceback (most recent call last):",
        '  File "ops.task", line 4, in <module>',
        "    divide(1, 0)",
        '  File "ops.task", line 2, in divide',
        "    return a / b",
    ]
    assert log.splitlines()[-1] == "ZeroDivisionError: division by zero"
    assert "runners" not in log


@pytest.mark.parametrize(
    ("code", "exit_code", "log"),
    [
        ("import sys; sys.exit(4)", 4, ""),
        ("raise SystemExit('sorry')", 1, "sorry\n"),
        ("x = \n", 1, 'File "ops.task", line 1'),
        ("import os; os._exit(9)", 9, ""),
        ("raise KeyboardInterrupt", 1, "KeyboardInterrupt"),
        ("print('\\udcff\\xe4')", 0, "\\udcffä\n"),
        (
            "import sys\nsys.excepthook = lambda *a: print('mine', a[0].__name__)\nraise ValueError",
            1,
            "mine ValueError\n",
        ),
    ],
)
def test_how_code_ends(room: Room, code: str, exit_code: int, log: str) -> None:
    end, text = room.run(code, type="python")
    assert end.exit_code == exit_code
    assert log in text


def test_output_appears_line_by_line(room: Room) -> None:
    """OPS-10: a killed task's last lines are in its log."""
    end, log = room.run("import os\nprint('before')\nos.kill(os.getpid(), 9)", type="python")
    assert (end.signal, log) == (9, "before\n")


def test_duckdb_is_as_ever_but_waits(room: Room) -> None:
    """PAR-4: other errors are raised at once; a file that the process itself has open is no obstacle."""
    code = (
        "import duckdb\n"
        "print(duckdb.connect().execute('select 1').fetchall(), duckdb.connect.__name__)\n"
        "first = duckdb.connect('w.duckdb')\n"
        "print(duckdb.connect(database='w.duckdb').execute('select 2').fetchall())\n"
        "duckdb.connect('/no/such/folder/x')\n"
    )
    end, log = room.run(code, type="python")
    assert end.exit_code == 1
    assert log.startswith("[(1,)] connect\n[(2,)]\n")
    assert "No such file or directory" in log


@pytest.mark.slow
def test_another_interpreter_can_import_retrofill(room: Room, tmp_path: Path) -> None:
    """PAR-4: an interpreter without Retrofill still has retrofill.parameters(), and nothing else of ours."""
    venv.create(tmp_path / "other", with_pip=False)
    code = (
        "import retrofill, sys\nprint(retrofill.parameters(), 'sqlalchemy' in sys.modules)\nimport sqlalchemy"
    )
    environment = {"a": "1", "RETROFILL_PARAMETERS": '["a"]'}
    interpreter = str(tmp_path / "other" / "bin" / "python")
    end, log = room.run(code, type="python", interpreter=interpreter, environment=environment)
    assert end.exit_code == 1
    assert log.startswith("{'a': '1'} False\n")
    assert "No module named 'sqlalchemy'" in log


def test_parameters_outside_of_a_task() -> None:
    """PAR-4."""
    assert retrofill.parameters() == {}


def test_importing_retrofill_is_cheap() -> None:
    """PAR-4: every python task may do it."""
    code = "import sys; before = set(sys.modules); import retrofill; print(sorted(set(sys.modules) - before))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "['retrofill']"
