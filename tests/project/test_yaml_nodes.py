"""Only strict YAML is read; everything else is named with its line."""

from __future__ import annotations

import os

import pytest

from project.folders import OPS, Folder
from retrofill.project.yaml_nodes import plain_value
from work import calls

TASK = "  a: {type: virtual, schedule: '@daily'}\n"


def written(folder: Folder, content: str | bytes) -> str:
    folder.write("workspaces/ops/workspace.yaml", content)
    return folder.problem()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "description: !!python/object/apply:os.system id",
            "8:18: tags are not allowed (!!python/object",
        ),
        ("description: !!str x", "8:18: tags are not allowed (!!str)"),
        ("description: !own x", "8:18: tags are not allowed (!own)"),
        ("parameters: !own {x: y}", "8:17: tags are not allowed (!own)"),
        ("parameters: &p {x: y}", "8:17: anchors are not allowed (&p)"),
        ("description: &d x", "8:18: anchors are not allowed (&d)"),
        ("tags: [x, &d y]", "8:15: anchors are not allowed (&d)"),
        ("<<: {mode: normal}", "8:5: merge keys are not allowed; use `defaults`"),
        ("run: other", '8:5: the key "run" is already there, in line 6; remove one of the two'),
        ("? [a]\n    : b", "8:7: a key must be text"),
        ("{a: b}: c", "8:5: a key must be text"),
        ("*a : c", "8:5: a key must be text"),
    ],
)
def test_yaml_that_nobody_needs_is_refused(folder: Folder, line: str, problem: str) -> None:
    """CAT-4: aliases, anchors, tags, and keys that stand twice."""
    folder.task(line)
    assert folder.problem().startswith(problem)


def test_aliases_are_refused_one_by_one(folder: Folder) -> None:
    """CAT-4."""
    folder.task("parameters: &p {x: y}", "tags: [*p, *p]")
    assert [problem.partition(";")[0] for problem in folder.problems()] == [
        "8:17: anchors are not allowed (&p)",
        "9:12: aliases are not allowed (*p)",
        "9:16: aliases are not allowed (*p)",
    ]


def test_nested_aliases_cost_nothing(folder: Folder) -> None:
    """CAT-4: a billion laughs."""

    def work(levels: int) -> int:
        lines = ["a0: &a0 [x]"]
        lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
        folder.write("workspaces/ops/workspace.yaml", "\n".join(lines))
        assert any("aliases are not allowed" in problem for problem in folder.problems())
        return calls(folder.problems)

    assert work(40) < 5 * work(10), "each alias is told, none is followed"


@pytest.mark.parametrize("text", ["[" * 10_000 + "]" * 10_000, "{a: " * 100_000, "\n" + "- " * 60 + "x"])
def test_deep_nesting_ends_early(folder: Folder, text: str) -> None:
    assert "nesting deeper than 50" in written(folder, f"workspace: {text}")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "1:1: the file is empty"),
        ("# only a comment\n", "1:1: the file is empty"),
        ("null\n", "1:1: the file must be a mapping"),
        ("- a\n", "1:1: the file must be a mapping"),
        ("hello\n", "1:1: the file must be a mapping"),
        ("workspace: ops\n---\nworkspace: ops\n", "2:1: a second document starts here"),
        ("%YAML 1.1\n---\nworkspace: ops\n", "1:1: directives (%YAML, %TAG) are not allowed"),
        ("workspace: ops\n\ttasks: {}\n", "2:1: a tab cannot indent; use spaces"),
        ("workspace: ops\ntasks:\n\ta: b\n", "3:1: a tab cannot indent; use spaces"),
        ("workspace: ops\ntasks: {\n", "2:9: not valid YAML"),
        ("workspace: ops\ntasks: {a: {},\n\nb: {},\n", "4:7: not valid YAML"),
        ("workspace: ops\nregion: a: b\n", "2:10: a second colon in one line"),
        (b"workspace: ops\n# \xff\n", "2:3: byte 0xff is not valid UTF-8"),
        ("workspace: ops\n# \u00e9\0\n", "2:4: a NUL character"),
        ("workspace: ops\n# \x07\n", "2:3: a control character"),
        ("workspace: ops\n".encode("utf-16"), "1:1: the file is UTF-16; save it as UTF-8"),
        ("workspace: ops\n".encode("utf-16-le"), "1:2: a NUL character"),
    ],
)
def test_a_file_that_cannot_be_read_names_the_place(
    folder: Folder, content: str | bytes, problem: str
) -> None:
    """CAT-1."""
    assert written(folder, content).startswith(problem)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("mode: @x", '8:11: text that begins with @ must stand in quotes; for example "@x"'),
        ("description: */5 * * * *", "8:19: text that begins with * must stand in quotes"),
        ("parameters: {day: ${yyyy}}", "8:24: text with brackets inside of { } or [ ]; put it in quotes"),
        ("parameters: {day: $[hh24]}", "8:24: text with brackets inside of { } or [ ]; put it in quotes"),
    ],
)
def test_text_that_needs_quotes(folder: Folder, line: str, problem: str) -> None:
    """CAT-1: what to write instead is said."""
    folder.task(line)
    assert folder.problem().startswith(problem)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        *((raw, "true or false") for raw in ("no", "on", "Yes", "OFF", "true", "False")),
        *(
            (raw, "a number")
            for raw in ("3", "012", "1e3", "0x1F", "0o17", "1_000", ".5", "-1.", ".inf", ".NaN")
        ),
        *((raw, "a time") for raw in ("1:30", "12:30:00", "23:59")),
        *((raw, "a date") for raw in ("2026-01-01", "2026-1-1")),
    ],
)
def test_a_value_that_yaml_readers_take_for_something_else(folder: Folder, raw: str, kind: str) -> None:
    """CAT-4: where text is expected, YAML 1.1's surprises are refused with the way out."""
    folder.task(f"description: {raw}")
    assert (
        folder.problem() == f'8:18: "description" is read as {kind}, not as text; put it in quotes: "{raw}"'
    )
    folder.task(f'description: "{raw}"')
    assert folder.loaded().description == raw


@pytest.mark.parametrize(
    "raw", ["ls", "nothing", "y", "n", "1 2", "2026-01-01x", "1:", "-", "e3", "--", "0x", "1.2.3", "./a"]
)
def test_other_plain_text_is_text(raw: str) -> None:
    assert plain_value(raw) == raw


@pytest.mark.parametrize("line", ["owner:", "owner: ~", "owner: null"])
def test_a_key_without_a_value(folder: Folder, line: str) -> None:
    folder.task(line)
    assert folder.problem() == '8:5: "owner" has no value; write one or remove the key'


@pytest.mark.parametrize("key", ["no", "On", "true"])
def test_a_key_that_yaml_readers_take_for_something_else(folder: Folder, key: str) -> None:
    folder.task(f"parameters: {{{key}: x}}")
    assert folder.problem().endswith(
        f'is read as true or false, and a key must be text; put it in quotes: "{key}"'
    )


def test_items_of_a_list_are_named_by_their_place(folder: Folder) -> None:
    folder.task("tags: [a, no, 3, ~]")
    assert [problem.partition(",")[0] for problem in folder.problems()] == [
        '8:15: item 2 of "tags" is read as true or false',
        '8:19: item 3 of "tags" is read as a number',
        "8:22: this item of the list is empty; write it or remove it",
    ]


@pytest.mark.parametrize("path", ["retrofill.yaml", "workspaces/ops/workspace.yaml"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "large", "elsewhere", "dangling", "circle"])
def test_files_that_are_none(folder: Folder, path: str, kind: str) -> None:
    """CAT-4: no hang, no memory, nothing outside the project."""
    target = folder.write(path, "")
    target.unlink()
    match kind:
        case "pipe":
            os.mkfifo(target)
        case "folder":
            target.mkdir()
        case "device":
            target.symlink_to("/dev/zero")
        case "large":
            with target.open("wb") as file:
                file.truncate(3_000_000_000)
        case "elsewhere":
            target.symlink_to("/etc/hostname")
        case "dangling":
            target.symlink_to("nothing")
        case "circle":
            target.symlink_to(target.name)
    expected = {
        "pipe": "it is not a regular file",
        "folder": "it is not a regular file",
        "device": "the file lies outside the project's folder",
        "large": "the file has 3,000,000,000 bytes; at most 10,000,000 are read",
        "elsewhere": "the file lies outside the project's folder",
        "dangling": "there is no",
        "circle": "the file cannot be opened: Too many levels of symbolic links",
    }
    assert expected[kind] in folder.problem()


def test_all_files_are_checked_although_one_cannot_be_read(folder: Folder) -> None:
    """CAT-1: and what depends on the unread file is not called unknown."""
    folder.write("retrofill.yaml", "project: [\n")
    folder.write("workspaces/weather/workspace.yaml", "tasks: [\n")
    task = "{type: virtual, schedule: '@daily', resource_group: x, baseline: y, depends_on: [weather.z, b]}"
    folder.write("workspaces/ops/workspace.yaml", f"{OPS}  a: {task}\n")
    problems = folder.problems()
    assert [problem.partition(":")[0] for problem in problems] == [
        "retrofill.yaml",
        "4",
        "workspaces/weather/workspace.yaml",
    ]
    assert "ops.a depends on ops.b, which does not exist" in problems[1]


def test_control_characters_do_not_reach_the_terminal(folder: Folder) -> None:
    folder.write(
        "workspaces/ops/workspace.yaml", OPS + '  "a\\e[2J\\u202e": {type: virtual, schedule: "@daily"}\n'
    )
    (problem,) = folder.problems()
    assert "\\x1b[2J\\u202e" in problem
    assert problem.isprintable()
