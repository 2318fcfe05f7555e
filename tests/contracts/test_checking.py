"""What every check promises; `ADAPTERS` names those that are held to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from checks.packages import importable, install
from checks.servers import hangs_up, never_answers, raw, says, serving, webhook
from retrofill.checks.plugins import PluginCheck
from retrofill.domain.checks import Answer, Verdict
from retrofill.services.ports import Check

ADAPTERS = ("plugin", "webhook")
QUESTION = {"event": "backfill.check", "plan": {"task_count": 1}, "backfill": {"name": "Ärger \u2603"}}
LIMIT = 2

# What the other side does: as a plugin's code, and as a server's answer.
BEHAVIOURS = {
    "passes": ("return passed()", says("pass")),
    "warns": ("return warn('slow day \u2603')", says("warn", "slow day \u2603")),
    "fails": ("return fail('not today')", says("fail", "not today")),
    "speaks in lines": ("return fail('one\\ntwo\\x1b[31m')", says("fail", "one\ntwo\x1b[31m")),
    "gives no reason": ("return fail('')", says("fail")),
    "says nothing of use": ("return {'result': 'perhaps'}", says("perhaps")),
    "ends without a word": ("import os; os._exit(0)", hangs_up),
    "says far too much": ("return {'result': 'pass', 'message': 'x' * 10_000_000}", raw(b"x" * 10_000_000)),
    "hangs": ("import time; time.sleep(3600)", never_answers),
}

Make = Callable[[str], Check]


@pytest.fixture(params=ADAPTERS)
def make(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes a check whose other side behaves so."""
    packages = importable(tmp_path / "packages", monkeypatch)
    with ExitStack() as servers:

        def make_one(behaviour: str) -> Check:
            code, answer = BEHAVIOURS[behaviour]
            if request.param == "plugin":
                install(packages, "gate", code)
                return PluginCheck("gate", LIMIT)
            return webhook(servers.enter_context(serving(answer)).url(), timeout=LIMIT)

        yield make_one


@pytest.mark.parametrize(
    ("behaviour", "verdict", "message"),
    [
        ("passes", Verdict.PASS, ""),
        ("warns", Verdict.WARN, "slow day \u2603"),
        ("fails", Verdict.FAIL, "not today"),
        ("speaks in lines", Verdict.FAIL, "one two\\x1b[31m"),
        ("gives no reason", Verdict.FAIL, ""),
        ("says nothing of use", Verdict.FAIL, 'its answer has no "result" that is pass, warn or fail'),
        ("hangs", Verdict.FAIL, "it did not answer within 2 s"),
    ],
)
def test_answers(make: Make, behaviour: str, verdict: Verdict, message: str) -> None:
    """VER-3: every adapter tells the same things in the same words."""
    assert make(behaviour).ask(QUESTION) == Answer("gate", verdict, message)


@pytest.mark.parametrize("behaviour", ["ends without a word", "says far too much"])
def test_whatever_goes_wrong_is_an_answer(make: Make, behaviour: str) -> None:
    """VER-3: never an exception, never without end, never without a limit."""
    answer = make(behaviour).ask(QUESTION)
    assert answer.check == "gate"
    assert len(answer.message) <= 1_003
    assert answer.verdict is Verdict.FAIL or behaviour == "says far too much"


def test_several_threads_may_ask(make: Make) -> None:
    check = make("passes")
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(check.ask(QUESTION))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [Answer("gate", Verdict.PASS)] * 3
