"""A task's `shell`, `env` and `inherit_env` (CAT-10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.catalog.surroundings import SHELLS, SurroundingsError, check_variable
from retrofill.domain.catalog.task_types import Reads, TaskType, types_that
from retrofill.project.deployment import check_patterns
from retrofill.project.validation import one_of

if TYPE_CHECKING:
    from retrofill.project.task_keys import TaskKeys


class TaskSurroundings(NamedTuple):
    """The values, by the names of the domain's fields."""

    shell: str
    env: tuple[tuple[str, str], ...]
    inherit_env: tuple[str, ...]


def read_surroundings(task: TaskKeys, task_type: TaskType | None) -> TaskSurroundings:
    """Check the three keys; what a task inherits is the deployment's and its own."""
    around = task.around
    own = check_patterns(task.get("inherit_env"), task.node("inherit_env"), around.path, task.report)
    inherited = tuple(dict.fromkeys((*around.deployment.inherit_env, *own)))
    return TaskSurroundings(_shell(task, task_type), _variables(task), inherited)


def _shell(task: TaskKeys, task_type: TaskType | None) -> str:
    shell = task.get("shell")
    if shell is None or task_type is None:
        return ""
    if task_type.traits.reads is not Reads.ARGUMENT:
        if task.is_own("shell"):
            others = one_of(types_that(lambda traits: traits.reads is Reads.ARGUMENT))
            task.refuse("shell", f"a {task_type} task uses no shell", f"remove it, or make it type: {others}")
        return ""
    if shell not in SHELLS and not (shell.startswith("/") and shell.isprintable() and "//" not in shell):
        task.refuse("shell", f'"shell" is "{shell}"', "write sh, bash, or the path of a program, as /bin/zsh")
    return str(shell)


def _variables(task: TaskKeys) -> tuple[tuple[str, str], ...]:
    node = task.node("env")
    parameters = task.declared()
    for name, (place, value) in (node.entries if node and node.entries else {}).items():
        try:
            check_variable(name)
        except SurroundingsError as error:
            task.refuse("env", f'"env": {error.message}', error.hint, place)
        if name in parameters:
            task.refuse(
                "env",
                f'"{name}" is a parameter too, whose value the variable has',
                "keep one of the two",
                place,
            )
        text = value.value
        if isinstance(text, str) and "\0" in text:
            task.refuse("env", f'"env": the value of {name} holds a NUL character', "remove it", value.place)
        if isinstance(text, str) and "${secret:" in text:
            hint = f"make it a parameter, whose value the variable {name} then has"
            task.refuse(
                "env", f'"env": the value of {name} is plain text, which holds no secret', hint, value.place
            )
    return tuple((task.get("env") or {}).items())
