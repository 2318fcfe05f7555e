"""What the buttons of the form change, besides sending it: `do` names an edit, and what it is about after a colon.

`add:task` adds what is written beside it, `drop:to:w.a` takes a task away, `fix:order=asc` is the remedy of a finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.errors import RetrofillError
from retrofill.domain.inputs import integer_id
from retrofill.domain.texts import Text
from retrofill.domain.words import many, names
from retrofill.web.creating.asking import levels_of
from retrofill.web.creating.remedies import mended
from retrofill.web.creating.strip import only_missing
from retrofill.web.creating.typed import CONDITIONS, PAGE, PICK, Typed

if TYPE_CHECKING:
    from retrofill.services.operation_center import OperationCenter

_MOST_NAMED = 8  # in a sentence
_LISTS = frozenset({"task", "to", "include", "exclude", "norun", "skip", "only"})


class Outcome(NamedTuple):
    """What a button did.

    Attributes:
        said: what has become of it, in a sentence; empty where the page shows it.
        trouble: why nothing has.
        place: the part of the page that it is about.
    """

    typed: Typed
    said: str = ""
    trouble: Text | str = ""
    place: str = ""


class Around(NamedTuple):
    """Who is asked, and the day from which relative bizdates count."""

    center: OperationCenter
    today: date


Edit = Callable[[Around, Typed, str], Outcome]


def edited(around: Around, typed: Typed, do: str) -> Outcome:
    """The form after a button; one that nobody knows changes nothing."""
    word, _, about = do.partition(":")
    edit = EDITS.get(word)
    if edit is None:
        return Outcome(typed)
    try:
        return edit(around, typed, about)
    except RetrofillError as error:
        return Outcome(typed, trouble=error.text)


# Tasks


def _add(around: Around, typed: Typed, field: str) -> Outcome:
    text = typed.one(f"add_{field}")
    if field not in _LISTS or not text:
        return Outcome(typed)
    fitting = fitting_names(around.center, text)
    if len(fitting) != 1:
        return Outcome(typed, trouble=_not_one(text, fitting), place=field)
    return Outcome(typed.added(field, *fitting).replaced(**{f"add_{field}": ()}), place=field)


def _take(_: Around, typed: Typed, name: str) -> Outcome:
    return Outcome(typed.added("task", name).replaced(add_task=()), place="task")


def fitting_names(center: OperationCenter, text: str) -> list[str]:
    """The one task that is called so; where there is none, or several, all of which the name has the text in it."""
    there = center.names.tasks()
    for names_of in (
        [one["task"] for one in there if one["task"] == text],
        [one["task"] for one in there if one["short_name"] == text],
    ):
        if len(names_of) == 1:
            return names_of
    return [one["task"] for one in there if text.lower() in one["task"].lower()]


def _not_one(text: str, fitting: list[str]) -> str:
    if not fitting:
        return f'There is no task with "{text[:80]}" in its name.'
    return f'{many(len(fitting), "task")} have "{text[:80]}" in their names: {names(fitting[:_MOST_NAMED])}. Choose one.'


def _paste(around: Around, typed: Typed, _: str) -> Outcome:
    words = [word for word in re.split(r"[\s,;]+", "\n".join(typed.all("pasted"))) if word]
    there = around.center.names.tasks()
    short: dict[str, list[str]] = {}
    for one in there:
        short.setdefault(one["short_name"], []).append(one["task"])
    full = {one["task"] for one in there}
    known = {
        word: word if word in full else short[word][0]
        for word in words
        if word in full or len(short.get(word, ())) == 1
    }
    strange = [word for word in dict.fromkeys(words) if word not in known]
    new = [name for name in dict.fromkeys(known.values()) if name not in typed.all("task")]
    trouble = (
        f"No single task is called {names([word[:80] for word in strange[:_MOST_NAMED]])}." if strange else ""
    )
    typed = typed.added("task", *new).replaced(pasted=("\n".join(strange),))
    return Outcome(typed, f"{many(len(new), 'task')} added.", trouble, "task")


def _where(around: Around, typed: Typed, _: str) -> Outcome:
    filters = {key: typed.one(f"where_{key}") for key in CONDITIONS if typed.one(f"where_{key}")}
    if not filters:
        return Outcome(typed, trouble="Say what the tasks have in common.", place="task")
    found = [one["task"] for one in around.center.tasks.list(filters)["items"]]
    new = [name for name in found if name not in typed.all("task")]
    said = f"{many(len(found), 'task')} fit, {len(new):,} of them new."
    return Outcome(typed.added("task", *new), said, place="task")


def _drop(_: Around, typed: Typed, about: str) -> Outcome:
    field, _colon, name = about.partition(":")
    return Outcome(typed.without(field, name) if field in _LISTS else typed, place=field)


def _norun(_: Around, typed: Typed, name: str) -> Outcome:
    return Outcome(typed.added("norun", name), place="task")


def _run(_: Around, typed: Typed, name: str) -> Outcome:
    return Outcome(typed.without("norun", name), place="task")


def _levels(around: Around, typed: Typed, about: str) -> Outcome:
    if about != "all" or typed.way != PICK or not typed.all("task"):
        return Outcome(typed.replaced(only=()), place="levels")
    below = around.center.backfills.below(typed.all("task"))
    chosen = [one["task"] for one in below if one["level"] in levels_of(below) and one["permitted"]]
    return Outcome(typed.replaced(only=chosen), place="levels")


# How


def _range(_: Around, typed: Typed, _about: str) -> Outcome:
    return Outcome(typed.with_rows([*typed.rows, ("", "")]), place="ranges")


def _unrange(_: Around, typed: Typed, about: str) -> Outcome:
    rows = [row for number, row in enumerate(typed.rows) if str(number) != about]
    return Outcome(typed.with_rows(rows), place="ranges")


def _missing(around: Around, typed: Typed, task: str) -> Outcome:
    rows, said = only_missing(around.center, task, typed.rows, around.today)
    return Outcome(typed.with_rows(rows), said, place="ranges")


def _set(_: Around, typed: Typed, _about: str) -> Outcome:
    return Outcome(typed.with_overrides([*typed.overrides, ("", "")]), place="overrides")


def _unset(_: Around, typed: Typed, about: str) -> Outcome:
    kept = [pair for number, pair in enumerate(typed.overrides) if str(number) != about]
    return Outcome(typed.with_overrides(kept), place="overrides")


def _fix(_: Around, typed: Typed, about: str) -> Outcome:
    return Outcome(mended(typed, about), place="plan")


def _forget(around: Around, typed: Typed, number: str) -> Outcome:
    name = around.center.saved.remove(integer_id(number, "a draft"))["name"]
    return Outcome(typed, f"Draft {number} is gone." if name is None else f'"{name}" is kept no longer.')


def _keep(around: Around, typed: Typed, _: str) -> Outcome:
    name, kept = typed.one("keep_as").strip(), typed.replaced(keep_as=())
    if not name:
        return Outcome(typed, trouble="Write the name under which it is to be kept.", place="keep-form")
    around.center.saved.save(PAGE, kept.fields, name)
    return Outcome(kept, f'Kept as "{name}": a new form offers it.', place="keep-form")


def _test_alert(around: Around, typed: Typed, _: str) -> Outcome:
    sent = around.center.people.send_test(around.center.user)
    good = [one["method"] for one in sent if one["error"] is None]
    bad = [f"{one['method']}: {one['error']}" for one in sent if one["error"] is not None]
    said = f"A test message was sent by {names(good)} to you." if good else ""
    return Outcome(typed, said, f"No test message could be sent by {'; '.join(bad)}" if bad else "", "alert")


EDITS: Mapping[str, Edit] = MappingProxyType(
    {
        "add": _add,
        "take": _take,
        "paste": _paste,
        "where": _where,
        "drop": _drop,
        "norun": _norun,
        "run": _run,
        "levels": _levels,
        "range": _range,
        "unrange": _unrange,
        "missing": _missing,
        "set": _set,
        "unset": _unset,
        "fix": _fix,
        "forget": _forget,
        "keep": _keep,
        "test-alert": _test_alert,
    }
)
