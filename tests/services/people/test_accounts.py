"""Users and their contacts, on the real store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from retrofill.domain.errors import InvalidValueError, NotPermittedError, UnknownNameError
from retrofill.domain.people.roles import Actor, system_administrator
from retrofill.services.people.accounts import (
    Contact,
    LastAdministratorError,
    People,
    UserExistsError,
)
from retrofill.services.ports import Ledger, Store
from services.people.offices import Office
from store.connections import file_of


def test_who_exists(office: Office) -> None:
    """SEC-1: admin, members, and whom somebody added; nobody else."""
    assert office.actor("admin") == system_administrator("admin")
    assert office.actor("bob") is not None
    assert office.actor("eve") is None
    office.people().add("eve", "eve@example.org")
    assert office.actor("eve") == Actor("eve")
    assert [account.user for account in office.people().users()] == ["admin", "ann", "bob", "eve"]


def test_roles_and_the_flag(office: Office) -> None:
    """SEC-4: roles come from the members; the command sets only the system administrator."""
    account = office.people().set_administrator("bob", True)
    assert (account.is_administrator, account.roles) == (True, {"w": "visitor"})
    bob = office.actor("bob")
    assert bob is not None
    assert bob.is_system_administrator
    office.people("bob").set_administrator("bob", False)
    assert office.actor("bob") == Actor("bob", {"w": "visitor"})  # type: ignore[dict-item]


def test_a_deployment_keeps_a_system_administrator(office: Office) -> None:
    """SEC-1."""
    office.people().set_administrator("ann", True)
    with pytest.raises(LastAdministratorError):
        office.people("ann").set_administrator("admin", False)
    assert office.people("ann").set_administrator("admin", True).is_administrator


def test_contacts(office: Office) -> None:
    """POL-9: each is set by itself, in its normal form; an empty text removes one."""
    people = office.people()
    people.add("eve", "Eve@Example.org", "+1 555 123 4567")
    assert office.contact("eve") == Contact("Eve@example.org", "+15551234567")
    people.set_contact("eve", phone="")
    assert office.contact("eve") == Contact("Eve@example.org", "")
    office.people("bob").set_contact("bob", email="bob@example.org")
    assert office.contact("bob") == Contact("bob@example.org", "")
    assert office.people("bob").contact("bob") == Contact("bob@example.org", "")
    assert office.contact("ann") == Contact()


class JustBefore:
    """A store on which somebody else does something before the first transaction."""

    def __init__(self, store: Store, does: Callable[[], object]) -> None:
        self._store, self._does = store, [does]
        self.read = store.read

    def transaction(self) -> AbstractContextManager[Ledger]:
        if self._does:
            self._does.pop()()
        return self._store.transaction()


def test_two_who_register_at_once_lose_nothing(office: Office) -> None:
    """POL-9: the address that one writes stays when another writes the number."""
    between = JustBefore(
        office.world.store, lambda: office.people().set_contact("bob", email="bob@example.org")
    )
    bob = People(between, office.catalog, office.world.clock, office.actor("bob"))
    bob.set_contact("bob", phone="+15551234567")
    assert office.contact("bob") == Contact("bob@example.org", "+15551234567")


def test_a_wrong_contact_changes_nothing(office: Office) -> None:
    """POL-9."""
    with pytest.raises(InvalidValueError):
        office.people().add("eve", "eve@example.org", "12")
    assert office.actor("eve") is None
    with pytest.raises(InvalidValueError):
        office.people().set_contact("bob", email="bob@example.org", phone="12")
    assert office.contact("bob") == Contact()


def test_a_user_is_added_once(office: Office) -> None:
    """CAT-3: names are unique; a member may be added to write down contacts."""
    office.people().add("ann", "ann@example.org")
    for name in ("ann", "admin"):
        with pytest.raises(UserExistsError):
            office.people().add(name)


REFUSED: list[Callable[[People], object]] = [
    lambda people: people.users(),
    lambda people: people.add("eve"),
    lambda people: people.set_administrator("ann", True),
    lambda people: people.contact("bob"),
    lambda people: people.contact("nobody"),
    lambda people: people.set_contact("bob", email="x@example.org"),
]


@pytest.mark.parametrize("do", REFUSED)
def test_others_are_the_system_administrators(office: Office, do: Callable[[People], object]) -> None:
    """SEC-4: a workspace's administrator is not the system's; who exists is not told either."""
    with pytest.raises(NotPermittedError):
        do(office.people("ann"))
    with office.world.store.read() as reader:
        assert reader.people.users() == []


@pytest.mark.parametrize(
    "do",
    [
        lambda people: people.set_administrator("nobody", True),
        lambda people: people.contact("nobody"),
        lambda people: people.set_contact("nobody", email="x@example.org"),
    ],
)
def test_unknown_users(office: Office, do: Callable[[People], object]) -> None:
    """CAT-3."""
    with pytest.raises(UnknownNameError, match='there is no user "nobody"'):
        do(office.people())


def test_what_was_done_is_recorded(office: Office) -> None:
    """OPS-8: who did what to whom; neither addresses nor secrets."""
    people = office.people()
    people.add("eve", "eve@example.org")
    people.set_administrator("eve", True)
    people.set_administrator("eve", True)  # as it was
    with file_of(office.world.store) as file:
        rows = file.execute(
            "SELECT user, action, comment FROM operation WHERE action <> 'deploy' ORDER BY id"
        ).fetchall()
    assert rows == [
        ("admin", "user-add", "eve"),
        ("admin", "user-administrator", "eve"),
    ]
