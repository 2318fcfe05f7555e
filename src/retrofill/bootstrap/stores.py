"""Which store a deployment has: RETROFILL_STORE, else `settings: {store: ...}` of its folder, else the embedded one.

The folder says it as it is now: a store is known before anything is deployed. What names none costs a look
at a small file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from retrofill.bootstrap.declared import declared

if TYPE_CHECKING:
    from retrofill.store.postgres.database import Database

_MISREAD = re.compile(r"//[^/?]*@[^/?]*@|//[^@?]*/[^?]*@|%(?![0-9A-Fa-f]{2})")
_SECRET = re.compile(r"\$\{secret:([A-Za-z_][A-Za-z0-9_]*)\}")


class StoreUrl(NamedTuple):
    """A server's database, as written: secrets are not resolved."""

    text: str
    project: str  # the deployment's name


def find_url(directory: Path, environ: Mapping[str, str]) -> StoreUrl | None:
    """What names the store of a folder; None for the embedded one.

    Raises:
        SettingError: it is no URL of a store.
        ProjectError: the folder's `retrofill.yaml` cannot be read.
    """
    found = declared("store", directory, environ)
    if found is None or not found.value:
        return None
    return checked_url(str(found.value), found.project, found.origin)


def checked_url(url: str, project: str, origin: str) -> StoreUrl:
    """A server that somebody names for the store of a deployment.

    Args:
        origin: where it is named.

    Raises:
        SettingError: it is no URL of a store.
    """
    from retrofill.settings.forms import FormError
    from retrofill.settings.in_force import SettingError
    from retrofill.settings.table import BY_NAME

    try:
        text = str(BY_NAME["store"].read_text(url))
    except FormError as error:
        raise SettingError(f"store {error.message} ({origin}); {error.hint}") from None
    if _MISREAD.search(text):
        # libpq would take a part of the password for the host, and messages would show it.
        raise SettingError(
            f"store holds an @, a / or a % where libpq reads it otherwise ({origin}); "
            "write those of user and password as %40, %2F and %25"
        )
    return StoreUrl(text, project)


def open_server(url: StoreUrl, home: Path, secrets: Callable[[str], str | None]) -> Database:
    """The store on a server; connects when it is first asked for something.

    Raises:
        SettingError: a secret is not set, or what talks to servers is not installed.
    """
    from urllib.parse import quote

    from retrofill.settings.in_force import SettingError

    def value(match: re.Match[str]) -> str:
        found = secrets(match[1])
        if found is None:
            raise SettingError(f"store names the secret {match[1]}; set RETROFILL_SECRET_{match[1]}")
        return quote(found, safe="")

    resolved = _SECRET.sub(value, url.text)
    try:
        from retrofill.store.postgres.database import Database
    except ImportError as error:
        raise SettingError(
            f"a store on PostgreSQL needs psycopg: {error}", "Install Retrofill with the extra `postgres`."
        ) from None
    return Database(resolved, home, url.project)
