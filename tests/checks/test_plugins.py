"""Plugins as checks: found where they are installed, called where they can do no harm."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checks.packages import HEAD, importable, install, install_module
from e2e.sandboxes import until
from retrofill.checks.discovery import installed
from retrofill.checks.plugins import PluginCheck
from retrofill.domain.checks import Answer, Verdict

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "check-plugin"
QUESTION = {"plan": {"instance_count": 3}, "backfill": {"name": "b"}}


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return importable(tmp_path / "packages", monkeypatch)


def asked(packages: Path, code: str, limit: float = 20) -> Answer:
    install(packages, "mine", code)
    return PluginCheck("mine", limit).ask(QUESTION)


def test_installed_plugins_are_found_by_name(packages: Path) -> None:
    """VER-3: entry points in the group retrofill.checks; other groups mean nothing."""
    assert installed([str(packages)]) == []
    install(packages, "zeta", "return passed()")
    install(packages, "alpha", "return passed()")
    other = packages / "other-1.0.dist-info"
    other.mkdir()
    (other / "entry_points.txt").write_text("[console_scripts]\nretrofill.checks = x:y\n")
    assert installed([str(packages)]) == ["alpha", "zeta"]
    assert "alpha" in installed(), "where Python imports from"
    assert installed(["/no/such/folder", str(packages / "alpha_plugin.py")]) == []


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("return passed()", Answer("mine", Verdict.PASS)),
        ("return None", Answer("mine", Verdict.PASS)),
        ("return warn('on Mondays')", Answer("mine", Verdict.WARN, "on Mondays")),
        ("return fail(f\"{question['plan']['instance_count']} are too many\")",
         Answer("mine", Verdict.FAIL, "3 are too many")),
        ("print('noise'); import sys; sys.stdout.flush(); return passed('quiet')",
         Answer("mine", Verdict.PASS, "quiet")),
        ("import os; os.system('echo noise'); return passed()", Answer("mine", Verdict.PASS)),
        ("import threading, time\nthreading.Thread(target=time.sleep, args=(3600,)).start()\nreturn passed()",
         Answer("mine", Verdict.PASS)),
    ],
)  # fmt: skip
def test_what_a_plugin_answers(packages: Path, code: str, answer: Answer) -> None:
    """VER-3: what it prints is not its answer."""
    assert asked(packages, code) == answer


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise ValueError('no\\nway')", "it raised ValueError: no way"),
        ("raise SystemExit(3)", "it raised SystemExit: 3"),
        ("return True", "it returned a value of type bool instead of passed(), warn() or fail()"),
        ("return {'result': 'maybe'}", 'its answer has no "result" that is pass, warn or fail'),
        ("import os; os._exit(4)", "its process ended without an answer (exit status 4)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended without an answer (signal 11)"),
        ("return fail('x' * 5_000_000)", "x" * 1_000 + "..."),
    ],
)  # fmt: skip
def test_a_plugin_that_goes_wrong_is_a_fail(packages: Path, code: str, message: str) -> None:
    """VER-3: and takes nobody down with it."""
    answer = asked(packages, code)
    assert answer.verdict is Verdict.FAIL
    assert answer.message.endswith(message)


@pytest.mark.parametrize(
    "code",
    [
        "import time\ntime.sleep(3600)",
        "while True: pass",
        "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])\ntime.sleep(3600)",
        "import subprocess\nsubprocess.run(['sleep', '3600'])",
    ],
)
def test_a_plugin_that_hangs_is_ended(packages: Path, code: str) -> None:
    """VER-3: at its time limit, with what it has started."""
    answer = asked(packages, code, limit=1)
    assert answer == Answer("mine", Verdict.FAIL, "it did not answer within 1 s")
    until(lambda: not _left_of(packages), "what it has started is gone")


def _left_of(packages: Path) -> list[bytes]:
    """Command lines of what a check of this test has started and that still runs."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        ours = str(packages).encode() in environment and int(pid) != os.getpid()
        if ours and (b"sleep" in line or b"checks.child" in line):
            found.append(line)
    return found


def test_what_hangs_while_it_is_imported_is_ended(packages: Path) -> None:
    """VER-3."""
    install_module(packages, "mine", "import time\ntime.sleep(3600)\n")
    assert PluginCheck("mine", 1).ask(QUESTION).message == "it did not answer within 1 s"


def test_packages_that_are_no_plugin(packages: Path) -> None:
    """VER-3: what is wrong is said."""
    install_module(packages, "mine", "x = 1\n")
    assert "it implements no check_backfill" in PluginCheck("mine", 20).ask(QUESTION).message
    install_module(packages, "mine", f"{HEAD}\n@hookimpl\ndef check_backfil(question): pass\n")
    assert "check_backfil" in PluginCheck("mine", 20).ask(QUESTION).message
    install_module(packages, "mine", "import no_such_module\n")
    message = PluginCheck("mine", 20).ask(QUESTION).message
    assert message == "it raised ModuleNotFoundError: No module named 'no_such_module'"
    assert PluginCheck("gone", 20).ask(QUESTION).message == "it is not installed any more"


def test_the_folder_of_the_caller_does_not_shadow_modules(packages: Path, tmp_path: Path) -> None:
    """VER-3: the process starts in a project's folder, where anything may be called json.py."""
    install(packages, "mine", "return passed()")
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')\n")
    code = "from retrofill.checks.plugins import PluginCheck; print(PluginCheck('mine', 20).ask({}).verdict)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "pass\n"


def test_the_example_is_installed_and_asked(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """VER-3: examples/check-plugin, installed by pip into a folder of its own."""
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation",
         "--disable-pip-version-check", "--target", packages, EXAMPLE],
        check=True,
    )  # fmt: skip
    assert installed([str(packages)]) == ["working_hours"]
    answer = PluginCheck("working_hours", 20).ask({"plan": {"instance_count": 0}})
    assert answer == Answer("working_hours", Verdict.PASS)
    judge = importlib.import_module("retrofill_working_hours").judge
    monday, saturday = datetime(2026, 1, 5, 16, 59, tzinfo=UTC), datetime(2026, 1, 10, 12, tzinfo=UTC)
    assert judge(1_001, 1_000, monday)["result"] == "fail"
    assert judge(501, 1_000, monday)["result"] == "warn"
    assert judge(500, 1_000, monday)["result"] == "pass"
    assert judge(1_001, 1_000, monday.replace(hour=17))["result"] == "pass"
    assert judge(1_001, 1_000, saturday)["result"] == "pass"
