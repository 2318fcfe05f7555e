"""What every store must do with versions and with the files that they include."""

from __future__ import annotations

import hashlib
import json

import pytest

from retrofill.services.ports import Store
from retrofill.services.ports.records import VersionRecord


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_each_content_is_kept_once(store: Store) -> None:
    """CAT-9: whatever bytes it has, and however often it is given."""
    texts = {_hash(data): data for data in (b"", b"\0\xff", b"x" * 1_000_000)}
    with store.transaction() as tx:
        assert tx.versions.missing([*texts, "none"]) == {*texts, "none"}
        tx.versions.add_contents(texts)
        tx.versions.add_contents(texts)
    with store.read() as reader:
        assert reader.versions.missing([*texts, "none"]) == {"none"}
        assert {key: reader.versions.content(key) for key in texts} == texts
        with pytest.raises(KeyError):
            reader.versions.content("none")


def test_versions_newest_first(store: Store) -> None:
    """CAT-9: with who made them and when, and which older one they are anew."""
    with store.transaction() as tx:
        tx.add_version("{}", 5, "alice", 3)
        tx.add_version("{}", 6, "bob", 4)
        tx.add_version("{}", 7, "alice", 3, 1)
    first, third = VersionRecord(1, 5, "alice", 3, None), VersionRecord(3, 7, "alice", 3, 1)
    with store.read() as reader:
        assert [found.id for found in reader.versions.latest(-1)] == [3, 2, 1]
        assert reader.versions.latest(1) == [third]
        assert [found.id for found in reader.versions.latest(-1, older_than=3)] == [2, 1]
        assert [found.id for found in reader.versions.latest(1, older_than=3)] == [2]
        assert reader.versions.find(1) == first
        assert reader.versions.find(4) is None


def test_one_task_of_a_version(store: Store) -> None:
    """CAT-9: without reading the others, as the text of that version has it."""
    document = json.dumps({"tasks": {"w.a": {"code": 'echo "\'é"'}, "w-1.b_2": {"code": ""}}})
    with store.transaction() as tx:
        tx.add_version(document, 5, "alice", 2)
        tx.add_version(json.dumps({"tasks": {}}), 6, "alice", 0)
    with store.read() as reader:
        assert json.loads(reader.versions.task(1, "w.a") or "") == {"code": 'echo "\'é"'}
        assert json.loads(reader.versions.task(1, "w-1.b_2") or "") == {"code": ""}
        assert reader.versions.task(1, "w.b") is None
        assert reader.versions.task(2, "w.a") is None
        assert reader.versions.task(3, "w.a") is None
