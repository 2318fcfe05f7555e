"""A server with a filled ledger, looked at by browsers without scripts.

`shop` is alice's, `vault` is greta's; bob operates, carol develops and dave visits in `shop`. Its tasks form a small
diamond with a tail: `fetch` above `clean` and `shaky`, both above `report`, which `mail` follows. `shaky` fails on
2026-01-06 for as long as a file says so; `vault.goldmine` reads `shop.report` from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from httpx import Response

from api.browsers import HERE, Browser, Page
from api.servers import Server
from retrofill.bootstrap.centers import Call
from retrofill.bootstrap.deployment import open_deployment
from retrofill.bootstrap.engine import Engine
from retrofill.domain.running.searches import InstanceSearch
from retrofill.services.running.tick_report import TickReport
from retrofill.web.app import make_site

SHOP = """
workspace: shop
members: {alice: administrator, bob: operator, carol: developer, dave: visitor}
tasks:
  fetch: {type: shell, schedule: "0 1 * * *", run: "echo fetched $day", owner: carol, parameters: {day: "$bizdate"}}
  clean: {type: shell, schedule: "0 2 * * *", run: "true", depends_on: [fetch]}
  shaky:
    type: shell
    schedule: "0 2 * * *"
    depends_on: [fetch]
    parameters: {day: "$bizdate"}
    run: |
      echo "looking at $day"
      if [ "$day" = 20260106 ] && [ -e broken ]; then echo "ERROR: no rates" >&2; exit 3; fi
  report: {type: shell, schedule: "0 3 * * *", run: "true", depends_on: [clean, shaky]}
  mail: {type: shell, schedule: "0 4 * * *", run: "true", depends_on: [report], description: "<b>Mails</b> the report"}
"""
VAULT = """
workspace: vault
members: {greta: administrator}
tasks:
  goldmine: {type: shell, schedule: "0 1 * * *", run: "echo aurum", depends_on: [shop.report]}
"""
TASKS = ("shop.fetch", "shop.clean", "shop.shaky", "shop.report", "shop.mail")


@dataclass
class Site(Server):
    """Browsed by users who have signed in."""

    def browser(self, user: str) -> Browser:
        """A new one, in which a user has signed in; redirects are not followed."""
        found = Browser(self.app)
        link = self.center("admin").people.create_link(user)["link"].removeprefix(HERE)
        found.submit("/sign-in/link", link=Page(found.get(link)).fields["link"])
        return found

    @cached_property
    def alice(self) -> Browser:
        """Administrator of `shop`."""
        return self.browser("alice")

    def backfill(self, user: str = "alice", **given: Any) -> int:
        """The id of a new one: all of `shop` for two dates, unless something else is given."""
        asked = {"task": TASKS, "bizdate": ("2026-01-05..2026-01-06",), **given}
        return self.create(user, **asked)

    def run_to(self, backfill_id: int, status: str) -> None:
        """Schedule until a backfill has a status."""

        def is_over(ticked: TickReport) -> bool:
            return self.center("admin").backfills.row(backfill_id)["status"] == status

        leadership = self.deployment.leadership()
        assert leadership.lead()
        Engine(self.deployment, leadership).run(is_over)
        leadership.resign()

    def deploy_without(self, task: str) -> None:
        """Publish `shop` without a task that nothing depends on."""
        folder = Path(self.deployment.folder.directory) / "workspaces" / "shop" / "workspace.yaml"
        kept = [line for line in folder.read_text().splitlines() if not line.startswith(f"  {task}:")]
        folder.write_text("\n".join(kept) + "\n")
        Call(self.deployment).center.versions.deploy()

    @property
    def trouble(self) -> Path:
        """As long as this file is there, `shaky` fails on 2026-01-06."""
        return Path(self.deployment.folder.directory) / "workspaces" / "shop" / "broken"


@dataclass
class Filled:
    """What there is to look at.

    Attributes:
        succeeded, failed: backfills that have run; `paused`: one that has not begun.
        foreign: one of `vault` alone.
    """

    site: Site
    succeeded: int
    failed: int
    paused: int
    foreign: int

    def instance(self, backfill: int, task: str, bizdate: str = "2026-01-06") -> int:
        """The id of an instance."""
        rows = self.site.center("admin").instances.list(InstanceSearch((backfill,)), 1_000)["items"]
        return next(row["id"] for row in rows if (row["task"], row["bizdate"]) == (task, bizdate))


def shown(answer: Response, status: int = 200) -> Page:
    """A page, as it is looked at; its text with single spaces."""
    assert answer.status_code == status, answer.text[:2_000]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(answer)
    page.text = " ".join(page.text.split())
    return page


@contextmanager
def site(home: Path, settings: str = "{}") -> Iterator[Site]:
    """A server on a new project, deployed; nothing has run."""
    (home / "retrofill.yaml").write_text(f"project: test\nsettings: {settings}\n")
    for name, text in (("shop", SHOP), ("vault", VAULT)):
        folder = home / "workspaces" / name
        folder.mkdir(parents=True)
        (folder / "workspace.yaml").write_text(text)
    deployment = open_deployment(str(home), {})
    try:
        Call(deployment).center.versions.deploy()
        yield Site(deployment, make_site(deployment))
    finally:
        deployment.close()


def fill(found: Site) -> Filled:
    """Let some backfills run."""
    succeeded = found.backfill(name="all went well")
    found.run(succeeded)
    found.trouble.touch()
    failed = found.backfill(name="rates are missing")
    found.run_to(failed, "failed")
    paused = found.backfill(name='<script>alert("x")</script>')
    found.center("alice").backfills.pause(paused)
    foreign = found.create("greta", task=("vault.goldmine",), bizdate=("2026-01-05",), name="aurum")
    return Filled(found, succeeded, failed, paused, foreign)
