"""Who acts: RETROFILL_USER, and what is noted of it."""

from __future__ import annotations

import pytest

from e2e.sandboxes import Sandbox

MAKE = ("backfill", "create", "--task", "ops.raw", "--bizdate", "2026-01-05", "--yes", "--output", "json")


@pytest.mark.parametrize("command", [MAKE, ("task", "list"), ("backfill", "list"), ("deploy",), ("check",)])
@pytest.mark.parametrize("name", ["mallory", "", "Alice", "alice ", "a\x1b[2J"])
def test_nobody_is_refused_before_anything_is_done(
    project: Sandbox, command: tuple[str, ...], name: str
) -> None:
    """SEC-1: exit 4."""
    result = project.call(*command, status=4, RETROFILL_USER=name)
    assert "nobody is called" in result.stderr
    assert "\x1b" not in result.stderr
    assert result.stdout == ""
    assert not (project.home / ".retrofill").exists()


def test_members_exist(project: Sandbox) -> None:
    """SEC-1: whoever is named under members; the row says who created it."""
    assert project.call(*MAKE, RETROFILL_USER="bob").json["created_by"] == "bob"
    assert project.call(*MAKE).json["created_by"] == "admin"
    assert project.call(*MAKE, RETROFILL_USER="admin").json["created_by"] == "admin"


def test_members_of_the_deployed_version_count(project: Sandbox) -> None:
    """SEC-4: roles come from the deployed members."""
    project.call("deploy")
    workspace = project.home / "workspaces" / "ops" / "workspace.yaml"
    workspace.write_text(workspace.read_text().replace("bob: operator", "eve: operator"))
    project.call("backfill", "list", RETROFILL_USER="bob")
    project.call("backfill", "list", status=4, RETROFILL_USER="eve")
    project.call("deploy")
    project.call("backfill", "list", RETROFILL_USER="eve")
    project.call("backfill", "list", status=4, RETROFILL_USER="bob")
