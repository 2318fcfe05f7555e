"""What is said of an act on instances before it is done: the question, its consequences with their counts, the answers.

Pure: a foresight becomes words. Counts come first, so that a column of them can be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.running.acts import Act
from retrofill.domain.words import many
from retrofill.web import looks

if TYPE_CHECKING:
    from retrofill.domain.running.results import ItemResult
    from retrofill.services.reading.documents import Foresight

_SAID_REASONS = 2


class Effect(NamedTuple):
    """A consequence: of how many, and what becomes of them."""

    number: int
    text: str


@dataclass(frozen=True)
class Words:
    """How one act is spoken of.

    Attributes:
        verb: what the button says before the count; `object`: behind it.
        done: what becomes of one, and of several: what is said behind their count.
        stay: the answer that leaves all as it is; `stays`: of many.
        placeholder: of the comment.
    """

    verb: str
    done: tuple[str, str]
    stay: str
    stays: str
    placeholder: str
    object: str = ""


_RUNS = ("runs again", "run again")
WORDS: Mapping[Act, Words] = MappingProxyType(
    {
        Act.STOP: Words(
            "Stop",
            ("is being stopped", "are being stopped"),
            "Keep it running",
            "Keep them running",
            "Who should know why?",
        ),
        Act.RERUN: Words("Rerun", _RUNS, "Not now", "Not now", "Why now?"),
        Act.RERUN_DESCENDANTS: Words("Rerun", _RUNS, "Not now", "Not now", "Why now?"),
        Act.SET_SUCCESSFUL: Words(
            "Set",
            ("counts as successful now", "count as successful now"),
            "Not now",
            "Not now",
            "What makes it right?",
            " successful",
        ),
        Act.FREEZE: Words(
            "Freeze",
            ("is frozen", "are frozen"),
            "Leave it as it is",
            "Leave them as they are",
            "What is it to wait for?",
        ),
        Act.UNFREEZE: Words(
            "Unfreeze",
            ("is unfrozen", "are unfrozen"),
            "Leave it frozen",
            "Leave them frozen",
            "What has changed?",
        ),
        Act.REMOVE_WAITS: Words(
            "Remove waits of",
            ("waits no longer for that", "wait no longer for that"),
            "Keep the waits",
            "Keep the waits",
            "Why may it go first?",
        ),
        Act.PRIORITY: Words(
            "Set the priority of",
            ("has another priority now", "have another priority now"),
            "Leave it as it is",
            "Leave it as it is",
            "Why now?",
        ),
        Act.RESOURCE_GROUP: Words(
            "Move",
            ("takes its slot from another group now", "take their slots from another group now"),
            "Leave it where it is",
            "Leave them where they are",
            "Why there?",
        ),
    }
)


def question(act: Act, found: Foresight) -> str:
    """The title: `Rerun finance.fx_rates for 12 September 2026?`."""
    words = WORDS[act]
    if act is Act.RERUN_DESCENDANTS:
        whose = _name(found) if found["asked"] == 1 else many(found["asked"], "instance")
        return f"Rerun what depends on {whose}?"
    subject = _name(found) if found["asked"] == 1 else many(len(found["fits"]), "instance")
    if act is Act.REMOVE_WAITS:
        return f"Let {subject} wait no longer?"
    if act is Act.RESOURCE_GROUP:
        return f"Move {subject} to another resource group?"
    return f"{words.verb} {subject}{words.object}?"


def _name(found: Foresight) -> str:
    """The one instance that is asked about."""
    one = found["named"]
    if one is None:
        return "this instance"
    return f"{one['task']} for {looks.days(one['bizdate'], one['bizdate'])}"


def answer(act: Act, found: Foresight) -> str:
    """The button: verb and number."""
    words = WORDS[act]
    return f"{words.verb} {many(len(found['fits']), 'instance')}{words.object}"


def stay(act: Act, found: Foresight) -> str:
    """The answer that leaves all as it is."""
    return WORDS[act].stay if len(found["fits"]) == 1 else WORDS[act].stays


def done(act: Act, results: Sequence[ItemResult]) -> str:
    """What the next page says: what became of how many, what was so already, what was left out and why."""
    changed = sum(one.ok and not one.unchanged for one in results)
    was_so = sum(one.ok and one.unchanged for one in results)
    said = [f"{many(changed, 'instance')} {WORDS[act].done[changed != 1]}."] if changed else []
    if was_so:
        said.append(f"{many(was_so, 'instance')} {'was' if was_so == 1 else 'were'} so already.")
    refused = [one.error for one in results if one.error is not None]
    if refused:
        reasons = list(dict.fromkeys(error.message for error in refused))
        more = f" (and {len(reasons) - _SAID_REASONS} more)" if len(reasons) > _SAID_REASONS else ""
        said.append(f"{len(refused):,} left out: {'; '.join(reasons[:_SAID_REASONS])}{more}.")
    said += dict.fromkeys(str(one.note) for one in results if one.ok and one.note.parts)
    return " ".join(said)


def scope(found: Foresight) -> str:
    """Of how many tasks and bizdates, where it is several instances."""
    return f"Of {many(found['tasks'], 'task')}, on {many(found['bizdates'], 'bizdate')}."


def effects(act: Act, found: Foresight) -> list[Effect]:
    """Each with its count; what follows from nothing is left out."""
    return list(_EFFECTS[act](found)) if found["fits"] else []


def _stop(found: Foresight) -> Iterator[Effect]:
    n = len(found["fits"])
    yield Effect(
        n,
        _by(
            n,
            "is ended with all its processes and becomes Failed",
            "are ended with all their processes and become Failed",
        ),
    )
    yield from _waiting(found, "waits for it and stays held up", "wait for them and stay held up")


def _rerun(found: Foresight) -> Iterator[Effect]:
    n, first = len(found["fits"]), found["examples"][0]
    if n == 1:
        group = f" of {first['resource_group']}" if first["resource_group"] else ""
        number = first["run_number"] + (first["started_at"] is not None)
        yield Effect(
            1,
            f"instance runs again as run {number}, as soon as nothing holds it up and a slot{group} is free",
        )
    else:
        yield Effect(n, "run again, each after those of them that it waits for")
    yield from _waiting(
        found,
        "waits for it, and goes on by itself once nothing holds it up",
        "wait for this, and go on by themselves once nothing holds them up",
    )
    yield from _siblings(found)
    kept = found["successful_below"]
    if kept:
        yield Effect(
            kept,
            _by(
                kept,
                "below has succeeded: it does not run again, and its result stays as it is",
                "below have succeeded: they do not run again, and their results stay as they are",
            ),
        )


def _rerun_descendants(found: Foresight) -> Iterator[Effect]:
    n = len(found["fits"])
    yield Effect(n, _by(n, "runs again", "run again, in the order in which they wait for each other"))


def _set_successful(found: Foresight) -> Iterator[Effect]:
    n = len(found["fits"])
    yield Effect(
        n,
        _by(
            n,
            "becomes Successful, marked as set by hand; it does not run",
            "become Successful, marked as set by hand; they do not run",
        ),
    )
    yield from _waiting(
        found,
        "waits for it, and reads what its table holds for this date now",
        "wait for this, and read what the tables hold for these dates now",
    )
    yield from _siblings(found)


def _freeze(found: Foresight) -> Iterator[Effect]:
    n = len(found["fits"])
    yield Effect(
        n, _by(n, "stands still until somebody unfreezes it", "stand still until somebody unfreezes them")
    )
    yield from _waiting(
        found, "waits for it and stands still as well", "wait for this and stand still as well"
    )


def _unfreeze(found: Foresight) -> Iterator[Effect]:
    n = len(found["fits"])
    yield Effect(
        n,
        _by(
            n,
            "goes back to the state that it was frozen from",
            "go back to the states that they were frozen from",
        ),
    )
    yield from _waiting(
        found,
        "waits for it, and goes on by itself once nothing holds it up",
        "wait for this, and go on by themselves once nothing holds them up",
    )


def _remove_waits(found: Foresight) -> Iterator[Effect]:
    n = len(found["fits"])
    yield Effect(
        n,
        _by(
            n,
            "waits no longer for what is chosen, also if that runs again; it reads what is there when it starts",
            "wait no longer for what is chosen, also if that runs again; they read what is there when they start",
        ),
    )
    yield from _waiting(found, "waits for it", "wait for this, directly or through others")


def _place(found: Foresight) -> Iterator[Effect]:
    n = len(found["fits"])
    yield Effect(
        n,
        _by(
            n,
            "queues in another place, whatever its backfill says",
            "queue in another place, whatever their backfill says",
        ),
    )


def _waiting(found: Foresight, one: str, several: str) -> Iterator[Effect]:
    n = found["waiting_below"]
    if n:
        tasks, dates = found["tasks_below"], found["bizdates_below"]
        where = f" ({many(tasks, 'task')}, {many(dates, 'bizdate')})" if n > 1 else ""
        least = "" if found["is_all"] else "or more; so many were counted: they "
        yield Effect(n, f"{least}{_by(n, one, several)}{where}")


def _siblings(found: Foresight) -> Iterator[Effect]:
    n = found["siblings"]
    if n:
        yield Effect(
            n,
            _by(
                n,
                "failed only because of it, and comes back",
                "failed only because another of their task and bizdate did, and come back",
            ),
        )


def _by(count: int, one: str, several: str) -> str:
    return f"instance {one}" if count == 1 else f"instances {several}"


_EFFECTS = MappingProxyType(
    {
        Act.STOP: _stop,
        Act.RERUN: _rerun,
        Act.RERUN_DESCENDANTS: _rerun_descendants,
        Act.SET_SUCCESSFUL: _set_successful,
        Act.FREEZE: _freeze,
        Act.UNFREEZE: _unfreeze,
        Act.REMOVE_WAITS: _remove_waits,
        Act.PRIORITY: _place,
        Act.RESOURCE_GROUP: _place,
    }
)
