"""Users, contacts and tokens, on the real store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from domain.catalogs import make_task
from retrofill.domain.catalog.definitions import Catalog, Workspace
from retrofill.domain.errors import InvalidValueError, NotPermittedError, RetrofillError, UnknownNameError
from retrofill.domain.people.roles import Actor, system_administrator
from retrofill.services.people.accounts import (
    Contact,
    LastAdministratorError,
    People,
    UserExistsError,
    contact_of,
    find_actor,
    user_of_token,
)
from retrofill.services.ports import Ledger, Store
from services.worlds import MakeWorld, World
from store.connections import file_of

MEMBERS = {"ann": "administrator", "bob": "visitor"}


class Office:
    """A world whose only workspace has the members ann and bob."""

    def __init__(self, world: World) -> None:
        self.world = world
        tasks = world.catalog.tasks
        self.catalog = Catalog("test", workspaces={"w": Workspace("w", members=MEMBERS)}, tasks=tasks)

    def people(self, name: str = "admin") -> People:
        """In the name of somebody."""
        actor = self.actor(name)
        assert actor is not None
        return People(self.world.store, self.catalog, self.world.clock, actor)

    def actor(self, name: str) -> Actor | None:
        with self.world.store.read() as reader:
            return find_actor(reader.people, self.catalog, name)

    def contact(self, name: str) -> Contact:
        with self.world.store.read() as reader:
            return contact_of(reader.people, name)

    def owner(self, secret: str) -> str | None:
        with self.world.store.read() as reader:
            return user_of_token(reader.people, secret)


@pytest.fixture
def office(world: MakeWorld) -> Office:
    return Office(world(make_task("w.a", "@daily")))


def test_who_exists(office: Office) -> None:
    """SEC-1: admin, members, and whom somebody added; nobody else."""
    assert office.actor("admin") == system_administrator("admin")
    assert office.actor("bob") is not None
    assert office.actor("eve") is None
    office.people().add("eve", "eve@example.org")
    assert office.actor("eve") == Actor("eve")
    assert [row["user"] for row in office.people().users()] == ["admin", "ann", "bob", "eve"]


def test_roles_and_the_flag(office: Office) -> None:
    """SEC-4: roles come from the members; the command sets only the system administrator."""
    row = office.people().set_administrator("bob", True)
    assert (row["administrator"], row["roles"]) == (True, {"w": "visitor"})
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
    assert office.people("ann").set_administrator("admin", True)["administrator"]


def test_contacts(office: Office) -> None:
    """POL-9: each is set by itself, in its normal form; an empty text removes one."""
    people = office.people()
    people.add("eve", "Eve@Example.org", "+1 555 123 4567")
    assert office.contact("eve") == Contact("Eve@example.org", "+15551234567")
    people.set_contact("eve", phone="")
    assert office.contact("eve") == Contact("Eve@example.org", "")
    office.people("bob").set_contact("bob", email="bob@example.org")
    assert office.contact("bob") == Contact("bob@example.org", "")
    assert office.people("bob").contact("bob") == {
        "user": "bob",
        "email": "bob@example.org",
        "phone": None,
        "email_registered": True,
        "phone_registered": False,
    }
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
    lambda people: people.create_token("bob"),
    lambda people: people.tokens("bob"),
]


@pytest.mark.parametrize("do", REFUSED)
def test_others_are_the_system_administrators(office: Office, do: Callable[[People], object]) -> None:
    """SEC-4: a workspace's administrator is not the system's; who exists is not told either."""
    with pytest.raises(NotPermittedError):
        do(office.people("ann"))
    with office.world.store.read() as reader:
        assert reader.people.users() == []
        assert reader.people.tokens() == []


@pytest.mark.parametrize(
    "do",
    [
        lambda people: people.set_administrator("nobody", True),
        lambda people: people.contact("nobody"),
        lambda people: people.set_contact("nobody", email="x@example.org"),
        lambda people: people.create_token("nobody"),
        lambda people: people.tokens("nobody"),
    ],
)
def test_unknown_users(office: Office, do: Callable[[People], object]) -> None:
    """CAT-3."""
    with pytest.raises(UnknownNameError, match='there is no user "nobody"'):
        do(office.people())


def test_a_token_opens_until_it_is_revoked(office: Office) -> None:
    """SEC-1: shown once, kept as a hash, revocable."""
    token_id, secret = office.people("bob").create_token("bob", "laptop")
    assert office.owner(secret) == "bob"
    assert office.owner(secret + "x") is None
    assert office.owner("") is None
    row = office.people("bob").revoke_token(token_id)
    assert row["revoked_at"] is not None
    assert office.owner(secret) is None
    assert office.people("bob").revoke_token(token_id) == row, "a second time changes nothing"


@pytest.mark.embedded
def test_the_secret_is_nowhere_in_the_store(office: Office) -> None:
    """SEC-3: neither in rows nor in the record of operations."""
    _, secret = office.people().create_token("ann")
    files = [path for path in office.world.store.directory.iterdir() if path.is_file()]
    assert any(b"secret_hash" in path.read_bytes() for path in files), "the schema is found, so rows would be"
    assert all(secret.encode() not in path.read_bytes() for path in files)


def test_no_two_tokens_are_alike(office: Office) -> None:
    """SEC-1: 256 random bits each."""
    made = [office.people().create_token("ann")[1] for _ in range(20)]
    assert len(set(made)) == 20
    assert all(len(secret) == len("retrofill_") + 43 for secret in made)


def test_whose_tokens_are_seen(office: Office) -> None:
    """SEC-4: everybody sees their own, the system administrator all; others' ids are unknown."""
    ann, _ = office.people().create_token("ann")
    bob, _ = office.people().create_token("bob")
    assert [row["id"] for row in office.people().tokens()] == [bob, ann]
    assert [row["id"] for row in office.people().tokens("ann")] == [ann]
    assert [row["id"] for row in office.people("bob").tokens()] == [bob]
    errors = []
    for token_id in (ann, 999):
        with pytest.raises(UnknownNameError) as caught:
            office.people("bob").revoke_token(token_id)
        errors.append(str(caught.value).replace(str(token_id), "N"))
    assert errors[0] == errors[1], "answered exactly alike (SEC-2)"


@pytest.mark.parametrize("label", ["x" * 65, "a\nb", "a\x1b[2J"])
def test_labels_can_be_shown(office: Office, label: str) -> None:
    """SEC-1."""
    with pytest.raises(RetrofillError, match="label"):
        office.people().create_token("ann", label)


def test_what_was_done_is_recorded(office: Office) -> None:
    """OPS-8: who did what to whom; neither addresses nor secrets."""
    people = office.people()
    people.add("eve", "eve@example.org")
    people.set_administrator("eve", True)
    people.set_administrator("eve", True)  # as it was
    token_id, _ = office.people("eve").create_token("eve")
    office.people("eve").revoke_token(token_id)
    with file_of(office.world.store) as file:
        rows = file.execute(
            "SELECT user, action, comment FROM operation WHERE action <> 'deploy' ORDER BY id"
        ).fetchall()
    assert rows == [
        ("admin", "user-add", "eve"),
        ("admin", "user-administrator", "eve"),
        ("eve", "token-create", "eve: token 1"),
        ("eve", "token-revoke", "eve: token 1"),
    ]
