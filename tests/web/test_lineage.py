"""Lineage in the browser: tables by name, and one with what is around it (OPS-10)."""

from __future__ import annotations

from web.sites import SHOP, Site, shown
from web.test_tasks import deploy

WITH_TABLES = SHOP.replace(
    'owner: carol, parameters: {day: "$bizdate"}}',
    'owner: carol, parameters: {day: "$bizdate"}, reads: [raw.orders], writes: [stage.orders]}',
).replace(
    'clean: {type: shell, schedule: "0 2 * * *", run: "true"',
    'clean: {type: shell, schedule: "0 2 * * *", run: "true", reads: [stage.orders], writes: ["file:out/<i>.csv"]',
)


def test_tables_by_name(site: Site) -> None:
    deploy(site, WITH_TABLES)
    page = shown(site.alice.get("/lineage"))
    assert "/lineage?table=raw.orders" in page.links
    assert "out/<i>.csv" in page.text
    assert "i" not in page.tags
    found = shown(site.alice.get("/lineage?search=STAGE"))
    assert "/lineage?table=stage.orders" in found.links
    assert "/lineage?table=raw.orders" not in found.links
    assert "No table has" in shown(site.alice.get("/lineage?search=moon")).text


def test_a_table_with_what_is_around_it(site: Site) -> None:
    deploy(site, WITH_TABLES)
    page = shown(site.alice.get("/lineage?table=stage.orders&up=1&down=1"))
    assert "1 table above, 1 below." in page.text
    assert {"/tasks/shop.fetch", "/tasks/shop.clean", "/lineage?table=raw.orders"} <= set(page.links)
    less = "/lineage?table=stage.orders&up=0&down=1"
    assert less in page.links
    assert "0 tables above" in shown(site.alice.get(less)).text


def test_what_others_use_is_not_there(site: Site) -> None:
    """SEC-2."""
    deploy(site, WITH_TABLES)
    assert shown(site.browser("greta").get("/lineage?table=stage.orders"), 404)
    assert "No task that you see names a table." in shown(site.browser("greta").get("/lineage")).text
