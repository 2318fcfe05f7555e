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
    StillMemberError,
    UserExistsError,
)
from retrofill.services.people.keys import hash_of
from retrofill.services.ports import Ledger, Store
from retrofill.services.ports.records import SavedFormRecord, SessionRecord
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


def test_who_leaves_is_forgotten(office: Office) -> None:
    """SEC-1, OPS-8: with every way in; what they have done stays on record, and who comes next starts with nothing."""
    office.people().add("eve", "eve@example.org")
    office.people().set_administrator("eve", True)
    office.set_password("eve", "correct horse battery")
    office.keys().create_token("eve")
    office.keys().create_access_key(office.server_key, "eve")
    link = office.sign_ins().create_link("eve")[1]
    with office.world.store.transaction() as tx:
        tx.signing_in.put_subject("https://issuer.example", "eve-1", "eve", 0)
        session = tx.signing_in.add_session(
            "hash", SessionRecord(0, "eve", "link", "", "", 0, 0, 2**50, None)
        )
        form = tx.saved_forms.put(SavedFormRecord(0, "eve", "backfills", None, "{}", 0))

    known = office.people().remove("eve")

    assert (known.user, known.is_administrator, known.contact.email) == ("eve", True, "eve@example.org")
    assert office.actor("eve") is None
    assert office.contact("eve") == Contact()
    now_ms = office.world.clock.now_ms()
    with office.world.store.transaction() as tx:
        assert tx.signing_in.find_password("eve") is None
        assert tx.signing_in.use_link(hash_of(link), now_ms) is None
        assert tx.signing_in.user_of_subject("https://issuer.example", "eve-1") is None
        ended = tx.signing_in.session(session)
        assert ended is not None
        assert ended.ended_ms == now_ms
        assert tx.saved_forms.find(form) is None
        assert [token.revoked_ms for token in tx.people.tokens("eve")] == [now_ms]
        assert [key.revoked_ms for key in tx.people.access_keys("eve")] == [now_ms]
    with pytest.raises(UnknownNameError):
        office.people().remove("eve")
    with pytest.raises(NotPermittedError):
        office.people("bob").remove("eve")
    office.people().add("eve")
    assert office.actor("eve") == Actor("eve")
    with file_of(office.world.store) as file:
        actions = [row[0] for row in file.execute("SELECT action FROM operation ORDER BY id")]
    assert actions[-2:] == ["user-remove", "user-add"]


def test_who_stays_is_not_removed(office: Office) -> None:
    """SEC-1: a member's roles come from a file, which would let them in again; one administrator is always there."""
    with pytest.raises(StillMemberError, match="ann is a member of w"):
        office.people().remove("ann")
    with pytest.raises(LastAdministratorError):
        office.people().remove("admin")
    assert office.actor("ann") is not None
