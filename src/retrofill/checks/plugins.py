"""Checks that installed packages bring; `discovery` finds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retrofill.checks.children import ask
from retrofill.domain.checks import Answer, Verdict, clipped, read_answer


@dataclass(frozen=True, slots=True)
class PluginCheck:
    """One plugin; `name` is its entry point's."""

    name: str
    timeout_seconds: float

    def ask(self, question: Mapping[str, Any]) -> Answer:
        """Call the plugin in a process of its own (see `services.ports.checking`)."""
        found = ask({"kind": "plugin", "name": self.name, "question": question}, self.timeout_seconds)
        if "problem" in found:
            return Answer(self.name, Verdict.FAIL, clipped(found["problem"]))
        return read_answer(self.name, found)
