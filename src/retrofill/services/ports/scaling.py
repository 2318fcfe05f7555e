"""Telling what adds and removes hosts of an elastic resource group how many slots are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypedDict

from retrofill.domain.errors import RetrofillError

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import ResourceGroup


class NotToldError(RetrofillError):
    """Look at the scaler of the resource group; it is told again within a minute."""

    code = "scaler_not_told"


class HostOfGroup(TypedDict):
    """A host that takes instances of the group."""

    name: str
    label: str
    state: str  # `there`, `draining`, `unknown` or `lost`
    slots: int
    running: int  # also instances of other groups


class ScaleNotice(TypedDict):
    """What a scaler is told; it is told the same again every minute, so that nothing needs to be remembered."""

    project: str
    resource_group: str
    wanted: int
    present: int
    most: int  # slots of the group
    held: int
    waiting: int
    hosts: list[HostOfGroup]


class Scaler(Protocol):
    def tell(self, group: ResourceGroup, notice: ScaleNotice) -> None:
        """Tell the scaler of a group; may take as long as its limit.

        Raises:
            NotToldError: it could not be told, or says that it could not do it.
        """
        ...
