"""Who somebody is that comes to a server: by a password, a link or a provider at first, by a session or a key from then on.

Whoever is recognised is only a name with a scope. Whether that name is still somebody, and what they may do, is asked
of the roles with each request.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from retrofill.domain.errors import NotSignedInError, StoreUnavailableError, shown
from retrofill.domain.people.contacts import MOST_CHARACTERS
from retrofill.domain.people.passwords import MOST as LONGEST_PASSWORD
from retrofill.domain.people.passwords import normal_form
from retrofill.domain.people.roles import SYSTEM_ADMINISTRATOR
from retrofill.domain.people.scopes import Scope, Way
from retrofill.domain.people.visitors import Admission, Caller, Signer, Visitor
from retrofill.domain.time.milliseconds import shown_instant
from retrofill.services.people.clerks import find_actor
from retrofill.services.people.keys import hash_of, is_key_id, is_live, new_secret, worker_right
from retrofill.services.people.throttle import Throttle
from retrofill.services.ports.records import PasswordRecord, SessionRecord

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.domain.people.server_keys import ServerKey
    from retrofill.services.ports import Clock, Ledger, Reader, Store
    from retrofill.services.ports.identities import Claims, PasswordHasher

IDLE_MS = 7 * 86_400_000  # a session that is not used for so long ends
LONGEST_MS = 30 * 86_400_000  # and every one after so long
SEEN_MS = 300_000  # how exactly it is noted when something was used


class SignInError(NotSignedInError):
    """Try again, or ask an administrator for a link that signs you in."""

    code = "sign_in_refused"


class EndedTokenError(NotSignedInError):
    """Make a new one: {token.create}."""

    code = "token_ended"


class Reception:
    """Recognises people and programs.

    Args:
        catalog: the deployed one, as of now.
        server_key: that of this deployment; asked for when an access key is shown.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        catalog: Callable[[], Catalog | None],
        hasher: PasswordHasher,
        server_key: Callable[[], ServerKey],
    ) -> None:
        self._store = store
        self._clock = clock
        self._catalog = catalog
        self._hasher = hasher
        self._server_key = server_key

    # With every request

    def by_token(self, secret: str) -> Visitor | None:
        """Whose token this is; None for one that nobody has made.

        Raises:
            EndedTokenError: it opens nothing any more. Only who has its secret is told so.
        """
        now_ms = self._clock.now_ms()
        with self._store.read() as reader:
            record = reader.people.find_token_by_secret(hash_of(secret))
        if record is None:
            return None
        if record.revoked_ms is not None:
            raise EndedTokenError(f"this token was revoked, on {shown_instant(record.revoked_ms)}")
        if record.expires_ms is not None and record.expires_ms <= now_ms:
            raise EndedTokenError(f"this token has expired, on {shown_instant(record.expires_ms)}")
        if _is_worth_noting(record.seen_ms, now_ms):
            self._note(lambda tx: tx.people.see_token(record.id, now_ms))
        return Visitor(record.user_name, Scope(record.scope), worker=worker_right(record))

    def by_session(self, secret: str) -> Visitor | None:
        """Whose browser this is; None for a session that has ended."""
        now_ms = self._clock.now_ms()
        with self._store.read() as reader:
            record = reader.signing_in.find_session(hash_of(secret))
        if record is None or record.ended_ms is not None or now_ms >= record.expires_ms:
            return None
        if _is_worth_noting(record.seen_ms, now_ms):
            until_ms = _expiry(record.created_ms, now_ms)
            self._note(lambda tx: tx.signing_in.see_session(record.id, now_ms, until_ms))
        return Visitor(record.user_name, Scope.ADMIN, record.id)

    def by_access_key(self, key_id: str) -> Signer | None:
        """Who signs with this access key; None for one that signs nothing, or that was made with another server's key."""
        if not is_key_id(key_id):
            return None
        now_ms = self._clock.now_ms()
        with self._store.read() as reader:
            record = reader.people.find_access_key(key_id)
        if record is None or not is_live(record, now_ms):
            return None
        server_key = self._server_key()
        if record.made_with != server_key.fingerprint:
            return None
        if _is_worth_noting(record.seen_ms, now_ms):
            self._note(lambda tx: tx.people.see_access_key(key_id, now_ms))
        return Signer(Visitor(record.user_name, Scope(record.scope)), server_key.secret_of(key_id))

    def is_open(self, session_id: int) -> bool:
        """Whether a session still goes on: whoever answers for long asks now and then."""
        with self._store.read() as reader:
            record = reader.signing_in.session(session_id)
        return record is not None and record.ended_ms is None and self._clock.now_ms() < record.expires_ms

    def spend(self, value: str, until_ms: int) -> bool:
        """Accept something that is accepted once; False where it was seen before.

        Args:
            until_ms: from then on it would be refused for its age.
        """
        with self._store.transaction() as tx:
            return tx.signing_in.spend(value, until_ms, self._clock.now_ms())

    # Signing in and out

    def sign_in(self, user: str, password: str, caller: Caller) -> Admission:
        """By a password.

        Raises:
            SignInError: name and password do not belong together; which of them is wrong, nobody is told.
            TooManyTriesError: that was so too often.
            TooBusyError: too many sign in at once.
        """
        user = shown(user[: MOST_CHARACTERS + 1])  # no name has in it what is shown otherwise
        throttle = Throttle(self._store, self._clock)
        throttle.begin(user, caller)
        with self._store.read() as reader:
            record = reader.signing_in.find_password(user)
            exists = find_actor(reader.people, self._catalog(), user) is not None
        form = normal_form(password[: LONGEST_PASSWORD + 1])
        if not self._hasher.matches(record.hash if record and exists else None, form):
            raise SignInError("user and password do not belong together")
        assert record is not None
        throttle.succeed(user, caller)
        if self._hasher.is_outdated(record.hash):
            self._rehash(record, form)
        return self._admit(user, Way.PASSWORD, caller)

    def user_of_link(self, secret: str) -> str | None:
        """Whom a link would sign in; None for one that opens nothing."""
        with self._store.read() as reader:
            link = reader.signing_in.find_link(hash_of(secret))
            if link is None or link.used_ms is not None or self._clock.now_ms() >= link.expires_ms:
                return None
            return link.user_name if self._exists(reader, link.user_name) else None

    def open_link(self, secret: str, caller: Caller) -> Admission:
        """By a link, once.

        Raises:
            SignInError: it was used, is too old, or never was one.
        """
        used = SignInError(
            "this link opens nothing: it was used, or is too old", "Ask an administrator for another one."
        )
        if self.user_of_link(secret) is None:
            raise used
        with self._store.transaction() as tx:
            link = tx.signing_in.use_link(hash_of(secret), self._clock.now_ms())
            if link is None:  # somebody was faster
                raise used
            return self._begin(tx, link.user_name, Way.LINK, caller)

    def recognise(self, claims: Claims, claim: str, caller: Caller) -> Admission:
        """By what a provider says: who has come with this subject before, else the user whom a claim names.

        Args:
            claim: of which the value is a user's name, or for `email` a registered address.

        Raises:
            SignInError: nobody here is meant.
        """
        now_ms = self._clock.now_ms()
        with self._store.transaction() as tx:
            user = tx.signing_in.user_of_subject(claims.issuer, claims.subject)
            if user is None:
                user = self._named(tx, claims, claim)
                tx.signing_in.put_subject(claims.issuer, claims.subject, user, now_ms)
            if not self._exists(tx, user):
                raise SignInError(f"nobody here is called {user} any more", _ASK)
            return self._begin(tx, user, Way.OIDC, caller)

    def _named(self, tx: Ledger, claims: Claims, claim: str) -> str:
        """The user whom a claim names and whom the provider has not named by another subject before."""
        value = claims.values.get(claim)
        if not isinstance(value, str) or not value or not value.isprintable():
            raise SignInError(
                f"the provider does not tell {claim}", "An administrator mends the setting `oidc`."
            )
        if claim == "email":
            user = self._of_address(tx, claims, value)
        else:
            user = value if value != SYSTEM_ADMINISTRATOR and self._exists(tx, value) else None
        if user is None:
            raise SignInError(f"nobody here is {value[:MOST_CHARACTERS]}", _ASK)
        if tx.signing_in.has_subject(claims.issuer, user):
            raise SignInError(f"{value[:MOST_CHARACTERS]} was somebody else until now", _ASK)
        return user

    def _of_address(self, tx: Ledger, claims: Claims, address: str) -> str | None:
        if claims.values.get("email_verified") is not True:
            raise SignInError("the provider has not verified the e-mail address", _ASK)
        found = [user.name for user in tx.people.users() if user.email.casefold() == address.casefold()]
        return found[0] if len(found) == 1 and found[0] != SYSTEM_ADMINISTRATOR else None

    def sign_out(self, secret: str) -> int | None:
        """End the session of a browser; its id, None where there was none."""
        visitor = self.by_session(secret)
        if visitor is None or visitor.session is None:
            return None
        with self._store.transaction() as tx:
            is_first = tx.signing_in.end_session(visitor.session, self._clock.now_ms())
        return visitor.session if is_first else None

    # Inside

    def _admit(self, user: str, way: Way, caller: Caller) -> Admission:
        with self._store.transaction() as tx:
            return self._begin(tx, user, way, caller)

    def _begin(self, tx: Ledger, user: str, way: Way, caller: Caller) -> Admission:
        """A session under a secret that nobody has seen before, whatever the browser showed until now."""
        now_ms = self._clock.now_ms()
        secret, until_ms = new_secret(), _expiry(now_ms, now_ms)
        record = SessionRecord(
            0, user, way, caller.address, caller.shown_browser, now_ms, now_ms, until_ms, None
        )
        session_id = tx.signing_in.add_session(hash_of(secret), record)
        tx.record(now_ms, user, "sign-in", comment=f"{way}, from {caller.address}: session {session_id}")
        return Admission(Visitor(user, Scope.ADMIN, session_id), secret, until_ms)

    def _rehash(self, record: PasswordRecord, form: str) -> None:
        """With the parameters of now, unless another password was set meanwhile."""
        stronger = record._replace(hash=self._hasher.hash(form))
        with self._store.transaction() as tx:
            if tx.signing_in.find_password(record.user_name) == record:
                tx.signing_in.put_password(stronger)

    def _exists(self, reader: Reader, user: str) -> bool:
        return find_actor(reader.people, self._catalog(), user) is not None

    def _note(self, write: Callable[[Ledger], None]) -> None:
        """What is good to know, and no reason to refuse anything where it cannot be written."""
        with suppress(StoreUnavailableError), self._store.transaction() as tx:
            write(tx)


_ASK = "Ask an administrator to add you."


def _is_worth_noting(seen_ms: int | None, now_ms: int) -> bool:
    return seen_ms is None or now_ms - seen_ms >= SEEN_MS


def _expiry(created_ms: int, now_ms: int) -> int:
    return min(created_ms + LONGEST_MS, now_ms + IDLE_MS)
