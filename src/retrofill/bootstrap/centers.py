"""One call of the command line or one request: in whose name it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from retrofill.bootstrap.deployment import Deployment
from retrofill.domain.errors import NotPermittedError, shown
from retrofill.domain.people.roles import SYSTEM_ADMINISTRATOR, Actor, actor_of, system_administrator

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog


def find_actor(deployment: Deployment, in_force: Callable[[], Catalog]) -> Actor:
    """Who acts by RETROFILL_USER, with the roles that the members in force give (SEC-1, SEC-4).

    Raises:
        NotPermittedError: it names nobody.
    """
    name = deployment.environ.get("RETROFILL_USER", SYSTEM_ADMINISTRATOR)
    if name == SYSTEM_ADMINISTRATOR:
        return system_administrator(name)
    found = _find(deployment, in_force(), name)
    if found is None:
        raise NotPermittedError(
            f'nobody is called "{shown(name)}" here',
            "Set RETROFILL_USER to a member of a workspace or to a user that was added, or unset it to "
            "act as the system administrator.",
        )
    return found


def _find(deployment: Deployment, catalog: Catalog, name: str) -> Actor | None:
    from retrofill.services.people import accounts

    if not deployment.has_store:  # looking shall make none
        return actor_of(name, catalog) if name in accounts.members_of(catalog) else None
    with deployment.store.read() as reader:
        return accounts.find_actor(reader.people, catalog, name)
