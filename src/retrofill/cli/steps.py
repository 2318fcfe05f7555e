"""Steps and options of the core in the words of the command line: a command, an option of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from retrofill.domain.texts import Argument, Option, Step, Text

# What a step asks for, and which command does it. A word in capitals is the step's argument of that
# name, and stands for itself where the step leaves it to the reader; all other arguments are options.
COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "help.read": "COMMAND --help",
        "project.create": "init DIR",
        "project.check": "check",
        "project.deploy": "deploy",
        "version.list": "version list",
        "version.show": "version show ID",
        "task.list": "task list",
        "task.graph": "task graph",
        "task.freeze": "task freeze T",
        "task.unfreeze": "task unfreeze T",
        "workspace.list": "workspace list",
        "resource_group.list": "resource-group list",
        "host.list": "host list",
        "host.show": "host show NAME",
        "host.undrain": "host undrain NAME",
        "host.forget": "host forget NAME",
        "worker.start": "worker",
        "backfill.list": "backfill list",
        "backfill.show": "backfill show ID",
        "backfill.analysis": "backfill analysis ID",
        "backfill.create": "backfill create",
        "backfill.wait": "backfill wait ID",
        "backfill.stop": "backfill stop ID",
        "backfill.resume": "backfill resume ID",
        "backfill.rerun": "backfill rerun ID",
        "instance.list": "instance list",
        "instance.why": "instance why ID",
        "instance.log": "instance log ID",
        "instance.dag": "instance dag ID",
        "instance.rerun": "instance rerun ID",
        "instance.stop": "instance stop ID",
        "instance.rerun_descendants": "instance rerun-descendants ID",
        "instance.set_successful": "instance set-successful ID",
        "instance.unfreeze": "instance unfreeze ID",
        "instance.remove_wait": "instance remove-wait ID",
        "schedule.resume": "schedule resume",
        "schedule.accept_clock": "schedule accept-clock",
        "scheduler.start": "scheduler",
        "user.list": "user list",
        "user.contact": "user contact NAME",
        "user.role": "user role NAME ROLE",
        "token.create": "token create",
        "token.list": "token list",
        "access_key.list": "access-key list",
        "session.list": "user sessions",
        "store.back_up": "backup FILE",
        "store.restore": "restore FILE",
        "deployment.examine": "doctor",
    }
)
# What stands after an option whose value is the reader's, where it is not the option's name.
_VALUES: Mapping[str, str] = MappingProxyType({"email": "ADDRESS", "phone": "NUMBER", "reuse": "ID"})


def command_of(step: Step) -> str:
    """The command that does it, as it can be pasted into a shell."""
    arguments = dict(step.arguments)
    words = []
    for word in COMMANDS[step.name].split():
        value = arguments.pop(word.lower(), None) if word.isupper() else None
        words.append(word if value is None else _quoted(str(value)))
    for name, given in arguments.items():
        words += _option_words(name, given)
    return " ".join(["retrofill", *words])


def told(text: Text | str) -> str:
    """A sentence as people read it in a terminal."""
    return text if isinstance(text, str) else text.told(_words_of)


def json_of(value: object) -> Any:
    """For `json.dumps`: texts and steps in JSON."""
    if isinstance(value, Text):
        return told(value)
    if isinstance(value, Step):
        return value.to_json() | {"command": command_of(value)}
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _words_of(part: Step | Option) -> str:
    if isinstance(part, Step):
        return f"`{command_of(part)}`"
    return " ".join([_dashed(part.name), *([] if part.value is None else [_quoted(part.value)])])


def _option_words(name: str, given: Argument) -> Iterator[str]:
    for value in given if isinstance(given, tuple) else (given,):
        yield _dashed(name)
        if value is None:
            yield _VALUES.get(name, name.upper())
        elif value is not True:
            yield _quoted(str(value))


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)


def _dashed(name: str) -> str:
    return f"--{name.replace('_', '-')}"
