"""What a server needs: how people sign in, the keys of programs (SEC-1), and what has changed."""

import sqlalchemy as sa
from alembic import op

from retrofill.store.schema.columns import Int, Text, where

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Extend the ledger."""
    _limit_tokens()
    _sign_requests()
    _sign_in()
    _recognise_people()
    _accept_once()
    _number_changes()
    _remember_errands()
    _know_requests_again()
    _count_editions()


def _limit_tokens() -> None:
    """How far tokens reach, and until when."""
    op.add_column("token", sa.Column("scope", Text, server_default="admin", nullable=False))
    op.add_column("token", sa.Column("expires_ms", Int, nullable=True))
    op.add_column("token", sa.Column("seen_ms", Int, nullable=True))


def _sign_requests() -> None:
    """Access keys; their secrets are kept nowhere."""
    op.create_table(
        "access_key",
        sa.Column("id", Int, nullable=False, autoincrement=False),
        sa.Column("key_id", Text, nullable=False),
        sa.Column("user_name", Text, nullable=False),
        sa.Column("label", Text, nullable=False),
        sa.Column("scope", Text, nullable=False),
        sa.Column("made_with", Text, nullable=False),
        sa.Column("created_ms", Int, nullable=False),
        sa.Column("expires_ms", Int, nullable=True),
        sa.Column("seen_ms", Int, nullable=True),
        sa.Column("revoked_ms", Int, nullable=True),
        sa.CheckConstraint("scope = 'read' OR scope = 'operate' OR scope = 'admin'", name="access_key_scope"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key_id"),
    )


def _sign_in() -> None:
    """Passwords, links that open once, and sessions."""
    op.create_table(
        "password",
        sa.Column("user_name", Text, nullable=False),
        sa.Column("hash", Text, nullable=False),
        sa.Column("set_ms", Int, nullable=False),
        sa.PrimaryKeyConstraint("user_name"),
    )
    op.create_table(
        "session",
        sa.Column("id", Int, nullable=False, autoincrement=False),
        sa.Column("user_name", Text, nullable=False),
        sa.Column("secret_hash", Text, nullable=False),
        sa.Column("way", Text, nullable=False),
        sa.Column("address", Text, nullable=False),
        sa.Column("browser", Text, nullable=False),
        sa.Column("created_ms", Int, nullable=False),
        sa.Column("seen_ms", Int, nullable=False),
        sa.Column("expires_ms", Int, nullable=False),
        sa.Column("ended_ms", Int, nullable=True),
        sa.CheckConstraint("way = 'password' OR way = 'link' OR way = 'oidc'", name="session_way"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_hash"),
    )
    op.create_index("session_user", "session", ["user_name", "id"])
    op.create_table(
        "sign_in_link",
        sa.Column("secret_hash", Text, nullable=False),
        sa.Column("user_name", Text, nullable=False),
        sa.Column("created_ms", Int, nullable=False),
        sa.Column("expires_ms", Int, nullable=False),
        sa.Column("used_ms", Int, nullable=True),
        sa.PrimaryKeyConstraint("secret_hash"),
    )


def _recognise_people() -> None:
    """Who somebody is to a provider of identities, and how often sign-in failed lately."""
    op.create_table(
        "subject",
        sa.Column("issuer", Text, nullable=False),
        sa.Column("subject", Text, nullable=False),
        sa.Column("user_name", Text, nullable=False),
        sa.Column("created_ms", Int, nullable=False),
        sa.PrimaryKeyConstraint("issuer", "subject"),
    )
    op.create_index("subject_user", "subject", ["user_name"])
    op.create_table(
        "sign_in_failure",
        sa.Column("about", Text, nullable=False),
        sa.Column("count", Int, nullable=False),
        sa.Column("last_ms", Int, nullable=False),
        sa.PrimaryKeyConstraint("about"),
    )


def _accept_once() -> None:
    """What was seen and is not accepted a second time."""
    op.create_table(
        "nonce",
        sa.Column("value", Text, nullable=False),
        sa.Column("until_ms", Int, nullable=False),
        sa.PrimaryKeyConstraint("value"),
    )
    op.create_index("nonce_until", "nonce", ["until_ms"])


def _number_changes() -> None:
    """What each write transaction has changed of what is shown."""
    op.create_table(
        "revision",
        sa.Column("number", Int, nullable=False, autoincrement=False),
        sa.Column("backfills", Text, nullable=False),
        sa.Column("whole", Text, nullable=False),
        sa.Column("instances", Text, nullable=False),
        sa.Column("rights", Int, nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )


def _remember_errands() -> None:
    """What somebody has asked for and does not wait for."""
    op.create_table(
        "errand",
        sa.Column("id", Text, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("user_name", Text, nullable=False),
        sa.Column("request", Text, nullable=False),
        sa.Column("created_ms", Int, nullable=False),
        sa.Column("backfill_id", Int, nullable=True),
        sa.Column("ended_ms", Int, nullable=True),
        sa.Column("failure", Text, nullable=True),
        sa.CheckConstraint("kind IN ('create', 'rerun')", name="errand_kind"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("errand_unended", "errand", ["created_ms"], **where("ended_ms IS NULL"))


def _know_requests_again() -> None:
    """Keys by which a request is known again."""
    op.create_table(
        "request_key",
        sa.Column("user_name", Text, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("request", Text, nullable=False),
        sa.Column("backfill_id", Int, nullable=False),
        sa.Column("created_ms", Int, nullable=False),
        sa.PrimaryKeyConstraint("user_name", "name"),
    )
    op.create_index("request_key_created", "request_key", ["created_ms"])


def _count_editions() -> None:
    """How often a backfill was set up anew, so that who has seen one knows it again."""
    op.add_column("backfill", sa.Column("edition", Int, server_default="0", nullable=False))
