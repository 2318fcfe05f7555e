"""Which store a deployment has: RETROFILL_STORE, else `settings: {store: ...}` of its folder, else the embedded one.

The folder says it as it is now: a store is known before anything is deployed. What names none costs a look
at a small file.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from retrofill.domain.people.roles import SYSTEM_ADMINISTRATOR
from retrofill.domain.texts import Text
from retrofill.settings.forms import DEPLOYMENT_FILE

if TYPE_CHECKING:
    from retrofill.store.postgres.database import Database

VARIABLE = "RETROFILL_STORE"
_NAMES_ONE = re.compile(rb"\bstore\b")
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
    named = environ.get(VARIABLE)
    text = _text_of(directory / DEPLOYMENT_FILE)
    if named == "" or (named is None and not _NAMES_ONE.search(text)):
        return None
    user = environ.get("RETROFILL_USER", SYSTEM_ADMINISTRATOR)
    declared, project = _declared(directory, text, user)
    url, origin = (declared, f"`settings:` in {DEPLOYMENT_FILE}") if named is None else (named, "environment")
    return checked_url(str(url), project, origin) if url else None


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


def _text_of(path: Path) -> bytes:
    """What the file holds; nothing where it is no regular file, of which the reading of the folder tells."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        return file.read() if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""


def _declared(directory: Path, text: bytes, user: str) -> tuple[object, str]:
    import yaml

    try:
        found = yaml.load(text, Loader=yaml.CSafeLoader)
        settings = found.get("settings") or {}
        return settings.get("store"), str(found.get("project") or "")
    except (yaml.YAMLError, AttributeError, ValueError):
        from retrofill import project
        from retrofill.settings.in_force import SettingError

        try:
            project.load_whole(directory)  # says where and what
        except project.ProjectError as error:
            if user == SYSTEM_ADMINISTRATOR:
                raise
            # Roles are in the store, so nobody else is told of what stands in workspaces (SEC-2).
            raise error.seen_by(lambda _: False) from None
        raise SettingError(f"{DEPLOYMENT_FILE} cannot be read", Text("{project.check} says why.")) from None


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
