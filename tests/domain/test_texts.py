"""Sentences with steps and options in them."""

from __future__ import annotations

import json

import pytest

from retrofill.domain.errors import RetrofillError
from retrofill.domain.texts import Option, Step, Text

RESUME = Step("backfill.resume", id=7)


def test_they_are_values() -> None:
    """Equal by what they hold, and frozen."""
    assert Step("instance.why", id=7) == Step("instance.why", id=7) != Step("instance.why", id=8)
    assert len({RESUME, Step("backfill.resume", id=7), Option("order"), Option("order", None)}) == 2
    assert Text("order") != Option("order")
    for value in (RESUME, Option("order"), Text("order")):
        with pytest.raises(AttributeError, match="does not change"):
            value.name = "another"  # type: ignore[union-attr]


def test_places_are_filled() -> None:
    text = Text("{resume} lets {count} of {what} go on.", resume=RESUME, count=3, what="a {resume}")
    assert text.parts == (RESUME, " lets 3 of a {resume} go on.")
    assert text.steps == (RESUME,)


def test_steps_and_options_that_need_no_value() -> None:
    """`{task.list}` is a step, `{option.order=asc}` an option; all other braces stand for themselves."""
    text = Text("{task.list} shows ${day}, ${yyyy-mm-dd}, {} and {, {option.order=asc} {option.run_future}}.")
    assert text.parts == (
        Step("task.list"),
        " shows ${day}, ${yyyy-mm-dd}, {} and {, ",
        Option("order", "asc"),
        " ",
        Option("run_future"),
        "}.",
    )


def test_what_comes_from_elsewhere_is_not_looked_into() -> None:
    """A name that looks like a place is a name."""
    assert Text.of("no task {task.list}").parts == ("no task {task.list}",)
    assert RetrofillError("no task {task.list}", "{task.list}").hint.steps == ()


def test_texts_stand_in_texts() -> None:
    inner = Text("{resume} lets it go on", resume=RESUME)
    assert Text("It is paused; {how}.", how=inner).parts == ("It is paused; ", RESUME, " lets it go on.")


def test_plain_words() -> None:
    """For logs: what a step is called and what it is asked with."""
    step = Step("backfill.create", reuse=7, task=("a.b", "a.c"), allow_risks=True, name=None)
    assert str(Text("Try {step}.", step=step)) == (
        "Try backfill create reuse 7 task a.b, a.c allow risks name ...."
    )
    assert str(Text("{option.max_failures} goes with {option.barrier=date}")) == (
        "max failures goes with barrier date"
    )
    assert not Text("")


@pytest.mark.parametrize(
    "text",
    [
        Text("nothing in it"),
        Text(""),
        Text("{a}{b} and {c}", a=RESUME, b=Option("order", "asc"), c=Option("window")),
        Text("{a}", a=Step("backfill.create", task=("a.b",), bizdate=None, allow_risks=True)),
    ],
)
def test_they_can_be_stored(text: Text) -> None:
    assert Text.from_json(json.loads(json.dumps(text.to_json()))) == text


def test_without_steps_they_are_stored_as_strings() -> None:
    """As those were that had none."""
    assert Text.of("Try again.").to_json() == "Try again."


class _ExampleError(RetrofillError):
    """Look at {backfill.list}."""

    code = "example"


def test_the_hint_of_a_class_is_a_text() -> None:
    """Its docstring; the message of an error is plain words, its text what faces show."""
    assert _ExampleError("gone").hint == Text("Look at {backfill.list}.")
    error = _ExampleError(Text("{option.weekends} goes with {option.window}"), "Name the window too.")
    assert (str(error), error.message) == ("weekends goes with window",) * 2
    assert error.text.parts[0] == Option("weekends")
    assert error.hint == Text("Name the window too.")
