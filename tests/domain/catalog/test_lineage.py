"""Which tasks tables join, and dependencies that are missing."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from domain.catalogs import CHILDREN, SELF, make_catalog, make_task, previous, random_catalog
from retrofill.domain.catalog.definitions import Catalog, Dependency, DependencyKind
from retrofill.domain.catalog.lineage import (
    Table,
    TableGraph,
    TaskLineage,
    Users,
    undeclared_dependencies,
)


def _lineage(reads: str = "", writes: str = "") -> TaskLineage:
    return TaskLineage().with_declared(reads.split(), writes.split())


def _found(catalog: Catalog, lineages: dict[str, TaskLineage]) -> list[tuple[str, str]]:
    return [(found.task, found.writer) for found in undeclared_dependencies(catalog, lineages)]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Table("raw.t", "db"), Table("raw.t", "db"), True),
        (Table("raw.t", "db"), Table("RAW.T", "db"), True),
        (Table("raw.t", "db"), Table("raw.t", "mart"), False),
        (Table("raw.t", "db"), Table("raw.t"), True),
        (Table("raw.t"), Table("raw.u"), False),
    ],
)
def test_same_table(one: Table, other: Table, same: bool) -> None:
    """OPS-10: by name and connection; a declared one is the same in any connection."""
    assert one.is_same_as(other) is other.is_same_as(one) is same
    users = Users({"w.a": TaskLineage(reads=(one,), writes=(one,))})
    assert users.writers(other) == users.readers(other) == (("w.a",) if same else ())


def test_declared_tables_are_added() -> None:
    """OPS-10: to those found in the code, each once."""
    found = TaskLineage((Table("raw.t", "db"),), ()).with_declared(["RAW.T", "x", "x"], ["y"])
    assert found.reads == (Table("raw.t", "db"), Table("x"))
    assert found.writes == (Table("y"),)


@pytest.mark.parametrize(
    ("depends_on", "warns"),
    [
        ((), True),
        (("w.a",), False),
        (("w.between",), False),
        ((previous("w.a"),), False),
        ((previous("w.between"),), False),
        ((SELF,), True),
        (("w.other",), True),
    ],
)
def test_reading_without_depending(depends_on: tuple[str | Dependency, ...], warns: bool) -> None:
    """OPS-10: an ancestor counts, and so does a previous cycle."""
    catalog = make_catalog(
        make_task("w.a", "@daily"),
        make_task("w.between", "@daily", "w.a"),
        make_task("w.other", "@daily"),
        make_task("w.b", "@daily", *depends_on),
    )
    lineages = {"w.a": _lineage(writes="t u"), "w.b": _lineage(reads="t u v")}
    found = list(undeclared_dependencies(catalog, lineages))
    if not warns:
        assert found == []
        return
    assert [item.message for item in found] == [
        "w.b reads t and u, which w.a writes, without depending on it"
    ]
    assert "cycle: previous" in found[0].hint


def test_children_count_as_depended_on() -> None:
    """OPS-10: with `children: previous` a task waits for those below it."""
    catalog = make_catalog(make_task("w.b", "@daily", CHILDREN), make_task("w.a", "@daily", "w.b"))
    assert _found(catalog, {"w.a": _lineage(writes="t"), "w.b": _lineage(reads="t")}) == []


def test_a_writer_below_is_ordered() -> None:
    """OPS-10: who runs after the reader by declaration is no surprise to it."""
    catalog = make_catalog(make_task("w.b", "@daily"), make_task("w.a", "@daily", "w.b"))
    assert _found(catalog, {"w.a": _lineage(writes="t"), "w.b": _lineage(reads="t")}) == []


def test_own_tables_do_not_count() -> None:
    """OPS-10: a task that writes a table too may be reading its own rows."""
    catalog = make_catalog(make_task("w.a", "@daily"), make_task("w.b", "@daily"))
    assert _found(catalog, {"w.a": _lineage(writes="t"), "w.b": _lineage("t", "t")}) == []


@pytest.mark.parametrize("seed", range(60))
def test_against_a_slow_version(seed: int) -> None:
    """OPS-10: whoever reads what another writes, and no way of dependencies leads from one to the other."""
    chance = Random(seed)
    catalog = random_catalog(chance)
    lineages = {
        name: _lineage(
            " ".join(chance.sample(["s", "t", "u"], chance.randint(0, 2))),
            " ".join(chance.sample(["s", "t", "u"], chance.randint(0, 1))),
        )
        for name in catalog.tasks
    }
    names = list(catalog.tasks)
    waits = {(b, a) for b in names for a in names if _waits_directly(catalog, b, a)}
    for k in names:  # Warshall's closure
        waits |= {(b, a) for b in names for a in names if (b, k) in waits and (k, a) in waits}
    expected = sorted(
        (b, a)
        for b in names
        for a in names
        if (b, a) not in waits
        and (a, b) not in waits
        and a != b
        and (set(lineages[b].reads) - set(lineages[b].writes)) & set(lineages[a].writes)
    )
    assert _found(catalog, lineages) == expected


def _waits_directly(catalog: Catalog, task: str, other: str) -> bool:
    same = DependencyKind.SAME_CYCLE
    return any(
        d.task == other
        or (
            d.kind is DependencyKind.CHILDREN
            and replace(d, kind=same, task=task) in catalog.tasks[other].depends_on
        )
        for d in catalog.tasks[task].depends_on
    )


FLOW = {
    "w.load": _lineage("raw.orders", "stage.orders"),
    "w.rates": _lineage("", "stage.rates"),
    "w.net": _lineage("stage.orders stage.rates mart.net", "mart.net"),
    "w.report": _lineage("MART.NET", "mart.report"),
}


def test_tables_are_joined_by_tasks() -> None:
    """OPS-10: from what a task reads to what it writes; its own rows are no other table."""
    graph = TableGraph(FLOW)
    net = graph.find("mart.net")
    assert net is not None
    assert [(one.upstream.name, one.task) for one in graph.above(net)] == [
        ("stage.orders", "w.net"),
        ("stage.rates", "w.net"),
    ]
    assert [(one.downstream.name, one.task) for one in graph.below(net)] == [("mart.report", "w.report")]
    assert (graph.writers(net), graph.readers(net)) == (("w.net",), ("w.net", "w.report"))
    assert graph.find("mart.nothing") is None


def test_a_table_without_a_connection_is_the_only_one_of_its_name() -> None:
    """OPS-10: where there are two, it is not known which of them."""
    one, other, declared = Table("raw.t", "db"), Table("raw.t", "mart"), Table("raw.t")
    alone = TableGraph({"w.a": TaskLineage(writes=(one,)), "w.b": TaskLineage(reads=(declared,))})
    assert alone.tables == [one]
    assert (alone.writers(one), alone.readers(one)) == (("w.a",), ("w.b",))
    both = TableGraph({"w.a": TaskLineage(writes=(one, other)), "w.b": TaskLineage(reads=(declared,))})
    assert both.tables == [declared, one, other]
    assert both.find("raw.T", "mart") == other
