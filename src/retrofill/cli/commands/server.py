"""`retrofill up` and `retrofill serve`: the server, with a scheduler beside it or alone.

`up` loads little itself: each of its two processes loads what it needs, at the same time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import closing
from socket import socket
from typing import TYPE_CHECKING

import click

from retrofill.cli.grammar import Command
from retrofill.cli.session import Session, pass_session, say, say_json
from retrofill.cli.steps import command_of
from retrofill.domain.errors import UsageError
from retrofill.domain.words import names

if TYPE_CHECKING:
    from retrofill.bootstrap.deployment import Deployment

Tell = Callable[[str], None]

_HOST = click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Where to listen: an address of this machine.",
    metavar="ADDRESS",
)
_PORT = click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="On which port; 0: any that is free.",
    metavar="N",
)
NEEDED = (
    "argon2",
    "fastapi",
    "jinja2",
    "msgspec",
    "prometheus_client",
    "uvicorn",
)  # the extra, as it is imported
_FINAL = (2, 6)  # of a scheduler: it cannot run as things are, or another one runs


@click.command(cls=Command)
@_HOST
@_PORT
@pass_session
def up(session: Session, host: str, port: int) -> int:
    """Run a server and a scheduler until interrupted.

    Prints the server's address, and a link that signs you in once. TERM or Ctrl-C ends both; running instances go on,
    and the next scheduler takes them over. One that dies is started again.
    """
    from retrofill.bootstrap.listening import listen, url_of
    from retrofill.bootstrap.process_group import Part, ProcessGroup

    _refuse_without_extra()
    _deployment(session).refuse_second_scheduler()
    listener = listen(host, port)
    url = url_of(listener, host)

    def show(name: str, told: str) -> None:
        if name == "server":
            _say_where(session, url, told)

    def serving(tell: Tell) -> int:
        return _as_process(
            lambda: _serve(_deployment(session), listener, host, lambda d: tell(_sign_in_url(d, url)))
        )

    def scheduling(tell: Tell) -> int:
        listener.close()
        return _as_process(lambda: _schedule(session, lambda: tell("")))

    parts = [Part("server", serving), Part("scheduler", scheduling, _FINAL.__contains__)]
    with listener:
        _deployment(session).folder.note_group(os.getpid(), url)
        return ProcessGroup(parts, show, say).run()


@click.command(cls=Command)
@_HOST
@_PORT
@pass_session
def serve(session: Session, host: str, port: int) -> None:
    """Run a server alone until interrupted; a scheduler runs elsewhere.

    On a PostgreSQL server any number may run, on any machines, behind a proxy.
    """
    from retrofill.bootstrap.listening import listen, url_of

    _refuse_without_extra()
    deployment = _deployment(session)
    with listen(host, port) as listener:
        url = url_of(listener, host)
        _serve(deployment, listener, host, lambda _: _say_where(session, url))
    say("The server has left.")


def _refuse_without_extra() -> None:
    """Before anything is bound or started; loads nothing.

    Raises:
        UsageError: what a server is made of is not installed.
    """
    from importlib.util import find_spec

    lacking = [name for name in NEEDED if find_spec(name) is None]
    if lacking:
        raise UsageError(
            f"a server needs the extra `server`, and {names(lacking)} {'is' if len(lacking) == 1 else 'are'} not installed",
            "Install it: pip install 'retrofill[server]'.",
        )


def _deployment(session: Session) -> Deployment:
    """That of the folder, with nothing open yet; whoever asks for it in a fork has one of their own."""
    from retrofill.bootstrap.deployment import open_deployment

    if session.server is not None:
        _ = session.call  # which says that a server is named
    return open_deployment(session.directory, os.environ, command_of)


def _as_process(act: Callable[[], object]) -> int:
    from retrofill.cli.main import status_of

    return status_of(act)


def _serve(
    deployment: Deployment, listener: socket, host: str, on_ready: Callable[[Deployment], None]
) -> None:
    from retrofill.api.serving import serve as answer
    from retrofill.bootstrap.listening import is_local
    from retrofill.web.app import make_site

    with deployment.staying_open(), closing(deployment):
        _ = deployment.store  # made where there is none yet; a deploy may come later
        if not is_local(host) and not deployment.settings().public_origin.startswith("https:"):
            say(
                f"Whoever reaches {host} over the network can read along: put a proxy with TLS before it, and name its "
                "address in the setting `public_origin`."
            )
        answer(make_site(deployment), listener, lambda: on_ready(deployment))


def _schedule(session: Session, on_ready: Callable[[], None]) -> None:
    from retrofill.bootstrap.centers import Call
    from retrofill.cli.commands.scheduler import schedule

    call = Call(_deployment(session))
    try:
        schedule(call, on_ready)
    finally:
        call.close()


def _sign_in_url(deployment: Deployment, url: str) -> str:
    """A link that signs in who started this."""
    from retrofill.bootstrap.centers import Call

    call = Call(deployment, origin=url)
    return call.center.people.create_link(call.user)["link"]


def _say_where(session: Session, url: str, sign_in_url: str = "") -> None:
    if not session.is_text:
        say_json({"url": url, **({"sign_in_url": sign_in_url} if sign_in_url else {})})
    else:
        click.echo(f"Retrofill is at {url}")
        if sign_in_url:
            click.echo(f"Sign in, once and soon, at {sign_in_url}")
    sys.stdout.flush()


COMMANDS: dict[str, click.Command] = {"up": up, "serve": serve}
