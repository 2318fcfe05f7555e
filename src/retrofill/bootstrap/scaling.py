"""Which adapter tells the scaler of a resource group: a program, or an address that is posted to as webhooks are."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from retrofill.domain.errors import RetrofillError
from retrofill.services.ports.scaling import NotToldError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from retrofill.bootstrap.deployment import Deployment
    from retrofill.domain.catalog.definitions import ResourceGroup
    from retrofill.services.ports.scaling import ScaleNotice
    from retrofill.settings.in_force import Settings


class Scalers:
    """All of a deployment, by the settings of when they are told."""

    def __init__(self, deployment: Deployment, settings: Callable[[], Settings]) -> None:
        self._deployment = deployment
        self._settings = settings

    def tell(self, group: ResourceGroup, notice: ScaleNotice) -> None:
        assert group.scaler is not None
        if group.scaler.command:
            from retrofill.executors.scaling import CommandScaler

            CommandScaler(self._deployment.folder.directory, self._deployment.environ).tell(group, notice)
        else:
            self._post(group, notice)

    def _post(self, group: ResourceGroup, notice: ScaleNotice) -> None:
        from retrofill.checks.telling import WebhookPoster
        from retrofill.services.ports.notifying import Delivered
        from retrofill.settings.outer_forms import Receiver

        assert group.scaler is not None
        on, receiver = self._deployment, Receiver(group.scaler.url, group.scaler.secret)
        poster = WebhookPoster(
            {group.name: receiver}, receiver, on.secret, self._settings().allow_internal, on.clock
        )
        document = cast("Mapping[str, Any]", notice)
        try:
            poster.post(group.name, None, Delivered(os.urandom(8).hex(), document))
        except RetrofillError as error:
            raise NotToldError(error.message) from None
