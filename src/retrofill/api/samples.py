"""Examples in the description of operations: by the names of fields, because one name means one thing everywhere.

A field whose name is not here has an example by its type. What is sent has what it must have, and what makes it speak.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from retrofill.api.schemas import Json

_AT = "2026-01-07T02:00:00Z"
# Candidates by name; the first one of the type that a field has is its example.
_BY_NAME: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "access_key_id": ("RF3854d8373c68c554ec95f510",),
        "access_key_secret": ("shown once",),
        "action": ("rerun",),
        "added": (["ops.daily_delays"],),
        "address": ("alice@example.org",),
        "after": ("8",),
        "arguments": ([], {}),
        "at": (_AT,),
        "backfill": (12,),
        "backfills": ([12],),
        "base64": ("ZWNobyBkb25lCg==",),
        "baseline": (None,),
        "before": ("3",),
        "began_at": (_AT,),
        "besides": (["connections"],),
        "bizdate": ("2026-01-05", ["2026-01-05..2026-01-06"]),
        "bizdates": (["2026-01-05", "2026-01-06"],),
        "blocked_by": ([],),
        "boot_id": ("6c2b0c6f-0a1e-4a57-9d0c-3f5f2a1f7a11",),
        "browser": ("Firefox",),
        "cells": ("ssr.",),
        "change": ("changed",),
        "usual_seconds": (12.5,),
        "older": (1,),
        "newer": (2,),
        "executor": ("pull",),
        "exit_code": (0, None),
        "field": ("schedule",),
        "comes_from": ([],),
        "folder": ("/srv/flights",),
        "goes_to": ([],),
        "grace_seconds": (10,),
        "inherit": ([],),
        "kept_days": (30,),
        "left_out": (0,),
        "log_cap": (104857600,),
        "logs_at": ("", None),
        "lost_after_ms": (120000,),
        "mark": ("0f3a9c21.12", ["0f3a9c21.12"]),
        "min_age_ms": (0,),
        "named": ([],),
        "now_ms": (1767751200000,),
        "over": ([],),
        "resource_groups": (["default"],),
        "secrets": ([],),
        "shell": ("bash",),
        "signal": (None,),
        "size": (4096,),
        "to_backfill": (["2026-01-06"],),
        "problems": ({},),
        "check": ("store",),
        "check_status": ("passed",),
        "checks_to_ask": ([],),
        "clock": (None,),
        "code": ("echo done",),
        "code_file": ("daily_delays.sh",),
        "column": ("delay",),
        "comment": ("the source was late",),
        "connection": ("warehouse",),
        "connection_url": (None,),
        "created_at": (_AT,),
        "created_by": ("alice",),
        "creator": ("alice",),
        "cursor": (7,),
        "cycle": ("day",),
        "depends_on": (["ops.raw_flights"],),
        "deployed_at": (_AT,),
        "deployed_by": ("alice",),
        "description": ("Delay figures per carrier and day.",),
        "detail": ("retrofill.db is sound", "there is no backfill 12"),
        "digest": ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",),
        "downstream": (["ops.report"], 8, "ops.report"),
        "dry_run": (None,),
        "due_at": (_AT,),
        "earlier_cycles": (["its own previous cycle"],),
        "email": ("alice@example.org",),
        "end": (["ops.daily_delays"],),
        "end_at": (_AT,),
        "ended_at": (_AT, 1767751200.5),
        "environment": ({"day": "20260105"},),
        "error": (None,),
        "estimated_end_at": (_AT,),
        "event": ("failure",),
        "expires_at": ("2026-04-05T02:00:00Z",),
        "fields": ({"task": ["ops.daily_delays"]},),
        "first_run_date": ("2026-01-05",),
        "from": ("ops.raw_flights", [{"table": "raw.flights", "column": "delay"}]),
        "from_state": ("failed",),
        "group": (1, "night"),
        "groups": ([["2026-01-05", "2026-01-06"]], "2"),
        "held": (None,),
        "hint": ("`GET /api/v1/backfills` shows all of them.", None),
        "host": ("etl-1-4f0c9a1b",),
        "host_label": ("etl-1",),
        "offered": (0, False),
        "silent_seconds": (1.2,),
        "where": ("on etl-1",),
        "href": ("/api/v1/backfills",),
        "id": (7, "RF4k"),
        "ids": ([7, 8],),
        "included": (["lib.sh"], {"ops": []}),
        "inherits": (["PATH"],),
        "instance": (7,),
        "instances": ([7, 8], 2),
        "interpreter": ("/bin/sh",),
        "kind": ("run", None),
        "label": ("laptop",),
        "last_bizdate": ("2026-01-05",),
        "last_line": ("no route to host",),
        "last_run_date": ("2026-01-06",),
        "level": (1, "warning"),
        "levels": (2,),
        "link": ("https://retrofill.example.org/sign-in?link=...",),
        "longest_task": ("ops.daily_delays",),
        "members": ({"alice": "administrator"},),
        "message": ("ended with status 1",),
        "method": ("GET", "email"),
        "mode": ("normal",),
        "name": ("ops.daily_delays_20260107_020000",),
        "next": (None,),
        "next_at": (_AT,),
        "next_try_at": (None,),
        "note": ("",),
        "notes": ([],),
        "now": (_AT,),
        "outcome": ("successful",),
        "over_them": ([],),
        "owner": ("alice",),
        "page": ("new",),
        "parameters": ({"day": "20260105"},),
        "part": ("scheduler",),
        "password": ("correct horse battery staple",),
        "path": ("workspaces/ops/daily_delays.sh",),
        "paused_by": (None,),
        "phone": ("+15551234567",),
        "priority": (3, "3"),
        "problem": (None,),
        "process": (4711,),
        "queued_at": (_AT,),
        "read_by": (["ops.report"],),
        "reads": (["raw.flights"],),
        "reason": (None, "no contact is registered"),
        "region": ("default",),
        "removed": ([],),
        "resource_group": ("default",),
        "result": ("passed",),
        "revision": ("12-345",),
        "revoked_at": (None,),
        "run_number": (1,),
        "run_seconds": (2.5,),
        "saved_at": (_AT,),
        "schedule": ("0 2 * * *",),
        "schedule_in_words": ("daily at 02:00",),
        "scheduled_at": ("2026-01-06T02:00:00",),
        "scope": ("operate",),
        "seconds": (300.0,),
        "sent_at": (_AT,),
        "sentences": (["1 night was missed."],),
        "sha256": ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",),
        "short_name": ("daily_delays",),
        "since": ("a5cc0c54.36",),
        "slot": ("02:00",),
        "slots": (4, ["02:00"]),
        "start": ("ops.raw_flights",),
        "started_at": (_AT, 1767751200.5),
        "state": ("successful",),
        "states": ("ss",),
        "status": ("succeeded",),
        "step": ("backfill.list",),
        "table": ("mart.daily_delays",),
        "tags": (["delays"],),
        "task": ("ops.daily_delays", ["ops.daily_delays"]),
        "tasks": (["ops.daily_delays"],),
        "text": ("It has succeeded.",),
        "time": ("02:00",),
        "timeout_seconds": (3600,),
        "timezone": ("UTC",),
        "to_state": ("not_run",),
        "token": ("retrofill_...",),
        "type": ("shell",),
        "unknown_tasks": ([],),
        "upstream": (["ops.raw_flights"], [6], 6, "ops.raw_flights"),
        "used_at": (_AT,),
        "user": ("alice",),
        "valid_from": (None,),
        "valid_until": (None,),
        "version": (3, "0.1.0"),
        "waits_for": ([["ops.raw_flights", "2026-01-06T01:30:00"]],),
        "way": ("password",),
        "what": ("priority",),
        "why": ("It has succeeded.",),
        "working_directory": ("/srv/flights/workspaces/ops",),
        "workspace": ("ops",),
        "workspaces": (["ops"],),
        "writes": (["mart.daily_delays"],),
        "written_by": (["ops.raw_flights"],),
    }
)
# What is worth sending although it may be left out.
_SENT = frozenset({"comment", "bizdate", "task", "groups", "backfills", "label", "scope", "email"})
_DEPTH = 12  # of documents in one another
_TYPES: Mapping[type, tuple[str, ...]] = MappingProxyType(
    {
        bool: ("boolean",),
        int: ("integer", "number"),
        float: ("number",),
        str: ("string",),
        list: ("array",),
        dict: ("object",),
        type(None): ("null",),
    }
)


class Samples:
    """Examples of schemas.

    Args:
        named: those that others refer to by name.
    """

    def __init__(self, named: Mapping[str, Json]) -> None:
        self._named = named

    def answered(self, schema: Json) -> Any:
        """All of a document that is answered."""
        return self._of(schema, "", is_whole=True, depth=0)

    def sent(self, schema: Json) -> Any:
        """What a body must have, and some of what it may."""
        return self._of(schema, "", is_whole=False, depth=0)

    def of_parameter(self, parameter: Json) -> Any:
        """A value of a parameter; None where its type says enough."""
        schema = parameter["schema"]
        if found := self._by_name(schema, parameter["name"]):
            return found[0]
        return self._resolved(schema).get("enum", [None])[0] if parameter.get("required") else None

    def _of(self, schema: Json, name: str, is_whole: bool, depth: int) -> Any:
        schema = self._resolved(schema)
        if found := self._by_name(schema, name):
            return found[0]
        choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
        if choices:
            return self._of(choices[0], name, is_whole, depth)
        if "enum" in schema or "const" in schema:
            return schema.get("const", [*schema.get("enum", ()), None][0])
        kind = schema.get("type")
        if kind == "object":
            return self._object(schema, name, is_whole, depth + 1)
        if kind == "array":
            return [] if depth > _DEPTH else [self._of(schema.get("items", {}), name, is_whole, depth + 1)]
        return _plain(schema, kind)

    def _object(self, schema: Json, name: str, is_whole: bool, depth: int) -> Json:
        fields = schema.get("properties", {})
        more = schema.get("additionalProperties")
        if not fields and isinstance(more, dict) and more:
            return {"ops.daily_delays": self._of(more, name, is_whole, depth)}
        shown = fields if is_whole else {*schema.get("required", ()), *(_SENT & fields.keys())}
        return {
            field: self._of(kind, field, is_whole, depth) for field, kind in fields.items() if field in shown
        }

    def _by_name(self, schema: Json, name: str) -> list[Any]:
        allowed = self._types(schema)
        return [
            one for one in _BY_NAME.get(name, ()) if allowed & {*_TYPES[type(one)]} and _fits(one, schema)
        ]

    def _types(self, schema: Json) -> set[str]:
        schema = self._resolved(schema)
        if "anyOf" in schema:
            return set().union(*map(self._types, schema["anyOf"]))
        return {schema["type"]} if "type" in schema and not schema.get("properties") else set()

    def _resolved(self, schema: Json) -> Json:
        while "$ref" in schema:
            schema = self._named[schema["$ref"].rpartition("/")[2]]
        return schema


def _fits(value: Any, schema: Json) -> bool:
    """Whether what lies in a list is of the type that it should be."""
    if not isinstance(value, list) or not value:
        return True
    lists = [one for one in (schema, *schema.get("anyOf", ())) if one.get("type") == "array"]
    inner = [one.get("items", {}).get("type") for one in lists]
    return any(kind in _TYPES[type(value[0])] for kind in inner)


def _plain(schema: Json, kind: Any) -> Any:
    if "default" in schema:
        return schema["default"]
    if kind == "integer":
        return max(1, schema.get("minimum", 0))
    return {"string": "text", "number": 1.5, "boolean": False}.get(kind)
