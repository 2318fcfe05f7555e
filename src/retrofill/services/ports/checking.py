"""Asking an extension check about a backfill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from retrofill.domain.checks import Answer


class Check(Protocol):
    """One extension check: a plugin, or somebody's webhook."""

    @property
    def name(self) -> str:
        """As the settings or the plugin's package call it; unique among the checks of a project."""
        ...

    def ask(self, question: Mapping[str, Any]) -> Answer:
        """The check's answer to a JSON document; blocks for as long as its limits allow, never longer.

        Whatever goes wrong is an answer too: a fail whose message says what happened, without
        secrets. Several threads may ask at once.
        """
        ...
