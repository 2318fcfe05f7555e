"""Parameters of a task as the API writes them: `name=value name=value`, where values may hold spaces."""

from __future__ import annotations

import re
from collections.abc import Mapping

from retrofill.api.dataworks.errors import invalid
from retrofill.domain.errors import shown

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_PAIR = re.compile(rf"({_NAME})=(.*?)(?=\s+{_NAME}=|\s*\Z)", re.DOTALL)


def parameter_text(parameters: Mapping[str, str]) -> str:
    """Declared parameters in one text."""
    return " ".join(f"{name}={value}" for name, value in parameters.items())


def read_parameters(field: str, written: str) -> dict[str, str]:
    """The parameters of a text.

    Raises:
        ApiError: it is none of `name=value`.
    """
    found, at = {}, 0
    stripped = written.strip()
    for pair in _PAIR.finditer(stripped):
        if stripped[at : pair.start()].strip() or pair[1] in found:
            break
        found[pair[1]] = pair[2]
        at = pair.end()
    if stripped[at:].strip():
        raise invalid(
            field, f"{field}: parameters are written as name=value, not as {shown(stripped[at:][:64])}"
        )
    return found
