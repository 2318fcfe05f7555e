"""SEC-2: every public method of the center, called by a member of one workspace, tells nothing of another one.

`open` is alice's, `vault` is greta's. The methods are found by reflection: a new one fails here until its
arguments stand in the table. `vault.passage` may be named, where it is a dry run in a backfill that alice sees
(SEL-6); nothing else of the vault may.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from retrofill.domain.errors import RetrofillError
from retrofill.services.operation_center import OperationCenter
from retrofill.services.operation_center.previews import Preview
from retrofill.services.reading.logs import OpenLog
from services.operation_center.cases import Arguments, Case, acts, arguments, methods

HIDDEN = re.compile(
    r"vault(?!\.passage)|goldmine|aurum|karat|24ct|shiny|greta|the ore|vault\.slow|\bslow\b", re.IGNORECASE
)
METHODS = methods()


def told(value: Any) -> str:
    """All words of an answer, whatever it is made of."""
    if isinstance(value, OpenLog):
        return " ".join(str(piece) for pieces in (value.pieces(), value.rest()) for piece in pieces)
    if isinstance(value, RetrofillError):
        return f"{value.code} {value.message} {value.hint}"
    if isinstance(value, Preview):
        return told([value.document, value.digest, value.notes, *value.instances()])
    if isinstance(value, Mapping):
        return " ".join(f"{told(key)} {told(item)}" for key, item in value.items())
    if is_dataclass(value):
        return " ".join(told(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, (list, tuple, set, frozenset, Iterator)):
        return " ".join(map(told, value))
    return str(value)


def answers(center: OperationCenter, method: str, calls: Arguments) -> str:
    """All that is said by these calls; a refusal is an answer, too, and may repeat what was asked."""
    noun, _, name = method.partition(".")
    said = []
    for call in calls:
        try:
            answer = told(getattr(getattr(center, noun), name)(*call))
        except RetrofillError as error:
            answer = told(error)
            for word in _words(call):
                answer = answer.replace(f'"{word}"', "what was asked").replace(f" {word}", " what was asked")
        said.append(answer)
    return "\n".join(said)


def _words(value: Any) -> Iterator[str]:
    """All texts in what was asked."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _words(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _words(one)


@pytest.mark.parametrize("method", METHODS)
def test_no_answer_names_what_is_foreign(case: Case, changed: Case, method: str) -> None:
    """SEC-2, and SEL-6 for the one name that may be told."""
    questions = arguments(case)
    c, calls = (case, questions[method]) if method in questions else (changed, acts(changed)[method])
    said = answers(c.center("alice"), method, calls)
    assert not HIDDEN.search(said), said[max(0, HIDDEN.search(said).start() - 200) :][:400]


NAMING = {
    "backfills.plan": "vault.goldmine",
    "backfills.below": "vault.goldmine",
    "backfills.between": "vault.passage",
    "backfills.list": "vault.slow",
    "backfills.show": "vault.goldmine",
    "backfills.analysis": "vault.goldmine",
    "backfills.history": "aurum is scarce",
    "backfills.progress": "goldmine",
    "backfills.time_left": "vault.goldmine",
    "backfills.trouble": "vault.goldmine",
    "backfills.reasons": "vault.goldmine",
    "backfills.first_failures": "aurum",
    "dates.instances": "vault.goldmine",
    "dates.instance": "24ct",
    "dates.neighbours": "vault.goldmine",
    "backfills.grid": "vault.goldmine",
    "backfills.timeline": "vault.goldmine",
    "backfills.forecast": "vault.goldmine",
    "backfills.critical_path": "vault.goldmine",
    "backfills.dag": "vault.goldmine",
    "declared.list": "24ct",
    "declared.show": "24ct",
    "declared.neighbours": "24ct",
    "groups.show": "vault.goldmine",
    "home.show": "vault.goldmine",
    "instances.list": "vault.goldmine",
    "instances.why": "vault.goldmine",
    "instances.history": "aurum is scarce",
    "instances.chain": "vault.goldmine",
    "instances.code": "24ct",
    "instances.log": "aurum",
    "instances.log_lines": "aurum",
    "instances.find_in_log": "aurum",
    "instances.dag": "vault.goldmine",
    "instances.lineage": "vault.goldmine",
    "names.tasks": "the ore",
    "names.users": "greta",
    "operations.list": "the ore is gone",
    "saved.list": "vault.goldmine",
    "saved.show": "vault.goldmine",
    "schedule.show": "vault.goldmine",
    "upkeep.doctor": "vault.goldmine",
    "tasks.list": "greta",
    "tasks.show": "24ct",
    "tasks.graph": "vault.goldmine",
    "tasks.upstream": "vault.passage",
    "tasks.downstream": "greta",
    "tasks.lineage": "vault.goldmine",
    "tasks.workspaces": "greta",
    "tasks.render": "karat",
    "versions.show": "vault.goldmine",
    "versions.task": "24ct",
}


@pytest.mark.parametrize("method", NAMING)
def test_the_same_questions_tell_it_to_others(case: Case, method: str) -> None:
    """So that the test above cannot pass because nothing was there to be told."""
    assert NAMING[method] in answers(case.center("admin"), method, arguments(case)[method])


@pytest.mark.parametrize("method", [m for m in METHODS if m.startswith(("instances.", "backfills."))])
def test_a_foreign_id_is_answered_like_none(case: Case, changed: Case, method: str) -> None:
    """SEC-2: word by word."""
    questions = arguments(case)
    is_question = method in questions
    c, (call, *_) = (case, questions[method]) if is_question else (changed, acts(changed)[method])
    if not call or not isinstance(call[0], (int, list)) or method == "backfills.below":  # of names
        return
    foreign, absent = (2, 777_777)
    if method.startswith("instances."):
        foreign = next(number for number, task in c.tasks.items() if task == "vault.goldmine")
    ask = {
        number: [([number], *call[1:]) if isinstance(call[0], list) else (number, *call[1:])]
        for number in (foreign, absent)
    }
    center = c.center("alice")
    first, second = (answers(center, method, ask[number]) for number in (foreign, absent))
    assert first.replace(str(foreign), "N") == second.replace(str(absent), "N")


def test_every_method_has_an_answer_here(case: Case, changed: Case) -> None:
    """A method that goes leaves nothing behind in the tables."""
    assert sorted([*arguments(case), *acts(changed)]) == sorted(METHODS)
    assert json.dumps(METHODS), "there are some"
