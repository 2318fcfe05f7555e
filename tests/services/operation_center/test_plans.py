"""Planning and creating through the center: from plain values, as shown, by who has planned it (VER-4)."""

from __future__ import annotations

import pytest

from domain.catalogs import make_catalog, make_task
from retrofill.api.links import link_of
from retrofill.domain.catalog.definitions import ResourceGroup
from retrofill.domain.errors import NotPermittedError, UnknownNameError, UsageError, WrongStateError
from retrofill.domain.inputs import Given
from retrofill.domain.planning.policy import AlertTrigger, OnFailure, Order
from retrofill.domain.selection.ways import LinkSelection, ManualSelection
from retrofill.services.backfills.backfill_rows import PlanChangedError
from services.centers import WorldParts, center_of
from services.worlds import MakeWorld

CHAIN = (
    make_task("w.a", "0 1 * * *"),
    make_task("w.b", "0 2 * * *", "w.a"),
    make_task("w.c", "0 3 * * *", "w.b"),
)
DAYS = {"bizdate": ["2026-01-05..2026-01-06"]}


def test_a_request_is_read_from_plain_values(world: MakeWorld) -> None:
    """SEL-1, POL-4..14: what a form or a program gives, texts and switches, names as people write them."""
    w = world(*CHAIN)
    with w.store.read() as reader:
        number = reader.task_ids()["w.b"]
    given = {
        "task": ["a", str(number)],
        "descendants": "1",
        "exclude": ["a"],
        "groups": "2",
        "order": "desc",
        "on_failure": "continue",
        "alert": "failure",
        "allow_risks": True,
        "name": "again",
        **DAYS,
    }
    request = center_of(w).backfills.plan(given).planned.request
    assert request.selection == ManualSelection(("w.a", "w.b"), descendants=1, exclude=("w.a",))
    policy = request.policy
    assert (policy.groups, policy.order, policy.on_failure) == (2, Order.DESCENDING, OnFailure.CONTINUE)
    assert policy.alert is not None
    assert (policy.alert.trigger, policy.allow_risks, request.name) == (AlertTrigger.FAILURE, True, "again")


def test_the_tasks_of_an_earlier_backfill_are_taken_again(world: MakeWorld) -> None:
    """SEL-9."""
    w = world(*CHAIN)
    center = center_of(w)
    first = center.backfills.create(center.backfills.plan({"from": "a", "to": ["c"], **DAYS}))
    again = center.backfills.plan({"reuse": str(first), "bizdate": ["2026-02-01"]})
    assert again.planned.request.selection == LinkSelection("w.a", ("w.c",))
    with pytest.raises(UnknownNameError, match="there is no backfill 99"):
        center.backfills.plan({"reuse": "99", **DAYS})


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"task": ["a"]}, "no business dates are chosen"),
        (DAYS, "no tasks are chosen"),
        ({"task": ["a"], "all_descendants": "a", **DAYS}, "do not go together"),
        ({"where": ["type=sql"], **DAYS}, "no task fits type=sql"),
        ({"reuse": "x", **DAYS}, '"x" is no id of a backfill'),
        ({"task": ["a"], "name": " ", **DAYS}, "name"),
    ],
)
def test_what_is_no_request_is_refused(world: MakeWorld, given: Given, problem: str) -> None:
    """SEL-0, SEL-1, POL-1."""
    with pytest.raises(UsageError, match=problem):
        center_of(world(*CHAIN)).backfills.plan(given)


def test_overlapping_dates_are_merged_and_told(world: MakeWorld) -> None:
    """POL-1."""
    given = {"task": ["a"], "bizdate": ["2026-01-05..2026-01-06", "2026-01-06"]}
    assert center_of(world(*CHAIN)).backfills.plan(given).notes == (
        "Overlapping bizdates are merged: 2026-01-05..2026-01-06.",
    )


def test_what_was_agreed_to_is_what_is_created(world: MakeWorld) -> None:
    """VER-4: a plan that is another one by now is not created; the same one is, however long it was looked at."""
    w = world(*CHAIN)
    given = {"task": ["a"], "descendants": "all", **DAYS}
    agreed = center_of(w).backfills.plan(given).digest
    w.clock.forward(600)
    center = center_of(w)
    assert center.backfills.plan(given).digest == agreed
    assert center.backfills.plan({**given, "groups": "2"}).digest != agreed
    w.deploy(make_catalog(*CHAIN, make_task("w.d", "0 4 * * *", "w.c"), groups=(ResourceGroup("default"),)))
    center = center_of(w)
    with pytest.raises(PlanChangedError):
        center.backfills.create(center.backfills.plan(given), agreed)
    preview = center.backfills.plan(given)
    number = center.backfills.create(preview, preview.digest)
    assert w.row(number)["task_count"] == 4


def test_a_deploy_between_the_look_and_the_transaction(world: MakeWorld) -> None:
    """VER-4, CAT-2: what was planned from a version that is not deployed any more is not stored."""
    w = world(*CHAIN)
    planned, planned_from = w.plan("a"), w.version_id
    w.deploy(make_catalog(*CHAIN, make_task("w.d", "0 4 * * *"), groups=(ResourceGroup("default"),)))
    with pytest.raises(PlanChangedError):
        w.creation.create(planned, planned_from, "admin")
    with w.store.read() as reader:
        assert reader.backfills() == []


def test_nobody_creates_what_another_has_planned(world: MakeWorld) -> None:
    """SEL-7: it was planned with the rights of the other one."""
    w = world(*CHAIN, members={"w": {"alice": "visitor"}})
    preview = center_of(w).backfills.plan({"task": ["a"], **DAYS})
    w.user = "alice"
    with pytest.raises(NotPermittedError):
        center_of(w).backfills.create(preview)


def test_why_is_kept_in_the_record(world: MakeWorld) -> None:
    """OPS-9: with the backfill, once for a key however often it is sent, and no word of nothing."""
    w = world(*CHAIN)
    backfills = center_of(w).backfills
    given: Given = {"task": ["a"], **DAYS}
    first = backfills.create(backfills.plan(given), comment="loaded twice")
    second = backfills.create_once("key", given, comment="again")
    assert backfills.create_once("key", given, comment="again") == second
    third = backfills.create(backfills.plan(given))
    told = {
        n: [one["comment"] for one in backfills.history(n) if one["comment"]] for n in (first, second, third)
    }
    assert told == {first: ["loaded twice"], second: ["again"], third: []}


def test_a_preview_tells_of_the_load(world: MakeWorld) -> None:
    """BF-2: once tasks have run."""
    w = world(*CHAIN)
    backfills = center_of(w).backfills
    assert backfills.plan({"task": ["a"], **DAYS}).document["load"] is None
    w.create()
    w.clock.forward(60)
    w.finish()
    load = backfills.plan({"task": ["a"], **DAYS}).document["load"]
    assert load is None or load["resource_group"] == "default"


def test_before_the_first_deploy_that_is_said(world: MakeWorld) -> None:
    """CAT-2: and the step is one that a server has a request for."""
    w = world(*CHAIN)

    class Fresh(WorldParts):
        deployed = None

        @property
        def folder(self):  # type: ignore[no-untyped-def]
            from services.centers import WorldCatalog

            return WorldCatalog(w.catalog, None)

    center = center_of(w, Fresh(w))
    with pytest.raises(WrongStateError, match="nothing is deployed yet") as caught:
        center.backfills.create(center.backfills.plan({"task": ["a"], **DAYS}))
    (step,) = caught.value.hint.steps
    assert link_of(step) == {"method": "POST", "href": "/api/v1/versions"}


def test_a_folder_that_is_not_deployed_is_not_backfilled(world: MakeWorld) -> None:
    """CAT-2: instances are made from a version."""
    w = world(*CHAIN)

    class Changed(WorldParts):
        @property
        def folder(self):  # type: ignore[no-untyped-def]
            from services.centers import WorldCatalog

            return WorldCatalog(w.catalog, None)

    center = center_of(w, Changed(w))
    with pytest.raises(WrongStateError, match="differs from what is deployed"):
        center.backfills.create(center.backfills.plan({"task": ["a"], **DAYS}))
