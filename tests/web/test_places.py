"""Resource groups and workspaces in the browser."""

from __future__ import annotations

from retrofill.services.ports.records import HostRecord
from web.sites import Filled, Site, shown


def test_slots_are_places(filled: Filled) -> None:
    """RUN-1: free ones too, and what waits."""
    page = shown(filled.site.alice.get("/resource-groups"))
    assert "hold instances" in page.text
    assert "free" in page.text
    assert "Waits for a slot, in this order" in page.text
    alone = shown(filled.site.alice.get("/resource-groups/default"))
    assert "5 tasks run in it" in alone.text
    assert "Since yesterday" in alone.text
    assert "of 4 at most" in alone.text
    part = filled.site.alice.get("/resource-groups/default?part=slots")
    assert part.text.lstrip().startswith("<section")
    assert shown(filled.site.alice.get("/resource-groups/moon"), 404)


def test_who_waits_stands_in_the_order_in_which_it_starts(site: Site) -> None:
    """RUN-1: and instances of others are counted, not named (SEC-2)."""
    site.backfill()
    site.create("greta", task=("vault.goldmine",), bizdate=("2026-01-05",))
    page = shown(site.alice.get("/resource-groups/default"))
    assert "Waits for a slot, in this order 2" in page.text
    assert "shop. fetch" in page.text.replace("shop.fetch", "shop. fetch")
    assert "and 1 more, some of other workspaces" in page.text
    assert "goldmine" not in page.text


def test_workspaces_are_those_of_which_one_is_a_member(filled: Filled) -> None:
    """SEC-2."""
    page = shown(filled.site.alice.get("/workspaces"))
    assert "/workspaces/shop" in page.links
    assert "vault" not in page.text
    assert {"/workspaces/shop", "/workspaces/vault"} <= set(
        shown(filled.site.browser("admin").get("/workspaces")).links
    )


def test_members_with_what_they_may(filled: Filled) -> None:
    """SEC-4."""
    page = shown(filled.site.alice.get("/workspaces/shop"))
    assert "You are its administrator." in page.text
    assert "boboperatorbackfills and operates all tasks" in page.text
    assert "/tasks?workspace=shop" in page.links
    for name in ("vault", "moon"):
        assert "There is no workspace" in shown(filled.site.alice.get(f"/workspaces/{name}"), 404).text


def test_hosts_and_what_is_asked_of_one(filled: Filled) -> None:
    """RUN-9, SEC-4: everybody sees who carries out runs; a system administrator lets one take no more."""
    site = filled.site
    record = HostRecord("etl1-4f0c9a1b", "etl1", "pull", '["default"]', 2, "0.1.0", "", 5)
    with site.deployment.store.transaction() as tx:
        tx.hosting.note(record)
    assert "Everything runs on the machine that schedules" not in shown(site.alice.get("/hosts")).text
    page = shown(site.alice.get("/hosts/etl1-4f0c9a1b"))
    assert "It was never heard of: nothing lives there" in page.text
    assert "Drain" not in page.text, "she may not"
    assert "Only a system administrator may" in shown(site.alice.get("/hosts/etl1/drain")).text
    admin = site.browser("admin")
    asked = shown(admin.get("/hosts/etl1/drain"))
    assert "Let etl1 take no more?" in asked.text
    admin.submit("/hosts/etl1-4f0c9a1b/drain", comment="new kernel")
    assert "etl1 takes no more." in shown(admin.get("/hosts")).text
    with site.deployment.store.read() as reader:
        assert reader.hosting.all()[0].draining
    assert site.alice.submit("/hosts/etl1/forget").status_code == 403
    admin.submit("/hosts/etl1-4f0c9a1b/forget")
    assert "Everything runs on the machine that schedules" in shown(site.alice.get("/hosts")).text
    assert shown(site.alice.get("/hosts/etl1"), 404)
