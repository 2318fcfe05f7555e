"""Hints that come through the server: however many, from wherever, and after a connection was lost."""

from __future__ import annotations

import select
from typing import Any

import psycopg

from store.postgres.conftest import MakeStore
from store.postgres.test_refusals import cut


def test_ten_thousand_hints_are_few(make_store: MakeStore, somebody: psycopg.Connection[Any]) -> None:
    """RUN-1: each is heard, none stands in a queue for ever."""
    ear = make_store().listen()
    try:
        for _ in range(100):
            somebody.execute("SELECT pg_notify('retrofill', n::text) FROM generate_series(1, 100) n")
            somebody.commit()
        assert select.select([ear], [], [], 30)[0]
        ear.drain()
    finally:
        ear.close()


def test_a_hint_from_another_machine_after_the_connection_was_lost(
    make_store: MakeStore, somebody: psycopg.Connection[Any]
) -> None:
    """RUN-1: it is made anew."""
    ear, elsewhere = make_store().listen(), make_store(home="other machine")
    try:
        for _ in range(2):
            elsewhere.wake()
            assert select.select([ear], [], [], 30)[0]
            ear.drain()
            cut(somebody)
    finally:
        ear.close()


def test_that_runs_have_ended_elsewhere_is_no_other_news(make_store: MakeStore) -> None:
    """RUN-9: a tick is enough then; whatever else may have changed is looked for when more was heard."""
    store, host = make_store(), make_store(home="host")
    ear, hosts = store.listen(), host.hosts("host", 60)
    try:
        hosts.reply()
        assert select.select([ear], [], [], 30)[0]
        assert not ear.drain()
        hosts.reply()
        host.wake()
        heard = False
        while not heard:
            assert select.select([ear], [], [], 30)[0]
            heard = ear.drain()
    finally:
        ear.close()
