"""A project with a bit of everything, for commands that run nothing."""

from __future__ import annotations

from pathlib import Path

from e2e.sandboxes import Sandbox

OPS = """
raw:
  type: shell
  run: "true"
  schedule: "30 1 * * *"
  owner: carol
  parameters: {day: "${yyyy-mm-dd}", source: north}
  tags: [nightly]
hours: {type: shell, run: "true", schedule: "0 */6 * * *", depends_on: [raw], owner: alice}
mid: {type: shell, run: "true", schedule: "0 2 * * *", depends_on: [hours]}
load:
  type: sql
  connection: db
  run: "SELECT '${day}'"
  schedule: "0 3 * * *"
  depends_on: [mid, {task: self, cycle: previous}]
  parameters: {day: $bizdate, at: "$[yyyymmddhh24mi]"}
  baseline: morning
weekly: {type: shell, run: "true", schedule: "0 4 * * SUN", depends_on: [load]}
lonely: {type: virtual, schedule: "@monthly"}
"""
BI = """
report: {type: shell, run: "true", schedule: "0 5 * * *", depends_on: [ops.load]}
raw: {type: shell, run: "true", schedule: "0 1 * * *"}
"""
DEPLOYMENT = """
timezone: America/New_York
connections: {db: {url: "sqlite:///data.db"}}
baselines: {morning: {priority: 7}}
resource_groups:
  default: {slots: 4}
  night: {type: shared, slots: 2, workspaces: [ops]}
"""
MEMBERS = "members: {alice: administrator, bob: operator, carol: developer, dave: visitor}"


def write_project(home: Path) -> Sandbox:
    home.mkdir(parents=True, exist_ok=True)
    sandbox = Sandbox(home)
    sandbox.write(OPS, DEPLOYMENT, "ops", MEMBERS)
    return sandbox.write(BI, DEPLOYMENT, "bi", "members: {alice: visitor}")
