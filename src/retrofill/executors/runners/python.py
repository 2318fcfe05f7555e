"""Runs a python task: started by path in the task's interpreter, which may not be Retrofill's.

Descriptor 3 holds `NAME`, the code's file if it has one, and the code, separated by line breaks. Tracebacks
name the task as the file and show its lines; the files that its version includes come first on the module path, then the
folder of the task. `duckdb.connect`
waits where another process has the file open, as sql tasks do.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself is slow to import
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_PAYLOAD = 3


def main() -> None:
    name, file, code = _read_payload()
    own = sys.path[0]
    sys.path[0] = os.getcwd()
    if included := os.environ.get("RETROFILL_CODE"):
        sys.path.insert(0, included)
    sys.argv[0] = name
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    sys.meta_path.append(_RetrofillFinder(own))
    sys.meta_path.insert(0, _DuckDBFinder(own))
    module = type(sys)("__main__")
    module.__dict__["__builtins__"] = __builtins__
    if file:
        module.__file__ = file
    sys.modules["__main__"] = module
    try:
        exec(compile(code, name, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - the task's code
    except SystemExit:
        raise
    except BaseException as error:
        _print_traceback(error, name, code)
        sys.exit(1)


def _read_payload() -> tuple[str, str, str]:
    with open(_PAYLOAD, "rb") as payload:
        name, file, code = payload.read().decode("utf-8", "surrogateescape").split("\n", 2)
    return name, file, code


def _print_traceback(error: BaseException, name: str, code: str) -> None:
    """As Python would, with the task's lines, without this file's."""
    import linecache

    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    first = error.__traceback__
    own = first.tb_next if first is not None else None
    if sys.excepthook is not sys.__excepthook__:
        sys.excepthook(type(error), error.with_traceback(own), own)
        return
    import traceback

    traceback.print_exception(type(error), error, own)


class _RetrofillFinder:
    """Lets `import retrofill` work in an interpreter that does not have it, from its own file."""

    def __init__(self, runners: str) -> None:
        self._path = os.path.join(os.path.dirname(os.path.dirname(runners)), "__init__.py")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "retrofill":
            return None
        from importlib.util import spec_from_file_location

        return spec_from_file_location(fullname, self._path)


class _DuckDBFinder:
    """Gives the module `duckdb`, when it is imported, a `connect` that waits for a file in use."""

    def __init__(self, runners: str) -> None:
        self._runners = runners

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "duckdb":
            return None
        sys.meta_path.remove(self)
        from importlib.util import find_spec, module_from_spec, spec_from_file_location

        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_change(module: ModuleType) -> None:
                load(module)
                own = spec_from_file_location("_retrofill_turns", os.path.join(self._runners, "turns.py"))
                if own is not None and own.loader is not None:
                    turns = module_from_spec(own)
                    own.loader.exec_module(turns)
                    module.connect = turns.waiting(module.connect)  # type: ignore[attr-defined]

            spec.loader.exec_module = load_and_change  # type: ignore[method-assign]
        return spec


main()
