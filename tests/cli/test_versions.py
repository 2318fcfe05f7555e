"""Versions: what they hold, publishing an older one anew, and a folder that has errors."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest

from e2e.sandboxes import Sandbox
from retrofill.bootstrap.bringing import files_of
from retrofill.bootstrap.centers import Call
from retrofill.bootstrap.deployment import open_deployment

DATES = ("--bizdate", "2026-01-05")


def change(project: Sandbox, path: str, old: str, new: str) -> None:
    target = project.home / path
    text = target.read_text()
    assert old in text
    target.write_text(text.replace(old, new))


OPS = "workspaces/ops/workspace.yaml"
BI = "workspaces/bi/workspace.yaml"


@pytest.fixture
def three(project: Sandbox) -> Sandbox:
    """Version 2 has other code, a task more and an included file; version 3 is without `bi.raw`."""
    project.json("deploy")
    change(project, OPS, 'run: "true"\n    schedule: "30 1', 'run: "echo 2"\n    schedule: "30 1')
    change(
        project,
        OPS,
        "tasks:",
        "include: [lib.sh]\ntasks:\n  more: {type: shell, run: exit, schedule: '@daily'}",
    )
    (project.home / "workspaces/ops/lib.sh").write_bytes(b"\xff\n")
    project.json("deploy")
    change(project, BI, '  raw: {type: shell, run: "true", schedule: "0 1 * * *"}\n', "")
    project.json("deploy")
    return project


class TestLooking:
    def test_the_list(self, three: Sandbox) -> None:
        """CAT-9."""
        rows = three.json("version", "list")
        assert [(row["version"], row["current"], row["tasks"]) for row in rows] == [
            (3, True, 8),
            (2, False, 9),
            (1, False, 8),
        ]
        assert list(rows[0]) == [
            "version",
            "current",
            "deployed_at",
            "deployed_by",
            "tasks",
            "published_from",
        ]
        assert [row["version"] for row in three.json("version", "list", "--limit", 1)] == [3]

    def test_what_a_version_holds(self, three: Sandbox) -> None:
        """CAT-9: its tasks, its files, and what it changed."""
        shown = three.json("version", "show", 2)
        assert shown["changes"] == {
            "added": ["ops.more"],
            "changed": {"ops.raw": ["code"]},
            "removed": [],
            "hidden": 0,
            "besides": ["files that are included by ops"],
        }
        assert len(shown["tasks"]) == 9
        assert [file["path"] for file in shown["included"]["ops"]] == ["lib.sh"]
        assert three.json("version", "show", 3)["changes"]["removed"] == ["bi.raw"]
        assert "changed: ops.raw (code)" in three.call("version", "show", 2).stdout

    def test_a_task_as_it_was(self, three: Sandbox) -> None:
        """CAT-9: also one that is gone."""
        codes = [three.json("version", "show", n, "--task", "ops.raw")["code"] for n in (1, 2)]
        assert codes == ["true", "echo 2"]
        assert three.json("version", "show", 2, "--task", "bi.raw")["version"] == 2
        gone = three.call("version", "show", 3, "--task", "bi.raw", status=5)
        assert "version 3 has no task bi.raw" in gone.stderr

    def test_an_included_file(self, three: Sandbox) -> None:
        """CAT-9: byte for byte."""
        (three.home / "workspaces/ops/lib.sh").write_text("other")
        found = three.json("version", "show", 2, "--file", "ops/lib.sh")
        assert base64.b64decode(found["base64"]) == b"\xff\n"
        for path in ("ops/none", "none/lib.sh", "lib.sh", ""):
            assert "includes no file" in three.call("version", "show", 2, "--file", path, status=5).stderr

    def test_of_others(self, three: Sandbox) -> None:
        """SEC-2: bob is a member of ops only."""
        shown = three.call("version", "show", 3, RETROFILL_USER="bob")
        assert "bi" not in shown.stdout
        assert "1 task of workspaces that you are not a member of" in shown.stdout
        change(three, BI, "members:", "include: ['*.yaml']\nmembers:")
        three.json("deploy")
        for option, foreign, unknown in (
            ("--task", "bi.report", "no.report"),
            ("--file", "bi/workspace.yaml", "no/workspace.yaml"),
        ):
            said = [
                three.call("version", "show", 4, option, name, status=5, RETROFILL_USER="bob").stderr
                for name in (foreign, unknown)
            ]
            assert said[0].replace(foreign, unknown) == said[1]

    @pytest.mark.parametrize("number", ["9", "x", "0"])
    def test_one_that_is_not_there(self, three: Sandbox, number: str) -> None:
        """CAT-9."""
        three.call("version", "show", number, status=2 if number == "x" else 5)

    @pytest.mark.beside_store("nothing is deployed yet")
    def test_before_the_first(self, project: Sandbox) -> None:
        """CAT-1: looking makes no store."""
        assert project.json("version", "list") == []
        project.call("version", "show", 1, status=5)
        project.call("deploy", "--version", 1, status=5)
        assert not (project.home / ".retrofill").exists()


class TestPublishing:
    def test_an_older_one_anew(self, three: Sandbox) -> None:
        """CAT-9: a version of its own, with what the older one held; the folder stays as it is."""
        done = three.call("deploy", "--version", 1, "--output", "json")
        assert done.json == {"version": 4, "new": True, "notes": []}
        for line in ("new: bi.raw", "changed: ops.raw (code)", "gone: ops.more"):
            assert line in done.stderr
        assert three.json("version", "list")[0]["published_from"] == 1
        assert three.json("version", "show", 4, "--task", "ops.raw")["code"] == "true"
        row = three.create("--task", "bi.raw", *DATES, "--deployed")
        assert row["version"] == 4
        assert three.create("--task", "ops.more", *DATES)["version"] == 5

    def test_what_is_deployed_already(self, three: Sandbox) -> None:
        """CAT-9."""
        assert three.json("deploy", "--version", 3) == {"version": 3, "new": False, "notes": []}
        three.json("deploy", "--version", 2)
        assert three.json("deploy", "--version", 2) == {"version": 4, "new": False, "notes": []}

    @pytest.mark.beside_store("the folder differs from what is deployed")
    def test_what_create_is_about_to_publish(self, three: Sandbox) -> None:
        """CAT-1: everything that the folder changes for the nightly schedule, also of other teams."""
        change(three, BI, "report:", "fresh: {type: shell, run: exit, schedule: '@daily'}\n  report:")
        change(three, OPS, "0 4 * * SUN", "0 4 * * MON")
        done = three.call("backfill", "create", "--task", "ops.raw", *DATES, "--yes")
        assert "differs from version 3; this publishes to the nightly schedule" in done.stderr
        assert "new: bi.fresh" in done.stderr
        assert "changed: ops.weekly (schedule)" in done.stderr
        again = three.call("backfill", "create", "--task", "ops.raw", *DATES, "--yes")
        assert "publishes" not in again.stderr

    def test_a_folder_without_workspaces(self, three: Sandbox) -> None:
        """CAT-1: is rather one that is not mounted; nothing is published without a yes."""
        (three.home / "workspaces").rename(three.home / "away")
        change(three, "retrofill.yaml", ", workspaces: [ops]", "")
        refused = three.call("deploy", status=2)
        assert "holds no workspace, and what is deployed has some" in refused.stderr
        assert three.json("version", "list")[0]["version"] == 3
        assert three.json("deploy", "--yes") == {"version": 4, "new": True, "notes": []}
        assert three.json("task", "list") == []


@pytest.mark.beside_store("the folder differs from what is deployed")
class TestAFolderWithErrors:
    """CAT-1: one team's mistake stops nobody else."""

    @pytest.fixture
    def broken(self, three: Sandbox) -> Sandbox:
        (three.home / BI).write_text("workspace: bi\ntasks: [oops\n")
        return three

    def test_looking_goes_on(self, broken: Sandbox) -> None:
        """CAT-1: on what is deployed, which is said."""
        for args in (["task", "list"], ["task", "show", "ops.raw"], ["task", "graph"], ["workspace", "list"]):
            done = broken.call(*args)
            assert "The folder has 1 error" in done.stderr, args
            assert "version 3, which is deployed" in done.stderr
        assert len(broken.json("task", "list")) == 8

    def test_operations_go_on(self, broken: Sandbox) -> None:
        """CAT-1: they never asked for the folder."""
        made = broken.create("--task", "ops.raw", *DATES, "--deployed")
        (row,) = broken.json("instance", "list", "--backfill", made["id"])
        for args in (
            ["backfill", "pause", made["id"]],
            ["backfill", "resume", made["id"]],
            ["backfill", "list"],
            ["backfill", "show", made["id"]],
            ["instance", "why", row["id"]],
            ["task", "freeze", "ops.raw"],
            ["resource-group", "list"],
            ["schedule", "show"],
            ["operation", "list"],
            ["version", "list"],
            ["deploy", "--version", 1],
        ):
            assert "error" not in broken.call(*args, RETROFILL_USER="alice").stderr, args

    def test_plans_on_the_deployed_version(self, broken: Sandbox) -> None:
        """CAT-1: by name; without it the errors are told, and how to go on."""
        plan = ["backfill", "plan", "--task", "ops.raw", *DATES]
        assert broken.json(*plan, "--deployed")["instance_count"] == 1
        for args in (plan, ["backfill", "create", "--task", "ops.raw", *DATES, "--yes"]):
            refused = broken.call(*args, status=2)
            assert refused.stderr.startswith(f"error: {BI}:")
            assert "work on version 3, which is deployed, with --deployed" in refused.stderr
        assert broken.json("version", "list")[0]["version"] == 3
        others = broken.call(*plan, status=2, RETROFILL_USER="bob").stderr
        assert "errors in workspaces that you are not a member of" in others
        assert "bi" not in others

    def test_members_are_told_of_their_own_errors(self, broken: Sandbox) -> None:
        """SEC-2, CAT-1: of others that there are some; the exit status is the same."""
        change(broken, OPS, "  more:", "  broken: {type: shell, run: exit}\n  more:")
        everything = broken.call("check", "--output", "json", status=2).json["errors"]
        assert {error["file"] for error in everything} == {BI, OPS}
        (others, own) = broken.call("check", "--output", "json", status=2, RETROFILL_USER="bob").json[
            "errors"
        ]
        assert (own["file"], own["line"] > 1) == (OPS, True)
        assert others["message"] == "there are errors in workspaces that you are not a member of"
        for args, status in ((["check"], 2), (["doctor"], 1), (["deploy"], 2), (["task", "list"], 0)):
            done = broken.call(*args, status=status, RETROFILL_USER="bob")
            assert BI not in done.stderr + done.stdout, args
            assert "oops" not in done.stderr + done.stdout, args

    def test_where_not_even_the_store_is_known(self, broken: Sandbox) -> None:
        """SEC-2, CAT-1: roles are in the store, which the deployment's file would name."""
        file = broken.home / "retrofill.yaml"
        file.write_text(f"{file.read_text()}\nsettings: {{store: [\n")
        everything = broken.call("check", status=2).stderr
        assert "retrofill.yaml:" in everything
        assert f"{BI}:" in everything
        own = broken.call("check", status=2, RETROFILL_USER="bob").stderr
        assert "retrofill.yaml:" in own
        assert BI not in own

    @pytest.mark.beside_store("nothing is deployed yet")
    def test_before_the_first_deploy(self, project: Sandbox) -> None:
        """CAT-1: there is nothing to go on with."""
        (project.home / BI).write_text("workspace: bi\ntasks: [oops\n")
        assert project.call("task", "list", status=2).stderr.startswith(f"error: {BI}:")
        refused = project.call("backfill", "plan", "--task", "ops.raw", *DATES, "--deployed", status=6)
        assert "nothing is deployed yet" in refused.stderr


@pytest.mark.beside_store("the folder differs from what is deployed")
def test_deployed_means_the_deployed_version(three: Sandbox) -> None:
    """CAT-2: whatever the folder holds, also where it is right."""
    change(three, OPS, "  more:", "  newer: {type: shell, run: exit, schedule: '@daily'}\n  more:")
    plan = ["backfill", "plan", *DATES, "--task"]
    assert three.json(*plan, "newer")["task_count"] == 1
    assert "no task" in three.call(*plan, "newer", "--deployed", status=5).stderr
    assert three.create("--task", "more", *DATES, "--deployed")["version"] == 3
    assert Path(three.home / OPS).exists()


class TestAnotherProject:
    def test_it_is_published_only_where_that_is_said(self, project: Sandbox) -> None:
        """CAT-1: by `deploy`, and by `backfill create` not at all."""
        project.json("deploy")
        name = next(
            line for line in (project.home / "retrofill.yaml").read_text().splitlines() if "project:" in line
        )
        change(project, "retrofill.yaml", name, "project: another")
        refused = project.call("deploy", "--yes", status=6)
        assert 'and this is project "another"' in refused.stderr
        assert "--rename-project" in refused.stderr
        assert project.json("deploy", "--rename-project")["version"] == 2


@pytest.mark.beside_store("a command in the folder of the server's machine")
def test_what_others_deployed_over_a_server_is_not_undone(project: Sandbox, tmp_path: Path) -> None:
    """CAT-1: `backfill create` in an older folder publishes nothing; `--deployed`, and `deploy`, are named and work."""
    project.json("deploy")
    newer = Sandbox(Path(shutil.copytree(project.home, tmp_path / "newer")))
    change(newer, OPS, 'run: "true"\n    schedule: "30 1', 'run: "echo 2"\n    schedule: "30 1')
    bring(project, newer.home)
    create = ("backfill", "create", "--task", "ops.raw", *DATES, "--yes")
    refused = project.call(*create, status=6)
    assert "version 2, which is deployed, was published from elsewhere" in refused.stderr
    assert "--deployed" in refused.stderr
    assert "`retrofill deploy`" in refused.stderr
    assert [row["version"] for row in project.json("version", "list")] == [2, 1]
    project.call(*create, "--deployed")
    assert project.json("deploy")["version"] == 3
    change(project, OPS, 'run: "true"\n    schedule: "30 1', 'run: "echo 3"\n    schedule: "30 1')
    project.call(*create)
    assert project.json("version", "list")[0]["version"] == 4


def bring(project: Sandbox, folder: Path) -> None:
    """Deploy a folder as a server does that is sent its files."""
    deployment = open_deployment(str(project.home), {})
    try:
        call = Call(deployment, "admin", is_remote=True)
        call.bring(files_of(folder))
        call.center.versions.deploy()
    finally:
        deployment.close()
