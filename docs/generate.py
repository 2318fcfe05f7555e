"""Writes what is made from the code: the pages of `docs/reference` but the rules, and the schema of a new store.

    python docs/generate.py            write them anew
    python docs/generate.py --check    write nothing; exit 1 naming the pages that are out of step

Each page is a function that returns its text; the text depends on nothing but the code, so
that the same code gives the same page on every machine.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from retrofill.domain.errors import RetrofillError
from retrofill.domain.inputs import Input
from retrofill.domain.planning.options import OPTIONS, PolicyOption
from retrofill.domain.planning.options import schema as policy_schema
from retrofill.store.schema.revision import SNAPSHOT

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
_MADE_BY = "<!-- Made by docs/generate.py from {source}; `make docs` writes it anew. -->\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the reference pages that are made from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing, name the pages out of step")
    parser.add_argument("--to", type=Path, default=REFERENCE, help="folder of the pages")
    options = parser.parse_args(arguments)
    made = {options.to / name: page for name, page in PAGES.items()}
    if options.to == REFERENCE:
        made |= {SNAPSHOT: new_store}
    stale = [path for path, text in made.items() if not _is_current(path, text())]
    if options.check:
        for path in stale:
            print(f"{_shown(path)} is out of step with the code: run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(made[path](), encoding="utf-8")
        print(f"wrote {_shown(path)}")
    return 0


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def _is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _page(title: str, source: str, *parts: str) -> str:
    blocks = [_MADE_BY.format(source=source) + f"\n# {title}", *(part.strip() for part in parts)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{text}`"


# Command line


def command_line() -> str:
    """Every command with its arguments and options, as the program itself knows them."""
    from retrofill.cli.main import cli

    commands = list(_commands(click.Context(cli, info_name="retrofill"), cli))
    shared = {option.name for option in _options(cli) if option.name}
    rows = [(f"[`{path}`](#{_anchor(path)})", command.get_short_help_str(120)) for path, command in commands]
    return _page(
        "Command line",
        "retrofill.cli",
        _COMMAND_LINE,
        _table(["option", "does"], [_option_row(option) for option in _options(cli)]),
        "## Commands",
        _table(["command", "does"], rows),
        *(_command_section(path, command, shared) for path, command in commands),
        _COMPLETION,
        _EXIT_STATUSES,
        _ENVIRONMENT,
    )


_COMMAND_LINE = """
`retrofill [--project DIR] [--output text|json|jsonl] COMMAND`. Data goes to stdout, talk and progress to
stderr; `--output json` prints one JSON document, `--output jsonl` one object a line for lists.

The global options may stand before or after the command:
"""

_COMPLETION = """
## Completion

The shell completes commands, options, tasks, ids of backfills and instances, states, dates and other values. Once a
session, or in the shell's start-up file:

```sh
eval "$(_RETROFILL_COMPLETE=bash_source retrofill)"      # bash, in ~/.bashrc
eval "$(_RETROFILL_COMPLETE=zsh_source retrofill)"       # zsh, in ~/.zshrc
_RETROFILL_COMPLETE=fish_source retrofill | source       # fish
```

What is offered is what you may see of the project that you are in, or that `--project` or `RETROFILL_PROJECT` names.
"""

_EXIT_STATUSES = """
## Exit status

| status | means |
| --- | --- |
| 0 | done and successful |
| 1 | the backfill ended with failures, `doctor` found something wrong, or the answer to a question was no |
| 2 | wrong use, a limit exceeded, or an invalid project |
| 3 | verification found a risk, or an extension check failed |
| 4 | not permitted |
| 5 | an unknown name or id |
| 6 | the operation does not fit the state |
| 7 | a server cannot be reached: that of the store, or that which `RETROFILL_URL` names |
| 70 | a bug in Retrofill |
| 124 | waiting timed out |
| 130 | interrupted |

A batch of operations exits with the status of the first item that was refused; in JSON that item has `error`, `code`,
`hint` and `steps`. Every error with its code is in [error codes](error-codes.md).
"""

_ENVIRONMENT = """
## Environment

| variable | means |
| --- | --- |
| `RETROFILL_PROJECT` | the project's folder, where `--project` is not given |
| `RETROFILL_SERVER_KEY` | 64 hexadecimal digits in place of `.retrofill/server.key`, the same for all servers of one store |
| `RETROFILL_USER` | who acts: a member of a workspace or a user that was added; default `admin`, the system administrator |
| `RETROFILL_URL` | the address of a server, which is asked in place of the store of the folder |
| `RETROFILL_TOKEN` | who asks it: a token that `retrofill token create` has printed |
| `SSL_CERT_FILE` | the authority that signed the certificate of the server, where the machine does not know it |
| `RETROFILL_NOW` | an ISO instant that replaces the clock in `backfill plan`, for tests |
| `RETROFILL_SECRET_<NAME>` | the value of `${secret:NAME}` in parameters and connections; [other places](../guides/secrets.md) |
| `RETROFILL_DEBUG` | not empty: a bug prints its traceback |
| `RETROFILL_<SETTING>` | every [setting](settings.md) |
"""


def _commands(context: click.Context, group: click.Group) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _commands(inner, command)
        else:
            yield inner.command_path, command


def _anchor(path: str) -> str:
    return path.replace(" ", "-")


def _options(command: click.Command) -> list[click.Option]:
    return [p for p in command.params if isinstance(p, click.Option) and not p.hidden]


def _command_section(path: str, command: click.Command, shared: set[str]) -> str:
    from retrofill.cli.examples import examples_of

    usage = " ".join([path, *command.collect_usage_pieces(click.Context(command, info_name=path))])
    options = [option for option in _options(command) if option.name not in shared]
    table = _table(["option", "does"], [_option_row(option) for option in options]) if options else ""
    examples = "\n".join(examples_of(path))
    parts = [
        f"## {path}",
        f"```text\n{usage}\n```",
        inspect.cleandoc(command.help or ""),
        table,
        f"```sh\n{examples}\n```" if examples else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _option_row(option: click.Option) -> tuple[str, str]:
    names = ", ".join(option.opts + option.secondary_opts)
    metavar = "" if option.is_flag else f" {option.make_metavar(click.Context(click.Command('x')))}"
    return _code(f"{names}{metavar}"), option.help or ""


# Settings and project files


def settings() -> str:
    """The table of settings, and which of them nothing reads yet."""
    from retrofill.project.schema_reference import settings_page
    from retrofill.settings.table import TABLE

    unread = [_code(setting.name) for setting in TABLE if setting.name in WITHOUT_EFFECT]
    if not unread:
        return settings_page()
    return f"{settings_page()}\n{_UNREAD.strip().format(names=', '.join(unread))}\n"


# Checked like the others, for parts that later versions bring.
WITHOUT_EFFECT: frozenset[str] = frozenset()

_UNREAD = """
## Without effect in this version

{names}: their values are checked, and nothing reads them yet
([not in this version](rules.md#not-in-this-version)).
"""


def project_files() -> str:
    """Every key of the two project files, made from the models that check them."""
    from retrofill.project.schema_reference import project_files_page

    return project_files_page()


# Error codes


def error_codes() -> str:
    """Every error that is raised on purpose."""
    from retrofill.api.errors import STATUSES
    from retrofill.cli.exit_statuses import EXIT_STATUSES

    rows = [
        (
            _code(error.code),
            _code(error.kind),
            str(EXIT_STATUSES[error.kind]),
            str(STATUSES[error.kind]),
            _hint(error),
        )
        for error in sorted(_errors(), key=lambda error: error.code)
    ]
    return _page(
        "Error codes",
        "the error classes",
        _ERRORS,
        _table(["code", "kind", "exit status", "HTTP", "what to do"], rows),
    )


_ERRORS = """
Every error that is raised on purpose has a code, a kind, a sentence that says what is wrong and where, and a hint
that says what to do. The kind says what sort of refusal it is; the exit status of a command and the status of HTTP
follow from it. The sentence and the hint go to stderr; where the hint depends on the case, it is more exact
than the one here. Anything else is a bug: exit status 70, with a report in a file.
"""


def _errors() -> set[type[RetrofillError]]:
    """All error classes of the package, found by importing its modules."""
    import retrofill

    for module in pkgutil.walk_packages(retrofill.__path__, "retrofill."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: set[type[RetrofillError]] = set()
    front: list[type[RetrofillError]] = [RetrofillError]
    while front:
        error = front.pop()
        front += error.__subclasses__()
        is_ours = error.__module__.startswith("retrofill.") and error is not RetrofillError
        if is_ours and "code" in vars(error):
            found.add(error)
    return found


def _hint(error: type[RetrofillError]) -> str:
    from retrofill.cli.steps import told

    return told(error.usual_hint()).partition("\n\n")[0]


# Findings


def findings() -> str:
    """Every code that a finding of verification can have, the grave ones first."""
    from retrofill.cli.steps import told
    from retrofill.domain.verification.codes import CODES, Level

    parts = []
    for level in Level:
        rows = [(_code(code), told(f.means), told(f.hint)) for code, f in CODES.items() if f.level is level]
        parts += [f"## {level.value.capitalize()}", _LEVELS[level.value]]
        parts.append(_table(["code", "means", "what to do"], rows))
    return _page("Findings", "retrofill.domain.verification.codes", _FINDINGS, *parts)


_FINDINGS = """
What verification and extension checks find in a plan before anything is created (VER-1 to VER-3 of
[the rules](rules.md)). `retrofill backfill plan` shows them, `retrofill backfill analysis ID` shows those that were
stored with a backfill. A finding has a level, a code, a sentence, the tasks that it is about (the one that
it is about first) and what to do: in JSON `{"level", "code", "message", "tasks", "hint", "steps"}`.
"""

_LEVELS = {
    "risk": "The backfill is stored with check status `failed` and nothing of it runs (exit status 3), unless it is "
    "created with `--allow-risks`: then it runs, and the risky instances stay blocked.",
    "warning": "The backfill runs; results may be stale or late.",
    "info": "Worth knowing.",
}


# Policies


def policy() -> str:
    """Every option of a policy, and the JSON Schema of all of them."""
    rows = [
        (
            _code(option.name),
            _usage(option, option.inputs) if option.is_asked else "",
            option.default_words,
            _usage(option, option.changing) if option.is_changeable else "",
            " ".join(one.help for one in option.inputs) or option.help,
        )
        for option in OPTIONS
    ]
    return _page(
        "Policies",
        "retrofill.domain.planning.options",
        _POLICIES,
        _table(["option", "plan, create", "default", "change", "does"], rows),
        "## JSON",
        _POLICY_JSON,
        "```json\n" + json.dumps(policy_schema(), indent=2) + "\n```",
    )


def _usage(option: PolicyOption, inputs: Iterable[Input]) -> str:
    return ", ".join(
        _code(f"--{one.name.replace('_', '-')} {option.written(one)}".rstrip()) for one in inputs
    )


_POLICIES = """
How a backfill runs: everything about it but its tasks (chapter 6 of [the rules](rules.md)). The options are
given to `backfill plan` and `create`; some can be changed while it runs (`backfill change`, BF-3). An option
without a default is off, none, or each task's own.
"""

_POLICY_JSON = """
A policy is stored, and shown to extension checks, as a document of this form. Beyond it, a range's end may not
lie before its start, and the two ends of a window differ.
"""


# States


def states() -> str:
    """The state machine of instances: diagram and table, from the table that the program uses."""
    from retrofill.domain.running.states import CHANGEABLE, MOVES, Reason, State

    arrows: dict[tuple[str, str], list[str]] = {}
    for move, rule in MOVES.items():
        for source in _ordered(rule.sources):
            for target in _ordered(rule.targets):
                arrows.setdefault((source, target), []).append(move.replace("_", " "))
    diagram = ["stateDiagram-v2", "    [*] --> not_run", "    [*] --> frozen: task is frozen"]
    diagram += [f'    state "{state.words}" as {state.value}' for state in State]
    diagram += [f"    {a} --> {b}: {', '.join(moves)}" for (a, b), moves in arrows.items()]
    rows = [
        (
            _code(move.value),
            ", ".join(_code(s) for s in _ordered(rule.sources)),
            ", ".join(_code(s) for s in _ordered(rule.targets)),
            "" if rule.reason is None else _code(rule.reason),
            "a person" if rule.by_person else "the scheduler",
            f"[{rule.source}](rules.md)",
        )
        for move, rule in MOVES.items()
    ]
    return _page(
        "States of an instance",
        "retrofill.domain.running.states",
        _STATES,
        _table(["state", "in words", "means"], [(_code(s.value), s.words, s.means) for s in State]),
        "```mermaid\n" + "\n".join(diagram) + "\n```",
        "## Moves",
        "An operation from any other state is refused with exit status 6.",
        _table(["move", "from", "to", "always with the reason", "asked for by", "rule"], rows),
        "## Reasons",
        "A reason informs people; no move depends on it.",
        _table(["reason", "means"], [(_code(r.value), r.means) for r in Reason]),
        _CHANGING,
        _table(
            ["state", "`remove-wait`, `set-priority`, `set-resource-group`"],
            [(_code(s.value), "done" if s in CHANGEABLE else "refused") for s in State],
        ),
        _STEERING,
        _steering(),
    )


def _steering() -> str:
    from retrofill.domain.running.steering import STEERING, BackfillSituation, Steer

    rows = [
        (_code(standing.value), standing.meaning, *(STEERING[steer, standing].value for steer in Steer))
        for standing in BackfillSituation
    ]
    return _table(["backfill", "means", *(steer.value for steer in Steer)], rows)


def _ordered(states: Iterable[str]) -> list[str]:
    from retrofill.domain.running.states import State

    wanted = set(states)
    return [state.value for state in State if state in wanted]


_STATES = """
A state says where an instance is, a reason says why. Code, the database's checks, the tests of every wrong
state and this page are made from one table.
"""

_CHANGING = """
## Changing one instance

What administrators change about an instance in an emergency (OPS-7) matters before a run, and leaves its state
to the scheduler. What holds already is unchanged. An instance that passes without a slot has no priority and no
resource group to change.
"""

_STEERING = """
## Steering a whole backfill

What `backfill pause`, `resume`, `stop`, `change` and `rerun` do, by where the backfill stands (BF-3, BF-5): done;
unchanged, because it holds already; or refused with exit status 6. A rerun, of the whole or of single instances,
takes a stop back, where the user may steer the backfill, and leaves a pause (OPS-2). A pause or a stop is over when
the last instance has succeeded, so that it does not hold back a later rerun.
"""


# A new store


def new_store() -> str:
    """What the migrations make of an empty SQLite file, as one script."""
    import sqlite3
    from contextlib import closing

    from retrofill.store.schema import revision
    from retrofill.store.sqlite import schema

    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        schema.migrate(connection)
        statements = connection.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"
            " ORDER BY type = 'index', iif(type = 'index', name, ''), rowid"  # migrations make indexes in any order
        )
        made = ["\n".join(line.rstrip() for line in sql.splitlines()) + ";" for (sql,) in statements]
    made.append(f"INSERT INTO alembic_version (version_num) VALUES ('{revision.HEAD}');")  # noqa: S608 - our own
    return "\n\n".join([_NEW_STORE, *made]) + "\n"


_NEW_STORE = (
    "-- Made by docs/generate.py from the migrations beside it: what they make of an empty file, in one go."
)

# Documents


def documents() -> str:
    """Every document that commands print as JSON, from the classes that say what is in them."""
    sys.path.insert(0, str(ROOT / "docs"))
    import documents as source

    return _page(
        "JSON of the command line",
        "retrofill.services.reading.documents",
        _JSON,
        *(
            f"## {title}\n\n" + "\n\n".join(_document(source, module, node) for node in module.documents)
            for title, module in source.sections()
        ),
    )


def _document(source: ModuleType, module: Any, node: object) -> str:
    rows = [(f"`{name}`", kind, text) for name, kind, text in module.rows_of(node)]
    table = _table(["field", "is", "means"], rows)
    return f"### {source.name_of(node)}\n\n{module.summary_of(node)}\n\n{table}"


_JSON = """
What commands print with `--output json`, and line by line with `--output jsonl`. A list of the command line is the
`items` of its page, without the page around them. Names stay; new ones may be added.

Instants are UTC (`2026-01-05T01:30:00Z`), `scheduled_at` is the wall-clock slot of the task's time zone
(`2026-01-05T01:30:00`), dates are `2026-01-05`, lengths are seconds. A *sentence* is a string with commands between
backticks; a *step* is `{"step", "arguments", "command"}`: what can be done next, and the command that does it. What you
may not see is left out or told in words, so two people may get different documents.
"""


# Operations of HTTP


def operations() -> str:
    """Every operation that a server answers, by noun."""
    from retrofill.api import routes
    from retrofill.api.links import PREFIX
    from retrofill.api.operations import summary_of

    parts = []
    for module in routes.ALL:
        rows = [
            (
                _code(f"{method} {path}"),
                _code(one.id),
                "anybody" if one.scope is None else _code(one.scope),
                summary_of(handler),
            )
            for method, path, one, handler in module.routes.declared
        ]
        heading = f"## {(inspect.getdoc(module) or '').partition(chr(10))[0].rstrip('.')}"
        parts += [heading, _table(["request", "operation", "scope", "does"], rows)]
    return _page("Operations of a server", "retrofill.api.routes", _OPERATIONS.format(prefix=PREFIX), *parts)


_OPERATIONS = """
What a server answers, below `{prefix}`: one operation for each method of the operation center, so that programs, pages and the
command line from elsewhere ask the same. The scope is that which a token needs; roles are judged besides, as everywhere.
Parameters, bodies, answers and examples of all of them stand in `GET {prefix}/openapi.json`; [the guide](../guides/api.md)
walks through the main ones.
"""

PAGES: dict[str, Callable[[], str]] = {
    "cli.md": command_line,
    "settings.md": settings,
    "project-files.md": project_files,
    "error-codes.md": error_codes,
    "findings.md": findings,
    "policy.md": policy,
    "states.md": states,
    "json.md": documents,
    "operations.md": operations,
}

if __name__ == "__main__":
    sys.exit(main())
