"""SEC-2: neither ids of foreign instances nor names of foreign people are told, also where nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.catalogs import make_task
from retrofill.domain.errors import RetrofillError
from services.worlds import MakeWorld, World

MEMBERS = {"open": {"alice": "administrator"}, "vault": {"greta": "administrator"}}
TASKS = (
    make_task("open.first", "0 1 * * *"),
    make_task("vault.mine", "0 2 * * *", "open.first"),
    make_task("open.last", "0 3 * * *", "open.first"),
)


@pytest.fixture
def w(world: MakeWorld) -> World:
    """One backfill over both workspaces, of which all but the first task runs."""
    w = world(*TASKS, members=MEMBERS)
    w.create()
    w.tick()
    w.end("first 5 01:00")
    return w


def test_what_runs_below_is_told_as_far_as_it_is_seen(w: World) -> None:
    """OPS-4: the rerun is refused because of the foreign one all the same."""
    first, mine, last = (w.id(name) for name in ("first 5 01:00", "mine 5 02:00", "last 5 03:00"))
    assert w.center.instances.running_below([first]) == sorted([mine, last])
    w.user = "alice"
    assert w.center.instances.running_below([first]) == [last]
    (refused,) = w.center.instances.rerun_descendants([first])
    assert refused.error is not None
    assert "an instance of another workspace" in refused.error.message
    assert f"instance {mine} " not in refused.error.message


def test_who_deployed_is_told_to_who_knows_them(w: World) -> None:
    """CAT-9: a member of another workspace is nobody to alice, and `admin` everybody knows."""
    w.user = "greta"
    w.deploy(replace(w.catalog, timezone="Asia/Tokyo"))
    w.user = "admin"
    assert [row["deployed_by"] for row in w.center.versions.list()["items"]] == ["greta", "admin"]
    w.user = "alice"
    assert [row["deployed_by"] for row in w.center.versions.list()["items"]] == [None, "admin"]
    assert w.center.versions.show(2)["deployed_by"] is None
    assert [row["version"] for row in w.center.versions.list(before=2)["items"]] == [1]


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("greta", "has no Failed instance that you may see"),
        ("admin", "has no Failed instance,"),
    ],
)
def test_a_rerun_of_what_one_does_not_see(w: World, user: str, words: str) -> None:
    """OPS-3: to say that there is none would be wrong; that one sees none is right."""
    w.user = user
    with pytest.raises(RetrofillError) as refused:
        w.center.backfills.rerun(1, only_failed=True)
    assert words in refused.value.message
