"""Publishing a project's files over HTTP (CAT-1, CAT-9, SEC-4)."""

from __future__ import annotations

import base64
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from api.servers import OPEN, VAULT, Server, problem, write_project
from retrofill.api.links import PREFIX
from retrofill.bootstrap.bringing import files_of
from retrofill.bootstrap.centers import Call
from retrofill.bootstrap.deployment import open_deployment
from retrofill.services.catalogs.deploy import DeployedMeanwhileError
from retrofill.web.app import make_site

DEPLOYMENT = "project: test\nsettings: {}\n"


def body(files: dict[str, str | bytes], executable: tuple[str, ...] = ()) -> dict[str, Any]:
    """A request with these files."""
    return {
        "files": [
            {
                "path": path,
                "base64": base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode(),
                "executable": path in executable,
            }
            for path, text in files.items()
        ]
    }


def project(opened: str = OPEN, vault: str = VAULT, **more: str) -> dict[str, str | bytes]:
    return {
        "retrofill.yaml": DEPLOYMENT,
        "workspaces/open/workspace.yaml": opened,
        "workspaces/vault/workspace.yaml": vault,
        **more,
    }


CHANGED = OPEN.replace('"0 1 * * *"', '"5 1 * * *"')
WIDER = OPEN + '  wide: {type: shell, schedule: "0 3 * * *", run: "true"}\n'


def test_a_deploy_is_shown_then_made(server: Server) -> None:
    """CAT-1: by an administrator of every workspace that changes; the server's folder stays as it is."""
    alice = server.by("alice")
    shown = alice.post(f"{PREFIX}/versions/plan", json=body(project(WIDER))).json()
    assert (shown["deployed"], shown["differs"]) == (1, True)
    assert shown["changes"]["added"] == ["open.wide"]
    assert alice.get(f"{PREFIX}/versions").json()["items"][0]["version"] == 1
    made = alice.post(f"{PREFIX}/versions", json=body(project(WIDER))).json()
    assert (made["version"], made["new"]) == (2, True)
    assert alice.get(f"{PREFIX}/tasks/open.wide").json()["code"] == "true"
    again = alice.post(f"{PREFIX}/versions", json=body(project(WIDER))).json()
    assert (again["version"], again["new"]) == (2, False)
    assert "wide" not in (server.deployment.folder.directory / "workspaces/open/workspace.yaml").read_text()


def test_what_is_deployed_already_makes_no_version(server: Server) -> None:
    files = {file.path: file.data for file in files_of(server.deployment.folder.directory)}
    shown = server.by("alice").post(f"{PREFIX}/versions/plan", json=body(files)).json()
    assert not shown["differs"]
    assert server.by("alice").post(f"{PREFIX}/versions", json=body(files)).json()["new"] is False


@pytest.mark.parametrize("user", ["bob", "dave", "greta"])
def test_who_may_not_deploy(server: Server, user: str) -> None:
    """SEC-4: whoever can write the server's folder is not asked: nobody here can."""
    refused = problem(server.by(user).post(f"{PREFIX}/versions", json=body(project(CHANGED))), 403)
    assert refused["code"] == "not_permitted"
    assert server.center("admin").versions.list()["items"][0]["version"] == 1


def test_what_another_workspace_changes_is_not_named(server: Server) -> None:
    """SEC-2: in what a deploy would change."""
    files = project(vault=VAULT.replace("aurum", "ferrum") + '  new: {type: virtual, schedule: "@daily"}\n')
    changes = server.by("alice").post(f"{PREFIX}/versions/plan", json=body(files)).json()["changes"]
    assert (changes["added"], changes["changed"], changes["hidden"]) == ([], {}, 2)
    problem(server.by("alice").post(f"{PREFIX}/versions", json=body(files)), 403)
    assert server.by("admin").post(f"{PREFIX}/versions", json=body(files)).json()["new"]


def test_errors_are_told_by_their_place(server: Server) -> None:
    """CAT-1: all of them, as `check` tells them."""
    files = project(OPEN.replace("type: shell", "type: shall", 1))
    found = problem(server.by("alice").post(f"{PREFIX}/versions", json=body(files)), 422)
    assert found["code"] == "invalid_project"
    assert [error["at"].split(":")[0] for error in found["errors"]] == ["workspaces/open/workspace.yaml"]
    assert "shall" in found["errors"][0]["message"]


@pytest.mark.parametrize(
    "path",
    [
        "../retrofill.yaml",
        "/etc/passwd",
        "workspaces/../../x",
        "workspaces/open/../../../x",
        "workspaces//x",
        "workspaces/open/./x",
        "workspaces/open",
        "other/x",
        "retrofill.yaml/x",
        "workspaces/open/workspace.yaml/x",
        "workspaces/open/" + "x" * 300,
        "",
    ],
)
def test_no_file_lies_elsewhere(server: Server, path: str) -> None:
    """Whatever a path says, nothing is written outside, and the answer is a refusal."""
    before = sorted(server.deployment.folder.directory.rglob("*"))
    answer = server.by("admin").post(f"{PREFIX}/versions", json=body({**project(), path: "x"}))
    assert problem(answer, 422)
    assert sorted(server.deployment.folder.directory.rglob("*")) == before
    assert server.center("admin").versions.list()["items"][0]["version"] == 1


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"files": []},
        {"files": [{"path": "retrofill.yaml", "base64": "not base64!"}]},
        {"files": [{"path": "retrofill.yaml", "base64": "eA==", "mode": 511}]},
        body({"workspaces/open/workspace.yaml": OPEN}),
        {"files": body(project())["files"] + body({"retrofill.yaml": "project: other\n"})["files"]},
    ],
)
def test_what_is_no_project_is_refused(server: Server, sent: dict[str, Any]) -> None:
    problem(server.by("admin").post(f"{PREFIX}/versions", json=sent), 422)


@pytest.mark.parametrize(("size", "status"), [(12_000_000, 200), (32_000_001, 422), (37_000_000, 413)])
def test_a_project_may_be_larger_than_other_bodies(server: Server, size: int, status: int) -> None:
    """Up to 32 MB, which are refused by what they hold, or by their length before anybody reads them."""
    files = {**project(), "workspaces/open/large.bin": bytes(size)}
    answer = server.by("alice").post(f"{PREFIX}/versions/plan", json=body(files))
    assert answer.status_code == status
    if status != 200:
        assert problem(answer, status)["kind"] in ("limit",)


def test_a_deploy_is_what_was_shown(server: Server) -> None:
    """CAT-1: where somebody else has deployed since, nothing is published; the same files twice are no quarrel."""
    alice = server.by("alice")
    shown = alice.post(f"{PREFIX}/versions/plan", json=body(project(WIDER))).json()
    expected = {"expected": shown["deployed"]}
    server.by("alice").post(f"{PREFIX}/versions", json=body(project(CHANGED)))
    refused = problem(alice.post(f"{PREFIX}/versions", json=body(project(WIDER)) | expected), 409)
    assert refused["code"] == "deployed_meanwhile"
    assert [row["version"] for row in server.center("admin").versions.list()["items"]] == [2, 1]
    again = alice.post(f"{PREFIX}/versions", json=body(project(CHANGED)) | expected)
    assert again.json()["new"] is False
    assert alice.post(f"{PREFIX}/versions", json=body(project(WIDER)) | {"expected": 2}).json()["new"]


def test_another_projects_files_are_refused_unless_it_is_said(server: Server) -> None:
    """CAT-1: a whole schedule is not replaced because a deploy went to the wrong server."""
    files = body({**project(WIDER), "retrofill.yaml": "project: other\n"})
    admin = server.by("admin")
    refused = problem(admin.post(f"{PREFIX}/versions", json=files), 409)
    assert refused["code"] == "another_project"
    assert refused["detail"] == 'what is deployed is project "test", and this is project "other"'
    assert admin.get(f"{PREFIX}/versions").json()["items"][0]["version"] == 1
    assert admin.post(f"{PREFIX}/versions", json=files | {"rename_project": True}).json()["version"] == 2


def test_a_deploy_without_any_workspace_is_refused_unless_it_is_said(server: Server) -> None:
    """CAT-1: files that were forgotten are not meant to be gone; it is asked at a terminal, too."""
    files, admin = body({"retrofill.yaml": DEPLOYMENT}), server.by("admin")
    refused = problem(admin.post(f"{PREFIX}/versions", json=files), 409)
    assert refused["code"] == "loses_everything"
    assert admin.get(f"{PREFIX}/versions").json()["items"][0]["version"] == 1
    assert admin.post(f"{PREFIX}/versions", json=files | {"lose_everything": True}).json()["version"] == 2


def test_the_first_deploy_is_what_was_shown(tmp_path: Path) -> None:
    """CAT-1: 0 stands for nothing, so that of two who deploy first, one is told of the other."""
    write_project(tmp_path)
    with closing(open_deployment(str(tmp_path), {})) as deployment:
        first, nothing = Server(deployment, make_site(deployment)).by("admin"), {"expected": 0}
        assert first.post(f"{PREFIX}/versions/plan", json=body(project())).json()["deployed"] is None
        assert first.post(f"{PREFIX}/versions", json=body(project()) | nothing).json()["version"] == 1
        refused = problem(first.post(f"{PREFIX}/versions", json=body(project(CHANGED)) | nothing), 409)
        assert refused["code"] == "deployed_meanwhile"
        assert refused["detail"] == "somebody has deployed version 1 since nothing was deployed"
        assert first.post(f"{PREFIX}/versions", json=body(project()) | nothing).json()["new"] is False


def test_a_deploy_of_what_was_deployed_a_moment_ago_is_what_was_shown(server: Server) -> None:
    """CAT-1: files that differed in nothing when somebody looked are a change back once another deploys."""
    looking = Call(server.deployment)
    assert looking.center.versions.about_to_publish()["differs"] is False
    server.by("alice").post(f"{PREFIX}/versions", json=body(project(CHANGED)))
    with pytest.raises(DeployedMeanwhileError):
        looking.center.versions.deploy(expected=1)
    assert server.center("admin").versions.list()["items"][0]["version"] == 2


def test_what_is_created_runs_the_code_that_was_shown(server: Server) -> None:
    """VER-4: a deploy of other code between plan and creation makes it another plan; of other tasks' code, not."""
    alice, asked = server.by("alice"), {"task": ["open.last"], "bizdate": ["2026-01-05"]}

    def agreed() -> dict[str, Any]:
        return {**asked, "expected": alice.post(f"{PREFIX}/backfills/plan", json=asked).json()["digest"]}

    def deploy(opened: str) -> None:
        assert alice.post(f"{PREFIX}/versions", json=body(project(opened))).json()["new"] is True

    before = agreed()
    deploy(OPEN.replace("one ", "two "))
    assert problem(alice.post(f"{PREFIX}/backfills", json=before), 409)["code"] == "plan_changed"
    before = agreed()
    deploy(OPEN.replace("one ", "two ").replace('run: "true"', 'run: "exit 0"'))
    assert alice.post(f"{PREFIX}/backfills", json=before).status_code == 201


def test_included_files_come_along(server: Server, tmp_path: Path) -> None:
    """CAT-9: with their contents, and whether they can be run."""
    home = tmp_path / "elsewhere"
    home.mkdir()
    write_project(home)
    opened = home / "workspaces" / "open"
    (opened / "workspace.yaml").write_text(OPEN + "include: ['*.bin', '*.sh']\n")
    (opened / "data.bin").write_bytes(bytes(range(256)))
    (opened / "tool.sh").write_text("exit 0\n")
    (opened / "tool.sh").chmod(0o755)
    brought = files_of(home)
    sent = body(
        {file.path: file.data for file in brought},
        tuple(file.path for file in brought if file.is_executable),
    )
    assert server.by("alice").post(f"{PREFIX}/versions", json=sent).json()["version"] == 2
    found = server.by("alice").get(f"{PREFIX}/versions/2/file", params={"path": "open/data.bin"}).json()
    assert base64.b64decode(found["base64"]) == bytes(range(256))
    included = server.center("alice").versions.show(2)["included"]["open"]
    assert [file["path"] for file in included] == ["data.bin", "tool.sh"]
    assert [file.is_executable for file in brought if file.path.endswith("tool.sh")] == [True]
    problem(server.by("greta").get(f"{PREFIX}/versions/2/file", params={"path": "open/data.bin"}), 404)


def test_an_older_version_is_published_anew(server: Server) -> None:
    """CAT-9: as a version of its own, with what it changes."""
    server.by("alice").post(f"{PREFIX}/versions", json=body(project(WIDER)))
    problem(server.by("greta").post(f"{PREFIX}/versions/1/deploy"), 403)
    made = server.by("alice").post(f"{PREFIX}/versions/1/deploy").json()
    assert (made["version"], made["new"], made["changes"]["removed"]) == (3, True, ["open.wide"])
    problem(server.by("alice").post(f"{PREFIX}/versions/77/deploy"), 404)


def test_a_file_may_be_code_and_included_and_lie_behind_another_folder(
    server: Server, tmp_path: Path
) -> None:
    """CAT-9: it is sent once, by the path that it has, and can be run where it could before."""
    home = tmp_path / "elsewhere"
    home.mkdir()
    opened = OPEN.replace('run: "true", owner', "file: ../open/tool.sh, owner") + "include: ['*.sh']\n"
    write_project(home)
    (home / "workspaces/open/workspace.yaml").write_text(opened)
    (home / "workspaces/open/tool.sh").write_text("exit 0\n")
    (home / "workspaces/open/tool.sh").chmod(0o755)
    found = {file.path: file for file in files_of(home)}
    assert len(found) == len(files_of(home)) == 4
    assert found["workspaces/open/tool.sh"].is_executable
    sent = body({path: file.data for path, file in found.items()}, ("workspaces/open/tool.sh",))
    assert server.by("alice").post(f"{PREFIX}/versions", json=sent).json()["version"] == 2


def test_a_workspace_from_elsewhere_has_a_folder_to_run_in(server: Server) -> None:
    """Its tasks run in the folder of their workspace, which nobody has made on this machine."""
    files = project()
    files["workspaces/late/workspace.yaml"] = VAULT.replace("vault", "late").replace("goldmine", "tin")
    server.by("admin").post(f"{PREFIX}/versions", json=body(files))
    assert (server.deployment.folder.directory / "workspaces" / "late").is_dir()


def test_who_may_use_a_secret_is_the_system_administrators(server: Server) -> None:
    """SEC-3, SEC-4: a workspace's administrator cannot give a bound secret to his tasks."""
    bound = DEPLOYMENT + "secrets: {PW: {workspaces: [vault]}}\n"
    admin, alice = server.by("admin"), server.by("alice")
    assert admin.post(f"{PREFIX}/versions", json=body({**project(), "retrofill.yaml": bound})).json()["new"]
    wider = bound.replace("[vault]", "[vault, open]")
    problem(alice.post(f"{PREFIX}/versions", json=body({**project(), "retrofill.yaml": wider})), 403)
