"""What terminals would colour, as HTML; `terminal.json` holds the module of the browser to the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from retrofill.web.code_lines import code_lines
from retrofill.web.terminal import painted

CASES = json.loads((Path(__file__).parent / "terminal.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["what"] for case in CASES])
def test_a_line_is_painted(case: dict[str, str]) -> None:
    """OPS-10: colours stay, nothing else of a terminal does, and text is text."""
    assert painted(case["text"]) == case["html"]


def test_long_lines_cost_what_they_are_long() -> None:
    """No quote that is never closed is looked for from every place of a line, and no colour copies what is painted."""
    code = '"' + 60_000 * '\\"'
    (pieces,) = code_lines(code, "python")
    assert "".join(piece.text for piece in pieces) == code
    assert painted(60_000 * "\x1b[31mx").count("t-red") == 60_000
