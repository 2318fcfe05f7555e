"""`retrofill.yaml`: what all workspaces share."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from retrofill.domain.catalog import connections, surroundings
from retrofill.domain.catalog.connections import ConnectionUrlError
from retrofill.domain.catalog.definitions import LOCAL, ResourceGroup, ScalerHook
from retrofill.domain.catalog.surroundings import SurroundingsError
from retrofill.domain.errors import did_you_mean
from retrofill.domain.time import instants
from retrofill.domain.words import many
from retrofill.project.models import DeploymentShape, ResourceGroupShape
from retrofill.project.problems import Report
from retrofill.project.validation import check_names, read_shape
from retrofill.project.yaml_nodes import Node, Place
from retrofill.settings.forms import DEPLOYMENT_FILE
from retrofill.settings.table import SECTIONS, read_settings

_WEB = re.compile(r"https?://[^/]|\$\{secret:")
_SECRET = re.compile(r"\$\{secret:[A-Za-z_][A-Za-z0-9_]*\}")


@dataclass(frozen=True)
class Deployment:
    """The file's values. The `..._names` are all that are written, also those with problems; None: not known."""

    project: str = ""
    timezone: str = "UTC"
    region: str = "default"
    connections: Mapping[str, str] = field(default_factory=dict)
    resource_groups: Mapping[str, ResourceGroup] = field(default_factory=dict)
    baselines: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    inherit_env: tuple[str, ...] = ()
    secrets: Mapping[str, frozenset[str]] = field(default_factory=dict)  # the bound ones, by name: workspaces
    group_places: Mapping[str, Place] = field(default_factory=dict)
    connection_names: Collection[str] | None = None
    group_names: Collection[str] | None = None
    baseline_names: Collection[str] | None = None


def read_deployment(node: Node, workspaces: Collection[str], report: Report) -> Deployment:
    """Check `retrofill.yaml` (CAT-4) and read it.

    Args:
        node: the file's root.
        workspaces: names of the workspaces' folders.
    """
    shape = read_shape(DeploymentShape, node, DEPLOYMENT_FILE, report)
    if "project" not in node.names():
        report.add(DEPLOYMENT_FILE, node.place, 'the file has no "project"', "write project: NAME")
    for section, what in (
        ("connections", "connection"),
        ("resource_groups", "resource group"),
        ("baselines", "baseline"),
    ):
        check_names(node.find(section), what, DEPLOYMENT_FILE, report)
    check_timezone(shape.timezone, node, DEPLOYMENT_FILE, report)
    group_names = [*_keys(node, "resource_groups"), "default"]
    return Deployment(
        project=shape.project or "",
        timezone=shape.timezone or "UTC",
        region=shape.region or "default",
        connections=_connections(shape, node, report),
        resource_groups=_groups(shape, node, workspaces, report),
        group_places={name: _place_of(node, name) for name in _keys(node, "resource_groups")},
        baselines=_baselines(shape, node, report),
        settings=_settings(node, workspaces, report),
        secrets=_secrets(shape, node, workspaces, report),
        inherit_env=check_patterns(shape.inherit_env, node.find("inherit_env"), DEPLOYMENT_FILE, report),
        connection_names=_keys(node, "connections"),
        group_names=group_names,
        baseline_names=_keys(node, "baselines"),
    )


def check_timezone(name: str | None, node: Node, path: str, report: Report) -> None:
    """The file's `timezone` is an IANA name (TIME-6)."""
    place = node.find("timezone")
    if name is None or place is None or instants.is_timezone(name):
        return
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    cities = {zone.rpartition("/")[2].lower(): zone for zone in sorted(available_timezones()) if "/" in zone}
    near = get_close_matches(name.rpartition("/")[2].lower(), cities, n=1, cutoff=0.8)
    hint = f'did you mean "{cities[near[0]]}"?' if near else "use an IANA name such as Asia/Shanghai"
    report.add(path, place.place, f'"{name}" is no time zone', hint)


def check_patterns(
    patterns: Collection[str] | None, node: Node | None, path: str, report: Report
) -> tuple[str, ...]:
    """The names and beginnings of variables that `inherit_env` lets through (CAT-10)."""
    for item in (node.items or []) if node else []:
        if isinstance(item.value, str):
            try:
                surroundings.check_pattern(item.value)
            except SurroundingsError as error:
                report.add_once(path, item.place, error.message, error.hint)
    return tuple(dict.fromkeys(patterns or ()))


def _keys(node: Node, section: str) -> tuple[str, ...]:
    found = node.find(section)
    return found.names() if found else ()


def _place_of(node: Node, group: str) -> Place:
    found = node.find("resource_groups")
    assert found is not None
    return found.key_place(group)


def _connections(shape: DeploymentShape, node: Node, report: Report) -> dict[str, str]:
    urls = {}
    for name, connection in (shape.connections or {}).items():
        here = node.find("connections", name)
        assert here is not None
        url = here.find("url")
        if url is None:
            report.add(DEPLOYMENT_FILE, here.place, f'connection "{name}" has no "url"', "write {url: ...}")
        elif connection.url is not None:
            _check_url(name, connection.url, url.place, report)
            urls[name] = connection.url
    return urls


def _check_url(name: str, url: str, place: Place, report: Report) -> None:
    # The value is not shown: people put passwords into it.
    if _SECRET.fullmatch(url):
        return
    if "${" in _SECRET.sub("x", url):
        message = f'the url of connection "{name}" holds a ${{...}} that is no secret'
        report.add(DEPLOYMENT_FILE, place, message, "write ${secret:NAME}")
        return
    if "${" in url.partition(":")[0]:
        return  # which database it is stands in the secret
    try:
        connections.check_url(_SECRET.sub("x", url), _schemes_of_packages)
    except ConnectionUrlError as error:
        report.add(DEPLOYMENT_FILE, place, f'the url of connection "{name}": {error.message}', error.hint)


def _schemes_of_packages() -> set[str]:
    """What installed packages add to SQLAlchemy's own."""
    from importlib.metadata import entry_points

    return {point.name for point in entry_points(group="sqlalchemy.dialects")}


def _groups(
    shape: DeploymentShape, node: Node, workspaces: Collection[str], report: Report
) -> dict[str, ResourceGroup]:
    groups = {"default": ResourceGroup("default")}
    for name, group in (shape.resource_groups or {}).items():
        here = node.find("resource_groups", name)
        assert here is not None
        if group.reserved_for_auto > group.slots:
            reserved = here.find("reserved_for_auto")
            message = f'"reserved_for_auto" is {group.reserved_for_auto} of {many(group.slots, "slot")}'
            report.add(DEPLOYMENT_FILE, (reserved or here).place, message, f"write at most {group.slots}")
        listed = here.find("workspaces")
        _check_workspaces(listed, workspaces, report)
        bound = None if group.workspaces is None else frozenset(group.workspaces)
        scaler = _scaler(group, here, report)
        if listed is None or bound is not None:
            groups[name] = ResourceGroup(
                name, group.type, group.slots, group.reserved_for_auto, bound, group.executor, scaler
            )
    return groups


def _scaler(group: ResourceGroupShape, node: Node, report: Report) -> ScalerHook | None:
    """What scales a group, which has to be one that can be: elastic, and on other machines."""
    shape, here = group.scaler, node.find("scaler")
    if shape is None or here is None:
        return None
    if bool(shape.command) == bool(shape.url):
        message = 'a scaler has either "command" or "url"'
        report.add(DEPLOYMENT_FILE, here.place, message, "write {command: [PROGRAM, ...]} or {url: ...}")
    if shape.url and not _WEB.match(shape.url):
        message = "the url of a scaler is no web address"
        report.add(DEPLOYMENT_FILE, here.place, message, "write one that begins with https:// or http://")
    if shape.secret and not shape.url:
        report.add(DEPLOYMENT_FILE, here.place, 'a "secret" signs what is posted to a "url"', "leave it out")
    if group.type != "serverless":
        message = f"the resource group has a scaler, and its type is {group.type}"
        report.add(DEPLOYMENT_FILE, here.place, message, "write type: serverless")
    if group.executor == LOCAL:
        message = "the resource group has a scaler, and its instances run on the machine of who schedules"
        report.add(DEPLOYMENT_FILE, here.place, message, "write executor: pull, or celery")
    return ScalerHook(tuple(shape.command or ()), shape.url or "", shape.secret or "")


def _check_workspaces(listed: Node | None, workspaces: Collection[str], report: Report) -> None:
    for item in (listed.items or []) if listed else []:
        if isinstance(item.value, str) and item.value not in workspaces:
            near = did_you_mean(item.value, workspaces)[2:]
            message = f'there is no workspace "{item.value}"'
            report.add(DEPLOYMENT_FILE, item.place, message, near or "name a folder of workspaces/")


def _secrets(
    shape: DeploymentShape, node: Node, workspaces: Collection[str], report: Report
) -> dict[str, frozenset[str]]:
    """Secrets that are bound to workspaces (SEC-3)."""
    bound = {}
    for name, secret in (shape.secrets or {}).items():
        here = node.find("secrets", name)
        assert here is not None
        if not _SECRET.fullmatch(f"${{secret:{name}}}"):
            message = f'"{name}" is no name of a secret'
            report.add(
                DEPLOYMENT_FILE, here.place, message, 'use letters, digits and "_", and begin with no digit'
            )
        listed = here.find("workspaces")
        if listed is None:
            message = f'secret "{name}" has no "workspaces"'
            report.add(
                DEPLOYMENT_FILE, here.place, message, "write {workspaces: [NAME]}, or leave the secret out"
            )
        _check_workspaces(listed, workspaces, report)
        bound[name] = frozenset(secret.workspaces or ())
    return bound


def secrets_of(url: str) -> list[str]:
    """The secrets that a connection's URL names."""
    return [text[len("${secret:") : -1] for text in _SECRET.findall(url)]


def _baselines(shape: DeploymentShape, node: Node, report: Report) -> dict[str, int]:
    baselines = {}
    for name, baseline in (shape.baselines or {}).items():
        here = node.find("baselines", name)
        if here is not None and here.find("priority") is None:
            message = f'baseline "{name}" has no "priority"'
            report.add(DEPLOYMENT_FILE, here.place, message, "write {priority: 1}, or 3, 5, 7 or 8")
        if baseline.priority is not None:
            baselines[name] = baseline.priority
    return baselines


def _settings(node: Node, workspaces: Collection[str], report: Report) -> dict[str, object]:
    """Settings under `settings:`, and those sections that may also stand at the top."""
    settings: dict[str, object] = {}
    places: dict[str, Place] = {}
    section = node.find("settings")
    written: list[tuple[str, Place, Node]] = []
    if section is not None and section.entries is not None:
        written += [(key, place, value) for key, (place, value) in section.entries.items()]
    if node.entries is not None:
        written += [(key, *node.entries[key]) for key in SECTIONS if key in node.entries]
    for key, place, value in written:
        if key in settings:
            message = f'"{key}" is already in line {places[key][0]}'
            report.add(DEPLOYMENT_FILE, place, message, "remove one of the two")
        elif value.value is not None:
            settings[key], places[key] = plain(value), place
    for problem in read_settings(settings)[1]:
        holder = section if section is not None and section.find(str(problem.path[0])) else node
        here = holder.find(*problem.path) or holder
        place = here.place
        if problem.is_key:
            place = (holder.find(*problem.path[:-1]) or holder).key_place(str(problem.path[-1]))
        report.add(DEPLOYMENT_FILE, place, problem.message, problem.hint)
    _check_working_folders(node.find("settings", "working_folders"), workspaces, report)
    return settings


def _check_working_folders(folders: Node | None, workspaces: Collection[str], report: Report) -> None:
    """What has a working folder is a workspace."""
    for name, (place, _) in (folders.entries or {} if folders else {}).items():
        if name not in workspaces:
            near = did_you_mean(name, workspaces)[2:] or "the workspaces are the folders below workspaces/"
            report.add(DEPLOYMENT_FILE, place, f'there is no workspace "{name}"', near)


def plain(node: Node) -> Any:
    """The node's value in JSON's types; scalars that could be read in two ways as their text."""
    if node.entries is not None:
        return {key: plain(child) for key, (_, child) in node.entries.items() if child.value is not None}
    if node.items is not None:
        return [plain(child) for child in node.items]
    return node.value if isinstance(node.value, str | int | bool) else node.raw
