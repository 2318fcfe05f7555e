"""The log of a run at a server, piece by piece; secrets are masked there (SEC-3)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from retrofill.client.answers import read
from retrofill.client.troubles import ServerUnreachableError

if TYPE_CHECKING:
    from retrofill.client.transport import Transport
    from retrofill.services.reading.documents import RunRow

_Piece = tuple[int, int, bytes]
_MOST_BREAKS = 5  # one after the other, with nothing heard between


class OpenLog:
    """The log of one run, as far as it has been read.

    Attributes:
        instance_id: whose run it is.
    """

    def __init__(self, server: Transport, instance_id: int, run_number: int, offset: int) -> None:
        self.instance_id = instance_id
        self._server = server
        self._run_number = run_number
        self._offset = offset  # of what is given out next

    def has_ended(self) -> bool:
        """Whether the run has, or never began: then its number is another run's by now."""
        runs = _runs(self._server, self.instance_id)
        return all(run["ended_at"] for run in runs if run["run_number"] == self._run_number)

    def pieces(self) -> Iterator[_Piece]:
        """What is there and was not given out yet: offset, how many bytes before it were cut out, bytes."""
        breaks = 0
        while True:
            began = self._offset
            query = {"run": self._run_number, "offset": began}
            with self._server.lines(f"instances/{self.instance_id}/log", query) as lines:
                try:
                    for offset, missing, data in map(_piece_of, lines):
                        self._offset = offset + len(data)
                        yield offset, missing, data
                    return
                except ServerUnreachableError:  # broken off in the middle: goes on from there
                    breaks = breaks + 1 if self._offset == began else 0
                    if breaks == _MOST_BREAKS:
                        raise

    def rest(self) -> Iterator[_Piece]:
        """Nothing: what could be the beginning of a secret, the server gives out once the run has ended."""
        return iter(())


def open_log(server: Transport, instance_id: int, run_number: int | None, offset: int) -> OpenLog | str:
    """The log of a run; of an instance that ran no code, the line that says so."""
    runs = _runs(server, instance_id)
    if run_number is None and runs:
        run_number = runs[-1]["run_number"]
    if any(run["run_number"] == run_number for run in runs):
        assert run_number is not None
        return OpenLog(server, instance_id, run_number, offset)
    # No such run, or none at all: the server says what it says then.
    return b"".join(data for _, _, data in _pieces(server, instance_id, {"run": run_number})).decode()


def _runs(server: Transport, instance_id: int) -> list[RunRow]:
    runs: list[RunRow] = server.get(f"instances/{instance_id}")["runs"]
    return runs


def _pieces(server: Transport, instance_id: int, query: Mapping[str, object]) -> Iterator[_Piece]:
    with server.lines(f"instances/{instance_id}/log", query) as lines:
        yield from map(_piece_of, lines)


def _piece_of(line: bytes) -> _Piece:
    piece = read(line)
    return piece["offset"], piece["missing"], b64decode(piece["base64"])
