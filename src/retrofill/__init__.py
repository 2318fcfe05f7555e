"""Retrofill: schedule data tasks and backfill any part of their dependency graph.

In the code of a python task, `retrofill.parameters()` gives the task's parameters. `retrofill.Client` asks a server
whatever the command line can (extra `client`).
"""

TYPE_CHECKING = False  # `typing` would have to be imported for it, by every python task
if TYPE_CHECKING:
    from retrofill.client import Client

__all__ = ["Client", "parameters"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """`Client` is imported when somebody asks for it: every command imports this module."""
    if name == "Client":
        from retrofill.client import Client

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "Client"})


def parameters() -> dict[str, str]:
    """The parameters of the python task that calls this, in declared order (PAR-4).

    Empty outside of a task.
    """
    import json
    import os

    names = json.loads(os.environ.get("RETROFILL_PARAMETERS", "[]"))
    return {name: os.environ[name] for name in names}
