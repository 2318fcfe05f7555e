"""Settings that hold before anything is deployed, and without: RETROFILL_<NAME>, else as the folder says it now.

What names none of them costs a look at a small file.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from retrofill.domain.people.roles import SYSTEM_ADMINISTRATOR
from retrofill.domain.texts import Text
from retrofill.settings.forms import DEPLOYMENT_FILE


class Declared(NamedTuple):
    """What somebody wrote for a setting."""

    value: object  # as YAML gives it; a text where it comes from the environment
    project: str  # the deployment's name; "" where that was not looked at
    origin: str  # where it is written, for messages


def declared(name: str, directory: Path, environ: Mapping[str, str]) -> Declared | None:
    """What is written for the setting; None where nothing is.

    Raises:
        ProjectError: the folder's `retrofill.yaml` cannot be read.
    """
    named = environ.get(f"RETROFILL_{name.upper()}")
    text = _text_of(directory / DEPLOYMENT_FILE)
    if named == "" or (named is None and not re.search(rb"\b%b\b" % name.encode(), text)):
        return None
    user = environ.get("RETROFILL_USER", SYSTEM_ADMINISTRATOR)
    value, project = _read(name, directory, text, user)
    if named is not None:
        return Declared(named, project, "environment")
    return None if value is None else Declared(value, project, f"`settings:` in {DEPLOYMENT_FILE}")


def _text_of(path: Path) -> bytes:
    """What the file holds; nothing where it is no regular file, of which the reading of the folder tells."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        return file.read() if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""


def _read(name: str, directory: Path, text: bytes, user: str) -> tuple[object, str]:
    import yaml

    try:
        found = yaml.load(text, Loader=yaml.CSafeLoader)
        settings = found.get("settings") or {}
        return settings.get(name), str(found.get("project") or "")
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
