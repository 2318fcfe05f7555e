"""Steps of the core as places of the Operation Center: what a sentence offers becomes a link that leads there."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote

from retrofill.domain.texts import Step

# Where a step is done, and the words of its link. What stands in braces is the step's argument of that name; a step
# that leaves it to the reader has no place.
PLACES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "task.list": ("/tasks", "all tasks"),
        "workspace.list": ("/workspaces", "all workspaces"),
        "resource_group.list": ("/resource-groups", "all resource groups"),
        "host.list": ("/hosts", "all hosts"),
        "host.show": ("/hosts/{name}", "this host"),
        "host.undrain": ("/hosts/{name}/undrain", "Let it take work again"),
        "host.forget": ("/hosts/{name}/forget", "Forget it"),
        "user.list": ("/users", "all users"),
        "user.contact": ("/account", "contacts"),
        "token.create": ("/account", "a new token"),
        "token.list": ("/account", "your tokens"),
        "access_key.list": ("/account", "your access keys"),
        "session.list": ("/account", "your sessions"),
        "backfill.list": ("/backfills", "all backfills"),
        "backfill.show": ("/backfills/{id}", "backfill {id}"),
        "backfill.analysis": ("/backfills/{id}?tab=analysis", "its analysis"),
        "backfill.create": ("/backfills/new", "a new backfill"),
        "backfill.stop": ("/backfills/{id}/stop", "Stop it"),
        "backfill.resume": ("/backfills/{id}/resume", "Resume it"),
        "backfill.rerun": ("/backfills/{id}/rerun", "Rerun it"),
        "instance.why": ("/instances/{id}", "instance {id}"),
        "instance.log": ("/instances/{id}#log", "its log"),
        "instance.dag": ("/instances/{id}#around", "what is around it"),
        "instance.rerun": ("/instances/rerun?id={id}", "Rerun it"),
        "instance.stop": ("/instances/stop?id={id}", "Stop it"),
        "instance.rerun_descendants": ("/instances/rerun-descendants?id={id}", "Rerun what depends on it"),
        "instance.set_successful": ("/instances/set-successful?id={id}", "Set it successful"),
        "instance.unfreeze": ("/instances/unfreeze?id={id}", "Unfreeze it"),
        "instance.remove_wait": ("/instances/remove-waits?id={id}", "Remove a wait"),
        "schedule.resume": ("/schedule", "the schedule"),
        "schedule.accept_clock": ("/schedule", "the schedule"),
    }
)


def place_of(step: Step) -> tuple[str, str] | None:
    """The address at which a step is done and the words of a link there; None where no page does it."""
    if step.name not in PLACES:
        return None
    address, words = PLACES[step.name]
    for name, value in step.arguments:
        if value is not None and not isinstance(value, tuple):
            address = address.replace(f"{{{name}}}", quote(str(value), safe=""))
            words = words.replace(f"{{{name}}}", str(value))
    return None if "{" in address else (address, words)
