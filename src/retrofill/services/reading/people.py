"""Users, keys and sessions as documents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from retrofill.domain.time.milliseconds import shown_instant

if TYPE_CHECKING:
    from retrofill.services.people.accounts import Account, Contact
    from retrofill.services.ports.records import AccessKeyRecord, SessionRecord, TokenRecord
    from retrofill.services.reading.documents import (
        AccessKeyRow,
        ContactRow,
        SessionRow,
        TokenRow,
        UserRow,
    )


def user_row(account: Account) -> UserRow:
    return {
        "user": account.user,
        "administrator": account.is_administrator,
        "roles": {workspace: role.value for workspace, role in account.roles.items()},
        "email": account.contact.email or None,
        "phone": account.contact.phone or None,
        "created_at": shown_instant(account.created_ms),
    }


def contact_row(user: str, contact: Contact) -> ContactRow:
    return {
        "user": user,
        "email": contact.email or None,
        "phone": contact.phone or None,
        "email_registered": bool(contact.email),
        "phone_registered": bool(contact.phone),
    }


def token_row(record: TokenRecord) -> TokenRow:
    return {
        "id": record.id,
        "user": record.user_name,
        "label": record.label or None,
        "scope": record.scope,
        "resource_groups": json.loads(record.resource_groups) if record.resource_groups else None,
        "created_at": shown_instant(record.created_ms),
        "expires_at": shown_instant(record.expires_ms),
        "used_at": shown_instant(record.seen_ms),
        "revoked_at": shown_instant(record.revoked_ms),
    }


def access_key_row(record: AccessKeyRecord) -> AccessKeyRow:
    return {
        "id": record.key_id,
        "user": record.user_name,
        "label": record.label or None,
        "scope": record.scope,
        "created_at": shown_instant(record.created_ms),
        "expires_at": shown_instant(record.expires_ms),
        "used_at": shown_instant(record.seen_ms),
        "revoked_at": shown_instant(record.revoked_ms),
    }


def session_row(record: SessionRecord) -> SessionRow:
    return {
        "id": record.id,
        "user": record.user_name,
        "way": record.way,
        "address": record.address,
        "browser": record.browser,
        "created_at": shown_instant(record.created_ms),
        "used_at": shown_instant(record.seen_ms),
        "expires_at": shown_instant(record.expires_ms),
        "ended_at": shown_instant(record.ended_ms),
    }
