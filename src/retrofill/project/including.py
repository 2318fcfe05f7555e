"""`include` of a workspace: which files a version holds besides the code of its tasks (CAT-9).

Patterns are relative to the workspace's folder: `*` and `?` stay within a name, `**` is any number of
folders. Hidden names are meant only by a pattern that begins with a dot there; `__pycache__` never.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from retrofill.domain.catalog.definitions import IncludedFile
from retrofill.project.problems import Report
from retrofill.project.sources import WORKSPACES, SourceBytes, SourceError, read_bytes
from retrofill.project.yaml_nodes import Node

MAX_FILE_BYTES = 1_000_000
MAX_TOGETHER_BYTES = 20_000_000
MAX_FILES = 5_000
MAX_LOOKED_AT = 100_000
_ANY_DEPTH = "**"
_NEVER = "__pycache__"
_SPECIAL = re.compile(r"[*?\[]")


class TooManyFilesError(Exception):
    """A pattern leads through more files than are looked at."""


@dataclass(slots=True)
class Included:
    """The files of a workspace in order of their names, and what they hold by its SHA-256."""

    files: list[IncludedFile] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)


def read_included(
    root: Path, workspace: str, node: Node | None, patterns: Sequence[str], path: str, report: Report
) -> Included:
    """Find and read the files; what is wrong is reported at the pattern that leads to it.

    Args:
        node: the key `include`.
        path: of the file that it stands in.
    """
    included = Included()
    places = [item.place for item in node.items or ()] if node is not None else []
    seen: set[str] = set()
    for pattern, place in zip(patterns, places, strict=False):  # a list with problems is left out as a whole
        problem = problem_of(pattern)
        if problem is not None:
            report.add(path, place, f'"{pattern}" {problem[0]}', problem[1])
            continue
        try:
            names = find_files(root / WORKSPACES / workspace, pattern)
        except TooManyFilesError:
            message = f'"{pattern}" leads through more than {MAX_LOOKED_AT:,} files'
            report.add(path, place, message, "name a folder that holds less")
            continue
        if not names:
            report.add(path, place, f'no file fits "{pattern}"', "correct it or remove it")
        for name in names:
            if name in seen:
                continue
            seen.add(name)
            try:
                _add(included, name, read_bytes(root, f"{WORKSPACES}/{workspace}/{name}", MAX_FILE_BYTES))
            except SourceError as error:
                report.add(path, place, f'"{name}": {error.message}', error.hint)
            if too_much := _too_much(included):
                report.add(path, place, too_much, "include less; large data does not belong into a version")
                return included
    included.files.sort(key=lambda file: file.path)
    return included


def _add(included: Included, name: str, found: SourceBytes) -> None:
    included.files.append(IncludedFile(name, found.sha256, len(found.data), found.is_executable))
    included.contents[found.sha256] = found.data


def _too_much(included: Included) -> str | None:
    if len(included.files) > MAX_FILES:
        return f"more than {MAX_FILES:,} files are included"
    if sum(file.size for file in included.files) > MAX_TOGETHER_BYTES:
        return f"the included files have more than {MAX_TOGETHER_BYTES:,} bytes together"
    return None


def problem_of(pattern: str) -> tuple[str, str] | None:
    """What is wrong with the text of a pattern, and what to write; None if nothing is."""
    if pattern.startswith(("/", "~")) or ".." in pattern.split("/"):
        return "leads out of the workspace's folder", "name files relative to that folder, without .."
    if "\0" in pattern or "\\" in pattern:
        return "holds a character that no pattern may have", "separate folders with /"
    if {".", _NEVER} & set(pattern.removeprefix("./").split("/")):
        return f"has a part that is . or {_NEVER}", "leave it out"
    if not all(pattern.split("/")):
        return "has an empty part", "write it like lib/*.py"
    if any(_ANY_DEPTH in part and part != _ANY_DEPTH for part in pattern.split("/")):
        return "has ** beside other characters", "write it as a part of its own, like lib/**/*.py"
    return None


def find_files(folder: Path, pattern: str) -> list[str]:
    """Files below the folder that fit, relative to it, in order.

    Raises:
        TooManyFilesError: more than 100,000 names were looked at.
    """
    parts = pattern.removeprefix("./").split("/")
    if parts[-1] == _ANY_DEPTH:
        parts.append("*")
    budget = [MAX_LOOKED_AT]
    return sorted(set(_fitting(str(folder), "", parts, budget)))


def _fitting(folder: str, prefix: str, parts: Sequence[str], budget: list[int]) -> Iterator[str]:
    first, rest = parts[0], parts[1:]
    if first == _ANY_DEPTH:
        yield from _fitting(folder, prefix, rest, budget)
        for name, entry in _entries(folder, "*", budget):
            if entry.is_dir(follow_symlinks=False):  # a link could lead round in a circle
                yield from _fitting(entry.path, f"{prefix}{name}/", parts, budget)
        return
    if not _SPECIAL.search(first):
        path = os.path.join(folder, first)
        if rest and os.path.isdir(path):
            yield from _fitting(path, f"{prefix}{first}/", rest, budget)
        elif not rest and os.path.lexists(path) and not os.path.isdir(path):
            yield prefix + first
        return
    for name, entry in _entries(folder, first, budget):
        if rest and entry.is_dir():
            yield from _fitting(entry.path, f"{prefix}{name}/", rest, budget)
        elif not rest and not entry.is_dir():
            yield prefix + name


def _entries(folder: str, pattern: str, budget: list[int]) -> list[tuple[str, os.DirEntry[str]]]:
    fits = re.compile(fnmatch.translate(pattern)).match
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                budget[0] -= 1
                if budget[0] < 0:
                    raise TooManyFilesError
                is_meant = not entry.name.startswith(".") or pattern.startswith(".")
                if is_meant and entry.name != _NEVER and fits(entry.name):
                    found.append((entry.name, entry))
    except OSError:
        return []  # no folder, or one that cannot be read
    return found


def are_unchanged(
    root: Path, workspace: str, patterns: Sequence[str], files: Collection[IncludedFile]
) -> bool:
    """Whether the folder still includes exactly these files."""
    try:
        names = {name for pattern in patterns for name in find_files(root / WORKSPACES / workspace, pattern)}
    except TooManyFilesError:
        return False
    return names == {file.path for file in files} and all(_is_unchanged(root, workspace, f) for f in files)


def _is_unchanged(root: Path, workspace: str, file: IncludedFile) -> bool:
    try:
        found = read_bytes(root, f"{WORKSPACES}/{workspace}/{file.path}", MAX_FILE_BYTES)
    except SourceError:
        return False
    return found.sha256 == file.sha256 and found.is_executable == file.is_executable
