"""`depends_on`: its entries, and what only all tasks together show: unknown tasks and loops."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from retrofill.domain.catalog.definitions import Dependency, DependencyKind
from retrofill.domain.catalog.graph import Graph
from retrofill.domain.errors import did_you_mean
from retrofill.project.problems import Report
from retrofill.project.yaml_nodes import Node, Place

_FORMS = "write a task, {task: NAME, cycle: previous}, {task: self, cycle: previous} or {children: previous}"
_SELF_HINT = "to wait for its own previous cycle write {task: self, cycle: previous}"
_MOST_SUGGESTIONS = 20  # finding a similar name among thousands takes a while


@dataclass(frozen=True, slots=True)
class Link:
    """A dependency with the place where it is declared."""

    dependency: Dependency
    place: Place


def read_links(items: list[Node], task: str, path: str, report: Report) -> list[Link]:
    """The entries of one `depends_on`, full names filled in (DEP-6..8); the same one twice is refused.

    Args:
        items: the list's nodes.
        task: full name of the task that it belongs to.
    """
    links: list[Link] = []
    first: dict[Dependency, int] = {}
    for item in items:
        dependency = _entry(item, task, path, report)
        if dependency is None:
            continue
        if dependency in first:
            message = f"{_words(dependency)} is already in line {first[dependency]}"
            report.add_once(path, item.place, message, "remove one of the two")
            continue
        first[dependency] = item.line
        links.append(Link(dependency, item.place))
    return links


def _words(dependency: Dependency) -> str:
    if dependency.kind is DependencyKind.SAME_CYCLE:
        return f"the dependency on {dependency.task}"
    if dependency.kind is DependencyKind.PREVIOUS:
        return f"the dependency on the previous cycle of {dependency.task}"
    return "this dependency"


def _entry(item: Node, task: str, path: str, report: Report) -> Dependency | None:
    def refuse(node: Node, message: str, hint: str = _FORMS) -> None:
        report.add_once(path, node.place, message, hint)

    if item.entries is None:
        if isinstance(item.value, str):
            return _named(item, item.value, "same", task, path, report)
        refuse(item, f'"{item.raw}" is not the name of a task' if item.items is None else "a list in a list")
        return None
    for key in item.names():
        if key not in ("task", "cycle", "children"):
            place = item.key_place(key)
            near = did_you_mean(key, ("task", "cycle", "children"))[2:]
            report.add_once(path, place, f'unknown key "{key}" in a dependency', near or _FORMS)
            return None
    children, name, cycle = item.find("children"), item.find("task"), item.find("cycle")
    if children is not None:
        if name is not None or cycle is not None or children.value != "previous":
            refuse(item, "`children` stands alone and is `previous`", "write {children: previous}")
            return None
        return Dependency(DependencyKind.CHILDREN)
    if name is None or not isinstance(name.value, str):
        refuse(name or item, "a dependency needs the name of a task under `task`")
        return None
    if cycle is not None and cycle.value not in ("same", "previous"):
        refuse(cycle, f'"cycle" is "{cycle.raw}"', "write same or previous")
        return None
    return _named(name, name.value, cycle.value if cycle else "same", task, path, report)


def _named(node: Node, name: str, cycle: str, task: str, path: str, report: Report) -> Dependency | None:
    full = task if name == "self" else name if "." in name else f"{task.partition('.')[0]}.{name}"
    if full == task:
        if cycle == "same":
            report.add_once(path, node.place, f"task {task} depends on itself", _SELF_HINT)
            return None
        return Dependency(DependencyKind.SELF)
    return Dependency(DependencyKind.SAME_CYCLE if cycle == "same" else DependencyKind.PREVIOUS, full)


@dataclass(frozen=True, slots=True)
class Declared:
    """A task's links, and the file that declares them."""

    path: str
    links: tuple[Link, ...]


def check_links(
    declared: Mapping[str, Declared], known: Collection[str], unread: Collection[str], report: Report
) -> None:
    """Every named task exists, and no same-cycle dependencies run in a circle (CAT-4).

    Args:
        declared: by full name of the task.
        known: full names of all tasks, also of those with other problems.
        unread: workspaces whose tasks are not known because their file cannot be read.
    """
    suggestions = 0
    for task, (path, links) in ((t, (d.path, d.links)) for t, d in declared.items()):
        for link in links:
            other = link.dependency.task
            if not other or other in known or other.partition(".")[0] in unread:
                continue
            near = ""
            if suggestions < _MOST_SUGGESTIONS:
                suggestions += 1
                near = did_you_mean(other, [name for name in known if name != task])[2:]
            hint = near or "name a task as NAME, or as WORKSPACE.NAME in another workspace"
            report.add_once(path, link.place, f"{task} depends on {other}, which does not exist", hint)
    _check_loops(declared, report)


def _check_loops(declared: Mapping[str, Declared], report: Report) -> None:
    same = DependencyKind.SAME_CYCLE
    graph = Graph(
        {
            t: tuple(k.dependency.task for k in d.links if k.dependency.kind is same)
            for t, d in declared.items()
        }
    )
    for loop in graph.loops():
        task, upstream = loop[-1], loop[-2]
        source = declared[task]
        place = next(k.place for k in source.links if k.dependency == Dependency(same, upstream))
        message = f"tasks wait for each other in a loop: {' -> '.join(loop)}"
        report.add(
            source.path, place, message, "remove one of these dependencies, or make it `cycle: previous`"
        )
