"""Files of versions that a worker has fetched: once each, compared whenever they are used, and never too many."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from retrofill.executors.contents import ContentCache


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Deployment:
    """What a host fetches from."""

    def __init__(self, *contents: bytes) -> None:
        self.contents = {sha256(data): data for data in contents}
        self.fetched: list[str] = []

    def content(self, name: str) -> bytes:
        self.fetched.append(name)
        return self.contents[name]


def test_a_file_is_fetched_once(tmp_path: Path) -> None:
    """CAT-9: by whichever process asks first, and also for another version that holds it."""
    on = Deployment(b"one", b"two")
    for _ in range(2):
        cache = ContentCache(tmp_path / "contents", on.content)
        assert [cache.get(name) for name in on.contents] == [b"one", b"two"]
    assert on.fetched == [*on.contents]


@pytest.mark.parametrize("damage", [b"", b"on", b"one more"])
def test_a_file_that_was_changed_here_is_fetched_anew(tmp_path: Path, damage: bytes) -> None:
    """CAT-9: what a crash or a task has left is never taken for it."""
    on = Deployment(b"one")
    cache = ContentCache(tmp_path, on.content)
    name = sha256(b"one")
    cache.get(name)
    (tmp_path / name).write_bytes(damage)
    assert (cache.get(name), cache.get(name)) == (b"one", b"one")
    assert on.fetched == [name, name]


def test_what_came_wrongly_is_not_kept(tmp_path: Path) -> None:
    """CAT-9: the next one asks again."""
    on = Deployment()
    name = sha256(b"one")
    on.contents[name] = b"another"
    cache = ContentCache(tmp_path, on.content)
    cache.get(name)
    assert list(tmp_path.iterdir()) == []


def test_all_together_are_bounded(tmp_path: Path) -> None:
    """CAT-9: what was used the longest time ago goes first."""
    data = [bytes([number]) * 10 for number in range(4)]
    on = Deployment(*data)
    cache = ContentCache(tmp_path, on.content, most_bytes=30)
    for age, one in zip((40, 30, 20), data, strict=False):
        cache.get(sha256(one))
        os.utime(tmp_path / sha256(one), (1_700_000_000 - age, 1_700_000_000 - age))
    cache.get(sha256(data[0]))
    cache.get(sha256(data[3]))
    assert {path.name for path in tmp_path.iterdir()} == {sha256(data[number]) for number in (0, 2, 3)}


def test_a_file_that_the_deployment_does_not_have(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        ContentCache(tmp_path, Deployment().content).get(sha256(b"lost"))
