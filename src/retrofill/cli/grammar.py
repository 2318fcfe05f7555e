"""What commands and groups of the command line are: they take the global options, complete, and suggest near names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from retrofill.cli.session import Session
from retrofill.domain.errors import shown

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def global_options() -> list[click.Option]:
    """--project and --output, which may stand before or after the command."""
    return [
        click.Option(
            ["--project", "global_project"],
            metavar="DIR",
            expose_value=False,
            is_eager=True,
            callback=_set("directory"),
            help="The project's folder (default: this folder or the nearest above it).",
        ),
        click.Option(
            ["--output", "global_output"],
            type=click.Choice(["text", "json", "jsonl"]),
            expose_value=False,
            is_eager=True,
            callback=_set("output"),
            help="How data is printed (default: text).",
        ),
        click.Option(
            ["--wide", "global_wide"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_set("wide"),
            help="Tables as wide as their contents, whatever the terminal's width.",
        ),
    ]


def refuse_repeats(command: click.Command, context: click.Context, args: Sequence[str]) -> None:
    """Refuse an option that takes one value and is given twice, instead of using the last one.

    Raises:
        click.UsageError: naming the option.
    """
    _, _, order = command.make_parser(context).parse_args(list(args))
    seen: set[str] = set()
    for parameter in order:
        if (
            not isinstance(parameter, click.Option)
            or parameter.multiple
            or parameter.is_flag
            or parameter.count
        ):
            continue
        if parameter.opts[0] in seen:
            raise click.UsageError(f"{parameter.opts[0]} is given twice, and takes one value", context)
        seen.add(parameter.opts[0])


class _Completed(click.types.StringParamType):
    """Text for which the shell offers values."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from retrofill.cli.completing import completions

        return completions(ctx, param, incomplete)


_TEXT = _Completed()


class Deferred:
    """Stands among the parameters of a command for options that are made when it is the one that was called."""

    def __init__(self, make: Callable[[], list[click.Parameter]]) -> None:
        self.make = make

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate the function of a command, as `click.option` does."""
        vars(function).setdefault("__click_params__", []).append(self)
        return function


class Command(click.Command):
    """A command that takes the global options too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_made = False
        self.params.extend(global_options())

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        if not self._is_made:
            self._is_made = True
            self.params = [made for one in self.params for made in _made(one)]
        return super().get_params(ctx)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and not ctx.resilient_parsing:
            refuse_repeats(self, ctx, args)
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples, which stand at the end of every help."""
        from retrofill.cli.examples import examples_of

        path: list[str] = []
        above: click.Context | None = ctx
        while above is not None and above.parent is not None:
            path.insert(0, above.info_name or "")
            above = above.parent
        with formatter.section("Examples"):
            for example in examples_of(" ".join(path)):
                formatter.write_text(example)


def _made(parameter: click.Parameter | Deferred) -> list[click.Parameter]:
    made = parameter.make() if isinstance(parameter, Deferred) else [parameter]
    for one in made:
        if one.type is click.STRING:
            one.type = _TEXT
    return made


class Group(click.Group):
    """A group whose members take the global options, and which suggests near names."""

    command_class = Command
    group_class = type

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(global_options())
        self._later: dict[str, str] = {}  # commands by the module that is imported when they are called

    def add_later(self, module: str, *names: str) -> None:
        """Add commands of `retrofill.cli.commands.<module>.COMMANDS` by name; start-up is felt at every call."""
        self._later |= dict.fromkeys(names, module)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._later})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = self._later.get(cmd_name)
        if module is None:
            return super().get_command(ctx, cmd_name)
        from importlib import import_module

        commands: tuple[click.Command, ...] = import_module(f"retrofill.cli.commands.{module}").COMMANDS
        return next(command for command in commands if command.name == cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from retrofill.domain.errors import did_you_mean

        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            raise click.UsageError(
                f'there is no command "{shown(name)}"{did_you_mean(name, self.list_commands(ctx))}', ctx
            )
        return super().resolve_command(ctx, args)


def _set(name: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        if value:
            session = context.ensure_object(Session)
            if name in session.given and name != "wide":
                raise click.UsageError(f"{parameter.opts[0]} is given twice", context)
            session.given.add(name)
            setattr(session, name, value)
        return value

    return callback
