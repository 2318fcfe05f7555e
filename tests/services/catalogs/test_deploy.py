"""Who may publish what: an administrator of every workspace that changes (SEC-4).

ops: alice administrator, bob operator. bi: erin administrator, alice visitor. lab: erin administrator.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from domain.catalogs import make_catalog, make_task
from retrofill.domain.catalog.definitions import Catalog, ResourceGroup, ScalerHook
from retrofill.domain.errors import NotPermittedError
from retrofill.domain.people.roles import actor_of, system_administrator
from retrofill.services.catalogs.deploy import deploy, deploy_again
from retrofill.store.sqlite.database import Database
from services.worlds import MakeWorld, World

MEMBERS: Mapping[str, Mapping[str, str]] = {
    "ops": {"alice": "administrator", "bob": "operator"},
    "bi": {"erin": "administrator", "alice": "visitor"},
    "lab": {"erin": "administrator"},
}
SLOTS = ResourceGroup("default", slots=4)


def catalog(
    raw: str = "true", report: str = "true", trial: str = "true", members: object = MEMBERS
) -> Catalog:
    """One task in each workspace, with the code that it runs."""
    return make_catalog(
        make_task("ops.raw", "0 1 * * *", code=raw),
        make_task("bi.report", "0 2 * * *", code=report),
        make_task("lab.trial", "0 3 * * *", code=trial),
        members=members,  # type: ignore[arg-type]
        groups=(SLOTS,),
    )


@pytest.fixture
def w(world: MakeWorld) -> World:
    """With all three deployed."""
    one = world(make_task("ops.raw", "0 1 * * *"))
    one.deploy(catalog())
    return one


def publish(w: World, user: str, wanted: Catalog, **more: bool) -> tuple[int, bool]:
    actor = actor_of(user, w.catalog)
    return deploy(w.store, wanted, actor, w.clock.now_ms(), **more)


def test_an_administrator_of_what_changes_may(w: World) -> None:
    """SEC-4: and who changes nothing changes nothing."""
    assert publish(w, "alice", catalog(raw="echo new")) == (w.version_id + 1, True)
    assert publish(w, "bob", catalog(raw="echo new")) == (w.version_id + 1, False)
    assert publish(w, "erin", catalog(raw="echo new", report="echo 1", trial="echo 2"))[1]


SHARED = {
    "a resource group": {"resource_groups": {"default": replace(SLOTS, slots=99)}},
    "a scaler": {"resource_groups": {"default": replace(SLOTS, scaler=ScalerHook(("x", "y"), "", ""))}},
    "a setting": {"settings": {"retention_days": 1}},
    "the time zone": {"timezone": "Asia/Tokyo"},
}
TAKEN_OVER = {**MEMBERS, "bi": {"alice": "administrator"}}


@pytest.mark.parametrize(
    ("user", "wanted", "named"),
    [
        ("bob", catalog(raw="echo new"), "ops"),
        ("alice", catalog(report="echo new"), "bi"),
        ("alice", catalog(raw="echo new", report="echo new"), "bi"),
        ("alice", catalog(trial="echo new"), "other workspaces"),
        ("alice", catalog(report="echo new", trial="echo new"), "bi"),
        ("alice", catalog(members=TAKEN_OVER), "bi"),
        ("alice", make_catalog(make_task("ops.raw", "0 1 * * *"), members=MEMBERS, groups=(SLOTS,)), "bi"),
        ("nobody", catalog(raw="echo new"), "other workspaces"),
        *(("alice", replace(catalog(), **change), "other workspaces") for change in SHARED.values()),
    ],
    ids=[
        "an operator", "as a visitor", "one's own and another", "one that is not seen", "seen and not seen",
        "making oneself administrator", "taking workspaces away", "no member", *SHARED,
    ],
)  # fmt: skip
def test_others_may_not(w: World, user: str, wanted: Catalog, named: str) -> None:
    """SEC-2, SEC-4: nothing is published; only workspaces that one sees are named."""
    with pytest.raises(NotPermittedError) as caught:
        publish(w, user, wanted)
    assert caught.value.message == f"{user} may not deploy changes of {named}"
    with w.store.read() as reader:
        assert reader.current_version_id() == w.version_id


def test_the_first_deploy(tmp_path: Path) -> None:
    """SEC-4: nobody is a member of anything yet, but for what the deploy itself says."""
    alice = actor_of("alice", catalog())
    with closing(Database(tmp_path)) as store:
        with pytest.raises(NotPermittedError):
            deploy(store, catalog(), alice, 1)
        assert deploy(store, catalog(), system_administrator("root"), 1) == (1, True)


def test_who_can_write_the_folder_decides_what_it_holds(w: World) -> None:
    """SEC-4: embedded, whatever the roles say."""
    assert publish(w, "bob", catalog(trial="echo new"), owns_folder=True)[1]


def test_an_older_version_is_published_by_the_same_rule(w: World) -> None:
    """CAT-9, SEC-4: by what differs between it and the current one."""
    first = w.version_id
    w.deploy(catalog(raw="echo new"))
    now = w.clock.now_ms()
    with pytest.raises(NotPermittedError, match="erin may not deploy changes of other workspaces"):
        deploy_again(w.store, first, actor_of("erin", w.catalog), now)
    assert deploy_again(w.store, first, actor_of("alice", w.catalog), now) == (first + 2, True)
