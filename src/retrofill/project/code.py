"""The code of tasks: inline or from a file, and what can be told about it before it runs."""

from __future__ import annotations

from pathlib import Path

from retrofill.domain.catalog.expressions import ParameterError
from retrofill.domain.catalog.sql_standing import Standing, standings
from retrofill.domain.errors import did_you_mean
from retrofill.project.problems import Report
from retrofill.project.sources import MAX_CODE_BYTES, WORKSPACES, SourceError, SourceText, read_source
from retrofill.project.yaml_nodes import Node, Place, place_of

# One argument of a program may hold 128 KiB on Linux, and shell code is passed as one.
MAX_SHELL_BYTES = 100_000


class CodeFiles:
    """Reads each code file once; `sources` holds those that were read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._read: dict[str, SourceText | SourceError] = {}

    @property
    def sources(self) -> list[SourceText]:
        return [source for source in self._read.values() if isinstance(source, SourceText)]

    def get(self, workspace: str, name: str) -> SourceText:
        """A file by its name relative to the workspace's folder.

        Raises:
            SourceError: it cannot be read, or lies outside the project.
        """
        if name.startswith(("/", "~")):
            raise SourceError(
                "the file lies outside the project's folder", "name it relative to the workspace's"
            )
        path = f"{WORKSPACES}/{workspace}/{name}"
        found = self._read.get(path)
        if found is None:
            try:
                found = read_source(self.root, path, MAX_CODE_BYTES)
            except SourceError as error:
                found = error
            self._read[path] = found
        if isinstance(found, SourceError):
            raise found
        return found


class CodeText:
    """Code with a way back from an offset in it to a place in a file."""

    def __init__(self, text: str, path: str, node: Node | None = None) -> None:
        self.text = text
        self.path = path
        self._node = node

    def place(self, offset: int) -> Place:
        if self._node is None:
            return place_of(self.text[:offset].encode(), len(self.text[:offset].encode()))
        line, column = self._node.place
        before = self.text[:offset]
        if self._node.style in (
            "|",
            ">",
        ):  # a block begins in the line after its mark; its indent is not known
            return line + 1 + before.count("\n"), 1
        return (line, column + offset + len(self._node.style)) if "\n" not in before else (line, column)


def check_shell(code: CodeText, start: Place, report: Report) -> None:
    """Shell code fits into one argument of a program and holds no NUL."""
    size = len(code.text.encode())
    if size > MAX_SHELL_BYTES:
        report.add_once(
            code.path,
            start,
            f"shell code of {size:,} bytes; at most {MAX_SHELL_BYTES:,} can be passed to a shell",
            "put it into a script of its own and call that: sh ./script.sh",
        )


def check_sql(code: CodeText, declared: list[str], dialect: str, task: str, report: Report) -> None:
    """Every `${name}` in SQL text is a declared parameter (PAR-4); those that stand bare are doubtful (PAR-5)."""
    bare: dict[str, int] = {}
    try:
        for reference, standing in standings(code.text, dialect):
            name, offset = reference.name, reference.start
            if name not in declared:
                near = did_you_mean(name, declared)[2:]
                hint = near or "declare it under `parameters`, or write $${ for a literal ${"
                report.add(code.path, code.place(offset), f"${{{name}}} is not a parameter of the task", hint)
            elif standing is Standing.TWICE_QUOTED:
                message = f"${{{name}:quoted}} stands in quotes already"
                report.add(code.path, code.place(offset), message, "leave out the quotes around it")
            elif standing is Standing.BARE:
                bare.setdefault(name, offset)
    except ParameterError as error:
        report.add(code.path, code.place(error.position), error.message)
        return
    if bare:
        first = next(iter(bare))
        message = (
            f"{' and '.join(f'${{{name}}}' for name in bare)} of {task} {'stand' if len(bare) > 1 else 'stands'} "
            "bare in the SQL, so what a backfill sets instead runs as SQL"
        )
        hint = f"write ${{{first}:quoted}} where a value is meant"
        report.doubt(code.path, code.place(bare[first]), "bare_parameter", message, hint, task)
