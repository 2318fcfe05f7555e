"""Hosts, as a server knows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from retrofill.client.desk import Desk
from retrofill.client.transport import part

if TYPE_CHECKING:
    from retrofill.services.reading.documents import HostAct, HostPage, HostRow


class HostDesk(Desk):
    # Questions

    def list(self, everything: bool = False) -> Sequence[HostRow]:
        """Hosts by label."""
        return self._server.get("hosts", {"everything": everything})["items"]

    def show(self, host: str) -> HostPage:
        """One host, with the instances that it carries out."""
        return self._server.get(f"hosts/{part(host)}")

    # Acts

    def drain(self, host: str, comment: str = "") -> HostAct:
        """Let a host take no more; what runs there ends by itself."""
        return self._act(host, "drain", comment)

    def undrain(self, host: str, comment: str = "") -> HostAct:
        """Let a host that drains take work again."""
        return self._act(host, "undrain", comment)

    def forget(self, host: str, comment: str = "") -> HostAct:
        """Remove what is known of a host that is gone; should it come back, it is known again."""
        return self._act(host, "forget", comment)

    def _act(self, host: str, act: str, comment: str) -> Any:
        return self._server.act("POST", f"hosts/{part(host)}/{act}", {"comment": comment})
