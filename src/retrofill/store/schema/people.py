"""The tables of people: users, how they sign in, what they sign with. Part of the metadata of `tables`."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Table, UniqueConstraint

from retrofill.domain.people.scopes import PERSONAL, Way
from retrofill.store.schema.columns import Int, Text, metadata, one_of

user = Table(
    "user",
    metadata,
    Column("id", Int, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),  # members of a workspace need no row
    Column("email", Text, nullable=False, server_default=""),
    Column("phone", Text, nullable=False, server_default=""),
    Column("is_administrator", Int, nullable=False, server_default="0"),  # of the system (SEC-1)
    Column("created_ms", Int, nullable=False),
)

token = Table(
    "token",
    metadata,
    Column("id", Int, primary_key=True, autoincrement=False),
    Column("user_name", Text, nullable=False),
    Column("label", Text, nullable=False, server_default=""),
    Column("secret_hash", Text, nullable=False, unique=True),  # SHA-256, in hex, of 256 random bits
    Column("created_ms", Int, nullable=False),
    Column("revoked_ms", Int),
    Column("scope", Text, nullable=False, server_default="admin"),
    Column("expires_ms", Int),  # null: when somebody revokes it
    Column("seen_ms", Int),  # when it was used last, to some minutes
    Column("resource_groups", Text),  # of a worker's token: JSON
)

access_key = Table(  # signs requests; the secret is worked out from the server's key and kept nowhere
    "access_key",
    metadata,
    Column("id", Int, primary_key=True, autoincrement=False),
    Column("key_id", Text, nullable=False, unique=True),
    Column("user_name", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("made_with", Text, nullable=False),  # which key of the server, as a fingerprint
    Column("created_ms", Int, nullable=False),
    Column("expires_ms", Int),
    Column("seen_ms", Int),
    Column("revoked_ms", Int),
    CheckConstraint(one_of("scope", PERSONAL), name="access_key_scope"),
)

saved_form = Table(  # what somebody has typed into a page and keeps
    "saved_form",
    metadata,
    Column("id", Int, primary_key=True, autoincrement=False),
    Column("user_name", Text, nullable=False),
    Column("page", Text, nullable=False),
    Column("name", Text),  # null: a draft, which goes by age
    Column("fields", Text, nullable=False),  # JSON: all values of each field
    Column("saved_ms", Int, nullable=False),
    UniqueConstraint("user_name", "page", "name"),
)

password = Table(
    "password",
    metadata,
    Column("user_name", Text, primary_key=True),
    Column("hash", Text, nullable=False),  # of argon2id, with its parameters
    Column("set_ms", Int, nullable=False),
)

session = Table(
    "session",
    metadata,
    Column("id", Int, primary_key=True, autoincrement=False),
    Column("user_name", Text, nullable=False),
    Column("secret_hash", Text, nullable=False, unique=True),  # SHA-256, in hex, of 256 random bits
    Column("way", Text, nullable=False),  # how its user was recognised
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Column("created_ms", Int, nullable=False),
    Column("seen_ms", Int, nullable=False),  # to some minutes
    Column("expires_ms", Int, nullable=False),
    Column("ended_ms", Int),
    CheckConstraint(one_of("way", Way), name="session_way"),
    Index("session_user", "user_name", "id"),
)

sign_in_link = Table(
    "sign_in_link",
    metadata,
    Column("secret_hash", Text, primary_key=True),
    Column("user_name", Text, nullable=False),
    Column("created_ms", Int, nullable=False),
    Column("expires_ms", Int, nullable=False),
    Column("used_ms", Int),
)

subject = Table(  # who somebody is to a provider of identities, and here
    "subject",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("user_name", Text, nullable=False),
    Column("created_ms", Int, nullable=False),
    Index("subject_user", "user_name"),
)

sign_in_failure = Table(  # how often sign-in failed lately, by account and by address
    "sign_in_failure",
    metadata,
    Column("about", Text, primary_key=True),
    Column("count", Int, nullable=False),
    Column("last_ms", Int, nullable=False),
)

nonce = Table(  # what is accepted once, until it would not be accepted anyway
    "nonce",
    metadata,
    Column("value", Text, primary_key=True),
    Column("until_ms", Int, nullable=False),
    Index("nonce_until", "until_ms"),
)
