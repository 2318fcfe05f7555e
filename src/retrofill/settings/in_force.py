"""The settings that are in force, from the environment, the project and the defaults.

Order: `RETROFILL_<NAME>` in the environment, then `settings:` in `retrofill.yaml`, then the
default. The table of names, forms and defaults is `settings.table`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrofill.domain.errors import UsageError
from retrofill.domain.selection.choice import Limits
from retrofill.services.backfills.requests import PlanLimits
from retrofill.settings.forms import DEPLOYMENT_FILE, FormError
from retrofill.settings.identity_forms import IdentityProvider
from retrofill.settings.outer_forms import Receiver, SecretSources, Webhook
from retrofill.settings.table import TABLE, read_settings

if TYPE_CHECKING:
    from retrofill.services.running.following import InForce


class SettingError(UsageError):
    """Correct the value where the message says it comes from; `docs/reference/settings.md` lists all settings."""

    code = "bad_setting"


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting's value; the fields are the names of the table, which says what each does."""

    store: str  # URL, secrets unresolved; "" for the embedded one
    secrets: SecretSources
    max_roots: int
    max_tasks: int
    max_workspace_tasks: int
    max_instances: int
    max_bizdates: int
    generation_time: int  # minutes after midnight
    catch_up_nights: int
    clock_tolerance_minutes: int
    host_lost_minutes: int
    broker: str  # URL, secrets unresolved; "" for none
    auto_conflict: str  # stop | wait
    retention_days: int
    retention_time: int  # minutes after midnight
    log_days: Mapping[str, int]  # by type of resource group
    log_cap: int  # bytes, 0 for none
    log_storage: str  # URL, "" for none
    auto_log_cap: int  # bytes, 0 for none
    grace_seconds: int
    working_folders: Mapping[str, str]  # path by workspace
    python: str  # "" for the interpreter that runs Retrofill
    alerts: Mapping[str, str]  # URL by method; secrets unresolved
    webhooks: Mapping[str, Receiver]
    notify_secret: str  # unresolved; "" for none
    checks: Mapping[str, Webhook]
    plugin_seconds: int
    allow_internal: tuple[str, ...]  # networks
    openlineage: str  # address, "" for none
    public_origin: str  # "" for that of the server itself
    trusted_proxies: tuple[str, ...]  # networks
    oidc: IdentityProvider | None

    def values(self) -> dict[str, object]:
        """All of them by name."""
        return {setting.name: getattr(self, setting.name) for setting in TABLE}


def load(declared: Mapping[str, object], environ: Mapping[str, str]) -> Settings:
    """The settings in force.

    Args:
        declared: `Catalog.settings`, as written in the project.
        environ: the process's environment.

    Raises:
        SettingError: naming the setting and where its bad value comes from.
    """
    values, problems = read_settings(declared)
    if problems:
        first = problems[0]
        raise SettingError(f"{first.message} (`settings:` in {DEPLOYMENT_FILE}); {first.hint}")
    for setting in TABLE:
        text = environ.get(setting.variable)
        if text is not None:
            try:
                values[setting.name] = setting.read_text(text)
            except FormError as error:
                part = "".join(f" ({step})" for step in error.path)
                raise SettingError(
                    f"{setting.variable}{part} {error.message} (environment); {error.hint}"
                ) from None
        elif setting.name not in values:
            values[setting.name] = setting.form.read(setting.default)
    return Settings(**values)  # type: ignore[arg-type]


def limits(settings: Settings) -> PlanLimits:
    """How large a backfill may be."""
    return PlanLimits(
        Limits(settings.max_roots, settings.max_tasks, settings.max_workspace_tasks),
        settings.max_bizdates,
        settings.max_instances,
    )


def scheduling(settings: Settings, timezone: str) -> InForce:
    """What they say to a scheduler of a deployment in this time zone."""
    from retrofill.services.running.following import InForce
    from retrofill.services.running.nights import ScheduleSettings

    return InForce(
        stops_for_auto=settings.auto_conflict == "stop",
        clock_tolerance_ms=settings.clock_tolerance_minutes * 60_000,
        limits=limits(settings),
        schedule=ScheduleSettings(settings.generation_time, settings.catch_up_nights),
        retention_minute=settings.retention_time,
        timezone=timezone,
        interpreter=settings.python or sys.executable,
        log_cap_bytes=settings.log_cap,
        grace_seconds=settings.grace_seconds,
        working_folders=settings.working_folders,
    )
