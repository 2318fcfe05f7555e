"""A world whose runs take as long as is said, until nothing follows."""

from __future__ import annotations

from services.worlds import World


def learn(w: World, **seconds: int) -> None:
    """Write run times as if each task had run once."""
    with w.store.transaction() as tx:
        ids = tx.task_ids()
        tx.times.add({ids[f"w.{name}"]: [length * 1000] for name, length in seconds.items()}, w.clock.ms)


def run(w: World, seconds: dict[str, float], until: int | None = None) -> None:
    """Let the world go on, each run of a task taking so long, until nothing follows or so many have ended."""
    ended = 0
    while True:
        ticked = w.tick()
        with w.store.read() as reader:
            names = {i: name.partition(".")[2] for name, i in reader.task_ids().items()}
            ends = {
                row.id: (row.started_ms or 0) + round(seconds[names[row.task_id]] * 1000)
                for row, _ in reader.running()
            }
        moments = [*ends.values()] + ([ticked.next_ms] if ticked.next_ms is not None else [])
        if not moments or (until is not None and ended >= until):
            return
        w.clock.ms = max(min(moments), w.clock.ms)
        for instance_id in [i for i, at in ends.items() if at <= w.clock.ms]:
            w.executor.end(instance_id)
            ended += 1
