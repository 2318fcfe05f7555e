"""`task render`: what would run, without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.sandboxes import Sandbox

TASKS = """
load:
  type: sql
  connection: db
  run: "SELECT '${day}', '${hour}', '${pw}' -- $${day}"
  schedule: "0 */6 * * MON"
  parameters: {day: $bizdate, hour: "$[hh24-1/24]", pw: "${secret:PW}"}
ids: {type: shell, schedule: "0 1 * * *", run: "echo $1", parameters: {all: "$jobid-$nodeid-$taskid", pw: "${secret:PW}"}}
py: {type: python, schedule: "@daily", run: "print(1)\\n", valid: {from: 2026-02-01}}
gate: {type: virtual, schedule: "@daily"}
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    one = Sandbox(tmp_path).write(
        TASKS,
        'connections: {db: {url: "sqlite:///d-${secret:URL}.db"}}',
        head="include: [lib.sh]\nmembers: {alice: visitor}",
    )
    (tmp_path / "workspaces/w/lib.sh").write_text("A=1")
    return one


def test_sql_with_its_values(sandbox: Sandbox) -> None:
    """CAT-9, SEC-3, PAR-4: secrets stay names, in the code and in the connection."""
    secrets = {"RETROFILL_SECRET_PW": "hidden", "RETROFILL_SECRET_URL": "hidden"}
    done = sandbox.call(
        "task", "render", "load", "--bizdate", "2026-01-04", "--time", "06:00", "--output", "json", **secrets
    )
    assert done.json["code"] == "SELECT '20260104', '05', '${secret:PW}' -- ${day}"
    assert done.json["connection_url"] == f"sqlite:///{sandbox.home}/d-${{secret:URL}}.db"
    assert done.json["scheduled_at"] == "2026-01-05T06:00:00"
    assert (done.json["version"], done.json["off_day"]) == (None, False)
    assert "hidden" not in done.stdout + done.stderr


def test_what_only_an_instance_knows(sandbox: Sandbox) -> None:
    """PAR-1: stays as it is written, until a deploy the task's id too."""
    args = ("task", "render", "ids", "--bizdate", "2026-01-04")
    found = sandbox.json(*args)
    assert found["environment"]["all"] == "$jobid-$nodeid-$taskid"
    assert found["arguments"] == ["$jobid-$nodeid-$taskid", ""]  # a secret stands on no command line
    assert found["environment"]["RETROFILL_INSTANCE"] == "$taskid"
    assert found["environment"]["RETROFILL_CODE"].endswith(".retrofill/code/VERSION/w")
    assert found["environment"]["RETROFILL_DUE_AT"] == "2026-01-05T01:00:00Z"
    assert found["working_directory"] == str(sandbox.home / "workspaces/w")
    elsewhere = sandbox.call(
        *args, "--output", "json", RETROFILL_WORKING_FOLDERS='{"w": "../etl", "v": "/v"}'
    )
    assert elsewhere.json["working_directory"] == str(sandbox.home / "../etl")
    sandbox.json("deploy")
    found = sandbox.json(*args)
    number = sandbox.json("task", "show", "ids")["id"]
    assert (found["version"], found["environment"]["all"]) == (1, f"$jobid-{number}-$taskid")
    assert found["environment"]["RETROFILL_CODE"].endswith(".retrofill/code/1/w")


def test_what_runs_the_code_and_what_it_inherits(sandbox: Sandbox) -> None:
    """CAT-10."""
    sandbox.write("a: {type: shell, schedule: '@daily', shell: bash, inherit_env: [AWS_*], run: 'true'}", "")
    found = sandbox.json("task", "render", "a", "--bizdate", "2026-01-04")
    assert found["interpreter"] == "bash"
    assert (found["inherits"][0], found["inherits"][-1]) == ("PATH", "AWS_*")
    assert "AWS_*" in sandbox.call("task", "render", "a", "--bizdate", "2026-01-04").stdout


def test_the_same_as_a_run_gets(sandbox: Sandbox) -> None:
    """CAT-9: made by what makes runs."""
    from retrofill.bootstrap.centers import open_call

    sandbox.create("--task", "ids", "--bizdate", "2026-01-04")
    project = open_call(str(sandbox.home), {"RETROFILL_SECRET_PW": "x"})
    specs = project.deployment.specs("python3")
    with project.store.read() as reader:
        (row,) = reader.instances([1])
        spec = specs.make(row, project.graphs.of(reader, row), "token", "boot")
    rendered = sandbox.json("task", "render", "ids", "--bizdate", "2026-01-04")
    assert rendered["code"] == spec.code
    assert rendered["environment"].keys() == spec.environment.keys()
    differing = {key for key, value in spec.environment.items() if rendered["environment"][key] != value}
    assert differing == {"all", "pw", "RETROFILL_INSTANCE"}
    project.close()


def test_what_is_said(sandbox: Sandbox) -> None:
    """CAT-9: several slots, off days."""
    said = sandbox.call("task", "render", "load", "--bizdate", "2026-01-05").stderr
    assert "4 slots a date; this is 00:00" in said
    assert "off day" in said
    text = sandbox.call("task", "render", "load", "--bizdate", "2026-01-05").stdout
    assert "    day=20260105\n" in text
    assert text.endswith("code\n    SELECT '20260105', '23', '${secret:PW}' -- ${day}\n")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["load", "--bizdate", "2026-01-04", "--time", "07:00"], "its times are 00:00, 06:00, 12:00, 18:00"),
        (["load", "--bizdate", "2026-01-04", "--time", "7"], "no time of day"),
        (["load", "--bizdate", "4.1."], "not a bizdate"),
        (["gate", "--bizdate", "2026-01-04"], "virtual task"),
        (["py", "--bizdate", "2026-01-04"], "validity period"),
        (["load", "--bizdate", "2026-01-04", "--deployed"], "nothing is deployed"),
        (["none", "--bizdate", "2026-01-04"], "no task"),
    ],
)
def test_what_cannot_be(sandbox: Sandbox, args: list[str], said: str) -> None:
    """CAT-9: one clear sentence."""
    done = sandbox.call("task", "render", *args, status=None)
    assert done.status in (2, 5, 6)
    assert said in done.stderr


def test_of_others(sandbox: Sandbox) -> None:
    """SEC-2."""
    sandbox.write("a: {type: shell, run: ls, schedule: '@daily'}", workspace="x")
    (sandbox.home / "retrofill.yaml").write_text("project: t\nconnections: {db: {url: 'sqlite:///d.db'}}\n")
    done = sandbox.call("task", "render", "x.a", "--bizdate", "2026-01-04", status=5, RETROFILL_USER="alice")
    assert 'no task "x.a"' in done.stderr
