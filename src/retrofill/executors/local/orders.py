"""What the executor tells a supervisor, as one message of fields that NUL ends cannot occur in.

    run   NAME TIMEOUT GRACE LOG_CAP FOLDER KIND PAYLOAD COUNT ARGUMENT... COUNT SECRET... NAME=VALUE...
    stop  NAME GRACE

The payload reaches the command as a memory file, descriptor 3: code and connection URLs stand
on no command line. The command closes it before the code runs. A supervisor of the order's kind
carries it out in a fork of itself instead, and any other one spawns the command.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.catalog import surroundings
from retrofill.domain.catalog.task_types import TASK_TYPES, Reads
from retrofill.executors.local.processes import MARK
from retrofill.executors.runners import warm

if TYPE_CHECKING:
    from retrofill.services.ports import RunSpec

PAYLOAD_DESCRIPTOR = 3
BORN = b"born\t"  # begins a supervisor's first message; its pid follows
UNBORN = b"unborn\t"  # begins the answer to an order that did not reach a supervisor; why follows
IN_FILE = b"."  # the message whose text is in the memory file that comes along
LONGEST_MESSAGE = 100_000  # a longer one goes as a memory file
_DESCRIPTOR_SPACE = socket.CMSG_LEN(4)
_LONGEST_ARGUMENT = 120_000  # the kernel refuses one argument of 128 KiB
_RUNNERS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "runners")
_PAYLOAD_PATH = f"/proc/self/fd/{PAYLOAD_DESCRIPTOR}"
_READ_AT_START = ("PYTHON", "LD_", "LC_", "LANG", "TZ", "HOME", "MALLOC_", "GLIBC_")
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

Words = tuple[str, ...]


class Limits(NamedTuple):
    """What the executor allows every run."""

    grace_seconds: float  # between TERM and KILL
    log_cap_bytes: int


class RunOrder:
    """A run as its supervisor sees it: bytes only."""

    __slots__ = (
        "arguments",
        "environment",
        "folder",
        "grace_seconds",
        "kind",
        "log_cap",
        "name",
        "payload",
        "secrets",
        "timeout_seconds",
    )

    def __init__(self, fields: list[bytes]) -> None:
        self.name = fields[1]
        self.timeout_seconds = float(fields[2])
        self.grace_seconds = float(fields[3])
        self.log_cap = int(fields[4])
        self.folder = fields[5]
        self.kind = fields[6].decode("ascii", "replace")
        self.payload = fields[7]
        end = 9 + int(fields[8])
        self.arguments = fields[9:end]
        rest = end + 1 + int(fields[end])
        self.secrets = [field.decode("utf-8", "surrogateescape") for field in fields[end + 1 : rest]]
        self.environment = dict(field.split(b"=", 1) for field in fields[rest:])


def base_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a task inherits: PATH, HOME, USER, LOGNAME, SHELL, LANG, LANGUAGE, LC_*, TZ, TMPDIR; nothing else."""
    base = surroundings.inherited(environ, surroundings.INHERITED)
    base.setdefault("PATH", _DEFAULT_PATH)
    return base


def encode_run(spec: RunSpec, name: str, limits: Limits, base: Mapping[str, str]) -> bytes:
    """The message that starts a run (PAR-4).

    Raises:
        ValueError: code, an argument or a variable holds a NUL character or is no text, or nothing runs it.
    """
    arguments, payload = _command(spec)
    variables = {**base, **_further(spec, base), MARK: name}
    settings = (str(spec.timeout_seconds), str(limits.grace_seconds), str(limits.log_cap_bytes))
    texts = (
        *(
            "run",
            name,
            *settings,
            spec.working_directory,
            kind_of(spec, base),
            payload,
            str(len(arguments)),
            *arguments,
        ),
        *(str(len(spec.secrets)), *spec.secrets),
        *(f"{key}={value}" for key, value in variables.items()),
    )
    message = "\0".join(texts).encode("utf-8", "surrogateescape")
    if message.count(b"\0") != len(texts) - 1:
        raise ValueError(f"{_place_of_nul(spec)} holds a NUL character, which no program can be given")
    return message


def kind_of(spec: RunSpec, base: Mapping[str, str]) -> str:
    """Which warm process can carry the run out by a fork; empty for none (any run can be spawned).

    A fork has started already: what is read from the environment at a program's start is not seen.
    """
    is_sql = TASK_TYPES[spec.type].traits.reads is Reads.SQL
    if not is_sql or any(key.startswith(_READ_AT_START) for key in _further(spec, base)):
        return ""
    return warm.kind_of(spec.connection_url or "")


def _further(spec: RunSpec, base: Mapping[str, str]) -> dict[str, str]:
    """The variables that come to those that every task has, or are others."""
    inherited = surroundings.inherited(os.environ, spec.inherit) if spec.inherit else {}
    return {key: value for key, value in inherited.items() if base.get(key) != value} | {**spec.environment}


def encode_stop(name: str, grace_seconds: float) -> bytes:
    return f"stop\0{name}\0{grace_seconds}".encode()


def _command(spec: RunSpec) -> tuple[list[str], str]:
    """Arguments and payload.

    Raises:
        ValueError: nothing runs the code of such a task.
    """
    task_type = TASK_TYPES.get(spec.type)
    if task_type is None or task_type.traits.reads is None:
        raise ValueError(f"this program runs no task of type {spec.type!r}")
    found = surroundings.interpreter_of(task_type, spec.code, spec.shell, spec.interpreter)
    words, reads = found or ((sys.executable,), task_type.traits.reads)
    arguments = spec.arguments if task_type.traits.has_arguments else ()
    return _GIVEN[reads](words, spec, arguments)


def _given_python(words: Words, spec: RunSpec, arguments: Words) -> tuple[list[str], str]:
    file = spec.code_file if spec.code_file.isprintable() else ""
    return [*words, os.path.join(_RUNNERS, "python.py"), *arguments], f"{spec.name}\n{file}\n{spec.code}"


def _given_sql(words: Words, spec: RunSpec, arguments: Words) -> tuple[list[str], str]:
    payload = f"{spec.name}\n{spec.connection_url or ''}\n{spec.code}"
    return [*words, os.path.join(_RUNNERS, "sql.py"), *arguments], payload


def _given_file(words: Words, spec: RunSpec, arguments: Words) -> tuple[list[str], str]:
    return [*words, _PAYLOAD_PATH, *arguments], spec.code


def _given_argument(words: Words, spec: RunSpec, arguments: Words) -> tuple[list[str], str]:
    code, payload = spec.code, ""
    if len(code) * 4 > _LONGEST_ARGUMENT and len(code.encode("utf-8", "replace")) > _LONGEST_ARGUMENT:
        code, payload = f". {_PAYLOAD_PATH}", f"exec {PAYLOAD_DESCRIPTOR}<&-; {code}"
    return [*words, "-c", code, spec.name, *arguments], payload


_GIVEN: Mapping[Reads, Callable[[Words, RunSpec, Words], tuple[list[str], str]]] = {
    Reads.ARGUMENT: _given_argument,
    Reads.PYTHON: _given_python,
    Reads.FILE: _given_file,
    Reads.SQL: _given_sql,
}


def _place_of_nul(spec: RunSpec) -> str:
    if "\0" in spec.code:
        return "the code"
    for key, value in spec.environment.items():
        if "\0" in key + value:
            return f"the variable {key!r}"
    return "an argument or the folder" if _any_nul((spec.working_directory, *spec.arguments)) else "the run"


def _any_nul(texts: Iterable[str]) -> bool:
    return any("\0" in text for text in texts)


# Messages between processes


def send(connection: socket.socket, message: bytes) -> bool:
    """Hand a message over without waiting for the receiver; False if there is none any more."""
    try:
        if len(message) <= LONGEST_MESSAGE:
            connection.send(message)
        else:
            descriptor = os.memfd_create("message", os.MFD_CLOEXEC)
            try:
                with open(descriptor, "wb", closefd=False) as file:
                    file.write(message)
                socket.send_fds(connection, [IN_FILE], [descriptor])
            finally:
                os.close(descriptor)
    except ConnectionError:
        return False
    return True


def receive(connection: socket.socket, size: int = LONGEST_MESSAGE) -> tuple[bytes, int]:
    """Wait for a message; its bytes, none at the end, and the descriptor that came along, or -1."""
    message, extra, _, _ = connection.recvmsg(size, _DESCRIPTOR_SPACE, socket.MSG_CMSG_CLOEXEC)
    return message, int.from_bytes(extra[0][2][:4], sys.byteorder) if extra else -1
