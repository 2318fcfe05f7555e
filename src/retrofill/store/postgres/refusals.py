"""What to tell where the server says no, and what to do about it; never with a password in it."""

from __future__ import annotations

import psycopg
from psycopg import errors

from retrofill.domain.errors import (
    Kind,
    RetrofillError,
    StoreBusyError,
    StoreFullError,
    StoreUnavailableError,
    shown,
)
from retrofill.services.ports.store import ConstraintError
from retrofill.store.schema.revision import StoreError

_FULL = (errors.DiskFull, errors.OutOfMemory)
_BUSY = (errors.LockNotAvailable, errors.QueryCanceled, errors.DeadlockDetected, errors.SerializationFailure)
_FORBIDDEN = (errors.InsufficientPrivilege, errors.InvalidSchemaName)
_LONGEST = 300  # letters of what a server says


class StoreUnreachableError(StoreUnavailableError):
    """Look at the server and at the URL in `store` or RETROFILL_STORE; what runs goes on, and nothing noted is lost."""

    code = "store_unreachable"
    kind = Kind.UNREACHABLE


class ReadOnlyStoreError(StoreUnavailableError):
    """Name the primary server in `store` or RETROFILL_STORE; looking works on this one, too."""

    code = "store_read_only"


def refusal(error: psycopg.Error, where: str) -> Exception:
    """The error to raise for what psycopg has raised; itself, where it is a mistake of ours.

    Args:
        where: the database, as it may be shown.
    """
    said = _said(error)
    if isinstance(error, errors.IntegrityError):
        return ConstraintError(said)
    if isinstance(error, _FULL) or "No space left on device" in said:
        return StoreFullError(f"there is no room for the store on the server of {where}: {said}", _ROOM)
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return ReadOnlyStoreError(
            f"{where} cannot be written: the server is a read-only replica, or set to be one"
        )
    if isinstance(error, _BUSY):
        return StoreBusyError(f"{where} is busy: {said}")
    if isinstance(error, _FORBIDDEN):
        return StoreError(f"{where} may not be used as a store: {said}", "Let its user own the database.")
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | errors.InternalError_):
        return unreachable(said, where)
    return error


_ROOM = "Make room on the server's disk; nothing that was noted is lost, and what is running goes on."
_REASONS = (  # what a server says while nobody is connected yet has no code
    ("password authentication failed", "it refuses the password"),
    ("no password supplied", "it asks for a password, and the URL holds none"),
    ("too many clients", "it has no connection left"),
    ("remaining connection slots", "it has no connection left"),
    ("too many connections", "it has no connection left"),
    ("does not exist", ""),
    ("no pg_hba.conf entry", "it lets nobody in like this"),
    ("starting up", "it is starting up"),
    ("shutting down", "it is shutting down"),
    ("Connection refused", "nobody listens there"),
)


def unreachable(said: str, where: str) -> RetrofillError:
    """For a connection that could not be made, or was lost."""
    reason = next((ours for theirs, ours in _REASONS if theirs in said), "")
    hint = None
    if reason == "it has no connection left":
        hint = "Raise max_connections of the server, or put a pooler before it; each process needs two."
    return StoreUnreachableError(f"{where} cannot be reached: {reason or said}", hint)


def _said(error: psycopg.Error) -> str:
    """The server's own words, on one line."""
    text = error.diag.message_primary or str(error)
    _, _, after = text.rpartition("FATAL: ")
    return shown(" ".join((after or text).split())[:_LONGEST])
