"""What `check` warns of: right, and perhaps not what was meant."""

from __future__ import annotations

from pathlib import Path

from e2e.sandboxes import Sandbox


def test_schedules_whose_day_fields_surprise(tmp_path: Path) -> None:
    """TIME-2: with the place of the schedule and what to write; exit 0."""
    project = Sandbox(tmp_path).write("""
a: {type: virtual, schedule: "0 1 */2 * MON"}
b: {type: virtual, schedule: "0 1 1 * MON"}
""")
    (warning,) = project.json("check")["warnings"]
    assert (warning["code"], warning["level"], warning["tasks"]) == ("doubtful_schedule", "warning", ["w.a"])
    assert (warning["path"], warning["line"], warning["column"]) == ("workspaces/w/workspace.yaml", 5, 32)
    text = project.call("check").stdout
    assert (
        'both day fields must match, because "*/2" begins with "*"; if one of the two is enough, write "0 1 1-31/2 * MON"'
        in text
    )
    assert text.endswith("no errors, 1 warning\n")
