"""`depends_on`: unknown tasks, repeats and loops are refused with all names (CAT-4)."""

from __future__ import annotations

import pytest

from project.folders import Folder

VIRTUAL = "type: virtual, schedule: '@daily'"


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ("[a]", "8:18: task ops.a depends on itself; to wait for its own previous cycle write {task: self"),
        ("[ops.a]", "8:18: task ops.a depends on itself"),
        ("[self]", "8:18: task ops.a depends on itself"),
        ("[{task: self}]", "8:25: task ops.a depends on itself"),
        ("[{task: self, cycle: same}]", "8:25: task ops.a depends on itself"),
        ("[b]", "8:18: ops.a depends on ops.b, which does not exist; name a task as NAME"),
        ("[weather.rain]", "8:18: ops.a depends on weather.rain, which does not exist"),
        ("[{task: b, cycle: previous}]", "8:18: ops.a depends on ops.b, which does not exist"),
        ("[{task: a.b.c, cycle: previous}]", "8:18: ops.a depends on a.b.c, which does not exist"),
        (
            "[{task: self, cycle: previous}, {task: a, cycle: previous}]",
            "8:49: this dependency is already in line 8",
        ),
        ("[{children: previous}, {children: previous}]", "8:40: this dependency is already in line 8"),
        ("b", '8:17: "depends_on" is "b"; write a list'),
        ("[3]", '8:18: "3" is not the name of a task; write a task, {task: NAME, cycle: previous}'),
        ("[[b]]", "8:18: a list in a list"),
        ("[{tsk: b}]", '8:19: unknown key "tsk" in a dependency; did you mean "task"?'),
        ("[{cycle: previous}]", "8:18: a dependency needs the name of a task under `task`"),
        ("[{task: [b]}]", "8:25: a dependency needs the name of a task under `task`"),
        ("[{task: b, cycle: last}]", '8:35: "cycle" is "last"; write same or previous'),
        ("[{children: same}]", "8:18: `children` stands alone and is `previous`; write {children: previous}"),
        ("[{children: previous, task: b}]", "8:18: `children` stands alone"),
    ],
)
def test_a_wrong_dependency(folder: Folder, entries: str, problem: str) -> None:
    """CAT-4, DEP-6..8."""
    folder.task(f"depends_on: {entries}")
    assert folder.problem().startswith(problem)


def test_the_same_dependency_twice(folder: Folder) -> None:
    """CAT-4: also where one of the two has its full name."""
    folder.tasks(f"a: {{{VIRTUAL}}}\nb: {{{VIRTUAL}, depends_on: [a, ops.a]}}")
    assert folder.problem() == "5:58: the dependency on ops.a is already in line 5; remove one of the two"


def test_same_and_previous_cycle_of_one_task_are_two_dependencies(folder: Folder) -> None:
    """DEP-1, DEP-7."""
    folder.tasks(f"a: {{{VIRTUAL}}}\nb: {{{VIRTUAL}, depends_on: [a, {{task: a, cycle: previous}}]}}")
    assert len(folder.loaded("ops.b").depends_on) == 2


def test_an_unknown_task_names_both_and_the_nearest(folder: Folder) -> None:
    """CAT-4."""
    folder.tasks(f"raw_flights: {{{VIRTUAL}}}\nb: {{{VIRTUAL}, depends_on: [raw_fligths]}}")
    assert folder.problem() == (
        '5:55: ops.b depends on ops.raw_fligths, which does not exist; did you mean "ops.raw_flights"?'
    )


def test_a_task_with_other_problems_is_not_unknown(folder: Folder) -> None:
    """CAT-1."""
    folder.tasks(f"a: {{type: bash}}\nb: {{{VIRTUAL}, depends_on: [a]}}")
    assert not any("does not exist" in problem for problem in folder.problems())


def test_loops_are_printed_with_all_their_tasks(folder: Folder) -> None:
    """CAT-4: every loop, also across workspaces, in the direction in which tasks would run."""
    folder.tasks(
        f"""
        a: {{{VIRTUAL}, depends_on: [c]}}
        b: {{{VIRTUAL}, depends_on: [a]}}
        c: {{{VIRTUAL}, depends_on: [b]}}
        d: {{{VIRTUAL}, depends_on: [weather.x, a]}}
        """
    )
    folder.write(
        "workspaces/weather/workspace.yaml",
        f"workspace: weather\ntasks: {{x: {{{VIRTUAL}, depends_on: [ops.d]}}}}\n",
    )
    assert [problem.partition(";")[0] for problem in folder.problems()] == [
        "4:55: tasks wait for each other in a loop: ops.a -> ops.b -> ops.c -> ops.a",
        "7:55: tasks wait for each other in a loop: ops.d -> weather.x -> ops.d",
    ]


def test_previous_cycles_make_no_loop(folder: Folder) -> None:
    """CAT-4: only same-cycle dependencies do."""
    folder.tasks(
        f"a: {{{VIRTUAL}, depends_on: [b]}}\nb: {{{VIRTUAL}, depends_on: [{{task: a, cycle: previous}}]}}"
    )
    assert len(folder.load().tasks) == 2


def test_a_loop_through_a_default_is_told(folder: Folder) -> None:
    folder.write(
        "workspaces/ops/workspace.yaml",
        f"workspace: ops\ndefaults: {{{VIRTUAL}, depends_on: [a]}}\ntasks: {{a: {{depends_on: [b]}}, b: {{}}}}\n",
    )
    assert "loop: ops.a -> ops.b -> ops.a" in folder.problem()
