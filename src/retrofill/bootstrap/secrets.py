"""The secrets of one deployment: its environment, then what the setting `secrets` names (SEC-3)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from retrofill.bootstrap.declared import Declared, declared
from retrofill.secrets.keeper import SecretKeeper
from retrofill.secrets.sources import Environment, SecretCommand, SecretFile, Source
from retrofill.settings.outer_forms import SecretSources


def open_secrets(directory: Path, environ: Mapping[str, str]) -> SecretKeeper:
    """For all threads of a process.

    Raises:
        SettingError: the setting `secrets` is in no right form.
        ProjectError: the folder's `retrofill.yaml` cannot be read.
    """
    quick: list[Source] = [Environment(environ)]
    found = declared("secrets", directory, environ)
    if found is None:
        return SecretKeeper(quick)
    sources = _sources(found)
    if sources.file:
        quick.append(SecretFile(directory / sources.file))
    if not sources.command:
        return SecretKeeper(quick)
    return SecretKeeper(
        quick, SecretCommand(sources.command, directory, environ, float(sources.timeout_seconds))
    )


def _sources(found: Declared) -> SecretSources:
    from retrofill.settings.forms import FormError
    from retrofill.settings.in_force import SettingError
    from retrofill.settings.table import BY_NAME

    setting = BY_NAME["secrets"]
    try:
        value = found.value
        read = setting.read_text(value) if isinstance(value, str) else setting.form.read(value)
    except FormError as error:
        part = ".".join(str(step) for step in ("secrets", *error.path))
        raise SettingError(f"{part} {error.message} ({found.origin}); {error.hint}") from None
    assert isinstance(read, SecretSources)
    return read
