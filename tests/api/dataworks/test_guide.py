"""The guide for people who move over: its script against its project, and its lists against the program."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.sandboxes import Sandbox, finished
from retrofill.api.dataworks.actions import ACTIONS

GUIDE = (Path(__file__).resolve().parents[3] / "docs/guides/from-dataworks.md").read_text(encoding="utf-8")


def test_every_action_is_listed() -> None:
    listed = GUIDE.partition("## Actions")[2]
    assert set(re.findall(r"\b[A-Z][a-z]+[A-Z]\w+", listed)) == ACTIONS.keys()


@pytest.mark.slow
def test_the_script_prints_what_the_guide_says(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    for name, text in re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", GUIDE, re.M | re.S):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    promised = re.search(r"It prints:\n\n```text\n(.*?)^```$", GUIDE, re.M | re.S)
    assert promised is not None
    try:
        sandbox.run("deploy")
        (tmp_path / "key.json").write_text(
            sandbox.run("access-key", "create", "ann", "--output", "json").stdout
        )
        up = sandbox.spawn("up", "--port", 0, "--output", "json")
        assert up.stdout is not None
        line = up.stdout.readline()
        assert line, finished(up).stderr
        address = json.loads(line)["url"].removeprefix("http://").rstrip("/")
        done = subprocess.run(
            [sys.executable, "backfill.py"],
            cwd=tmp_path,
            env=sandbox.environment({"RETROFILL_ADDRESS": address}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        sandbox.close()
    assert (done.stdout, done.stderr) == (promised[1], "")
