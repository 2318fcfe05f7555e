"""The main job on real data: makes a project, backfills January 2013 in two groups, checks the result.

    python examples/flights/demo.py [--to demo] [--month 2013-01]

What it does is printed as the commands that one would type. The folder is made anew each time,
except for the source data in it. Exit status: that of the first step that fails.
"""

from __future__ import annotations

import argparse
import calendar
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

RETROFILL = Path(sys.executable).with_name("retrofill")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Backfill January 2013 of the flights example.")
    parser.add_argument("--to", type=Path, default=Path("demo"), help="folder of the project (demo)")
    parser.add_argument("--month", default="2013-01", help="month of 2013 to backfill (2013-01)")
    parser.add_argument("--groups", default="2", help="groups of dates side by side (2)")
    options = parser.parse_args(arguments)
    project: Path = options.to
    try:
        year, month = (int(part) for part in options.month.split("-"))
        dates = f"{options.month}-01..{options.month}-{calendar.monthrange(year, month)[1]}"
    except ValueError:
        parser.error(f"--month is {options.month}, not of the form 2013-01")
    if project.exists() and not clear(project):
        print(f"demo: {project} holds something else: name another folder with --to", file=sys.stderr)
        return 2

    status = run(RETROFILL, "init", project, "--example", "flights")
    status = status or run(sys.executable, project / "get_data.py")
    status = status or run(RETROFILL, "--project", project, "check")
    choice = [
        "--all-descendants",
        "ops.start_of_day",
        "--bizdate",
        dates,
        "--groups",
        options.groups,
    ]
    status = status or run(RETROFILL, "--project", project, "backfill", "plan", *choice)
    started = time.monotonic()
    status = status or run(RETROFILL, "--project", project, "backfill", "create", *choice, "--wait", "--yes")
    if status:
        return status
    print(f"\nThe backfill took {time.monotonic() - started:.1f} seconds.\n", flush=True)
    status = run(sys.executable, project / "show_results.py", "--month", options.month)
    print(f"\nGo on in {project}: its README.md says what to try next.")
    return status


def clear(project: Path) -> bool:
    """Remove an earlier demo except its data; False if the folder is not one."""
    names = {path.name for path in project.iterdir()}
    if names - {"data"} and not {"retrofill.yaml", "show_results.py"} <= names:
        return False
    for path in project.iterdir():
        if path.is_dir() and not path.is_symlink():
            if path.name != "data":
                shutil.rmtree(path)
        else:
            path.unlink()
    return True


def run(*words: str | Path) -> int:
    """Print a command as one would type it, run it, and return its exit status."""
    command = [str(word) for word in words]
    print("$", shlex.join([Path(command[0]).name, *command[1:]]), flush=True)
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
