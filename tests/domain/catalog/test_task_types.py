"""CAT-5: a type of task is one row, and whatever tells types apart asks that row."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import retrofill
from domain.catalogs import make_catalog, make_task
from retrofill.domain.catalog.task_types import TASK_TYPES, TaskType
from retrofill.domain.selection.filters import parse_conditions
from retrofill.domain.texts import Text
from retrofill.project.schema_reference import project_files_page, schema
from retrofill.services.catalogs import document as catalog_document
from retrofill.services.catalogs.document import UnknownFormatError

SOURCES = Path(retrofill.__file__).parent


def test_only_the_table_names_types() -> None:
    """CAT-5: nothing branches on one type, so that a further one cannot be taken for another."""
    naming = {p.name for p in SOURCES.rglob("*.py") if re.search(r"TaskType\.[A-Z]", p.read_text())}
    assert naming == set()


@pytest.mark.parametrize("word", TASK_TYPES)
def test_every_type_is_known_everywhere(word: str) -> None:
    """CAT-5: in project files, in their reference, in conditions, and in a stored version and back."""
    workspace = schema()["workspace.yaml"]
    assert word in workspace["$defs"]["TaskShape"]["properties"]["type"]["enum"]
    assert f"\n| `{word}` | {TASK_TYPES[word].traits.means} |" in project_files_page()
    assert parse_conditions([f"type={word}"])
    catalog = make_catalog(make_task("ops.a", "@daily", type=TASK_TYPES[word]))
    assert catalog_document.load(catalog_document.dump(catalog)).tasks["ops.a"].type is TASK_TYPES[word]


def test_a_stored_version_with_a_type_of_a_newer_program_is_refused() -> None:
    """CAT-5: in one sentence, not as a shell task."""
    document = json.loads(catalog_document.dump(make_catalog(make_task("ops.a", "@daily"))))
    document["tasks"]["ops.a"]["type"] = "spark"
    sentence = 'the stored catalog has a task ops.a of type "spark", and this program knows shell, python, sql, virtual'
    with pytest.raises(UnknownFormatError) as caught:
        catalog_document.load(json.dumps(document))
    assert caught.value.message == sentence
    assert caught.value.hint == Text("Upgrade Retrofill: the version was stored by a newer one.")


def test_a_type_is_its_word() -> None:
    assert [str(kind) for kind in TaskType] == [*TASK_TYPES]
