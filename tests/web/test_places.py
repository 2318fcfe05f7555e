"""Resource groups and workspaces in the browser."""

from __future__ import annotations

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
