"""Tables and the tasks that join them: found by name, and as a picture around one (OPS-10, SEC-2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.catalogs import make_catalog, make_task
from retrofill.domain.catalog.definitions import Task
from retrofill.domain.catalog.task_types import TASK_TYPES
from retrofill.domain.errors import UnknownNameError
from retrofill.services.reading.tables import MOST_TABLES, PictureTooLargeError
from services.centers import center_of
from services.worlds import MakeWorld, World

MEMBERS = {"w": {"alice": "visitor"}, "v": {"greta": "visitor"}}
NET = "insert into mart.net select o.id, o.price * r.rate as euro from stage.orders o join stage.rates r on o.day = r.day"


def sql(name: str, code: str, **more: Any) -> Task:
    return make_task(name, "0 1 * * *", type=TASK_TYPES["sql"], code=code, connection="wh", **more)


TASKS = (
    make_task("w.load", "0 1 * * *", reads=("raw.orders",), writes=("stage.orders",)),
    make_task("v.rates", "0 1 * * *", reads=("vault.bank",), writes=("stage.rates",)),
    sql("w.net", NET),
    sql("w.report", "insert into mart.report (total) select sum(euro) from mart.net"),
)


def make(world: MakeWorld, *tasks: Task) -> World:
    w = world(*(tasks or TASKS), members=MEMBERS)
    w.deploy(replace(w.catalog, connections={"wh": "postgresql://db.example.org/dwh"}))
    return w


def test_tables_by_name(world: MakeWorld) -> None:
    """OPS-10: declared ones and those of SQL; page by page."""
    center = center_of(make(world))
    found = center.tables.list()
    names = ["mart.net", "mart.report", "raw.orders", "stage.orders", "stage.rates", "vault.bank"]
    assert [row["table"] for row in found["items"]] == names
    assert found["items"][3] == {
        "table": "stage.orders",
        "connection": "wh",
        "written_by": ["w.load"],
        "read_by": ["w.net"],
    }
    first = center.tables.list("STAGE", 1)
    assert ([row["table"] for row in first["items"]], first["next"]) == (["stage.orders"], "stage.orders")
    rest = center.tables.list("STAGE", 1, first["next"])
    assert ([row["table"] for row in rest["items"]], rest["next"]) == (["stage.rates"], None)


def test_tables_of_one_name_stand_on_one_page(world: MakeWorld) -> None:
    """So that the cursor, which is a name, passes over none."""
    w = world(sql("w.a", "insert into raw.t select 1"), sql("w.b", "insert into raw.t select 1"))
    both = [replace(w.catalog.tasks["w.a"], connection="one"), w.catalog.tasks["w.b"]]
    urls = {name: f"postgresql://{name}.example.org/x" for name in ("one", "wh")}
    w.deploy(replace(make_catalog(*both), connections=urls))
    found = center_of(w).tables.list(limit=1)
    assert [(row["table"], row["connection"]) for row in found["items"]] == [
        ("raw.t", "one"),
        ("raw.t", "wh"),
    ]
    assert found["next"] is None
    assert center_of(w).tables.show("raw.t", "wh")["tables"][0]["written_by"] == ["w.b"]


def test_a_picture_goes_level_by_level(world: MakeWorld) -> None:
    """OPS-10: what a table is made from above it, what is made of it below."""
    center = center_of(make(world))
    near = center.tables.show("MART.net")
    assert [(one["table"], one["level"]) for one in near["tables"]] == [
        ("stage.orders", -1),
        ("stage.rates", -1),
        ("mart.net", 0),
        ("mart.report", 1),
    ]
    assert [(e["upstream"], e["downstream"], e["task"]) for e in near["edges"]] == [
        (0, 2, "w.net"),
        (1, 2, "w.net"),
        (2, 3, "w.report"),
    ]
    assert (near["more_above"], near["more_below"]) == (True, False)
    far = center.tables.show("mart.net", up=5, down=5)
    assert {one["table"]: one["level"] for one in far["tables"]}["vault.bank"] == -2
    assert not far["more_above"]


def test_columns_come_from_columns(world: MakeWorld) -> None:
    """OPS-10: and go on to others."""
    columns = {one["column"]: one for one in center_of(make(world)).tables.show("mart.net")["columns"]}
    sources = {(one["table"], one["column"]) for one in columns["euro"]["comes_from"]}
    assert sources == {("stage.orders", "price"), ("stage.rates", "rate")}
    assert columns["euro"]["goes_to"] == [{"table": "mart.report", "column": "total", "task": "w.report"}]


def test_what_cannot_be_read_is_said(world: MakeWorld) -> None:
    w = make(world, sql("w.bad", "insert into mart.net select from from where", reads=("raw.orders",)))
    found = center_of(w).tables.show("raw.orders")
    assert found["problems"].keys() == {"w.bad"}


def test_of_foreign_tasks_nothing(world: MakeWorld) -> None:
    """SEC-2: neither the tables that only those use, nor that they are at work on others."""
    w = make(world)
    w.user = "alice"
    center = center_of(w)
    assert "vault.bank" not in [row["table"] for row in center.tables.list()["items"]]
    rates = next(row for row in center.tables.list()["items"] if row["table"] == "stage.rates")
    assert rates["written_by"] == []
    with pytest.raises(UnknownNameError):
        center.tables.show("vault.bank")
    picture = center.tables.show("mart.net", up=9, down=9)
    assert "v.rates" not in str(picture)
    assert "vault" not in str(picture)


def test_a_picture_of_too_many_is_refused(world: MakeWorld) -> None:
    many = tuple(f"raw.t{number}" for number in range(MOST_TABLES + 1))
    w = world(make_task("w.all", "0 1 * * *", reads=many, writes=("mart.all",)))
    with pytest.raises(PictureTooLargeError):
        center_of(w).tables.show("mart.all")
    assert len(center_of(w).tables.show("mart.all", up=0)["tables"]) == 1


def test_catalogs_are_searched_by_table(world: MakeWorld) -> None:
    """CAT-3: by part of a name, by id, by tag, by a table that is declared or that SQL names."""
    w = make(world, *TASKS, make_task("w.other", "0 1 * * *", tags=("net-of-fees",), owner="alice"))
    tasks = center_of(w).tasks

    def found(text: str, **more: Any) -> list[str]:
        return [row["task"] for row in tasks.list(search=text, **more)["items"]]

    assert found("NET") == ["w.net", "w.other", "w.report"], "report reads mart.net"
    assert found("stage.rates") == ["v.rates", "w.net"]
    ids = {row["task"]: row["id"] for row in tasks.list()["items"]}
    assert found(str(ids["w.report"])) == ["w.report"]
    assert found("euro") == [], "a column is no table"
    assert tasks.list({"owner": "alice"})["total"] == 1
    tasks.freeze(["w.net"])
    assert [row["task"] for row in tasks.list(frozen=True)["items"]] == ["w.net"]
    assert tasks.list(frozen=False, limit=1)["total"] == 4
