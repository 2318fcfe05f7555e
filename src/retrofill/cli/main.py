"""The entry of the command line: groups, errors, exit statuses."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable

_INTERRUPTED = 130
# An interrupt while this module's imports go on has nothing to undo and nobody to catch it.
_has_default_handler = signal.getsignal(signal.SIGINT) is signal.default_int_handler
if _has_default_handler:
    signal.signal(signal.SIGINT, lambda *_: os._exit(_INTERRUPTED))

# Importing makes nothing but things that stay; collecting among them costs a fifth of the start.
gc.disable()

# Plans need no parallel linear algebra; its threads cost start-up time and memory.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import click

from retrofill import __version__
from retrofill.cli.exit_statuses import EXIT_STATUSES, exit_status
from retrofill.cli.grammar import Group
from retrofill.cli.session import Session
from retrofill.cli.steps import told
from retrofill.cli.tables import wants_colour
from retrofill.domain.errors import Kind, RetrofillError, shown

_BUG = EXIT_STATUSES[Kind.BROKEN]
_LAZY = {
    "init": "catalog",
    "schema": "catalog",
    "check": "catalog",
    "deploy": "versions",
    "version": "versions",
    "task": "catalog",
    "workspace": "catalog",
    "resource-group": "groups",
    "host": "hosts",
    "backfill": "backfill",
    "instance": "instance",
    "operation": "history",
    "user": "people",
    "token": "keys",
    "access-key": "keys",
    "schedule": "schedule",
    "up": "server",
    "serve": "server",
    "scheduler": "scheduler",
    "worker": "worker",
    "retention": "retention",
    "store": "store",
    "backup": "backup",
    "restore": "backup",
    "doctor": "doctor",
}


class Root(Group):
    """Imports a command's module only when the command is called: start-up is felt at every call."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_LAZY)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = _LAZY.get(cmd_name)
        if module is None:
            return None
        from importlib import import_module

        commands: dict[str, click.Command] = import_module(f"retrofill.cli.commands.{module}").COMMANDS
        gc.freeze()
        gc.enable()
        return commands[cmd_name]


@click.command(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="retrofill")
@click.pass_context
def cli(context: click.Context) -> None:
    """Schedule data tasks and backfill any part of their dependency graph, for any business dates.

    Data goes to stdout, talk and progress to stderr. Start with `retrofill init DIR`.
    With RETROFILL_URL and RETROFILL_TOKEN set, a server is asked instead of the folder.
    """
    context.color = wants_colour()
    context.call_on_close(context.ensure_object(Session).close)


def main() -> None:
    """Run a command and exit with its status; errors are one sentence and a hint, never a traceback."""
    _open_standard_streams()
    sys.exit(run())


def _open_standard_streams() -> None:
    """Give the null device to streams that are closed, so that no file of ours gets their numbers."""
    for descriptor, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
            os.set_inheritable(null, True)
            setattr(sys, name, os.fdopen(null, "w" if descriptor else "r", closefd=False))


def run() -> int:
    return status_of(lambda: cli.main(standalone_mode=False))


def status_of(act: Callable[[], object]) -> int:
    """What a process exits with that does this; errors are told."""
    try:
        status = act()
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except (BrokenPipeError, SystemExit):  # click makes the one into the other
        # The reader of our output has left, as `head` does: nothing to say, and nowhere to say it.
        _discard_output()
        return 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return EXIT_STATUSES[Kind.USAGE]
    except click.UsageError as error:
        _complain(error.format_message().rstrip("."), _help_of(error))
        return EXIT_STATUSES[Kind.USAGE]
    except click.Abort:
        return _INTERRUPTED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except RetrofillError as error:
        if "\n" in error.message:
            _complain_of_many(error)
        else:
            _complain(told(error.text), told(error.hint))
        return exit_status(error)
    except UnicodeEncodeError:
        _complain(
            "this terminal's encoding cannot show the output", "Set PYTHONIOENCODING=utf-8 or LANG=C.UTF-8."
        )
        return 1
    except OSError as error:
        _discard_output()
        where = f": {shown(str(error.filename))}" if error.filename else ""
        _complain(f"the system refused: {error.strerror or error}{where}", "Mend that, then try again.")
        return EXIT_STATUSES[Kind.UNAVAILABLE]
    except Exception as error:
        return _refused_by_store(error) or _bug(error)


def _discard_output() -> None:
    """What is still to be written to stdout cannot be; the interpreter shall not try again at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refused_by_store(error: Exception) -> int:
    """Status 2 where SQLite says why it cannot, such as a full disk; else 0."""
    import sqlite3

    if not isinstance(error, sqlite3.DatabaseError):
        return 0
    _complain(
        f"the store cannot be used: {error}", "`retrofill doctor` looks at store and disk; then try again."
    )
    return EXIT_STATUSES[Kind.UNAVAILABLE]


def _help_of(error: click.UsageError) -> str:
    return f"See `{error.ctx.command_path} --help`." if error.ctx is not None else ""


def _complain(sentence: str, hint: str) -> None:
    click.echo(f"{click.style('error:', fg='red')} {sentence}", err=True, color=wants_colour())
    if hint:
        click.echo(f"  {hint}", err=True)


def _complain_of_many(error: RetrofillError) -> None:
    """Errors that stand one a line, each with its place (CAT-1)."""
    from retrofill.domain.words import many

    lines = told(error.text).splitlines()
    least = "at least " if getattr(error, "is_cut_off", False) else ""
    click.echo("\n".join(lines), err=True)
    click.echo(
        f"{click.style('error:', fg='red')} {least}{many(len(lines), 'error')}. {told(error.hint)}",
        err=True,
        color=wants_colour(),
    )


def _bug(error: Exception) -> int:
    import tempfile
    import traceback

    if os.environ.get("RETROFILL_DEBUG"):
        traceback.print_exc()
        return _BUG
    with tempfile.NamedTemporaryFile("w", prefix="retrofill-", suffix=".txt", delete=False) as report:
        traceback.print_exc(file=report)
    _complain(
        f"this is a bug in Retrofill: {type(error).__name__}: {error}",
        f"What happened stands in {report.name}; please report it. Your data is as the last command left it.",
    )
    return _BUG


# From here on an interrupt is caught by `run`, which leaves things in order.
if _has_default_handler:
    signal.signal(signal.SIGINT, signal.default_int_handler)
