"""The projects that are measured: shell tasks that do nothing, in chains or in layers."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from measuring import retrofill

FIRST_DATE = date(2015, 1, 1)  # long series end before today: a date to come would wait for its time
LAYER_WIDTH = 10


def dates(count: int, first: date = FIRST_DATE) -> str:
    """So many bizdates, as `--bizdate` takes them."""
    return f"{first}..{first + timedelta(days=count - 1)}"


def write(directory: Path, tasks: list[str], slots: int = 2) -> Path:
    """A project with these lines as the tasks of its one workspace, deployed."""
    folder = directory / "workspaces" / "bench"
    folder.mkdir(parents=True)
    (directory / "retrofill.yaml").write_text(
        f"project: bench\nresource_groups:\n  default: {{type: exclusive, slots: {slots}}}\n"
    )
    (folder / "workspace.yaml").write_text(
        "workspace: bench\ndefaults: {type: shell, run: 'true', schedule: '0 1 * * *'}\ntasks:\n"
        + "".join(f"  {task}\n" for task in tasks)
    )
    retrofill(directory, "deploy")
    return directory


def chain(directory: Path, count: int) -> Path:
    """Tasks t1 to tN, each after the one before: what `make -j` would do with N targets in a row."""
    tasks = ["t1: {}"] + [f"t{n}: {{depends_on: [t{n - 1}]}}" for n in range(2, count + 1)]
    return write(directory, tasks)


def layers(directory: Path, count: int) -> Path:
    """Layers of ten tasks; each depends on three of the layer before: about three edges a task."""
    tasks = []
    for n in range(count):
        layer, place = divmod(n, LAYER_WIDTH)
        above = [(layer - 1) * LAYER_WIDTH + (place + step) % LAYER_WIDTH for step in (0, 1, 3)]
        names = ", ".join(f"t{one}" for one in above) if layer else ""
        tasks.append(f"t{n}: {{depends_on: [{names}]}}")
    return write(directory, tasks)


def chain_request(days: int, groups: int = 10) -> list[str]:
    return ["--task", "bench.t1", "--descendants", "all", "--bizdate", dates(days), "--groups", str(groups)]
