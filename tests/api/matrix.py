"""Who may do what over HTTP: a decision for every operation (SEC-2, SEC-4).

A letter stands for a user of `servers`: S system administrator, A administrator, O operator, D developer who owns
`open.first`, V visitor, all of the workspace `open`; F administrator of another workspace. `may` names those for whom an
operation on what belongs to `open` is done; the members of `open` who are not named are refused, and to F it is
unknown. What belongs to the other workspace is unknown to all members of `open`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from api.servers import OPEN, VAULT, Server
from retrofill.bootstrap.bringing import BroughtFile
from retrofill.bootstrap.centers import Call
from retrofill.services.ports.records import HostRecord

USERS = {"S": "admin", "A": "alice", "O": "bob", "D": "carol", "V": "dave", "F": "greta"}
ALL = "SAODVF"
MEMBERS = "SAODV"


class World(NamedTuple):
    """What belongs to one of the two workspaces."""

    task: str
    user: str
    workspace: str


PASSWORD = "a long enough one"
HERE = World("open.first", "carol", "open")
THERE = World("vault.goldmine", "greta", "vault")


class Target(NamedTuple):
    """One of each kind, in one world."""

    server: Server
    world: World
    letter: str  # who asks
    backfill_id: int
    instance_id: int


Make = Callable[[Target], Any]


class Decision(NamedTuple):
    """Attributes:
    may: letters of those for whom it is done.
    body: what is sent, and with `fills` what stands in the path.
    stranger: what F is answered; None: like everybody else who may not.
    prepared: makes the target fit.
    alone: it is about nobody's workspace, so that there is nothing foreign to ask for.
    lasting: it changes more than its target, so that it is asked of a server of its own.
    """

    may: str
    body: Make | None = None
    query: dict[str, Any] = {}  # noqa: RUF012  (never changed)
    fills: dict[str, Make] = {}  # noqa: RUF012
    stranger: str | None = "unknown"
    prepared: Callable[[Target], object] | None = None
    alone: bool = False
    lasting: bool = False


def planned(t: Target) -> dict[str, Any]:
    return {"task": [t.world.task], "bizdate": ["2026-01-05"]}


def nothing(t: Target) -> dict[str, Any]:
    return {}


def ids(**more: Any) -> Make:
    return lambda t: {"ids": [t.instance_id], **more}


def tasks(t: Target) -> dict[str, Any]:
    return {"tasks": [t.world.task]}


def files(t: Target) -> dict[str, Any]:
    """The project with a change of its workspace, another one for everybody."""
    import base64

    texts = {"open": OPEN, "vault": VAULT}
    texts[t.world.workspace] = texts[t.world.workspace].replace(
        '"0 1 * * *"', f'"{ord(t.letter) - 60} 1 * * *"'
    )
    paths = {f"workspaces/{name}/workspace.yaml": text for name, text in texts.items()}
    project = {"retrofill.yaml": "project: test\nsettings: {}\n", **paths}
    return {
        "files": [
            {"path": p, "base64": base64.b64encode(text.encode()).decode()} for p, text in project.items()
        ]
    }


def deploy(t: Target) -> object:
    """Another version than the first."""
    import base64

    call = Call(t.server.deployment, "admin", is_remote=True)
    call.bring(
        [BroughtFile(one["path"], base64.b64decode(one["base64"]), False) for one in files(t)["files"]]
    )
    return call.center.versions.deploy()


def freeze(t: Target) -> object:
    t.server.center("admin").backfills.pause(t.backfill_id)
    return t.server.center("admin").instances.freeze([t.instance_id])


def token(t: Target) -> int:
    return t.server.center("admin").people.create_token(t.world.user)["id"]


def access_key(t: Target) -> str:
    return t.server.center("admin").people.create_access_key(t.world.user)["id"]


def saved_form(t: Target) -> int:
    """Of who asks: everybody keeps their own."""
    return t.server.center(USERS[t.letter]).saved.save("new", {"task": [t.world.task]})["id"]


def host(t: Target) -> str:
    """One that has left."""
    record = HostRecord("etl1-1", "etl1", "pull", '["default"]', 2, "0.1.0", "", 5, left_ms=9)
    with t.server.deployment.store.transaction() as tx:
        tx.hosting.note(record)
        tx.hosting.leave(record.name, 9)
    return record.name


HOST = {"host": host}
THING = Decision(MEMBERS)  # whoever is a member looks at what belongs to the workspace
LIST = Decision(ALL, alone=True)  # everybody, who finds what is theirs in it
MINE = {"name": lambda t: t.world.user}
OWN = Decision("SD", fills=MINE, stranger=None)  # a person's own, and the system administrator
SYSTEM = Decision("S", stranger=None, alone=True)
NOBODY = Decision("", stranger=None, alone=True)  # whatever they are: workers have tokens of their own

DECISIONS: dict[str, Decision] = {
    "hosting.rules": NOBODY,
    "hosting.exchange": NOBODY,
    "hosting.own": NOBODY,
    "hosting.leave": NOBODY,
    "hosting.call": NOBODY,
    "hosting.content": NOBODY._replace(fills={"sha256": lambda t: "0" * 64}),
    "hosting.keep_log": NOBODY,
    "hosting.custody": NOBODY,
    "backfills.plan": Decision("SAOD", planned),
    "backfills.planned": Decision("SAOD", planned),
    "backfills.ask_checks": Decision("SAOD", planned),
    "backfills.alert_obstacles": Decision("SAOD", planned),
    "backfills.below": Decision(MEMBERS, query={"task": ["open.first"]}, alone=True),
    "backfills.between": Decision(MEMBERS, query={"start": "open.first", "end": ["open.last"]}, alone=True),
    "backfills.create": Decision("SAOD", planned),
    "backfills.list": LIST,
    "backfills.show": THING,
    "backfills.row": THING,
    "backfills.progress": THING,
    "backfills.time_left": THING,
    "backfills.trouble": THING,
    "backfills.preview_change": THING._replace(body=lambda t: {"priority": 8}),
    "backfills.reasons": THING,
    "backfills.effects": THING._replace(query={"act": "stop"}),
    "backfills.analysis": THING,
    "backfills.history": THING,
    "backfills.alerts": THING,
    "backfills.first_failures": THING,
    "backfills.grid": THING,
    "backfills.timeline": THING,
    "backfills.forecast": THING,
    "backfills.critical_path": THING,
    "backfills.dag": THING,
    "backfills.pause": Decision("SAO", nothing),
    "backfills.resume": Decision("SAO", nothing),
    "backfills.stop": Decision("SAO", nothing),
    "backfills.change": Decision("SAO", lambda t: {"priority": 8}),
    "backfills.rerun": Decision(
        "SAOD", nothing, prepared=lambda t: t.server.run(t.backfill_id), lasting=True
    ),
    "backfills.freeze": Decision("SAOD", nothing),
    "backfills.unfreeze": Decision("SAOD", nothing, prepared=freeze),
    "feed.backfills": LIST,
    "feed.backfill": THING,
    "instances.follow_log": THING,
    "instances.list": LIST,
    "instances.show": THING,
    "instances.why": THING,
    "instances.history": THING,
    "instances.lineage": THING,
    "instances.dag": THING,
    "instances.chain": THING,
    "instances.code": THING,
    "instances.over_dates": THING,
    "instances.log": THING,
    "instances.log_lines": THING,
    "instances.find_in_log": THING,
    "instances.states": Decision(ALL, ids(), alone=True),
    "instances.unattended": Decision(ALL, ids(), alone=True),
    "instances.running_below": Decision(ALL, ids(), alone=True),
    "instances.foresee": Decision(ALL, ids(act="rerun"), alone=True),
    "instances.stop": Decision("SAOD", ids()),
    "instances.rerun": Decision("SAOD", ids()),
    "instances.rerun_descendants": Decision("SAOD", ids(with_self=True)),
    "instances.set_successful": Decision("SAOD", ids()),
    "instances.freeze": Decision("SAOD", ids()),
    "instances.unfreeze": Decision("SAOD", ids(), prepared=freeze),
    "instances.remove_waits": Decision("SA", ids()),
    "instances.set_priority": Decision("SA", ids(priority=8)),
    "instances.set_resource_group": Decision("SA", ids(group="default")),
    "tables.list": LIST,
    "tables.show": Decision(MEMBERS, query={"table": "raw.flights"}, stranger="unknown", alone=True),
    "tasks.list": LIST,
    "tasks.calendar": THING,
    "tasks.nights": Decision(ALL, lambda t: {"tasks": [t.world.task]}, alone=True),
    "tasks.graph": LIST,
    "tasks.show": THING,
    "tasks.upstream": THING,
    "tasks.downstream": THING,
    "tasks.lineage": THING,
    "tasks.render": THING._replace(query={"bizdate": "2026-01-05"}),
    "tasks.freeze": Decision("SA", tasks, lasting=True),
    "tasks.unfreeze": Decision("SA", tasks, lasting=True),
    "tasks.workspaces": LIST,
    "operations.of_task": THING,
    "operations.list": LIST,
    "groups.list": LIST,
    "groups.show": LIST._replace(fills={"name": lambda t: "default"}),
    "groups.use": LIST._replace(fills={"name": lambda t: "default"}),
    "hosts.list": LIST,
    "hosts.show": LIST._replace(fills=HOST),
    "hosts.drain": SYSTEM._replace(fills=HOST, body=nothing),
    "hosts.undrain": SYSTEM._replace(fills=HOST, body=nothing),
    "hosts.forget": SYSTEM._replace(fills=HOST, body=nothing),
    "saved.list": LIST._replace(query={"page": "new"}),
    "saved.show": LIST._replace(fills={"form_id": saved_form}),
    "saved.save": LIST._replace(body=lambda t: {"page": "new", "fields": {}}),
    "saved.remove": LIST._replace(fills={"form_id": saved_form}),
    "home.show": LIST,
    "home.count": LIST,
    "schedule.show": LIST,
    "schedule.nights": LIST,
    "schedule.pause": SYSTEM._replace(body=nothing, lasting=True),
    "schedule.resume": SYSTEM._replace(body=nothing),
    "schedule.accept_clock": SYSTEM._replace(body=nothing),
    "versions.list": LIST,
    "versions.of_task": THING,
    "versions.compare": THING._replace(query={"older": 1, "newer": 1}),
    "versions.about_to_publish": Decision("SAF", files, alone=True),
    "versions.show": LIST._replace(fills={"version": lambda t: 1}),
    "versions.task": THING._replace(fills={"version": lambda t: 1, "task": lambda t: t.world.task}),
    "versions.file": Decision(
        "", query={"path": "open/none"}, fills={"version": lambda t: 1}, stranger="unknown", alone=True
    ),
    "versions.deploy": Decision("SA", files, stranger=None, alone=True, lasting=True),
    "versions.deploy_again": SYSTEM._replace(
        may="SA", lasting=True, fills={"version": lambda t: 1}, prepared=deploy
    ),
    "names.backfills": LIST,
    "names.tasks": LIST,
    "names.users": LIST,
    "names.workspaces": LIST,
    "names.resource_groups": LIST,
    "work.scheduler": LIST,
    "work.standstills": LIST,
    "work.unstarted": LIST._replace(body=lambda t: {"instances": [t.instance_id]}),
    "work.backfills_of": LIST._replace(body=lambda t: {"instances": [t.instance_id]}),
    "work.still_running": LIST._replace(body=lambda t: {"instances": [t.instance_id]}),
    "upkeep.doctor": LIST,
    "upkeep.check_store": SYSTEM,
    "upkeep.remove_old": SYSTEM._replace(body=nothing),
    "people.users": SYSTEM,
    "people.add": SYSTEM._replace(body=lambda t: {"name": f"user{t.backfill_id}"}),
    "people.set_administrator": SYSTEM._replace(fills=MINE, body=lambda t: {"is_administrator": False}),
    "people.remove": SYSTEM._replace(fills=MINE),
    "people.contact": OWN,
    "people.set_contact": OWN._replace(body=lambda t: {"email": "a@b.org"}),
    "people.send_test": OWN,
    "people.create_link": OWN._replace(body=nothing),
    "people.set_password": OWN._replace(body=lambda t: {"password": PASSWORD, "current": PASSWORD}),
    "people.remove_password": OWN,
    "people.end_sessions": OWN,
    "people.sessions": LIST,
    "people.end_session": Decision("", fills={"session_id": lambda t: 999}, alone=True),
    "people.tokens": LIST,
    "people.create_token": LIST._replace(body=nothing),
    "people.revoke_token": Decision("SD", fills={"token_id": token}, stranger=None),
    "people.access_keys": LIST,
    "people.create_access_key": LIST._replace(body=nothing),
    "people.revoke_access_key": Decision("SD", fills={"key_id": access_key}, stranger=None),
    "people.me": LIST,
}
