"""Retrofill: schedule data tasks and backfill any part of their dependency graph.

In the code of a python task, `retrofill.parameters()` gives the task's parameters.
"""

__version__ = "0.1.0"


def parameters() -> dict[str, str]:
    """The parameters of the python task that calls this, in declared order (PAR-4).

    Empty outside of a task.
    """
    import json
    import os

    names = json.loads(os.environ.get("RETROFILL_PARAMETERS", "[]"))
    return {name: os.environ[name] for name in names}
