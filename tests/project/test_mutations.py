"""Whatever is in the files: a catalog, or problems with places that exist. Never another error."""

from __future__ import annotations

from random import Random

import pytest

from project.folders import DEPLOYMENT, Folder
from project.test_load import EVERYTHING, WEATHER
from retrofill import project

SNIPPETS = [
    *(
        "&a ",
        "*a",
        "!t ",
        "[",
        "]",
        "{",
        "}",
        ": ",
        "- ",
        "\n",
        "  ",
        "\t",
        "'",
        '"',
        "|\n",
        ">\n",
        ",",
        "#",
        "@",
    ),
    *(
        "null",
        "~",
        "3",
        "0x1",
        "no",
        "${",
        "$[",
        "\x00",
        "\u202e",
        "\u00e9",
        "---\n",
        "...\n",
        "%YAML\n",
        "?",
        "<<: ",
    ),
    *("self", "ops.daily_delays", "previous", "{task: self}", "x" * 400),
]
FILES = {
    "retrofill.yaml": DEPLOYMENT,
    "workspaces/ops/workspace.yaml": EVERYTHING.replace("      - {task: budget}\n", ""),
    "workspaces/weather/workspace.yaml": WEATHER,
}


def mutated(text: str, random: Random) -> str:
    at, lines = random.randrange(len(text) + 1), text.split("\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(4):
        case 0:
            return text[:at] + random.choice(SNIPPETS) + text[at:]
        case 1:
            return text[:at] + text[at + random.randint(1, 12) :]
        case 2:
            lines.insert(other, lines[one])
        case 3:
            lines[one] = " " * random.randint(0, 8) + lines[one].strip()
    return "\n".join(lines)


def problems_of(folder: Folder) -> tuple[project.Problem, ...]:
    try:
        project.load(folder.root)
    except project.ProjectError as error:
        return error.problems
    return ()


@pytest.mark.parametrize("seed", range(8))
def test_mutated_files_load_or_are_explained(folder: Folder, seed: int) -> None:
    """CAT-1: no mistake ends in anything but a `ProjectError`."""
    random = Random(seed)
    folder.write("workspaces/ops/daily_delays.sql", "select '${day}'")
    loaded = 0
    for _ in range(60):
        for path, text in FILES.items():
            folder.write(path, mutated(text, random) if random.random() < 0.5 else text)
        problems = problems_of(folder)
        loaded += not problems
        for problem in problems:
            lines = len((folder.root / problem.path).read_text().splitlines())
            assert 1 <= problem.line <= max(lines, 1), problem
            assert problem.column >= 1
            assert str(problem).isprintable()
    assert loaded > 0
