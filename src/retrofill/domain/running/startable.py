"""What a start would fail for, known when a plan is made: secrets, connections, interpreters (VER-1)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from retrofill.domain.catalog import parameters
from retrofill.domain.catalog.definitions import Task
from retrofill.domain.catalog.surroundings import interpreter_of
from retrofill.domain.planning.plan import Kind, Plan
from retrofill.domain.verification.findings import Finding
from retrofill.domain.words import names

_SECRET = re.compile(r"\$\{secret:([A-Za-z_][A-Za-z0-9_]*)\}")


class Lack(NamedTuple):
    """Why something is not to be had, the end of a sentence, and what to do about it."""

    why: str
    hint: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is there where a plan is made; a scheduler on another machine, or in another environment, may differ.

    Attributes:
        lacks_secret: why a secret of this name is not to be had; None where it is.
        has_program: whether a program can be run: a name that is looked for, or a path.
        missing_driver: what a connection's URL needs and is not installed; None where nothing is missing.
        python: the interpreter of python tasks.
    """

    lacks_secret: Callable[[str], Lack | None]
    has_program: Callable[[str], bool]
    missing_driver: Callable[[str], str | None]
    python: str


def obstacles(plan: Plan, known: Known) -> Iterator[Finding]:
    """`unset_secret`, `missing_connection`, `missing_interpreter`, each with the tasks that would fail to start."""
    running = [t for t, runs in zip(plan.tasks, plan.tallies[:, Kind.RUN].tolist(), strict=True) if runs]
    for name, tasks in _by(running, lambda task: _secrets(plan, task)).items():
        lack = known.lacks_secret(name)
        if lack:
            told = f"The secret {name} {lack.why}: {names(tasks)} cannot start without it."
            yield Finding.of("unset_secret", told, tasks, lack.hint)
    for name, tasks in _by(running, _connections).items():
        url = plan.catalog.connections.get(name)
        lacks = "is not declared" if url is None else known.missing_driver(url)
        if lacks:
            yield Finding.of(
                "missing_connection", f"The connection {name} {lacks}: {names(tasks)} will fail.", tasks
            )
    for program, tasks in _by(running, lambda task: _programs(task, known.python)).items():
        if not known.has_program(program):
            yield Finding.of(
                "missing_interpreter", f"There is no {program} here to run {names(tasks)} with.", tasks
            )


def _by(tasks: list[Task], needs: Callable[[Task], Iterator[str]]) -> Mapping[str, tuple[str, ...]]:
    """Full names of tasks by what they need, in order of that."""
    found: dict[str, list[str]] = defaultdict(list)
    for task in tasks:
        for need in dict.fromkeys(needs(task)):
            found[need].append(task.name)
    return {need: tuple(found[need]) for need in sorted(found)}


def _secrets(plan: Plan, task: Task) -> Iterator[str]:
    for _, text in plan.parameters_of(task):
        if "${secret:" in text:
            secret = parameters.parse(text).secret
            if secret is not None:
                yield secret
    if task.type.traits.has_connection:
        for found in _SECRET.finditer(plan.catalog.connections.get(task.connection) or ""):
            yield found[1]


def _connections(task: Task) -> Iterator[str]:
    if task.type.traits.has_connection:
        yield task.connection


def _programs(task: Task, python: str) -> Iterator[str]:
    if "PATH" in dict(task.env):
        return  # where it looks for programs is its own
    interpreter = interpreter_of(task.type, task.code, task.shell, python)
    if interpreter is not None:
        yield interpreter.program
