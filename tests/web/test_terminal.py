"""What terminals would colour, as HTML; `terminal.json` holds the module of the browser to the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from retrofill.web.terminal import painted

CASES = json.loads((Path(__file__).parent / "terminal.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["what"] for case in CASES])
def test_a_line_is_painted(case: dict[str, str]) -> None:
    """OPS-10: colours stay, nothing else of a terminal does, and text is text."""
    assert painted(case["text"]) == case["html"]
