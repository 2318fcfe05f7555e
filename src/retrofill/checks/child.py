"""What runs in the process in which a check is asked: reads a job, does it, writes what came of it.

A job of kind `plugin` calls a plugin and writes its answer; one of kind `post` sends a request
and writes the HTTP answer. Problems are written as `{"problem": SENTENCE, "again": BOOL}`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any


def main() -> None:
    job = json.load(sys.stdin.buffer)
    act = _prepared(job)
    # Ends this process whatever it does: the default action of the signal needs no help of Python.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, job["limit_seconds"])
    # What a plugin prints goes nowhere; stdout is for the answer.
    answers = os.dup(1)
    os.dup2(2, 1)
    document = json.dumps(act()).encode()
    while document:
        document = document[os.write(answers, document) :]
    os._exit(0)  # without waiting for threads that a plugin has left


def _prepared(job: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """What is to be done; imports what it needs of ours before the time limit begins."""
    try:
        if job["kind"] == "plugin":
            from retrofill.checks.calling import call

            return lambda: call(job["name"], job["question"])
        from retrofill.checks.posting import post

        allowed = tuple(job["allow_internal"])
        return lambda: post(job["url"], job["body"].encode(), job["headers"], allowed)
    except ImportError as error:
        missing = error.name or "a package that it needs"
        return lambda: {"problem": f"{missing} is not installed: pip install 'retrofill[checks]'"}


if __name__ == "__main__":
    main()
