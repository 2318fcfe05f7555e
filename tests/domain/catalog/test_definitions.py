"""The catalog's questions, and its way into text and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples import examples
from retrofill.domain.catalog.definitions import (
    Catalog,
    Dependency,
    DependencyKind,
    Rerun,
    ResourceGroup,
    RunMode,
    ScalerHook,
    SourceFile,
    Task,
    Workspace,
)
from retrofill.domain.catalog.task_types import TaskType
from retrofill.domain.time import cron
from retrofill.services.catalogs import document as catalog_document
from retrofill.services.catalogs.document import UnknownFormatError
from work import calls

DAILY = cron.parse("@daily")
SELF = Dependency(DependencyKind.SELF)


def task(name: str, *upstream: str) -> Task:
    links = tuple(Dependency(DependencyKind.SAME_CYCLE, other) for other in upstream)
    return Task(name, TaskType.VIRTUAL, DAILY, depends_on=links)


def test_a_task_knows_both_halves_of_its_name() -> None:
    """CAT-3."""
    assert (task("ops.raw").workspace, task("ops.raw").short_name) == ("ops", "raw")


def test_a_task_depends_on_itself_only_through_its_previous_cycle() -> None:
    """DEP-6."""
    assert replace(task("ops.raw", "ops.x"), depends_on=(SELF,)).depends_on_itself
    assert not replace(task("ops.raw"), depends_on=(Dependency(DependencyKind.CHILDREN),)).depends_on_itself


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [(None, None, "111"), (2, None, "011"), (None, 2, "110"), (2, 2, "010"), (3, 1, "000")],
)
def test_validity_is_inclusive_at_both_ends(first: int | None, last: int | None, expected: str) -> None:
    """TIME-4."""
    found = replace(
        task("ops.raw"),
        valid_from=date(2013, 1, first) if first else None,
        valid_until=date(2013, 1, last) if last else None,
    )
    assert "".join(str(int(found.is_valid_on(date(2013, 1, day)))) for day in (1, 2, 3)) == expected


def test_a_group_is_bound_to_all_workspaces_or_to_those_it_lists() -> None:
    """CAT-4, POL-10."""
    assert ResourceGroup("g").is_bound_to("ops")
    listed = ResourceGroup("g", workspaces=frozenset({"ops"}))
    assert (listed.is_bound_to("ops"), listed.is_bound_to("weather")) == (True, False)
    assert not ResourceGroup("g", workspaces=frozenset()).is_bound_to("ops")


def test_the_graph_holds_same_cycle_dependencies_only() -> None:
    """Chapter 0: upstream and downstream are by same-cycle dependencies."""
    b = replace(task("w.b", "w.a"), depends_on=(*task("w.b", "w.a").depends_on, SELF))
    c = replace(task("w.c"), depends_on=(Dependency(DependencyKind.PREVIOUS, "w.b"),))
    catalog = Catalog("p", tasks={"w.a": task("w.a"), "w.b": b, "w.c": c})
    assert catalog.graph.descendants(["w.a"]) == {"w.b"}


texts = st.text(st.characters(codec="utf-8"), max_size=20)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True)
words = st.lists(texts, max_size=3).map(tuple)
dates = st.none() | st.dates(date(1970, 1, 1), date(2199, 12, 31))
schedules = st.sampled_from(["@daily", "@hourly", "*/5 1-3 * * MON", "0 2 L * *", "30 1 * FEB 0"]).map(
    cron.parse
)
full_names = st.builds("{}.{}".format, names, names)
dependencies = st.one_of(
    st.builds(Dependency, st.sampled_from([DependencyKind.SAME_CYCLE, DependencyKind.PREVIOUS]), full_names),
    st.builds(Dependency, st.sampled_from([DependencyKind.SELF, DependencyKind.CHILDREN])),
)
tasks = st.builds(
    Task,
    name=full_names,
    type=st.sampled_from(TaskType),
    schedule=schedules,
    code=texts,
    code_file=texts,
    connection=texts,
    parameters=st.lists(st.tuples(names, texts), max_size=3, unique_by=lambda pair: pair[0]).map(tuple),
    depends_on=st.lists(dependencies, max_size=3).map(tuple),
    reads=words,
    writes=words,
    owner=texts,
    priority=st.sampled_from([1, 3, 5, 7, 8]),
    baseline=texts,
    resource_group=names,
    rerun=st.builds(
        Rerun, st.sampled_from(["always", "never"]), st.integers(0, 10), st.integers(0, 1800), st.booleans()
    ),
    timeout_seconds=st.integers(1, 604_800),
    max_parallel_instances=st.none() | st.integers(1, 9),
    mode=st.sampled_from(RunMode),
    generation=st.sampled_from(["next_day", "immediate"]),
    valid_from=dates,
    valid_until=dates,
    tags=words,
    description=texts,
)
json_values = st.recursive(
    st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=4,
)


def by_name(values: list[object]) -> dict[str, object]:
    return {value.name: value for value in sorted(values, key=lambda v: v.name)}  # type: ignore[attr-defined]


def named(values: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    name: Callable[[object], str] = lambda value: value.name  # type: ignore[attr-defined]  # noqa: E731
    return st.lists(values, max_size=3, unique_by=name).map(by_name)


catalogs = st.builds(
    Catalog,
    project=names,
    timezone=st.sampled_from(["UTC", "Asia/Shanghai"]),
    region=names,
    workspaces=named(st.builds(Workspace, names, texts, names, st.dictionaries(names, names, max_size=2))),
    tasks=named(tasks),
    resource_groups=named(
        st.builds(
            ResourceGroup,
            names,
            names,
            st.integers(1, 9),
            st.integers(0, 9),
            st.none() | st.frozensets(names),
            st.sampled_from(["local", "pull"]),
            st.none() | st.builds(ScalerHook, st.lists(texts, max_size=2).map(tuple), texts, texts),
        )
    ),
    baselines=st.dictionaries(names, st.integers(1, 8), max_size=2),
    connections=st.dictionaries(names, texts, max_size=2),
    settings=st.dictionaries(names, json_values, max_size=2),
    files=st.lists(st.builds(SourceFile, texts, texts), max_size=2).map(tuple),
)


@settings(max_examples=examples(30))
@given(catalogs)
def test_a_catalog_survives_its_document(catalog: Catalog) -> None:
    """CAT-1: a version is immutable, and nothing of it is lost."""
    text = catalog_document.dump(catalog)
    loaded = catalog_document.load(text)
    assert loaded == catalog
    assert catalog_document.dump(loaded) == text
    assert list(loaded.tasks) == sorted(catalog.tasks)


@settings(max_examples=examples(10))
@given(catalogs)
def test_the_document_does_not_depend_on_the_order_of_names(catalog: Catalog) -> None:
    """CAT-1: an unchanged folder makes no new version."""
    turned = replace(
        catalog,
        connections=dict(reversed(catalog.connections.items())),
        tasks=dict(reversed(catalog.tasks.items())),
        workspaces=dict(reversed(catalog.workspaces.items())),
    )
    assert catalog_document.dump(turned) == catalog_document.dump(catalog)


def test_a_document_of_a_newer_program_is_refused() -> None:
    text = json.dumps({"format": 99})
    with pytest.raises(UnknownFormatError, match="format 99, and this program reads format 1"):
        catalog_document.load(text)


def test_secrets_stay_references() -> None:
    """SEC-3."""
    catalog = Catalog("p", connections={"w": "x://${secret:PASSWORD}@h"})
    assert "${secret:PASSWORD}" in catalog_document.dump(catalog)


def test_the_work_of_loading_grows_with_the_tasks() -> None:
    """CAT-1: and no faster."""

    def load(count: int) -> int:
        tasks = {
            f"w.t{n:04}": replace(task(f"w.t{n:04}", *[f"w.t{n - 1:04}"] * (n > 0)), code="x")
            for n in range(count)
        }
        text = catalog_document.dump(Catalog("p", tasks=tasks))
        assert len(catalog_document.load(text).tasks) == count
        return calls(lambda: catalog_document.load(text))

    assert load(2000) < 11 * load(200)
