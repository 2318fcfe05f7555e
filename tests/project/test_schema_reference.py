"""The JSON Schema and the reference pages say what the loader accepts."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
import yaml
from jsonschema import Draft202012Validator

from project.test_load import EVERYTHING
from retrofill import project
from retrofill.project import schema_reference as reference
from retrofill.settings.table import TABLE

EXAMPLE = Path(__file__).parents[2] / "examples" / "flights"


class EditorsLoader(yaml.SafeLoader):
    """Reads YAML as editors do: dates stay text."""

    yaml_implicit_resolvers: ClassVar = {
        letter: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith("timestamp")]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def errors(file: str, text: str) -> list[str]:
    document = yaml.load(text, Loader=EditorsLoader)  # noqa: S506  a safe loader
    return [error.message for error in Draft202012Validator(project.schema()[file]).iter_errors(document)]


@pytest.mark.parametrize("file", ["retrofill.yaml", "workspace.yaml"])
def test_the_schema_is_one(file: str) -> None:
    """CAT-1."""
    Draft202012Validator.check_schema(project.schema()[file])


def test_the_schema_accepts_the_example() -> None:
    """CAT-1."""
    paths = sorted(EXAMPLE.glob("retrofill.yaml")) + sorted(EXAMPLE.glob("workspaces/*/workspace.yaml"))
    assert len(paths) == 4
    for path in paths:
        assert errors(path.name, path.read_text()) == []


def test_the_schema_accepts_every_key() -> None:
    assert errors("workspace.yaml", EVERYTHING) == []
    assert (
        errors(
            "retrofill.yaml", "project: x\nsettings: {max_roots: 5, log_cap: 5m}\nalerts: {email: 'a://b'}\n"
        )
        == []
    )


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("retrofill.yaml", "timezone: UTC"),
        ("retrofill.yaml", "project: x\nzone: UTC"),
        ("retrofill.yaml", "project: x\nsettings: {max_root: 5}"),
        ("retrofill.yaml", "project: x\nsettings: {max_roots: 0}"),
        ("retrofill.yaml", "project: x\nconnections: {w: {}}"),
        ("retrofill.yaml", "project: x\nbaselines: {b: {priority: 2}}"),
        ("retrofill.yaml", "project: a b"),
        ("workspace.yaml", "tasks: {}"),
        ("workspace.yaml", "workspace: x\nmembers: {a: owner}"),
        ("workspace.yaml", "workspace: x\ntasks: {a b: {}}"),
        ("workspace.yaml", "workspace: x\ntasks: {a: {type: bash}}"),
        ("workspace.yaml", "workspace: x\ntasks: {a: {timeout: 5}}"),
        ("workspace.yaml", "workspace: x\ntasks: {a: {parameters: {b: 5}}}"),
        ("workspace.yaml", "workspace: x\ntasks: {a: {depends_on: [{tsk: b}]}}"),
        ("workspace.yaml", "workspace: x\ntasks: {a: {owner: ~}}"),
        ("workspace.yaml", "workspace: x\ndefaults: {rerun: {times: 11}}"),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(file: str, text: str) -> None:
    """CAT-4."""
    assert errors(file, text) != []


def test_every_key_and_setting_is_described() -> None:
    page = reference.project_files_page()
    for file in project.schema().values():
        for part in [file, *file.get("$defs", {}).values()]:
            for key, field in part["properties"].items():
                assert field.get("description"), key
                assert f"| `{key}` |" in page
    for setting in TABLE:
        assert f"| `{setting.name}` |" in reference.settings_page()
        assert setting.sentence.endswith(".")
