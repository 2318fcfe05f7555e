"""Signing in and out, on the real store."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest

from retrofill.domain.errors import NotPermittedError, StoreBusyError, UnknownNameError, UsageError
from retrofill.domain.people.passwords import PasswordError
from retrofill.domain.people.scopes import Scope
from retrofill.domain.people.visitors import Admission, Caller
from retrofill.services.people.reception import Reception, SignInError
from retrofill.services.people.sign_ins import WrongPasswordError
from retrofill.services.people.throttle import TooManyTriesError
from retrofill.services.ports import Ledger, Store
from retrofill.services.ports.identities import Claims
from services.fakes import FakePasswords
from services.people.offices import Office
from store.connections import file_of

HERE = Caller("192.0.2.1", "Chromium")
ELSEWHERE = Caller("192.0.2.2")
RIGHT = "correct horse battery"
DAY_MINUTES = 24 * 60


@pytest.fixture
def signed_in(office: Office) -> Admission:
    """bob, by his password."""
    office.set_password("bob", RIGHT)
    return office.reception.sign_in("bob", RIGHT, HERE)


# Passwords


def test_a_password_opens_a_session(office: Office, signed_in: Admission) -> None:
    """SEC-1."""
    visitor = office.reception.by_session(signed_in.secret)
    assert visitor == signed_in.visitor
    assert visitor is not None
    assert (visitor.user, visitor.scope) == ("bob", Scope.ADMIN)
    (session,) = office.sign_ins("bob").sessions()
    assert (session.id, session.way, session.address, session.browser) == (
        visitor.session, "password", "192.0.2.1", "Chromium",
    )  # fmt: skip


def test_what_is_wrong_nobody_is_told(office: Office) -> None:
    """SEC-2: a wrong name, a wrong password and a user without one are answered alike, after the same work."""
    office.set_password("bob", RIGHT)
    errors, asked = set(), []
    for user, password in (
        ("bob", "wrong"),
        ("nobody", RIGHT),
        ("ann", RIGHT),
        ("", ""),
        ("bob\0", "x" * 9_999),
    ):
        before = office.passwords.asked
        with pytest.raises(SignInError) as caught:
            office.reception.sign_in(user, password, HERE)
        errors.add((str(caught.value), str(caught.value.hint)))
        asked.append(office.passwords.asked - before)
    assert len(errors) == 1
    assert asked == [1] * 5


def test_whoever_is_no_member_any_more_is_not_let_in(office: Office) -> None:
    """SEC-4: roles of now."""
    office.set_password("bob", RIGHT)
    office.catalog = type(office.catalog)("test")
    with pytest.raises(SignInError):
        office.reception.sign_in("bob", RIGHT, HERE)


def test_the_same_characters_are_the_same_password(office: Office) -> None:
    """However the keyboard has put them together."""
    office.set_password("bob", "Zürich-Zürich")
    assert office.reception.sign_in("bob", "Zürich-Zürich", HERE).visitor.user == "bob"


@pytest.mark.parametrize("password", ["", "short", "x" * 9, "x" * 257, "a" * 10, "bobbob", "ten\ncharacters"])
def test_a_password_is_not_too_easy(office: Office, password: str) -> None:
    with pytest.raises(PasswordError) as caught:
        office.set_password("bob", password)
    assert not password or password not in str(caught.value)
    assert not office.sign_ins("bob").has_password("bob")


def test_a_name_is_no_password(office: Office) -> None:
    office.people().add("long_enough")
    for password in ("long_enough", "LONG_ENOUGH", "long_enoughlong_enough"):
        with pytest.raises(PasswordError):
            office.set_password("long_enough", password)


def test_a_hash_grows_stronger_when_its_user_comes(office: Office, signed_in: Admission) -> None:
    """The password is known only then."""
    office.passwords = FakePasswords(rounds=2)
    del office.reception
    office.reception.sign_in("bob", RIGHT, HERE)
    with office.world.store.read() as reader:
        record = reader.signing_in.find_password("bob")
    assert record is not None
    assert record.hash == office.passwords.hash(RIGHT)


def test_a_new_password_ends_other_sessions(office: Office, signed_in: Admission) -> None:
    """SEC-1: whoever has stolen one is out; who changes it stays."""
    stolen = office.reception.sign_in("bob", RIGHT, ELSEWHERE)
    _, link = office.sign_ins("bob").create_link("bob")
    ended = office.sign_ins("bob").set_password(
        office.passwords, "bob", "another long one", RIGHT, signed_in.visitor.session
    )
    assert ended == [stolen.visitor.session]
    assert office.reception.by_session(stolen.secret) is None
    assert office.reception.by_session(signed_in.secret) is not None
    assert office.reception.user_of_link(link) is None
    with pytest.raises(SignInError):
        office.reception.sign_in("bob", RIGHT, HERE)


def test_whoever_changes_a_password_knows_the_old_one(office: Office, signed_in: Admission) -> None:
    """SEC-1: a browser that was left open is not enough, and guessing there is guessing as well."""
    bob = office.sign_ins("bob")
    for _ in range(5):
        with pytest.raises(WrongPasswordError):
            bob.set_password(office.passwords, "bob", "another long one", "guessed")
    with pytest.raises(TooManyTriesError):
        bob.set_password(office.passwords, "bob", "another long one", RIGHT)


def test_a_password_is_removed(office: Office, signed_in: Admission) -> None:
    bob = office.sign_ins("bob")
    with pytest.raises(WrongPasswordError):
        bob.remove_password(office.passwords, "bob", "guessed")
    assert bob.remove_password(office.passwords, "bob", RIGHT) == [signed_in.visitor.session]
    assert bob.remove_password(office.passwords, "bob", RIGHT) == []
    with pytest.raises(SignInError):
        office.reception.sign_in("bob", RIGHT, HERE)


# Throttling


def fail(office: Office, user: str = "bob", caller: Caller = HERE) -> None:
    with pytest.raises(SignInError):
        office.reception.sign_in(user, "wrong", caller)


def test_after_five_failures_there_is_a_pause(office: Office) -> None:
    """SEC-6: of a minute, for this account, wherever from; the right password does not count either."""
    office.set_password("bob", RIGHT)
    for _ in range(5):
        fail(office)
    for caller in (HERE, ELSEWHERE):
        before = office.passwords.asked
        with pytest.raises(TooManyTriesError, match="60 s"):
            office.reception.sign_in("bob", RIGHT, caller)
        assert office.passwords.asked == before, "nothing is hashed for who has to wait"
    office.pass_minutes(1)
    assert office.reception.sign_in("bob", RIGHT, HERE).visitor.user == "bob"
    fail(office)
    fail(office)


def test_one_try_a_minute_from_then_on(office: Office) -> None:
    """SEC-6."""
    for _ in range(5):
        fail(office)
    office.pass_minutes(1)
    fail(office)
    with pytest.raises(TooManyTriesError):
        office.reception.sign_in("bob", RIGHT, HERE)


def test_failures_are_forgotten_after_an_hour(office: Office) -> None:
    for _ in range(5):
        fail(office)
    office.pass_minutes(60)
    for _ in range(5):
        fail(office)


def test_an_address_that_tries_many_accounts_has_to_wait(office: Office) -> None:
    """SEC-6: also where each is tried once; IPv6 addresses of one customer count as one."""
    for number in range(30):
        fail(office, f"user{number}", Caller(f"2001:db8::{number + 1:x}"))
    with pytest.raises(TooManyTriesError):
        office.reception.sign_in("another", "wrong", Caller("2001:db8::ffff"))
    fail(office, "another", Caller("2001:db8:0:1::1"))


def test_whoever_knows_one_password_may_not_guess_others_for_it(office: Office) -> None:
    """SEC-6: signing in rightly forgives the account, not the address."""
    office.set_password("bob", RIGHT)
    for number in range(30):
        fail(office, f"user{number}")
        if number < 29:
            office.reception.sign_in("bob", RIGHT, HERE)
    with pytest.raises(TooManyTriesError):
        office.reception.sign_in("bob", RIGHT, HERE)


def test_tries_at_once_are_no_free_ones(office: Office) -> None:
    """SEC-6: a try counts from its beginning."""

    def attempt(_: int) -> str:
        try:
            office.reception.sign_in("bob", "wrong", HERE)
        except (SignInError, TooManyTriesError) as error:
            return error.code
        return "in"

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(attempt, range(40)))
    assert sorted(found) == ["sign_in_refused"] * 5 + ["too_many_tries"] * 35


# Sessions


def test_a_session_gets_a_secret_of_its_own(office: Office, signed_in: Admission) -> None:
    """SEC-6: one that was there before somebody signed in is worth nothing afterwards."""
    again = office.reception.sign_in("bob", RIGHT, HERE)
    assert again.secret != signed_in.secret
    assert again.visitor.session != signed_in.visitor.session


def test_a_session_ends_when_its_user_signs_out(office: Office, signed_in: Admission) -> None:
    """SEC-1."""
    assert office.reception.is_open(signed_in.visitor.session)
    assert office.reception.sign_out(signed_in.secret) == signed_in.visitor.session
    assert office.reception.by_session(signed_in.secret) is None
    assert not office.reception.is_open(signed_in.visitor.session)
    assert office.reception.sign_out(signed_in.secret) is None
    assert office.sign_ins().sessions() == []


def test_a_session_that_is_not_used_ends_after_a_week(office: Office, signed_in: Admission) -> None:
    for _ in range(3):
        office.pass_minutes(6 * DAY_MINUTES)
        assert office.reception.by_session(signed_in.secret) is not None
    office.pass_minutes(7 * DAY_MINUTES)
    assert office.reception.by_session(signed_in.secret) is None


def test_every_session_ends_after_a_month(office: Office, signed_in: Admission) -> None:
    for _ in range(29):
        office.pass_minutes(DAY_MINUTES)
        assert office.reception.by_session(signed_in.secret) is not None
    office.pass_minutes(DAY_MINUTES)
    assert office.reception.by_session(signed_in.secret) is None


def test_whose_sessions_are_seen_and_ended(office: Office, signed_in: Admission) -> None:
    """SEC-4: one's own; everybody's for a system administrator; others' ids are unknown (SEC-2)."""
    number = signed_in.visitor.session
    assert number is not None
    assert office.sign_ins("ann").sessions() == []
    for foreign in (number, 999):
        with pytest.raises(UnknownNameError, match="there is no session"):
            office.sign_ins("ann").end_session(foreign)
    with pytest.raises(NotPermittedError):
        office.sign_ins("ann").end_sessions("bob")
    assert [session.id for session in office.sign_ins().sessions()] == [number]
    assert office.sign_ins().end_session(number).ended_ms is not None
    assert office.reception.by_session(signed_in.secret) is None
    assert office.sign_ins("bob").end_sessions("bob") == []


# Links


def test_a_link_signs_in_once(office: Office) -> None:
    """SEC-1: looking at it uses nothing up."""
    _, secret = office.sign_ins().create_link("bob")
    assert office.reception.user_of_link(secret) == office.reception.user_of_link(secret) == "bob"
    assert office.reception.open_link(secret, HERE).visitor.user == "bob"
    assert office.reception.user_of_link(secret) is None
    with pytest.raises(SignInError):
        office.reception.open_link(secret, HERE)


def test_a_link_is_good_for_so_long(office: Office) -> None:
    _, secret = office.sign_ins().create_link("bob", minutes=5)
    office.pass_minutes(5)
    assert office.reception.user_of_link(secret) is None
    with pytest.raises(SignInError):
        office.reception.open_link(secret, HERE)
    for minutes in (0, 10_081):
        with pytest.raises(UsageError):
            office.sign_ins().create_link("bob", minutes)


def test_a_new_link_takes_the_place_of_the_old_one(office: Office) -> None:
    _, first = office.sign_ins().create_link("bob")
    _, second = office.sign_ins().create_link("bob")
    assert office.reception.user_of_link(first) is None
    assert office.reception.user_of_link(second) == "bob"


def test_a_link_for_who_is_gone_opens_nothing(office: Office) -> None:
    _, secret = office.sign_ins().create_link("bob")
    office.catalog = type(office.catalog)("test")
    assert office.reception.user_of_link(secret) is None
    with pytest.raises(SignInError):
        office.reception.open_link(secret, HERE)


# Providers of identities


def claims(subject: str = "7", issuer: str = "https://one", **values: object) -> Claims:
    given: Mapping[str, object] = {"preferred_username": "bob", **values}
    return Claims(issuer, subject, given)


def recognise(office: Office, found: Claims, claim: str = "preferred_username") -> str:
    return office.reception.recognise(found, claim, HERE).visitor.user


def test_a_provider_names_a_user_at_first_and_a_subject_from_then_on(office: Office) -> None:
    """SEC-1: whoever is called otherwise there later on stays who they are here."""
    assert recognise(office, claims()) == "bob"
    assert recognise(office, claims(preferred_username="ann")) == "bob"
    assert recognise(office, claims("8", preferred_username="ann")) == "ann"


def test_a_name_that_went_to_somebody_else_opens_nothing(office: Office) -> None:
    """SEC-2: who gets the name of one who has left gets nothing of theirs."""
    recognise(office, claims())
    with pytest.raises(SignInError, match="somebody else"):
        recognise(office, claims("8"))
    assert recognise(office, claims("8", issuer="https://two")) == "bob"


@pytest.mark.parametrize("name", ["admin", "nobody", "", "bob\0", None, 7, ["bob"]])
def test_whom_a_provider_cannot_make_of_somebody(office: Office, name: object) -> None:
    """SEC-1: the system administrator is nobody's to name, and nobody is made by coming."""
    with pytest.raises(SignInError):
        recognise(office, claims(preferred_username=name))
    assert office.sign_ins().sessions() == []


def test_by_a_registered_address_that_is_verified(office: Office) -> None:
    office.people().set_contact("bob", email="bob@example.org")
    with pytest.raises(SignInError, match="verified"):
        recognise(office, claims(email="bob@example.org"), "email")
    with pytest.raises(SignInError, match="verified"):
        recognise(office, claims(email="bob@example.org", email_verified="true"), "email")
    with pytest.raises(SignInError):
        recognise(office, claims(email="ann@example.org", email_verified=True), "email")
    assert recognise(office, claims(email="Bob@Example.org", email_verified=True), "email") == "bob"


def test_an_address_of_two_is_nobodys(office: Office) -> None:
    for user in ("ann", "bob"):
        office.people().set_contact(user, email="team@example.org")
    with pytest.raises(SignInError):
        recognise(office, claims(email="team@example.org", email_verified=True), "email")


def test_whoever_has_left_is_not_recognised(office: Office) -> None:
    recognise(office, claims())
    office.catalog = type(office.catalog)("test")
    with pytest.raises(SignInError):
        recognise(office, claims())


# Once


def test_a_value_is_accepted_once(office: Office) -> None:
    until_ms = office.world.clock.ms + 60_000
    assert office.reception.spend("nonce", until_ms)
    assert not office.reception.spend("nonce", until_ms)


@pytest.mark.embedded
def test_signing_in_stands_in_the_record(office: Office, signed_in: Admission) -> None:
    """OPS-8: who came, how and from where."""
    with file_of(office.world.store) as file:
        row = file.execute("SELECT user, action, comment FROM operation ORDER BY id DESC LIMIT 1").fetchone()
    assert row == ("bob", "sign-in", f"password, from 192.0.2.1: session {signed_in.visitor.session}")


class Unwritable:
    """A store of which nobody gets a turn to write."""

    def __init__(self, store: Store) -> None:
        self.read = store.read

    def transaction(self) -> AbstractContextManager[Ledger]:
        raise StoreBusyError("somebody writes")


def unwritable(office: Office) -> Reception:
    store, clock = Unwritable(office.world.store), office.world.clock
    return Reception(store, clock, lambda: office.catalog, office.passwords, lambda: office.server_key)


def test_strangers_hold_up_nobody_who_writes(office: Office, signed_in: Admission) -> None:
    """SEC-6: whoever has nothing to show, or has to wait, is refused without a turn to write."""
    for _ in range(5):
        fail(office, "ann")
    office.pass_minutes(0.5)
    held = unwritable(office)
    with pytest.raises(TooManyTriesError, match="30 s"):
        held.sign_in("ann", RIGHT, HERE)
    with pytest.raises(SignInError):
        held.open_link("a link that is none", HERE)
    assert held.sign_out("a session that is none") is None
    assert held.by_token("a token that is none") is None
    assert held.by_session(signed_in.secret) == signed_in.visitor


def test_what_cannot_be_noted_refuses_nobody(office: Office, signed_in: Admission) -> None:
    """When something was used last is good to know, and no more."""
    _, secret = office.keys().create_token("bob")
    held = unwritable(office)
    office.pass_minutes(60)
    assert held.by_token(secret) is not None
    assert held.by_session(signed_in.secret) is not None
