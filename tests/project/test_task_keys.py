"""Every mistake in a task's keys is named with its line and with what to write instead (CAT-1, CAT-4)."""

from __future__ import annotations

import pytest

from project.folders import DEPLOYMENT, OPS, Folder


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("owmer: alice", '8:5: unknown key "owmer"; did you mean "owner"?'),
        ("scheduel: '@daily'", '8:5: unknown key "scheduel"; did you mean "schedule"?'),
        ("zzz: 1", '8:5: unknown key "zzz"; the keys are type, schedule, run, file,'),
        ("owner: carol", '8:12: owner "carol" is not a member of workspace ops; add carol under `members`'),
        ("owner: alcie", '8:12: owner "alcie" is not a member of workspace ops; did you mean "alice"?'),
        ("owner: ''", '8:12: "owner" is empty'),
        ("owner: [alice]", '8:12: "owner" must be text, not a list'),
        ("priority: 4", '8:15: "priority" is 4; write 1, 3, 5, 7 or 8'),
        ("priority: 9", '8:15: "priority" is 9; write 1, 3, 5, 7 or 8'),
        ("priority: high", '8:15: "priority" is "high"; write 1, 3, 5, 7 or 8'),
        ("priority: '3'", '8:15: "priority" is "3"; write 1, 3, 5, 7 or 8'),
        ("priority: true", '8:15: "priority" is true; write 1, 3, 5, 7 or 8'),
        ("priority: 3.0", '8:15: "priority" is 3.0; write 1, 3, 5, 7 or 8'),
        ("priority: [3]", '8:15: "priority" is a list; write 1, 3, 5, 7 or 8'),
        ("baseline: mornin", '8:15: there is no baseline "mornin"; did you mean "morning"?'),
        ("baseline: x", '8:15: there is no baseline "x"; declare it in retrofill.yaml, under `baselines`'),
        ("resource_group: nigth", '8:21: there is no resource group "nigth"; did you mean "night"?'),
        (
            "resource_group: night",
            '8:21: resource group "night" is not bound to workspace ops; add ops to its',
        ),
        ("connection: warehouse", "8:17: a shell task uses no connection; remove it, or make it type: sql"),
        ("shell: fish", '8:12: "shell" is "fish"; write sh, bash, or the path of a program, as /bin/zsh'),
        ("shell: bin/bash", '8:12: "shell" is "bin/bash"; write sh, bash, or the path of a program'),
        ("env: {A: 1}", '8:14: "A" is read as a number, not as text; put it in quotes: "1"'),
        ("env: {1A: x}", '8:11: "env": "1A" is no name of a variable; use letters, digits'),
        ("env: {RETROFILL_TASK: x}", '8:11: "env": "RETROFILL_TASK" is one of Retrofill\'s own variables'),
        (
            "env: {A: '${secret:B}'}",
            '8:14: "env": the value of A is plain text, which holds no secret; make it a',
        ),
        (
            "env: {A: x}\n    parameters: {A: y}",
            '8:11: "A" is a parameter too, whose value the variable has; keep',
        ),
        (
            "inherit_env: [AWS_*, 'A B']",
            '8:26: "A B" is no name of a variable; write a name, or the beginning',
        ),
        ("inherit_env: [RETROFILL_*]", '8:19: "RETROFILL_*" are Retrofill\'s own variables, which are not'),
        ("inherit_env: AWS_*", '8:18: "inherit_env" is "AWS_*"; write a list'),
        ("file: x.sh", '8:11: task ops.a has both "run" and "file"; keep one of the two'),
        ("timeout: 30", '8:14: "timeout" is 30, which has no unit; write it like 30s, 5m, 2h or 3d'),
        ("timeout: '30'", '8:14: "timeout" is "30", which is not a duration; write it like 30s'),
        ("timeout: 5 minutes ago", '8:14: "timeout" is "5 minutes ago", which is not a duration'),
        ("timeout: 1h30m", '8:14: "timeout" is "1h30m", which is not a duration'),
        ("timeout: -1s", '8:14: "timeout" is "-1s", which is not a duration'),
        ("timeout: .nan", '8:14: "timeout" must be a duration'),
        ("timeout: 0s", '8:14: "timeout" is "0s"; write a duration from 1s to 168h'),
        ("timeout: 169h", '8:14: "timeout" is "169h"; write a duration from 1s to 168h'),
        ("timeout: 999999999d", '8:14: "timeout" is "999999999d"; write a duration'),
        ("rerun: 3", '8:12: "rerun" is 3; write a mapping'),
        ("rerun: {times: 11}", '8:20: "times" is 11; write a whole number of at most 10'),
        ("rerun: {times: -1}", '8:20: "times" is -1; write a whole number of at least 0'),
        ("rerun: {times: 1000000000}", '8:20: "times" is 1000000000; write a whole number of at most 10'),
        ("rerun: {times: '3'}", '8:20: "times" is "3"; write a whole number without quotes'),
        ("rerun: {times: .inf}", '8:20: "times" is .inf; write a whole number'),
        ("rerun: {times: true}", '8:20: "times" is true; write a whole number'),
        ("rerun: {time: 3}", '8:13: unknown key "time"; did you mean "times"?'),
        ("rerun: {mode: sometimes}", '8:19: "mode" is "sometimes"; write always, on_failure or never'),
        ("rerun: {interval: 31m}", '8:23: "interval" is "31m"; write a duration from 0s to 30m'),
        ("rerun: {on_lost: yes}", '8:22: "on_lost" is yes; write true or false, without quotes'),
        ("rerun: {on_lost: 'true'}", '8:22: "on_lost" is "true"; write true or false, without quotes'),
        (
            "max_parallel_instances: 0",
            '8:29: "max_parallel_instances" is 0; write a whole number of at least 1',
        ),
        ("max_parallel_instances: 1.5", '8:29: "max_parallel_instances" is 1.5; write a whole number'),
        (
            "mode: dryrun",
            '8:11: "mode" is "dryrun"; write normal, dry_run or paused; did you mean "dry_run"?',
        ),
        ("generation: now", '8:17: "generation" is "now"; write next_day or immediate'),
        ("valid: {from: 2014-01-02, until: 2014-01-01}", '8:38: "until" (2014-01-01) lies before "from"'),
        ("valid: {from: 2013-02-30}", '8:19: "from" is 2013-02-30, which is not a calendar date'),
        (
            "valid: {from: 20130201}",
            '8:19: "from" is "20130201", which is not a date; write it as YYYY-MM-DD',
        ),
        ("valid: {from: 2013-2-1}", '8:19: "from" is "2013-2-1", which is not a date'),
        ("valid: {until: 1969-12-31}", '8:20: "until" is 1969-12-31; write a date from 1970-01-01 to'),
        ("valid: {form: 2013-02-01}", '8:13: unknown key "form"; did you mean "from"?'),
        ("tags: x", '8:11: "tags" is "x"; write a list'),
        ("reads: {a: b}", '8:12: "reads" is a mapping; write a list'),
        ("parameters: [a]", '8:17: "parameters" is a list; write a mapping'),
    ],
)
def test_a_wrong_key(folder: Folder, line: str, problem: str) -> None:
    """CAT-4, CAT-8, RUN-3, RUN-4, TIME-4: what each key may hold."""
    folder.task(line)
    assert folder.problem().startswith(problem)


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("timeout: 1s", "timeout_seconds", 1),
        ("timeout: 168h", "timeout_seconds", 604_800),
        ("timeout: 7d", "timeout_seconds", 604_800),
        ("priority: 8", "priority", 8),
        ("max_parallel_instances: 1", "max_parallel_instances", 1),
        ("description: ''", "description", ""),
        ("tags: []", "tags", ()),
    ],
)
def test_the_ends_of_what_is_allowed(folder: Folder, line: str, key: str, value: object) -> None:
    """RUN-4, CAT-7."""
    folder.task(line)
    assert getattr(folder.loaded(), key) == value


def test_the_ends_of_reruns(folder: Folder) -> None:
    """RUN-3: 0 to 10 times, 0 s to 30 min."""
    folder.task("rerun: {times: 10, interval: 30m}")
    assert (folder.loaded().rerun.times, folder.loaded().rerun.interval_seconds) == (10, 1800)
    folder.task("rerun: {times: 0, interval: 0s}")
    assert (folder.loaded().rerun.times, folder.loaded().rerun.interval_seconds) == (0, 0)


def test_priority_and_baseline_exclude_each_other(folder: Folder) -> None:
    """CAT-4."""
    folder.task("priority: 3", "baseline: morning")
    assert folder.problem() == '9:15: task ops.a has both "priority" and "baseline"; keep one of the two'


def test_the_implicit_resource_group_must_be_bound_too(folder: Folder) -> None:
    """CAT-4."""
    folder.write("retrofill.yaml", "project: demo\nresource_groups: {default: {workspaces: [weather]}}\n")
    folder.task()
    assert folder.problem().startswith('4:3: resource group "default" is not bound to workspace ops')


def test_what_is_missing(folder: Folder) -> None:
    """CAT-4: a task without `schedule`, `type`, code or `connection`."""
    folder.tasks(
        """
        a: {schedule: '@daily'}
        b: {type: shell, schedule: '@daily'}
        c: {type: virtual}
        d: {type: sql, run: select 1, schedule: '@daily'}
        e: ls
        """
    )
    assert folder.problems() == [
        '4:3: task ops.a has no "type"; write type: shell, python, sql or virtual',
        "5:3: task ops.b has no code; write `run` or `file`",
        '6:3: task ops.c has no "schedule"; write a five-field cron in quotes, for example "0 2 * * *", or @daily',
        '7:3: task ops.d has no "connection"; write the name of one of the deployment\'s connections',
        '8:6: "e" is "ls"; write a mapping, lines of the form key: value',
    ]


def test_a_wrong_key_is_not_called_missing_too(folder: Folder) -> None:
    """CAT-1: one mistake, one message."""
    folder.tasks("a: {type: bash, run: 3, schedule: 5}")
    assert folder.problems() == [
        '4:13: "type" is "bash"; write shell, python, sql or virtual',
        '4:24: "run" is read as a number, not as text; put it in quotes: "3"',
        '4:37: "schedule" is read as a number, not as text; put it in quotes: "5"',
    ]


def test_a_virtual_task_has_no_code(folder: Folder) -> None:
    """CAT-5."""
    folder.tasks("a: {type: virtual, run: ls, schedule: '@daily'}")
    assert folder.problem() == '4:27: "run": a virtual task has no code; remove it or choose another type'


def test_a_shell_for_those_that_use_one(folder: Folder) -> None:
    """CAT-10: as a default it concerns shell tasks only; what a task inherits is the deployment's and its own."""
    python = "{type: python, run: pass, schedule: '@daily', shell: bash}"
    folder.tasks(f"a: {python}")
    place = f"4:{python.index('bash') + 6}"
    assert folder.problem() == f"{place}: a python task uses no shell; remove it, or make it type: shell"
    folder.write(
        "workspaces/ops/workspace.yaml",
        "workspace: ops\ndefaults: {shell: bash, schedule: '@daily', env: {A: x}}\n"
        "tasks: {a: {type: python, run: pass}, b: {type: shell, run: ls, inherit_env: [B, AWS_*]}}\n",
    )
    folder.write("retrofill.yaml", f"{DEPLOYMENT}inherit_env: [AWS_*, C]\n")
    a, b = folder.load().tasks.values()
    assert (a.shell, a.env, a.inherit_env) == ("", (("A", "x"),), ("AWS_*", "C"))
    assert (b.shell, b.env, b.inherit_env) == ("bash", (("A", "x"),), ("AWS_*", "C", "B"))


def test_a_wrong_default_is_told_once(folder: Folder) -> None:
    """CAT-1: at the default's place, not once a task."""
    keys = (
        "type: shell, run: ls, schedule: '* *', owner: bob, resource_group: night, baseline: zz, timeout: 9w"
    )
    folder.write(
        "workspaces/ops/workspace.yaml",
        f"workspace: ops\ndefaults: {{{keys}}}\ntasks: {{a: {{}}, b: {{}}}}\n",
    )
    assert [problem.split(":")[0] for problem in folder.problems()] == ["2"] * 5


@pytest.mark.parametrize(
    ("cron", "problem"),
    [
        ("* * * *", 'the schedule "* * * *" has 4 fields and must have 5'),
        ("* * * * * * *", "has 7 fields"),
        ("61 * * * *", 'in the minute field of the schedule, "61" lies outside 0-59'),
        ("0 0 30 2 *", "never runs"),
        ("*/0 * * * *", '"*/0" has a step of 0'),
        ("@reboot", 'the schedule "@reboot" is none of @hourly'),
        ("0 22-2 * * *", "runs backwards"),
        ("0 0 L-3 * *", "L-3"),
        ("5/15 * * * *", "5/15"),
        (" ", "schedule"),
    ],
)
def test_a_bad_cron(folder: Folder, cron: str, problem: str) -> None:
    """CAT-4, TIME-6."""
    folder.tasks(f"a: {{type: virtual, schedule: '{cron}'}}")
    assert folder.problem().startswith("4:32: ")
    assert problem in folder.problem()


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ("{PATH: x}", '8:18: the parameter name "PATH" is reserved'),
        ("{LD_PRELOAD: x}", '8:18: the parameter name "LD_PRELOAD" is reserved'),
        ("{BASH_ENV: x}", '8:18: the parameter name "BASH_ENV" is reserved'),
        ("{PYTHONSTARTUP: x}", '8:18: the parameter name "PYTHONSTARTUP" is reserved'),
        ("{RETROFILL_X: x}", '8:18: the parameter name "RETROFILL_X" is reserved'),
        ("{a-b: x}", '8:18: "a-b" is not a parameter name'),
        ("{a b: x}", '8:18: "a b" is not a parameter name'),
        ("{'': x}", '8:18: "" is not a parameter name'),
        ("{a: 5}", '8:21: "a" is read as a number, not as text; put it in quotes: "5"'),
        ("{a: 2013-01-01}", '8:21: "a" is read as a date, not as text'),
        ("{a: $bizdat}", '8:21: parameter "a": "$bizdat" is not known; did you mean "$bizdate"?'),
        ("{a: 'x $bizdat'}", '8:24: parameter "a": "$bizdat" is not known'),
        ('{a: "${}"}', '8:24: parameter "a": there is no date in it'),
        ('{a: "${yyyy-1-1}"}', '8:28: parameter "a": "-1-1" is not an offset'),
        ('{a: "${yyyymmdd-99999999}"}', '8:22: parameter "a": the date leaves the calendar'),
        ("{a: 'x $ y'}", '8:24: parameter "a": the "$" begins nothing'),
    ],
)
def test_a_bad_parameter(folder: Folder, parameters: str, problem: str) -> None:
    """CAT-4, PAR-6: with the position."""
    folder.task(f"parameters: {parameters}")
    assert folder.problem().startswith(problem)


@pytest.mark.parametrize(
    "name", ["a/b", "../x", "", " ", "-a", "1a", "a.b", "\u00e9", "a\u0301", "\U0001f600", "x" * 129]
)
def test_a_bad_name(folder: Folder, name: str) -> None:
    """CAT-7."""
    folder.tasks(f"'{name}': {{type: virtual, schedule: '@daily'}}")
    assert folder.problem().startswith("4:3: the name of this task is ")


@pytest.mark.parametrize("name", ["a", "_", "A-1_b", "x" * 128])
def test_a_good_name(folder: Folder, name: str) -> None:
    """CAT-7."""
    folder.tasks(f"'{name}': {{type: virtual, schedule: '@daily'}}")
    assert list(folder.load().tasks) == [f"ops.{name}"]


def test_names_that_differ_in_case_only(folder: Folder) -> None:
    """CAT-3."""
    folder.tasks("raw: {type: virtual, schedule: '@daily'}\nRaw: {type: virtual, schedule: '@daily'}")
    assert (
        folder.problem() == '5:3: task "Raw" differs from "raw" in line 4 only in case; choose another name'
    )


def test_self_is_no_name_of_a_task(folder: Folder) -> None:
    """DEP-6."""
    folder.tasks("self: {type: virtual, schedule: '@daily'}")
    assert folder.problem().startswith('4:3: "self" is reserved')


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("workspace: Ops", '1:12: "workspace" is "Ops", and the folder is "ops"; give both the same name'),
        ("workspace: o ps", '1:12: "workspace" is "o ps", which is not a name'),
        ("tasks: {}", '1:1: the file has no "workspace"; write workspace: ops'),
        ("workspace: ops\ntask: {}", '2:1: unknown key "task"; did you mean "tasks"?'),
        ("workspace: ops\ntasks: [a]", '2:8: "tasks" is a list; write a mapping'),
        (
            "workspace: ops\ntimezone: Asia/Shangai",
            '2:11: "Asia/Shangai" is no time zone; did you mean "Asia/Shanghai"?',
        ),
        (
            "workspace: ops\ntimezone: EST5",
            '2:11: "EST5" is no time zone; use an IANA name such as Asia/Shanghai',
        ),
        ("workspace: ops\ntimezone: Beijing", '2:11: "Beijing" is no time zone'),
        ("workspace: ops\ntimezone: ../../etc/passwd", '2:11: "../../etc/passwd" is no time zone'),
        ("workspace: ops\ntimezone: ''", '2:11: "timezone" is empty'),
        ("workspace: ops\nregion: a b", '2:9: "region" is "a b", which is not a name'),
        (
            "workspace: ops\nmembers: {eve: owner}",
            '2:16: "eve" is "owner"; write administrator, operator, developer',
        ),
        (
            "workspace: ops\nmembers: {a: visitor, A: visitor}",
            '2:23: member "A" differs from "a" in line 2 only',
        ),
        ("workspace: ops\nmembers: [alice]", '2:10: "members" is a list; write a mapping'),
        ("workspace: ops\ndefaults: {ower: alice}", '2:12: unknown key "ower"; did you mean "owner"?'),
    ],
)
def test_a_wrong_workspace(folder: Folder, text: str, problem: str) -> None:
    """CAT-3, CAT-4, CAT-7, TIME-6, SEC-1."""
    folder.write("workspaces/ops/workspace.yaml", text + "\n")
    assert folder.problem().startswith(problem)


def test_all_problems_come_in_one_go_in_order(folder: Folder) -> None:
    """CAT-1: of all files, by file and line."""
    folder.write("retrofill.yaml", "project: demo\nzone: x\n")
    folder.write("workspaces/weather/workspace.yaml", "workspace: weather\ntimezone: x\n")
    folder.write(
        "workspaces/ops/workspace.yaml",
        f"{OPS}  a: {{type: shell, run: ls, schedule: '@daily', depends_on: [zz]}}\n"
        "  b: {type: shell, run: ls, schedule: '1', mode: x, owner: eve}\n",
    )
    assert [":".join(problem.split(":")[:2]) for problem in folder.problems()] == [
        "retrofill.yaml:2",
        "4:62",
        "5:39",
        "5:50",
        "5:60",
        "workspaces/weather/workspace.yaml:2",
    ]
