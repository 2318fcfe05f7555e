"""Steps and options of the core in the words of HTTP: a request that does it, a field that asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote

from retrofill.domain.texts import Option, Step, Text

PREFIX = "/api/v1"

# Which request does what a step asks for, below `PREFIX`. What stands in braces is the step's argument of that name,
# and stays as it is where the step leaves it to the reader. Steps that only the machine of the server can take, such
# as a restore, are not here.
REQUESTS: Mapping[str, str] = MappingProxyType(
    {
        "help.read": "GET /openapi.json",
        "project.deploy": "POST /versions",
        "version.list": "GET /versions",
        "version.show": "GET /versions/{id}",
        "task.list": "GET /tasks",
        "task.graph": "GET /tasks/graph",
        "task.freeze": "POST /tasks/freeze",
        "task.unfreeze": "POST /tasks/unfreeze",
        "workspace.list": "GET /workspaces",
        "resource_group.list": "GET /resource-groups",
        "host.list": "GET /hosts",
        "host.show": "GET /hosts/{name}",
        "host.undrain": "POST /hosts/{name}/undrain",
        "host.forget": "POST /hosts/{name}/forget",
        "backfill.list": "GET /backfills",
        "backfill.show": "GET /backfills/{id}",
        "backfill.analysis": "GET /backfills/{id}/analysis",
        "backfill.create": "POST /backfills",
        "backfill.stop": "POST /backfills/{id}/stop",
        "backfill.resume": "POST /backfills/{id}/resume",
        "backfill.rerun": "POST /backfills/{id}/rerun",
        "instance.list": "GET /instances",
        "instance.why": "GET /instances/{id}/why",
        "instance.log": "GET /instances/{id}/log",
        "instance.dag": "GET /instances/{id}/dag",
        "instance.rerun": "POST /instances/rerun",
        "instance.stop": "POST /instances/stop",
        "instance.rerun_descendants": "POST /instances/rerun-descendants",
        "instance.set_successful": "POST /instances/set-successful",
        "instance.unfreeze": "POST /instances/unfreeze",
        "instance.remove_wait": "POST /instances/remove-waits",
        "schedule.resume": "POST /schedule/resume",
        "schedule.accept_clock": "POST /schedule/accept-clock",
        "user.list": "GET /users",
        "user.contact": "PATCH /users/{name}/contact",
        "user.role": "PATCH /users/{name}",
        "token.create": "POST /tokens",
        "token.list": "GET /tokens",
        "access_key.list": "GET /access-keys",
        "session.list": "GET /sessions",
    }
)


def link_of(step: Step) -> dict[str, str]:
    """`method` and `href` of the request that does it; nothing where there is none."""
    if step.name not in REQUESTS:
        return {}
    method, _, path = REQUESTS[step.name].partition(" ")
    for name, value in step.arguments:
        if value is not None:
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    return {"method": method, "href": PREFIX + path}


def told(text: Text | str) -> str:
    """A sentence as who works with requests reads it."""
    return text if isinstance(text, str) else text.told(_words_of)


def _words_of(part: Step | Option) -> str:
    if isinstance(part, Option):
        return f"`{part.name}`" if part.value is None else f"`{part.name}: {part.value}`"
    link = link_of(part)
    return f"`{link['method']} {link['href']}`" if link else str(part)
