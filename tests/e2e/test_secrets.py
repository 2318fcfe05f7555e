"""Secrets from a file and from a command: used, masked, refused, and told of without their values."""

from __future__ import annotations

import pytest

from e2e.sandboxes import Sandbox, finished, until

VALUE = "t0p-s3cret"
DAY = ("--bizdate", "2026-01-05")
TASK = """
a: {type: shell, schedule: "0 1 * * *", run: 'echo "with $pw"; test -n "$pw"', parameters: {pw: "${secret:PW}"}}
"""
VAULT = f"""#!/bin/sh
echo "$1" >> asked
test -e locked && exit 3
test "$1" = PW && echo {VALUE}
exit 0
"""


def write_vault(sandbox: Sandbox) -> None:
    (sandbox.home / "vault").write_text(VAULT)
    (sandbox.home / "vault").chmod(0o700)


def write_file(sandbox: Sandbox, mode: int) -> None:
    (sandbox.home / "s.yaml").write_text(f"PW: {VALUE}\n")
    (sandbox.home / "s.yaml").chmod(mode)


def assert_hidden(sandbox: Sandbox) -> None:
    for path in (sandbox.home / ".retrofill").rglob("*"):
        assert not path.is_file() or VALUE.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("source", ["{file: s.yaml}", "{command: ./vault}"])
def test_a_run_has_the_value_and_nobody_sees_it(sandbox: Sandbox, source: str) -> None:
    """SEC-3: in its log it is masked, also for who cannot ask for it any more."""
    sandbox.write(TASK, f"settings: {{secrets: {source}}}")
    write_vault(sandbox)
    write_file(sandbox, 0o600)
    plan = sandbox.json("backfill", "plan", "--task", "a", *DAY)
    assert plan["findings"] == []
    sandbox.run("backfill", "create", "--task", "a", *DAY, "--wait", "--yes")
    hidden = f"with {'*' * len(VALUE)}\n"
    assert sandbox.call("instance", "log", 1).stdout == hidden
    (sandbox.home / "s.yaml").unlink()
    sandbox.touch("locked")
    assert sandbox.call("instance", "log", 1).stdout == hidden
    assert_hidden(sandbox)


@pytest.mark.parametrize("scheme", ["duckdb", "sqlite"])
def test_a_connection_and_a_parameter_of_sql_tasks_may_name_secrets(sandbox: Sandbox, scheme: str) -> None:
    """SEC-3, PAR-4: the forks of a warm process write to the pipe that masks, both streams line by line."""
    sandbox.write(
        "a: {type: sql, schedule: '0 1 * * *', connection: w, run: \"create table t as select '${pw}' as x\","
        " parameters: {pw: '${secret:PW}'}}\n"
        "b: {type: sql, schedule: '0 2 * * *', connection: w, depends_on: [a],"
        " run: 'select length(x) as length from t'}",
        f'settings: {{secrets: {{file: s.yaml}}}}\nconnections: {{w: {{url: "{scheme}:///${{secret:PW}}.db"}}}}',
    )
    write_file(sandbox, 0o600)
    sandbox.run("backfill", "create", "--task", "a", "--task", "b", *DAY, "--wait", "--yes")
    made, read = (sandbox.call("instance", "log", number).stdout for number in (1, 2))
    assert f"[1/1] create table t as select '{'*' * len(VALUE)}' as x" in made
    assert f"length\n------\n{len(VALUE)}\n" in read
    assert_hidden(sandbox)


def test_a_file_that_others_may_read(sandbox: Sandbox) -> None:
    """SEC-3, VER-1 `unset_secret`: a plan says so, the doctor says so, and the value is nowhere."""
    sandbox.write(TASK, "settings: {secrets: {file: s.yaml}}")
    write_file(sandbox, 0o644)
    (finding,) = sandbox.json("backfill", "plan", "--task", "a", *DAY)["findings"]
    assert finding["code"] == "unset_secret"
    assert (
        f"the file of secrets {sandbox.home}/s.yaml has mode 0644, so that others may use it"
        in finding["message"]
    )
    rows = {row["check"]: row for row in sandbox.json("doctor", status=1)}
    assert not rows["secrets"]["ok"]
    mends = f"chmod 600 {sandbox.home}/s.yaml"
    assert finding["hint"] == mends
    assert "has mode 0644" in rows["secrets"]["detail"]
    assert mends in rows["secrets"]["detail"]
    waiting = sandbox.spawn("backfill", "create", "--task", "a", *DAY, "--wait", "--yes")
    assert mends in until(lambda: refused_start(sandbox), "the instance waits for the file")
    (sandbox.home / "s.yaml").chmod(0o600)
    rows = {row["check"]: row for row in sandbox.json("doctor", status=None)}
    assert rows["secrets"] == {
        "check": "secrets",
        "ok": True,
        "detail": "all that tasks name are to be had here",
    }
    assert finished(waiting).status == 0


def refused_start(sandbox: Sandbox) -> str:
    """What is told of an instance that could not be started; empty until then."""
    found = str(sandbox.call("instance", "why", 1, status=None).stdout)
    return found if "has mode 0644" in found else ""


def test_a_plan_names_the_file_in_which_a_secret_may_stand(sandbox: Sandbox) -> None:
    """SEC-3, VER-1 `unset_secret`: and the secret."""
    sandbox.write(TASK, "settings: {secrets: {file: s.yaml, command: ./vault}}")
    (sandbox.home / "vault").write_text("#!/bin/sh\n")
    (sandbox.home / "vault").chmod(0o700)
    (sandbox.home / "s.yaml").write_text("OTHER: x\n")
    (sandbox.home / "s.yaml").chmod(0o600)
    (finding,) = sandbox.json("backfill", "plan", "--task", "a", *DAY)["findings"]
    assert finding["hint"] == (
        f"Set RETROFILL_SECRET_PW in the environment of the scheduler, or write PW into {sandbox.home}/s.yaml, "
        "or let the command of the setting `secrets` know it."
    )


def test_a_vault_that_is_away_for_a_while(sandbox: Sandbox) -> None:
    """SEC-3, RUN-3: the instance waits for it and does not fail; a value is asked for once."""
    sandbox.write(TASK, "settings: {secrets: {command: [./vault]}}")
    write_vault(sandbox)
    sandbox.touch("locked")
    waiting = sandbox.spawn("backfill", "create", "--task", "a", *DAY, "--wait", "--yes")

    def why() -> str:
        found = str(sandbox.call("instance", "why", 1, status=None).stdout)
        return found if "exit status 3" in found else ""

    told = until(why, "it waits for the vault")
    assert (
        "the secret PW could not be had: the command of the setting `secrets` ended with exit status 3"
        in told
    )
    (sandbox.home / "locked").unlink()
    assert finished(waiting).status == 0
    assert set(sandbox.text("asked").split()) == {"PW"}
    assert_hidden(sandbox)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("{file: [a]}", '"secrets.file" is ["a"], and text is expected'),
        ("{command: []}", '"secrets.command" is [], and text is expected'),
        ('{command: "a \'b"}', '"secrets.command" has a quote that does not end'),
        ("{commando: x}", '"secrets.commando" is an unknown key; did you mean "command"?'),
        ("{command: x, timeout: 1h}", '"secrets.timeout" is 1h; write a duration from 1s to 5m'),
    ],
)
def test_a_setting_in_another_form(sandbox: Sandbox, setting: str, told: str) -> None:
    """SEC-3, CAT-1: `check` says where; what asks for a secret says the same."""
    sandbox.write(TASK, f"settings: {{secrets: {setting}}}")
    assert told.partition(";")[0] in sandbox.call("check", status=2).stderr


def test_the_environment_says_where_secrets_are(sandbox: Sandbox) -> None:
    """SEC-3: RETROFILL_SECRETS goes before the folder, and what it says wrongly is refused."""
    sandbox.write(TASK, "settings: {secrets: {file: none.yaml}}")
    write_file(sandbox, 0o600)
    plan = ("backfill", "plan", "--task", "a", *DAY)
    assert sandbox.json(*plan, RETROFILL_SECRETS='{"file": "s.yaml"}')["findings"] == []
    refused = sandbox.call(*plan, status=2, RETROFILL_SECRETS='{"fil": "s.yaml"}')
    assert 'RETROFILL_SECRETS (fil) is an unknown key (environment); did you mean "file"?' in refused.stderr
