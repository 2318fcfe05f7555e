"""CAT-10: variables that are let through, and what runs a shell task's code."""

from __future__ import annotations

import pytest

from retrofill.domain.catalog.surroundings import (
    Interpreter,
    SurroundingsError,
    check_pattern,
    check_variable,
    inherited,
    interpreter_of,
)
from retrofill.domain.catalog.task_types import Reads, TaskType

ENVIRON = {"AWS_KEY": "k", "AWS": "a", "HOME": "/h", "RETROFILL_SECRET_X": "hush", "MY_TOKEN": "t"}


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        ((), set()),
        (("AWS_*",), {"AWS_KEY"}),
        (("AWS*", "HOME"), {"AWS_KEY", "AWS", "HOME"}),
        (("HOM", "NOT_SET"), set()),
        (("*",), {"AWS_KEY", "AWS", "HOME", "MY_TOKEN"}),
        (("R*", "RETRO*"), set()),
    ],
)
def test_names_and_beginnings(patterns: tuple[str, ...], names: set[str]) -> None:
    """CAT-10: and secrets by no pattern (SEC-3)."""
    assert inherited(ENVIRON, patterns) == {name: ENVIRON[name] for name in names}


@pytest.mark.parametrize("pattern", ["", "A B", "A*B", "*A", "1A", "A?", "RETROFILL_*", "RETROFILL_SECRET_X"])
def test_patterns_that_are_refused(pattern: str) -> None:
    """CAT-10."""
    with pytest.raises(SurroundingsError):
        check_pattern(pattern)


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A=B", "RETROFILL_TASK"])
def test_variables_that_are_refused(name: str) -> None:
    """CAT-10."""
    with pytest.raises(SurroundingsError):
        check_variable(name)
    check_variable("PATH")
    check_variable("PYTHONPATH")


@pytest.mark.parametrize(
    ("code", "shell", "words", "reads", "program"),
    [
        ("true", "", ("/bin/sh",), Reads.ARGUMENT, "/bin/sh"),
        ("true", "sh", ("/bin/sh",), Reads.ARGUMENT, "/bin/sh"),
        ("true", "bash", ("bash",), Reads.ARGUMENT, "bash"),
        ("true", "/bin/zsh", ("/bin/zsh",), Reads.ARGUMENT, "/bin/zsh"),
        ("#!/bin/bash\ntrue", "sh", ("/bin/bash",), Reads.ARGUMENT, "/bin/bash"),
        ("#! /bin/bash -eu \r\ntrue", "", ("/bin/bash", "-eu"), Reads.ARGUMENT, "/bin/bash"),
        ("#!/usr/bin/env bash\n", "", ("/usr/bin/env", "bash"), Reads.ARGUMENT, "bash"),
        ("#!/usr/bin/env -S X=1 bash -e\n", "", ("/usr/bin/env", "-S X=1 bash -e"), Reads.ARGUMENT, "bash"),
        ("#!/usr/bin/env python3\n", "", ("/usr/bin/env", "python3"), Reads.PYTHON, "python3"),
        ("#!/opt/v/bin/python3.12 -u\n", "", ("/opt/v/bin/python3.12", "-u"), Reads.PYTHON, "/opt/v/bin/python3.12"),
        ("#!/usr/bin/perl -w\n", "bash", ("/usr/bin/perl", "-w"), Reads.FILE, "/usr/bin/perl"),
        ("#!", "bash", ("bash",), Reads.ARGUMENT, "bash"),
        ("# !/bin/bash", "", ("/bin/sh",), Reads.ARGUMENT, "/bin/sh"),
    ],
)  # fmt: skip
def test_what_runs_the_code(
    code: str, shell: str, words: tuple[str, ...], reads: Reads, program: str
) -> None:
    """CAT-10: a first line `#!` goes before `shell`; as for the kernel it has one argument at most."""
    interpreter = interpreter_of(TaskType.SHELL, code, shell, "python3")
    assert interpreter is not None
    assert interpreter == Interpreter(words, reads)
    assert interpreter.program == program
