"""New projects: an empty one that runs as it is, or a copy of an example.

Nothing that exists is overwritten; `retrofill.yaml` is written last, so that a folder is a
project only when it is whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from retrofill.domain.errors import UnknownNameError, UsageError, did_you_mean, shown

_PROJECT_FILE = "retrofill.yaml"
_IGNORE_FILE = ".gitignore"
_INSTALLED = Path("_examples")  # inside the package, where the wheel puts them
_LEFT_OUT = frozenset(  # what an example's folder may hold besides the example
    {".retrofill", "data", "data.part", "staging", "__pycache__", "demo.py"}
)


class ProjectExistsError(UsageError):
    """Choose another directory, or work with the project that is there."""

    code = "project_exists"


class FilesInTheWayError(UsageError):
    """Choose an empty directory, or move these files away."""

    code = "files_in_the_way"


class UnusableDirectoryError(UsageError):
    """Name a directory that you may create or write to."""

    code = "unusable_directory"


class UnknownExampleError(UnknownNameError):
    """Leave out {option.example} for an empty project."""

    code = "unknown_example"


def create_project(directory: Path, example: str | None) -> list[Path]:
    """Make a new project in `directory`, which is made where it is missing.

    Args:
        directory: where to; it may hold other files, such as a README, but no project.
        example: a name of `list_examples`, or None for an empty project with three small tasks.

    Returns:
        The files written, in order of their paths. A `.gitignore` that is already there gets
        the missing lines at its end and counts as written.

    Raises:
        ProjectExistsError: the directory holds a project already.
        FilesInTheWayError: files of the new project exist already.
        UnknownExampleError: there is no such example.
        UnusableDirectoryError: the directory cannot be made or written.
    """
    if (directory / _PROJECT_FILE).exists():
        raise ProjectExistsError(f"{shown(str(directory))} already holds a project ({_PROJECT_FILE})")
    contents = _empty_project(directory) if example is None else _example_contents(example)
    blocked = [name for name in contents if name != _IGNORE_FILE and (directory / name).exists()]
    if blocked:
        more = f" and {len(blocked) - 1} more" if len(blocked) > 1 else ""
        raise FilesInTheWayError(f"{shown(str(directory))} already holds {shown(blocked[0])}{more}")
    try:
        return _write(directory, contents)
    except OSError as error:
        raise UnusableDirectoryError(
            f"cannot write {shown(str(error.filename or directory))}: {error.strerror or error}"
        ) from None


def list_examples() -> list[str]:
    """The names of the examples that came with this installation, sorted."""
    return sorted({path.parent.name for root in _example_roots() for path in root.glob(f"*/{_PROJECT_FILE}")})


def _write(directory: Path, contents: Mapping[str, bytes]) -> list[Path]:
    for name in sorted(contents, key=lambda name: (name == _PROJECT_FILE, name)):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = contents[name]
        if name == _IGNORE_FILE and path.exists():
            content = _with_missing_lines(path.read_bytes(), content)
        path.write_bytes(content)
    return sorted(directory / name for name in contents)


def _with_missing_lines(present: bytes, wanted: bytes) -> bytes:
    lines = present.splitlines()
    missing = [line for line in wanted.splitlines() if line not in lines and not line.startswith(b"#")]
    joint = b"" if not present or present.endswith(b"\n") else b"\n"
    return present + joint + b"".join(line + b"\n" for line in missing)


def _example_roots() -> list[Path]:
    """Where examples may be: inside the installed package, or beside `src` in a checkout."""
    package = Path(__file__).resolve().parents[1]
    roots = [package / _INSTALLED]
    if package.parent.name == "src":
        roots.append(package.parents[1] / "examples")
    return [root for root in roots if root.is_dir()]


def _example_contents(example: str) -> dict[str, bytes]:
    """The files of an example by path, without data and results that lie in its folder."""
    known = list_examples()
    if example not in known:
        offer = did_you_mean(example, known) or f"; there are: {', '.join(known) or 'none'}"
        raise UnknownExampleError(f'there is no example "{shown(example)}"{offer}')
    root = next(root / example for root in _example_roots() if (root / example / _PROJECT_FILE).is_file())
    contents = {}
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if not path.is_file() or path.is_symlink() or _LEFT_OUT & set(relative.parts):
            continue
        if ".duckdb" not in path.name and path.suffix != ".pyc":
            contents[relative.as_posix()] = path.read_bytes()
    return contents


def _empty_project(directory: Path) -> dict[str, bytes]:
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", directory.resolve().name).strip("_-") or "project"
    if not re.match(r"[A-Za-z_]", name):
        name = f"project_{name}"
    files = {
        _PROJECT_FILE: _DEPLOYMENT.replace("NAME", name),
        "workspaces/main/workspace.yaml": _WORKSPACE,
        "workspaces/main/count.py": _COUNT,
        _IGNORE_FILE: _IGNORE,
    }
    return {path: text.encode() for path, text in files.items()}


_DEPLOYMENT = """\
# The deployment: what all workspaces share. Tasks are in workspaces/<workspace>/workspace.yaml.
# `retrofill check` finds every mistake; `retrofill schema` prints a JSON Schema for your editor.
project: NAME
timezone: UTC                       # schedules are in this time zone

resource_groups:
  default: {type: exclusive, slots: 4}      # at most four instances at a time

# connections:                      # for tasks of type sql
#   warehouse: {url: "duckdb:///warehouse.duckdb"}
# baselines:
#   morning_report: {priority: 7}   # tasks with `baseline: morning_report` go first
"""

_WORKSPACE = """\
# One team's tasks. Try: retrofill backfill plan --all-descendants main.fetch --bizdate 2024-01-01..2024-01-03
workspace: main

defaults:
  rerun: {mode: always, times: 1, interval: 5s}      # a failed run is tried once more

tasks:
  fetch:
    type: shell
    schedule: "0 1 * * *"           # 01:00, for the data of the day before: its bizdate
    parameters: {day: "${yyyy-mm-dd}"}
    run: |
      set -eu
      mkdir -p ../../output
      seq 1 "${day##*-}" > "../../output/$day.txt"
      echo "fetched $day"
    description: Write one line per day of the month so far. Put your own source here.

  count:
    type: python
    file: count.py
    schedule: "30 1 * * *"
    depends_on: [fetch]             # the fetch of the same date
    parameters: {day: "${yyyy-mm-dd}"}
    description: Count what was fetched.

  report:
    type: shell
    schedule: "0 2 * * *"
    depends_on:
      - count
      - {task: self, cycle: previous}       # one day after the other
    parameters: {day: "${yyyy-mm-dd}"}
    run: cat "../../output/$day.count"
    description: Show the count in the log.
"""

_COUNT = """\
\"\"\"Counts the lines of the day.\"\"\"

from pathlib import Path

import retrofill

day = retrofill.parameters()["day"]
output = Path("../../output")
lines = (output / f"{day}.txt").read_text().splitlines()
(output / f"{day}.count").write_text(f"{day}: {len(lines)} lines\\n")
print(len(lines), "lines")
"""

_IGNORE = """\
# Store, runs and logs of Retrofill, and what the tasks write.
.retrofill/
output/
*.duckdb
*.duckdb.*
"""
