"""A server that is away while a command waits: that it is said once, and how to go on waiting is named at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retrofill.cli.session import say
from retrofill.domain.errors import Kind, RetrofillError

if TYPE_CHECKING:
    from retrofill.cli.session import Session
    from retrofill.domain.texts import Step

_AWAY = (Kind.UNREACHABLE, Kind.UNAVAILABLE)


def say_away() -> None:
    say("The server is away; still waiting.")


@contextmanager
def still_away_from(session: Session, going_on: Step) -> Iterator[None]:
    """Whatever ends the waiting at a server that stays away names how to go on waiting."""
    try:
        yield
    except RetrofillError as error:
        if not is_away(session, error):
            raise
        from retrofill.client.troubles import still_away

        raise still_away(error, going_on) from None


def is_away(session: Session, error: RetrofillError) -> bool:
    """Whether it is an error of a server that does not answer."""
    return session.server is not None and error.kind in _AWAY
