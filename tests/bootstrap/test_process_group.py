"""The parent of a group outlives whatever becomes of its parts."""

from __future__ import annotations

import os
from collections.abc import Callable

from retrofill.bootstrap.process_group import Part, ProcessGroup


def test_a_part_that_dies_early_and_leaves_a_fork_ends_the_group_with_its_status() -> None:
    """The fork holds the pipe by which the part would have told that it is ready."""
    watched, holds = os.pipe()

    def die(_: Callable[[str], None]) -> int:
        os.close(holds)
        if os.fork() == 0:
            os.read(watched, 1)  # until the test lets go
            os._exit(0)
        return 7

    said: list[str] = []
    group = ProcessGroup([Part("server", die)], lambda *_: None, lambda text: said.append(str(text)))
    try:
        assert group.run() == 7
    finally:
        os.close(holds)
        os.close(watched)
    assert said == ["The server has ended with status 7, so everything ends."]
