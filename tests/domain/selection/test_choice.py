"""Which tasks run, which are dry runs, which are left out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.catalogs import make_catalog, make_task, previous, random_catalog
from examples import examples
from retrofill.domain.catalog.definitions import Catalog
from retrofill.domain.errors import Kind, NotPermittedError, UnknownNameError
from retrofill.domain.people.rights import Rights
from retrofill.domain.selection.choice import (
    Choice,
    Limits,
    NotChosenError,
    NotDescendantError,
    NothingToRunError,
    NotReachableError,
    RegionError,
    SelectionError,
    TooManyTasksError,
    resolve,
)
from retrofill.domain.selection.ways import (
    AllDescendantsSelection,
    LinkSelection,
    ManualSelection,
    Selection,
    WorkspaceSelection,
    automatic_name,
    from_json,
    to_json,
)

DAILY = "0 2 * * *"


def graph(*edges: str, **more: str) -> Catalog:
    """Daily tasks from "w.a>w.b" (b waits for a)."""
    waits: dict[str, list[str]] = {}
    for edge in edges:
        up, _, down = edge.partition(">")
        waits.setdefault(up, [])
        if down:
            waits.setdefault(down, []).append(up)
    return make_catalog(*(make_task(name, DAILY, *ups) for name, ups in waits.items()), regions=more)


LINE = graph("w.a>w.b", "w.b>w.c", "w.c>w.d")
#     a -> b -> d -> f
#      \-> c -> e -> f     z alone
DIAMOND = graph("w.a>w.b", "w.a>v.c", "w.b>w.d", "v.c>v.e", "w.d>w.f", "v.e>w.f", "w.z")


def all_but(catalog: Catalog, *names: str) -> Rights:
    """Permission for every task but these; all can be seen."""
    return Rights(permitted=set(catalog.tasks) - set(names))


def test_roots_alone() -> None:
    """SEL-1: roots need not be related; what lies between none of them takes no part."""
    assert resolve(ManualSelection(("w.a", "w.z")), DIAMOND) == Choice(("w.a", "w.z"))


def test_a_task_between_chosen_ones_is_a_dry_run() -> None:
    """SEL-6: backfill A and C of A -> B -> C."""
    choice = resolve(ManualSelection(("w.a", "w.c")), LINE)
    assert choice == Choice(("w.a", "w.b", "w.c"), {"w.b": "intermediate"})


def test_descendants_by_level() -> None:
    """SEL-1: level 1 is direct; the shortest distance counts."""
    catalog = graph("w.a>w.b", "w.b>w.c", "w.a>w.c", "w.c>w.d")
    assert resolve(ManualSelection(("w.a",), 1), catalog).tasks == ("w.a", "w.b", "w.c")
    assert resolve(ManualSelection(("w.a",), 2), catalog).tasks == ("w.a", "w.b", "w.c", "w.d")
    assert resolve(ManualSelection(("w.a",), "all"), catalog).tasks == ("w.a", "w.b", "w.c", "w.d")
    assert resolve(ManualSelection(("w.d",), "all"), catalog).tasks == ("w.d",)
    with pytest.raises(SelectionError, match="level 0"):
        resolve(ManualSelection(("w.a",), 0), catalog)


def test_descendants_chosen_singly() -> None:
    """SEL-1, SEL-6: `only` implies all levels, and what lies between is a dry run."""
    choice = resolve(ManualSelection(("w.a",), only=("w.d",)), LINE)
    assert choice.tasks == ("w.a", "w.b", "w.c", "w.d")
    assert choice.dry_runs == {"w.b": "intermediate", "w.c": "intermediate"}
    with pytest.raises(NotDescendantError, match=r"w\.a: no descendant"):
        resolve(ManualSelection(("w.b",), only=("w.a", "w.c")), LINE)


def test_a_root_is_blacklisted_and_a_descendant_taken_out() -> None:
    """SEL-1, SEL-6: the reasons differ; a blacklisted task at the rim takes no part."""
    choice = resolve(ManualSelection(("w.a", "w.b"), "all", exclude=("w.b", "w.c")), LINE)
    assert choice.dry_runs == {"w.b": "blacklisted", "w.c": "intermediate"}
    assert resolve(ManualSelection(("w.a",), "all", exclude=("w.a",)), LINE).tasks == ("w.b", "w.c", "w.d")
    assert resolve(ManualSelection(("w.a",), "all", exclude=("w.d",)), LINE) == Choice(("w.a", "w.b", "w.c"))


def test_blacklisting_what_is_not_chosen_is_an_error() -> None:
    """SEL-6: in every way of choosing."""
    for selection in (
        ManualSelection(("w.b",), exclude=("w.c",)),
        ManualSelection(("w.b",), only=("w.c",), exclude=("w.d",)),
        LinkSelection("w.a", ("w.b",), exclude=("w.c",)),
        AllDescendantsSelection("w.b", exclude=("w.a",)),
        WorkspaceSelection("w.b", ("w",), include_root=False, exclude=("w.b",)),
    ):
        with pytest.raises(NotChosenError):
            resolve(selection, LINE)


def test_a_link_is_everything_between() -> None:
    """SEL-2."""
    assert resolve(LinkSelection("w.a", ("w.d",)), DIAMOND).tasks == ("w.a", "w.b", "w.d")
    assert resolve(LinkSelection("w.a", ("w.f",)), DIAMOND).tasks == (
        "v.c",
        "v.e",
        "w.a",
        "w.b",
        "w.d",
        "w.f",
    )
    assert resolve(LinkSelection("w.a", ("w.b", "v.c")), DIAMOND).tasks == ("v.c", "w.a", "w.b")
    choice = resolve(LinkSelection("w.a", ("w.d",), exclude=("w.b",)), DIAMOND)
    assert choice.dry_runs == {"w.b": "blacklisted"}


def test_a_link_that_does_not_hold_is_an_error() -> None:
    """SEL-2: every end that the start does not reach is named."""
    with pytest.raises(NotReachableError, match=r"w\.a, w\.z do not depend on w\.b"):
        resolve(LinkSelection("w.b", ("w.a", "w.d", "w.z")), DIAMOND)
    with pytest.raises(NotReachableError, match="both the start"):
        resolve(LinkSelection("w.a", ("w.a",)), DIAMOND)


def test_by_workspace() -> None:
    """SEL-3: the root's descendants in the workspaces; include root counts whatever they are."""
    assert resolve(WorkspaceSelection("w.a", ("v",)), DIAMOND).tasks == ("v.c", "v.e", "w.a")
    assert resolve(WorkspaceSelection("w.a", ("v",), include_root=False), DIAMOND).tasks == ("v.c", "v.e")
    choice = resolve(WorkspaceSelection("w.a", ("w",), include_root=False), DIAMOND)
    assert choice.tasks == ("w.b", "w.d", "w.f")


def test_the_blacklist_beats_the_whitelist() -> None:
    """SEL-3: the whitelist may hold any task."""
    choice = resolve(WorkspaceSelection("w.a", ("v",), True, ("w.z", "w.f"), ("w.z", "v.c")), DIAMOND)
    assert choice.tasks == ("v.c", "v.e", "w.a", "w.b", "w.d", "w.f")
    assert choice.dry_runs == {"v.c": "blacklisted", "w.b": "intermediate", "w.d": "intermediate"}


def test_workspaces_that_cannot_be_chosen() -> None:
    """SEL-3: another region, unknown, or none; one without descendants is only told."""
    catalog = graph("w.a>w.b", "far.x", "empty.y", w="east", far="west", empty="east")
    with pytest.raises(RegionError, match="far: not of the region east"):
        resolve(WorkspaceSelection("w.a", ("w", "far")), catalog)
    with pytest.raises(UnknownNameError, match='no workspace "wx"'):
        resolve(WorkspaceSelection("w.a", ("wx",)), catalog)
    with pytest.raises(UnknownNameError):
        resolve(WorkspaceSelection("w.a", ("empty",)), catalog, rights=Rights(workspaces={"w"}))
    with pytest.raises(SelectionError, match="no workspace is chosen"):
        resolve(WorkspaceSelection("w.a", ()), catalog)
    assert resolve(WorkspaceSelection("w.a", ("w", "empty")), catalog).empty_workspaces == ("empty",)


def test_all_descendants() -> None:
    """SEL-4: a root without descendants means only itself."""
    assert resolve(AllDescendantsSelection("w.b"), DIAMOND).tasks == ("w.b", "w.d", "w.f")
    assert resolve(AllDescendantsSelection("w.f"), DIAMOND).tasks == ("w.f",)
    choice = resolve(AllDescendantsSelection("w.b", exclude=("w.b", "w.d")), DIAMOND)
    assert choice == Choice(("w.f",))


def test_only_same_cycle_dependencies_make_descendants() -> None:
    """SEL-1, chapter 0: a previous-cycle dependency is no way down."""
    catalog = make_catalog(make_task("w.a", DAILY), make_task("w.b", DAILY, previous("w.a")))
    assert resolve(AllDescendantsSelection("w.a"), catalog).tasks == ("w.a",)


def test_limits_count_before_the_blacklist_and_without_intermediates() -> None:
    """SEL-1, SEL-3: the counts are in the message, and the setting's name."""
    with pytest.raises(TooManyTasksError, match=r"4 tasks are more than the 3 .*setting max_tasks"):
        resolve(ManualSelection(("w.a",), "all", exclude=("w.a",)), LINE, Limits(max_tasks=3))
    with pytest.raises(TooManyTasksError, match=r"2 root tasks are more than the 1 .*setting max_roots"):
        resolve(ManualSelection(("w.a", "w.b", "w.a")), LINE, Limits(max_roots=1))
    assert len(resolve(ManualSelection(("w.a", "w.d")), LINE, Limits(max_tasks=2)).tasks) == 4
    assert resolve(ManualSelection(("w.a",), "all", exclude=("w.d",)), LINE, Limits(max_tasks=3)).tasks
    with pytest.raises(TooManyTasksError, match=r"setting max_workspace_tasks"):
        resolve(WorkspaceSelection("w.a", ("w",)), LINE, Limits(max_workspace_tasks=3))
    assert len(resolve(LinkSelection("w.a", ("w.d",)), LINE, Limits(max_tasks=2)).tasks) == 4


def test_default_limits() -> None:
    """SEL-1: 500 roots, 2,000 tasks."""
    wide = graph(*(f"w.t{i}" for i in range(501)))
    resolve(ManualSelection(tuple(wide.tasks)[:500]), wide)
    with pytest.raises(TooManyTasksError, match="501 root tasks are more than the 500"):
        resolve(ManualSelection(tuple(wide.tasks)), wide)
    deep = graph(*(f"w.r>w.t{i}" for i in range(2_000)))
    with pytest.raises(TooManyTasksError, match="2,001 tasks are more than the 2,000"):
        resolve(ManualSelection(("w.r",), "all"), deep)
    assert len(resolve(AllDescendantsSelection("w.r"), deep).tasks) == 2_001


@pytest.mark.parametrize(
    "selection",
    [
        ManualSelection(("w.c",)),
        ManualSelection(("w.a",), only=("w.c",)),
        LinkSelection("w.c", ("w.d",)),
        LinkSelection("w.a", ("w.c",)),
        WorkspaceSelection("w.a", ("w",), include=("w.c",)),
        AllDescendantsSelection("w.c"),
        WorkspaceSelection("w.c", ("w",)),
    ],
)
def test_named_tasks_need_permission(selection: Selection) -> None:
    """SEL-7."""
    with pytest.raises(NotPermittedError, match=r"you may not backfill w\.c$"):
        resolve(selection, LINE, rights=all_but(LINE, "w.c"))


def test_tasks_that_do_not_run_need_no_permission() -> None:
    """SEL-7: blacklisted ones, and a root that is not included."""
    rights = all_but(LINE, "w.a")
    assert resolve(WorkspaceSelection("w.a", ("w",), False), LINE, rights=rights).tasks == (
        "w.b",
        "w.c",
        "w.d",
    )
    selection = ManualSelection(("w.a",), "all", exclude=("w.a",))
    assert resolve(selection, LINE, rights=rights).tasks == ("w.b", "w.c", "w.d")


def test_tasks_that_came_in_without_permission() -> None:
    """SEL-6, SEL-7: a dry run where it lies between, left out at the rim; blacklisted beats no permission."""
    choice = resolve(ManualSelection(("w.a",), "all"), LINE, rights=all_but(LINE, "w.b", "w.d"))
    assert choice == Choice(("w.a", "w.b", "w.c"), {"w.b": "no_permission"}, ("w.d",))
    choice = resolve(ManualSelection(("w.a",), 1), LINE, rights=all_but(LINE, "w.c"))
    assert choice == Choice(("w.a", "w.b")), "w.c is beyond the level"
    choice = resolve(LinkSelection("w.a", ("w.d",), ("w.b",)), LINE, rights=all_but(LINE, "w.b", "w.c"))
    assert choice.dry_runs == {"w.b": "blacklisted", "w.c": "no_permission"}


def test_foreign_tasks_do_not_exist_for_the_user() -> None:
    """SEL-5, SEC-2: named, they are unknown; on the way, they are found through, and never named at the rim."""
    member_of_w = Rights(permitted={n for n in DIAMOND.tasks if n[0] == "w"}, workspaces={"w"})
    for selection in (ManualSelection(("v.c",)), ManualSelection(("w.a",), "all", exclude=("v.c",))):
        with pytest.raises(UnknownNameError, match=r"there is no task v\.c") as foreign:
            resolve(selection, DIAMOND, rights=member_of_w)
        assert foreign.value.kind is Kind.UNKNOWN
    choice = resolve(AllDescendantsSelection("w.a"), DIAMOND, rights=member_of_w)
    assert choice.dry_runs == {"v.c": "no_permission", "v.e": "no_permission"}
    rim = graph("w.a>v.b", "v.b>v.c", "v.b>w.d")
    rights = Rights(permitted={"w.a", "w.d"}, workspaces={"w"})
    choice = resolve(AllDescendantsSelection("w.a"), rim, rights=rights)
    assert (choice.tasks, choice.left_out, choice.left_out_unseen) == (("v.b", "w.a", "w.d"), (), 1)


def test_an_unknown_name_is_met_with_a_near_one_that_may_be_seen() -> None:
    """SEL-5."""
    catalog = graph("w.daily_report", "v.daily_reports")
    with pytest.raises(UnknownNameError, match=r'w\.dayly_report; did you mean "w\.daily_report"\?'):
        resolve(ManualSelection(("w.dayly_report",)), catalog)
    with pytest.raises(UnknownNameError) as caught:
        resolve(ManualSelection(("v.daily_report",)), catalog, rights=Rights(workspaces={"u"}))
    assert "did you mean" not in caught.value.message


def test_nothing_left_to_run() -> None:
    """SEL-6: an error with the reason."""
    with pytest.raises(NothingToRunError, match="every chosen task is blacklisted"):
        resolve(ManualSelection(("w.a",), exclude=("w.a",)), LINE)
    with pytest.raises(NothingToRunError, match="you may not backfill any"):
        resolve(WorkspaceSelection("w.a", ("w",), False), LINE, rights=Rights(permitted=()))
    with pytest.raises(NothingToRunError, match="no descendants in the workspace v, and is itself left out"):
        resolve(
            WorkspaceSelection("w.a", ("v",), False),
            make_catalog(*LINE.tasks.values(), regions={"v": "default"}),
        )
    with pytest.raises(NothingToRunError, match="no root"):
        resolve(ManualSelection(()), LINE)


@pytest.mark.parametrize(
    "selection",
    [
        ManualSelection(("w.a", "w.b"), 2, ("w.c",), ("w.a",)),
        ManualSelection(("w.a",), "all"),
        LinkSelection("w.a", ("w.b", "w.c"), ("w.b",)),
        WorkspaceSelection("w.a", ("w",), False, ("w.z",), ("w.b",)),
        AllDescendantsSelection("w.a", ("w.b",)),
    ],
)
def test_a_selection_survives_storage(selection: Selection) -> None:
    """SEL-9."""
    assert from_json(json.loads(json.dumps(to_json(selection)))) == selection


def test_a_choice_survives_storage() -> None:
    """SEL-9."""
    choice = resolve(LinkSelection("w.a", ("w.d",), ("w.b",)), LINE, rights=all_but(LINE, "w.c"))
    assert Choice.from_json(json.loads(json.dumps(choice.to_json()))) == choice


def test_an_automatic_name() -> None:
    """SEL-0: first root, date and time; at most 128 characters."""
    now = datetime(2026, 3, 12, 8, 5, 9, tzinfo=UTC)
    assert automatic_name(ManualSelection(("w.b", "w.a")), now) == "w.b_20260312_080509"
    assert len(automatic_name(AllDescendantsSelection("w." + "x" * 300), now)) == 128


# -- against the rules, written down slowly


def depends_on(catalog: Catalog, below: str, above: str) -> bool:
    """Whether a way leads from `above` down to `below`, by walking up every way there is."""
    direct = [d.task for d in catalog.tasks[below].depends_on if d.kind == "same_cycle"]
    return any(name == above or depends_on(catalog, name, above) for name in direct)


def expected_choice(catalog: Catalog, chosen: set[str], blacklist: set[str], permitted: set[str]) -> Choice:
    """SEL-6 and SEL-7 word by word."""
    running = (chosen - blacklist) & permitted
    dry = {
        name
        for name in set(catalog.tasks) - running
        if any(depends_on(catalog, name, up) for up in running)
        and any(depends_on(catalog, down, name) for down in running)
    }
    reasons = {
        name: "blacklisted" if name in blacklist else "no_permission" if name in chosen else "intermediate"
        for name in dry
    }
    left_out = chosen - blacklist - permitted - dry
    return Choice(tuple(sorted(running | dry)), reasons, tuple(sorted(left_out)))  # type: ignore[arg-type]


@given(st.randoms(use_true_random=False))
@settings(max_examples=examples(300))
def test_random_selections_agree_with_the_rules(chance: Random) -> None:
    """SEL-1..4, SEL-6, SEL-7."""
    catalog = random_catalog(chance)
    names = sorted(catalog.tasks)
    root = chance.choice(names)
    below = {name for name in names if depends_on(catalog, name, root)}
    way = chance.choice(["manual", "all", "link", "workspace"])
    selection: Selection
    blacklist: set[str] = set()
    if way == "manual":
        roots = {root, chance.choice(names)}
        below = {n for n in names if any(depends_on(catalog, n, r) for r in roots)}
        out = set(chance.sample(sorted(below - roots), min(1, len(below - roots))))
        chosen = roots | below - out
        blacklist = {chance.choice(sorted(roots))}
        selection = ManualSelection(tuple(sorted(roots)), "all", exclude=tuple(sorted(out | blacklist)))
        named = roots
    elif way == "all":
        chosen, named = {root} | below, {root}
        selection = AllDescendantsSelection(root)
    elif way == "link" and below:
        end = chance.choice(sorted(below))
        middle = {n for n in below if depends_on(catalog, end, n)}
        chosen, named = {root, end} | middle, {root, end}
        blacklist = {chance.choice(sorted(chosen))}
        selection = LinkSelection(root, (end,), tuple(blacklist))
    else:
        workspace = chance.choice(sorted(catalog.workspaces))
        chosen, named = {n for n in below if n.startswith(workspace)} | {root}, {root}
        selection = WorkspaceSelection(root, (workspace,))
    permitted = set(chance.sample(names, chance.randint(1, len(names)))) | named
    rights = Rights(permitted=permitted)
    if chosen <= blacklist:
        with pytest.raises(NothingToRunError):
            resolve(selection, catalog, rights=rights)
        return
    try:
        choice = resolve(selection, catalog, rights=rights)
    except NothingToRunError:
        assert not (chosen - blacklist) & permitted
        return
    expected = expected_choice(catalog, chosen, blacklist, permitted)
    assert (choice.tasks, choice.dry_runs, choice.left_out) == (
        expected.tasks,
        expected.dry_runs,
        expected.left_out,
    )
