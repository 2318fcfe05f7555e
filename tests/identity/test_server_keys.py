"""The server's key: made once, kept where only its owner can read it."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from retrofill.domain.people.server_keys import BYTES, ServerKey, parse_server_key
from retrofill.identity.server_keys import ServerKeyError, server_key_of


def test_it_is_made_once(tmp_path: Path) -> None:
    """SEC-3: of mode 0600, and nothing else is left behind."""
    file = tmp_path / ".retrofill" / "server.key"
    made = server_key_of(file, {})
    assert server_key_of(file, {}).fingerprint == made.fingerprint
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["server.key"]


def test_all_who_need_it_at_once_get_the_same(tmp_path: Path) -> None:
    """Two servers that start at the same moment would else refuse each other's access keys."""
    file = tmp_path / "server.key"
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: server_key_of(file, {}).fingerprint, range(40)))
    assert len(set(found)) == 1


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666])
def test_one_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """SEC-3."""
    file = tmp_path / "server.key"
    server_key_of(file, {})
    file.chmod(mode)
    with pytest.raises(ServerKeyError, match=f"{mode:04o}"):
        server_key_of(file, {})


@pytest.mark.parametrize("text", ["", "0" * 63, "0" * 65, "g" * 64, "é" * 64, "0x" + "0" * 62])
def test_what_is_no_key(tmp_path: Path, text: str) -> None:
    """SEC-3: what stands there is not repeated."""
    file = tmp_path / "server.key"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(ServerKeyError) as caught:
        server_key_of(file, {})
    assert not text or text not in str(caught.value)


def test_the_environment_counts_before_the_file(tmp_path: Path) -> None:
    """Servers on several machines are given the same; no file is made."""
    file = tmp_path / "server.key"
    found = server_key_of(file, {"RETROFILL_SERVER_KEY": f" {'ab' * BYTES}\n"})
    assert found.fingerprint == ServerKey(b"\xab" * BYTES).fingerprint
    assert not file.exists()
    with pytest.raises(ServerKeyError, match="RETROFILL_SERVER_KEY"):
        server_key_of(file, {"RETROFILL_SERVER_KEY": "short"})


def test_what_comes_from_a_key_tells_nothing_of_it() -> None:
    """SEC-3: neither do two things that come from it have anything in common."""
    one, other = ServerKey(bytes(BYTES)), ServerKey(b"\1" * BYTES)
    assert one.secret_of("RF1") == one.secret_of("RF1")
    assert len({one.secret_of("RF1"), one.secret_of("RF2"), other.secret_of("RF1"), one.fingerprint}) == 4
    assert one.sign("a", "text") != one.sign("b", "text")
    assert one.is_signed("a", "text", one.sign("a", "text"))
    for purpose, text, signature in (
        ("b", "text", one.sign("a", "text")),
        ("a", "texts", one.sign("a", "text")),
        ("a", "text", other.sign("a", "text")),
        ("a", "text", ""),
        ("a", "text", "é"),
    ):
        assert not one.is_signed(purpose, text, signature)
    assert "00" * 8 not in repr(one)


def test_a_key_is_64_digits() -> None:
    assert parse_server_key("AB" * BYTES) is not None
    assert parse_server_key("AB" * (BYTES - 1)) is None
