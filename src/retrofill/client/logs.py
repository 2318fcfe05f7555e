"""The log of a run at a server, piece by piece; secrets are masked there (SEC-3)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import TYPE_CHECKING

from retrofill.client.answers import read

if TYPE_CHECKING:
    from retrofill.client.transport import Transport
    from retrofill.services.reading.documents import RunRow

_Piece = tuple[int, int, bytes]


class OpenLog:
    """The log of one run, as far as it has been read.

    Attributes:
        instance_id: whose run it is.
    """

    def __init__(self, server: Transport, instance_id: int, run_number: int) -> None:
        self.instance_id = instance_id
        self._server = server
        self._run_number = run_number
        self._offset = 0  # of what is given out next

    def has_ended(self) -> bool:
        """Whether the run has, or never began: then its number is another run's by now."""
        runs = _runs(self._server, self.instance_id)
        return all(run["ended_at"] for run in runs if run["run_number"] == self._run_number)

    def pieces(self) -> Iterator[_Piece]:
        """What is there and was not given out yet: offset, how many bytes before it were cut out, bytes."""
        for offset, missing, data in _pieces(self._server, self.instance_id, self._run_number, self._offset):
            self._offset = offset + len(data)
            yield offset, missing, data

    def rest(self) -> Iterator[_Piece]:
        """Nothing: what could be the beginning of a secret, the server gives out once it is none."""
        return iter(())


def open_log(server: Transport, instance_id: int, run_number: int | None) -> OpenLog | str:
    """The log of a run; of an instance that ran no code, the line that says so."""
    runs = _runs(server, instance_id)
    if run_number is None and runs:
        run_number = runs[-1]["run_number"]
    if run_number is not None:
        return OpenLog(server, instance_id, run_number)
    return b"".join(data for _, _, data in _pieces(server, instance_id, None, 0)).decode()


def _runs(server: Transport, instance_id: int) -> list[RunRow]:
    runs: list[RunRow] = server.get(f"instances/{instance_id}")["runs"]
    return runs


def _pieces(server: Transport, instance_id: int, run_number: int | None, since: int) -> Iterator[_Piece]:
    query = {"run": run_number, "since": since or None}
    with server.lines(f"instances/{instance_id}/log", query) as lines:
        for piece in map(read, lines):
            yield piece["offset"], piece["missing"], b64decode(piece["base64"])
