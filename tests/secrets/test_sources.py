"""Where the values of secrets come from; no error shows one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from e2e.sandboxes import until
from retrofill.secrets.sources import Environment, SecretCommand, SecretFile
from retrofill.services.ports.secrets import SecretUnavailableError

VALUE = "t0p-s3cret"


def write(path: Path, text: str | bytes, mode: int = 0o600) -> SecretFile:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return SecretFile(path)


def command(home: Path, code: str, *more: str, seconds: float = 30.0, **environ: str) -> SecretCommand:
    arguments = [sys.executable, "-c", code, *more]
    return SecretCommand(arguments, home, {"PATH": os.environ["PATH"], **environ}, seconds)


def refusal(source: SecretFile | SecretCommand, name: str = "PW") -> str:
    with pytest.raises(SecretUnavailableError) as caught:
        source.find(name)
    told = f"{caught.value.message} {caught.value.hint}"
    assert VALUE not in told
    return told


def test_the_environment() -> None:
    """SEC-3."""
    source = Environment({"RETROFILL_SECRET_PW": VALUE, "PW": "other"})
    assert (source.find("PW"), source.find("OTHER")) == (VALUE, None)


def test_every_value_of_a_file_is_the_text_that_is_written(tmp_path: Path) -> None:
    """SEC-3: nothing is taken for a number or a truth, and a key may have lines."""
    source = write(tmp_path / "s", "PW: 0123\nYES: yes\nKEY: |\n  one\n  two\nEMPTY:\n")
    names = ("PW", "YES", "KEY", "EMPTY", "OTHER")
    assert [source.find(name) for name in names] == ["0123", "yes", "one\ntwo\n", "", None]
    assert write(tmp_path / "none", "").find("PW") is None


def test_a_file_is_read_anew_when_it_has_changed(tmp_path: Path) -> None:
    """SEC-3: also where another one is put in its place, as is done with mounted secrets."""
    path = tmp_path / "s"
    source = write(path, "PW: old")
    assert source.find("PW") == "old"
    write(tmp_path / "new", "PW: new")
    (tmp_path / "new").rename(path)
    assert source.find("PW") == "new"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o611])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    """SEC-3: mode 0600, or less."""
    told = refusal(write(tmp_path / "s", f"PW: {VALUE}", mode))
    assert f"has mode {mode:04o}" in told
    assert f"chmod 600 {tmp_path / 's'}" in told
    (tmp_path / "s").chmod(0o400)
    assert SecretFile(tmp_path / "s").find("PW") == VALUE


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"PW: {VALUE}\n  - x: [", "is no YAML (line 2)"),
        (f"- {VALUE}", "is no mapping"),
        (VALUE, "is no mapping"),
        (f"PW: [{VALUE}]", "gives PW what is no text of a secret"),
        (b"PW: \xff\xfe" + VALUE.encode(), "is no YAML"),
        (f"PW: {VALUE}\nPW2: {'x' * 70_000}", "gives PW2 what is no text of a secret"),
    ],
)
def test_files_that_hold_something_else(tmp_path: Path, text: str | bytes, told: str) -> None:
    """SEC-3: what a parser says of them would show parts of values."""
    assert told in refusal(write(tmp_path / "s", text))


def test_what_is_no_file(tmp_path: Path) -> None:
    """SEC-3: a pipe without a writer holds nobody up."""
    assert "cannot be read: No such file" in refusal(SecretFile(tmp_path / "gone"))
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "is no regular file" in refusal(SecretFile(tmp_path / "pipe"))
    (tmp_path / "folder").mkdir(0o700)
    assert "cannot be read: Is a directory" in refusal(SecretFile(tmp_path / "folder"))


def test_a_command_prints_the_value(tmp_path: Path) -> None:
    """SEC-3: one end of line is none of it; the name stands last, or where {name} stands."""
    show = "import sys; print(sys.argv[1:], end='')"
    assert command(tmp_path, show, "get").find("PW") == "['get', 'PW']"
    assert command(tmp_path, show, "kv/{name}/x", "{name}").find("PW") == "['kv/PW/x', 'PW']"
    assert command(tmp_path, f"print('{VALUE} \\n')").find("PW") == f"{VALUE} \n"
    assert command(tmp_path, "import os; print(os.getcwd())").find("PW") == str(tmp_path)


def test_a_command_that_prints_nothing_knows_no_such_secret(tmp_path: Path) -> None:
    """SEC-3."""
    assert command(tmp_path, "pass").find("PW") is None
    assert command(tmp_path, "print()").find("PW") is None


def test_a_command_is_given_no_secret(tmp_path: Path) -> None:
    """SEC-3: nor does it read what is typed."""
    code = (
        "import os, sys; print([n for n in os.environ if n.startswith('RETROFILL_')], repr(sys.stdin.read()))"
    )
    found = command(tmp_path, code, RETROFILL_SECRET_A=VALUE, RETROFILL_TOKEN=VALUE, RETROFILL_PROJECT="p")
    assert found.find("PW") == "['RETROFILL_PROJECT'] ''"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (f"import sys; print('{VALUE}'); print('{VALUE}', file=sys.stderr); sys.exit(3)", "exit status 3"),
        (f"import os; print('{VALUE}', flush=True); os.kill(os.getpid(), 9)", "signal 9"),
        (f"print('{VALUE}' * 10_000)", "printed more than 64 KiB"),
        (f"import sys; sys.stdout.buffer.write(b'\\xff{VALUE}')", "no UTF-8 text"),
        (f"print('{VALUE}\\0')", "a NUL character"),
    ],
)
def test_commands_that_fail(tmp_path: Path, code: str, told: str) -> None:
    """SEC-3: neither what it printed nor what it complained of is shown."""
    found = refusal(command(tmp_path, code))
    assert found.startswith("the secret PW could not be had: the command of the setting `secrets` ")
    assert told in found


def test_a_command_that_does_not_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """SEC-3: also where a child of it holds its output open."""
    code = "import subprocess; child = subprocess.Popen(['sleep', '600']); open('child', 'w').write(str(child.pid))"
    assert "did not end within 3 s" in refusal(command(tmp_path, code, seconds=3))
    status = Path(f"/proc/{int((tmp_path / 'child').read_text())}/stat")

    def is_over() -> bool:
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"

    until(is_over, "the child has ended")


def test_a_command_that_cannot_be_started(tmp_path: Path) -> None:
    """SEC-3."""
    source = SecretCommand(["/nowhere/vault"], tmp_path, {}, 5)
    assert "cannot be started: No such file or directory" in refusal(source)
