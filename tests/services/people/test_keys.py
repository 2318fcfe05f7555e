"""Tokens and access keys, on the real store."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from retrofill.domain.errors import NotPermittedError, RetrofillError, UnknownNameError, UsageError
from retrofill.domain.people.scopes import Scope
from retrofill.domain.people.server_keys import BYTES, ServerKey
from retrofill.domain.people.visitors import Visitor, WorkerRight
from retrofill.services.people.keys import Keys
from retrofill.services.people.reception import EndedTokenError
from services.people.offices import Office
from store.connections import file_of

DAY_MINUTES = 24 * 60
KEY = ServerKey(bytes(range(BYTES)))
CREATE: list[Callable[..., object]] = [
    lambda keys, user, *more: keys.create_token(user, *more),
    lambda keys, user, *more: keys.create_access_key(KEY, user, *more),
]
LIST: list[Callable[..., object]] = [
    lambda keys, user: keys.tokens(user),
    lambda keys, user: keys.access_keys(user),
]


@pytest.mark.parametrize("do", [*CREATE, *LIST])
def test_others_are_the_system_administrators(office: Office, do: Callable[[Keys, str], object]) -> None:
    """SEC-4."""
    with pytest.raises(NotPermittedError):
        do(office.keys("ann"), "bob")
    assert office.keys().tokens() == office.keys().access_keys() == []


@pytest.mark.parametrize("do", [*CREATE, *LIST])
def test_unknown_users(office: Office, do: Callable[[Keys, str], object]) -> None:
    with pytest.raises(UnknownNameError, match='there is no user "nobody"'):
        do(office.keys(), "nobody")


@pytest.mark.parametrize("create", CREATE)
@pytest.mark.parametrize("label", ["x" * 65, "a\nb", "a\x1b[2J"])
def test_labels_can_be_shown(office: Office, create: Callable[..., object], label: str) -> None:
    with pytest.raises(RetrofillError, match="label"):
        create(office.keys(), "ann", label)


@pytest.mark.parametrize("create", CREATE)
@pytest.mark.parametrize("days", [0, -1, 3_651])
def test_a_key_is_good_for_days(office: Office, create: Callable[..., object], days: int) -> None:
    with pytest.raises(UsageError, match="days"):
        create(office.keys(), "ann", "", Scope.READ, days)


# Tokens


def test_a_token_opens_until_it_is_revoked(office: Office) -> None:
    """SEC-1: shown once, kept as a hash, revocable."""
    token, secret = office.keys("bob").create_token("bob", "laptop")
    assert office.reception.by_token(secret) == Visitor("bob", Scope.ADMIN)
    for wrong in (secret + "x", secret[:-1], "", "\udcff", "retrofill_"):
        assert office.reception.by_token(wrong) is None
    revoked = office.keys("bob").revoke_token(token.id)
    assert revoked.revoked_ms is not None
    with pytest.raises(EndedTokenError, match="was revoked, on 20"):
        office.reception.by_token(secret)
    assert office.keys("bob").revoke_token(token.id) == revoked, "a second time changes nothing"


def test_a_token_reaches_so_far_and_for_so_long(office: Office) -> None:
    """SEC-1: scoped and expiring."""
    _, secret = office.keys("bob").create_token("bob", scope=Scope.READ, days=2)
    office.pass_minutes(2 * DAY_MINUTES - 1)
    assert office.reception.by_token(secret) == Visitor("bob", Scope.READ)
    office.pass_minutes(1)
    with pytest.raises(EndedTokenError, match="has expired, on 20"):
        office.reception.by_token(secret)


def test_a_workers_token_is_for_resource_groups(office: Office) -> None:
    """SEC-1: it names whose runs may be carried out with it, for good."""
    record, secret = office.keys().create_token("bob", scope=Scope.WORKER, resource_groups=["etl", "etl"])
    right = WorkerRight(record.id, ("etl",))
    assert office.reception.by_token(secret) == Visitor("bob", Scope.WORKER, worker=right)
    assert office.keys("bob").revoke_token(record.id).revoked_ms is not None, "whose it is may end it"


def test_only_a_system_administrator_makes_workers_tokens(office: Office) -> None:
    """SEC-3: what runs in a group is handed over with its code and its secrets."""
    with pytest.raises(NotPermittedError, match="ann may not make tokens for workers"):
        office.keys("ann").create_token("ann", scope=Scope.WORKER, resource_groups=["etl"])
    with pytest.raises(UnknownNameError, match='no resource group "elt"; did you mean "etl"'):
        office.keys().create_token("ann", scope=Scope.WORKER, resource_groups=["elt"])
    with pytest.raises(UsageError, match="names the resource groups"):
        office.keys().create_token("ann", scope=Scope.WORKER)
    with pytest.raises(UsageError, match="scope read is for no resource groups"):
        office.keys().create_token("ann", scope=Scope.READ, resource_groups=["etl"])
    assert office.keys().tokens() == []


def test_when_a_token_was_used_is_noted_now_and_then(office: Office) -> None:
    """SEC-1: so that who looks at the list knows which are still in use; not with every request."""

    def used() -> int | None:
        return office.keys().tokens()[0].seen_ms

    _, secret = office.keys().create_token("bob")
    assert used() is None
    office.reception.by_token(secret)
    first = used()
    assert first == office.world.clock.ms
    office.pass_minutes(4)
    office.reception.by_token(secret)
    assert used() == first
    office.pass_minutes(1)
    office.reception.by_token(secret)
    assert used() == first + 300_000


@pytest.mark.embedded
def test_no_secret_is_in_the_store(office: Office) -> None:
    """SEC-3: neither in rows nor in the record of operations; that of an access key not even as a hash."""
    _, token = office.keys().create_token("ann")
    _, secret = office.keys().create_access_key(KEY, "ann")
    office.set_password("ann", "a long password")
    _, link = office.sign_ins().create_link("ann")
    files = [path for path in office.world.store.directory.iterdir() if path.is_file()]
    assert any(b"secret_hash" in path.read_bytes() for path in files), "the schema is found, so rows would be"
    for hidden in (token, secret, link, "a long password"):
        assert all(hidden.encode() not in path.read_bytes() for path in files)


def test_no_two_secrets_are_alike(office: Office) -> None:
    """SEC-1: 256 bits each."""
    tokens = [office.keys().create_token("ann")[1] for _ in range(20)]
    assert len(set(tokens)) == 20
    assert all(len(secret) == len("retrofill_") + 43 for secret in tokens)
    keys = [office.keys().create_access_key(KEY, "ann") for _ in range(20)]
    assert len({secret for _, secret in keys}) == len({record.key_id for record, _ in keys}) == 20
    assert all(len(secret) == 43 for _, secret in keys)


def test_whose_keys_are_seen(office: Office) -> None:
    """SEC-4: everybody sees their own, the system administrator all; others' ids are unknown (SEC-2)."""
    ann, bob = (office.keys().create_token(user)[0].id for user in ("ann", "bob"))
    assert [token.id for token in office.keys().tokens()] == [bob, ann]
    assert [token.id for token in office.keys().tokens("ann")] == [ann]
    assert [token.id for token in office.keys("bob").tokens()] == [bob]
    anns, bobs = (office.keys().create_access_key(KEY, user)[0].key_id for user in ("ann", "bob"))
    assert [key.key_id for key in office.keys("bob").access_keys()] == [bobs]
    assert [key.key_id for key in office.keys().access_keys()] == [bobs, anns]
    for revoke, foreign, absent in (
        (office.keys("bob").revoke_token, ann, 999),
        (office.keys("bob").revoke_access_key, anns, "RF0"),
    ):
        errors = []
        for number in (foreign, absent):
            with pytest.raises(UnknownNameError) as caught:
                revoke(number)
            errors.append(str(caught.value).replace(str(number), "N"))
        assert errors[0] == errors[1], "answered exactly alike"


# Access keys


def test_an_access_key_signs_until_it_is_revoked(office: Office) -> None:
    """SEC-1: whoever compares a signature works the secret out again."""
    record, secret = office.keys("bob").create_access_key(KEY, "bob", "sdk", Scope.OPERATE, 30)
    found = office.reception.by_access_key(record.key_id)
    assert found is not None
    assert (found.visitor, found.secret) == (Visitor("bob", Scope.OPERATE), secret)
    assert office.keys().access_keys()[0].seen_ms == office.world.clock.ms
    office.pass_minutes(30 * DAY_MINUTES)
    assert office.reception.by_access_key(record.key_id) is None
    other, _ = office.keys("bob").create_access_key(KEY, "bob")
    office.keys("bob").revoke_access_key(other.key_id)
    assert office.reception.by_access_key(other.key_id) is None
    assert office.reception.by_access_key("RF0") is None


def test_an_access_key_belongs_to_the_key_of_its_server(office: Office) -> None:
    """SEC-1: with another one, its secret would be another; nothing opens, and nothing looks like a wrong signature."""
    record, _ = office.keys().create_access_key(KEY, "bob")
    office.server_key = ServerKey(bytes(BYTES))
    assert office.reception.by_access_key(record.key_id) is None


@pytest.mark.embedded
def test_what_was_done_is_recorded(office: Office) -> None:
    """OPS-8: who did what to whose keys; no secrets."""
    token, _ = office.keys("bob").create_token("bob")
    office.keys("bob").revoke_token(token.id)
    key, _ = office.keys().create_access_key(KEY, "bob")
    office.keys().revoke_access_key(key.key_id)
    with file_of(office.world.store) as file:
        rows = file.execute(
            "SELECT user, action, comment FROM operation WHERE action <> 'deploy' ORDER BY id"
        ).fetchall()
    assert rows == [
        ("bob", "token-create", "bob: token 1"),
        ("bob", "token-revoke", "bob: token 1"),
        ("admin", "access-key-create", f"bob: {key.key_id}"),
        ("admin", "access-key-revoke", f"bob: {key.key_id}"),
    ]
