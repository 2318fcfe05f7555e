"""What all have in common who see to people in the name of one actor: whose affairs they may touch, and who exists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retrofill.domain.errors import NotPermittedError, UnknownNameError, UsageError, did_you_mean, shown
from retrofill.domain.people.contacts import MOST_CHARACTERS
from retrofill.domain.people.roles import SYSTEM_ADMINISTRATOR, Actor, actor_of, system_administrator
from retrofill.domain.texts import Text

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.services.ports import Clock, PeopleReader, Reader, Store


def find_actor(people: PeopleReader, catalog: Catalog | None, name: str) -> Actor | None:
    """Who acts under this name, with the roles of now; None where nobody has it."""
    if name == SYSTEM_ADMINISTRATOR:
        return system_administrator(name)
    record = people.find_user(name)
    if record is None and name not in members_of(catalog):
        return None
    return actor_of(name, catalog, record is not None and bool(record.is_administrator))


def user_names(people: PeopleReader | None, catalog: Catalog | None) -> set[str]:
    """Everybody who exists: the system administrator, members, and whom somebody has added.

    Args:
        people: None where there is no store.
    """
    added = () if people is None else (record.name for record in people.users())
    return {SYSTEM_ADMINISTRATOR, *members_of(catalog), *added}


def members_of(catalog: Catalog | None) -> set[str]:
    """Names of the members of any workspace."""
    if catalog is None:
        return set()
    return {name for workspace in catalog.workspaces.values() for name in workspace.members}


class Clerk:
    """Sees to people in the name of one actor.

    Args:
        catalog: the deployed one, whose `members` are users; None before the first deploy.
        has_store: whether there is a store by now; looking at people makes none.
    """

    def __init__(
        self,
        store: Store,
        catalog: Catalog | None,
        clock: Clock,
        actor: Actor,
        has_store: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store, self._has_store = store, has_store
        self._catalog = catalog
        self._clock = clock
        self._actor = actor

    @contextmanager
    def _read(self) -> Iterator[Reader | None]:
        """One moment of the ledger; None where there is no store yet."""
        if not self._has_store():
            yield None
            return
        with self._store.read() as reader:
            yield reader

    def _is_self(self, name: str) -> bool:
        return self._actor.is_system_administrator or name == self._actor.name

    def _check_self(self, name: str, what: str) -> None:
        """Whether it is the actor's own affair, and of somebody who exists.

        Raises:
            NotPermittedError: it is somebody else's, and the actor is no system administrator.
            UnknownNameError: nobody is called so.
        """
        if not self._is_self(name):
            self._check_administrator(what)
        self._check_known(name)

    def _check_administrator(self, what: str) -> None:
        if not self._actor.is_system_administrator:
            raise NotPermittedError(
                f"{self._actor.name} may not {what}", "Only a system administrator may do this."
            )

    def _check_known(self, name: str) -> None:
        with self._read() as reader:
            known = user_names(None if reader is None else reader.people, self._catalog)
        if name in known:
            return
        raise UnknownNameError(
            f'there is no user "{shown(name)}"{did_you_mean(name, known)}',
            Text("{user.list} shows all of them."),
        )

    def _whose(self, user: str | None, what: str) -> str | None:
        """Whose things are listed; None: everybody's, for a system administrator.

        Raises:
            NotPermittedError: somebody else's, and the actor is no system administrator.
        """
        if user is not None:
            self._check_self(user, what)
        elif not self._actor.is_system_administrator:
            return self._actor.name
        return user


def check_label(label: str, what: str) -> None:
    """Raises:
    UsageError: it is too long, or would not be seen as it is.
    """
    if len(label) > MOST_CHARACTERS or not label.isprintable():
        raise UsageError(
            f"the label of {what} has at most {MOST_CHARACTERS} printable characters, this one has {len(label)}",
            Text("Choose another {option.label}, or leave it out."),
        )
