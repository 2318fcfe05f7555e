"""The main job on real data: makes a project, backfills January 2013 in two groups, checks the result, serves it.

    python examples/flights/demo.py [--to demo] [--month 2013-01] [--no-server]

What it does is printed as the commands that one would type. The folder is made anew each time,
except for the source data in it. Exit status: that of the first step that fails.

At the end a server and a scheduler run on their own (`retrofill up`): its address, a link that signs in once and how to
end them are printed. There is something to see: January has ended well, one backfill has failed at a check that was made
stricter, and the two months that follow are running. The next demo in the same folder ends them first.
"""

from __future__ import annotations

import argparse
import calendar
import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from socket import socket

RETROFILL = Path(sys.executable).with_name("retrofill")
PORT = 8080
SERVED = "served.json"  # in the project: which process serves it
FAILED = 1  # the exit status of a backfill that has
LEAVE_SECONDS = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Backfill January 2013 of the flights example.")
    parser.add_argument("--to", type=Path, default=Path("demo"), help="folder of the project (demo)")
    parser.add_argument("--month", default="2013-01", help="month of 2013 to backfill (2013-01)")
    parser.add_argument("--groups", default="2", help="groups of dates side by side (2)")
    parser.add_argument("--no-server", action="store_true", help="end when the result is shown")
    options = parser.parse_args(arguments)
    project: Path = options.to
    try:
        year, month = (int(part) for part in options.month.split("-"))
        dates = f"{options.month}-01..{options.month}-{calendar.monthrange(year, month)[1]}"
    except ValueError:
        parser.error(f"--month is {options.month}, not of the form 2013-01")
    leave(project)
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
    if not status and not options.no_server:
        status = fill(project, date(year, month, 1)) or serve(project)
    print(f"\nGo on in {project}: its README.md says what to try next.")
    return status


def fill(project: Path, month: date) -> int:
    """Give the pages something to show: a backfill that fails, and one that is still running."""
    saturday = next(day for day in range(8, 15) if month.replace(day=day).weekday() == calendar.SATURDAY)
    source = project / "data" / "flights" / f"{month.replace(day=saturday)}.csv"
    departures = len(source.read_text().splitlines()) - 1
    stricter = ["--all-descendants", "ops.check_departures", "--name", "with a stricter check"]
    stricter += ["--bizdate", f"{month.replace(day=saturday - 5)}..{month.replace(day=saturday + 1)}"]
    stricter += ["--set", f"ops.check_departures.minimum={departures + 1}"]
    create = (RETROFILL, "--project", project, "backfill", "create")
    print(f"\nNow one that fails: on {month.replace(day=saturday)} there were only {departures} departures.")
    status = run(*create, *stricter, "--wait", "--yes")
    if status != FAILED:
        return status or 1
    first = month.replace(month=month.month + 1 if month.month < 11 else 9)
    last = first.replace(month=first.month + 1)
    last = last.replace(day=calendar.monthrange(last.year, last.month)[1])
    print("\nAnd one that the scheduler runs while you look.")
    months = ["--all-descendants", "ops.start_of_day", "--name", f"{first:%B} and {last:%B}"]
    return run(*create, *months, "--bizdate", f"{first}..{last}", "--groups", "2", "--yes")


def serve(project: Path) -> int:
    """Start a server and a scheduler, which go on after this program has ended."""
    command = [
        str(RETROFILL),
        "--project",
        str(project),
        "up",
        "--port",
        str(free_port()),
        "--output",
        "json",
    ]
    print("\n$", shlex.join([RETROFILL.name, *command[1:]]), "&", flush=True)
    with (project / "up.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        print((project / "up.log").read_text(), file=sys.stderr)
        return process.wait()
    told = json.loads(line)
    (project / SERVED).write_text(json.dumps({"pid": process.pid, "url": told["url"]}))
    print(f"""
The Operation Center is at {told["url"]}
Sign in, once and soon, at {told["sign_in_url"]}
A new link later: retrofill --project {project} user link admin
It goes on until you end it: kill {process.pid}""")
    return 0


def free_port() -> int:
    """The usual one; 0, which is any, where somebody else has that."""
    with socket() as one:
        try:
            one.bind(("127.0.0.1", PORT))
        except OSError:
            return 0
    return PORT


def leave(project: Path) -> None:
    """End the server of an earlier demo in this folder."""
    try:
        pid = json.loads((project / SERVED).read_text())["pid"]
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError, KeyError):
        return
    if b"up" not in command or str(project).encode() not in command:
        return  # some other process has its number by now
    print(f"$ kill {pid}", flush=True)
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + LEAVE_SECONDS
    while is_there(pid) and time.monotonic() < until:
        time.sleep(0.1)


def is_there(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


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
