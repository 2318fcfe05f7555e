"""Extension checks' questions and answers as values (VER-3).

A check is asked one question, a JSON document, and gives one answer: pass, warn or fail, with
a message. Whatever is no answer counts as a fail, because a backfill runs only when all of its
checks have passed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from retrofill.domain.addresses import shown_web_address
from retrofill.domain.errors import shown
from retrofill.domain.texts import Text
from retrofill.domain.verification.findings import Finding

LONGEST_MESSAGE = 1_000  # characters; what is longer is cut
_LONGEST_QUOTE = 80


class Verdict(StrEnum):
    """What a check says about a backfill."""

    PASS = "pass"  # noqa: S105 - a word, no password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one check answered, or what became of it instead; `message` is for people."""

    check: str
    verdict: Verdict
    message: str = ""

    def to_json(self) -> dict[str, str]:
        """As it is kept in the analysis."""
        return {"check": self.check, "result": self.verdict.value, "message": self.message}


def parse_answer(check: str, text: str) -> Answer:
    """The answer that a JSON document gives: see `read_answer`."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        start = clipped(text[:_LONGEST_QUOTE])
        return Answer(check, Verdict.FAIL, f'its answer is no JSON, it begins with "{start}"')
    return read_answer(check, document)


def read_answer(check: str, document: object) -> Answer:
    """The answer `{"result": "pass" | "warn" | "fail", "message": TEXT}`.

    `message` may be missing; other keys mean nothing. What is no such document is a fail
    that says so.
    """
    if not isinstance(document, Mapping):
        return Answer(check, Verdict.FAIL, "its answer is no JSON object")
    result, message = document.get("result"), document.get("message")
    if result not in list(Verdict):
        return Answer(check, Verdict.FAIL, 'its answer has no "result" that is pass, warn or fail')
    if not isinstance(message, str | None):
        return Answer(check, Verdict.FAIL, 'its answer has a "message" that is no text')
    return Answer(check, Verdict(result), clipped(message or ""))


def clipped(message: str) -> str:
    """A foreign message as it may be kept and shown: one line, no control characters, not too long."""
    line = shown(" ".join(message.split()))
    return line if len(line) <= LONGEST_MESSAGE else f"{line[:LONGEST_MESSAGE]}..."


def findings_of(answers: Iterable[Answer]) -> tuple[Finding, ...]:
    """A risk for each fail, a warning for each warn, nothing for a pass."""
    found = []
    for answer in answers:
        if answer.verdict is Verdict.FAIL:
            message = f"The extension check {answer.check} failed: {answer.message or 'it gives no reason'}"
            found.append(Finding.of("check_failed", _sentence(message)))
        elif answer.verdict is Verdict.WARN:
            message = (
                f"The extension check {answer.check} warns: {answer.message or 'it does not say of what'}"
            )
            found.append(Finding.of("check_warned", _sentence(message)))
    return tuple(found)


def all_pass(answers: Iterable[Answer]) -> bool:
    """Whether the backfill may run: a warning does not hold it up."""
    return all(answer.verdict is not Verdict.FAIL for answer in answers)


def question(
    project: str,
    backfill: Mapping[str, Any],
    policy: Mapping[str, Any],
    plan: Mapping[str, Any],
) -> dict[str, Any]:
    """What a check is asked.

    Args:
        backfill: id, name, created_by.
        policy: as stored; of overrides only the names are told, because values may be confidential, and of addresses
            only the host.
        plan: the plan's summary.
    """
    notify = policy.get("notify")
    names = {task: sorted(values) for task, values in policy["overrides"].items()}
    return {
        "event": "backfill.check",
        "project": project,
        "backfill": dict(backfill),
        "policy": {**policy, "overrides": names, "notify": notify and shown_web_address(notify)},
        "plan": {**plan, "findings": [_told(finding) for finding in plan["findings"]]},
    }


def _told(finding: Mapping[str, Any]) -> dict[str, Any]:
    """A stored finding with its hint in plain words."""
    return {**finding, "hint": str(Text.from_json(finding["hint"]))}


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "...")) else f"{text}."
