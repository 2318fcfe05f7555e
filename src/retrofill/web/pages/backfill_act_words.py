"""What is asked before an act on a whole backfill, and what is said of it afterwards. Pure: documents in, sentences out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.words import many

if TYPE_CHECKING:
    from retrofill.domain.running.results import ItemResult
    from retrofill.services.reading.documents import ActEffects


class Effect(NamedTuple):
    """A consequence: how many instances, and what becomes of them."""

    number: int
    text: str


class Words(NamedTuple):
    """Of one act.

    Attributes:
        verb: as buttons have it.
        stay: the safe answer, named for what stays.
        besides: what else one may want to know.
    """

    verb: str
    stay: str
    placeholder: str
    besides: str = ""


WORDS: Mapping[str, Words] = MappingProxyType(
    {
        "stop": Words(
            "Stop",
            "Keep it running",
            "Who should know why?",
            "To let what runs come to its end, pause it instead.",
        ),
        "pause": Words("Pause", "Keep it running", "Until when?"),
        "resume": Words("Resume", "Leave it as it is", "What has changed?"),
        "rerun": Words("Rerun", "Not now", "Why now?"),
        "freeze": Words("Freeze", "Leave it as it is", "Until when?"),
        "unfreeze": Words("Unfreeze", "Leave it frozen", "What has changed?"),
    }
)


def effects(found: ActEffects, is_at_once: bool = False) -> list[Effect]:
    """The consequences, the largest change first; what is none is left out."""
    lines = _OF[found["act"]](found, is_at_once)
    return [Effect(number, one if number == 1 else several) for number, one, several in lines if number]


_Line = tuple[int, str, str]  # how many, what is said of one, of several


def _stop(found: ActEffects, _: bool) -> Iterator[_Line]:
    yield (
        found["acts_on"],
        "running instance is ended with all its processes and becomes Failed",
        "running instances are ended with all their processes and become Failed",
    )
    yield (
        found["running"],
        "running instance goes on: it is not yours to operate",
        "running instances go on: they are not yours to operate",
    )
    yield from _not_started(found)
    yield from _stays(found)


def _pause(found: ActEffects, _: bool) -> Iterator[_Line]:
    yield (
        found["running"],
        "running instance goes on to its end",
        "running instances go on to their end",
    )
    yield from _not_started(found)


def _resume(found: ActEffects, _: bool) -> Iterator[_Line]:
    yield found["going_on"], "instance can go on", "instances can go on"
    yield from _held_up(found)


def _rerun(found: ActEffects, is_at_once: bool) -> Iterator[_Line]:
    how = (
        "at once, whatever dependencies and dates say"
        if is_at_once
        else "as soon as what it waits for is done"
    )
    several = "at once, whatever dependencies and dates say" if is_at_once else "in their order"
    yield found["acts_on"], f"instance runs again, {how}", f"instances run again, {several}"
    yield (
        found["going_on"],
        "instance goes on by itself once that has succeeded",
        "instances go on by themselves once that has succeeded",
    )
    yield from _held_up(found)
    yield from _stays(found)


def _freeze(found: ActEffects, _: bool) -> Iterator[_Line]:
    yield (
        found["acts_on"],
        "instance that has not run stands still until it is unfrozen",
        "instances that have not run stand still until they are unfrozen",
    )
    yield from _pause(found, False)


def _unfreeze(found: ActEffects, _: bool) -> Iterator[_Line]:
    yield (
        found["acts_on"],
        "instance is again what it was before it was frozen",
        "instances are again what they were before they were frozen",
    )
    yield found["going_on"], "instance that waits for it can go on", "instances that wait for these can go on"
    yield from _held_up(found)


def _not_started(found: ActEffects) -> Iterator[_Line]:
    yield (
        found["not_started"],
        "instance does not start until it is resumed",
        "instances do not start until it is resumed",
    )


def _held_up(found: ActEffects) -> Iterator[_Line]:
    yield (
        found["held_up"],
        "instance still waits for what failed, is frozen or isolated",
        "instances still wait for what failed, is frozen or isolated",
    )


def _stays(found: ActEffects) -> Iterator[_Line]:
    yield (
        found["successful"],
        "successful instance stays as it is",
        "successful instances stay as they are",
    )


_OF = {
    "stop": _stop,
    "pause": _pause,
    "resume": _resume,
    "rerun": _rerun,
    "freeze": _freeze,
    "unfreeze": _unfreeze,
}


def question(found: ActEffects, name: str, only_failed: bool = False) -> str:
    """`Stop backfill 42 fx rates restated Q3?`"""
    what = {
        "rerun": "what failed of " if only_failed else "all that has ended of ",
        "freeze": "what has not run of ",
        "unfreeze": "all that is frozen of ",
    }.get(found["act"], "")
    return f"{WORDS[found['act']].verb} {what}backfill {found['id']} {name}?"


def answer(found: ActEffects) -> str:
    """What the button says: verb and number."""
    verb, number = WORDS[found["act"]].verb, found["acts_on"]
    if found["act"] == "stop" and number:
        return f"Stop {many(number, 'running instance')}"
    return f"{verb} {many(number, 'instance')}" if number else f"{verb} it"


def steered(act: str, backfill_id: int, is_changed: bool) -> str:
    """What became of a pause or a resume."""
    done = {"pause": "paused", "resume": "resumed"}[act]
    if is_changed:
        return f"Backfill {backfill_id} is {done}."
    return (
        f"Backfill {backfill_id} {'is paused' if act == 'pause' else 'goes on'} already; nothing has changed."
    )


def stopped(backfill_id: int, items: Sequence[ItemResult], is_whole: bool) -> str:
    """What became of a stop."""
    ended = sum(item.ok for item in items)
    head = f"Backfill {backfill_id} is stopped. " if is_whole else ""
    left = "" if is_whole else " What is not yours to operate goes on."
    return f"{head}{many(ended, 'running instance')} {'is' if ended == 1 else 'are'} being ended.{left}"


def done(act: str, items: Sequence[ItemResult]) -> str:
    """What became of a rerun, a freeze, an unfreeze."""
    number = sum(item.ok and not item.unchanged for item in items)
    becomes = {
        "rerun": ("runs again", "run again"),
        "freeze": ("is frozen", "are frozen"),
        "unfreeze": ("is unfrozen", "are unfrozen"),
    }[act]
    said = [f"{many(number, 'instance')} {becomes[number != 1]}."]
    refused = [item.error for item in items if item.error is not None]
    if refused:
        said.append(f"{len(refused):,} left alone, the first because {refused[0].message}.")
    said += dict.fromkeys(str(item.note) for item in items if item.ok and item.note.parts)
    return " ".join(said)
