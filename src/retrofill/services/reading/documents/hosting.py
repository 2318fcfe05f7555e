"""What a worker and a server tell each other: the values of `services.ports.hosting` in JSON.

No promise to others than workers of the same version: whoever changes it raises the number in its paths.
"""

from __future__ import annotations

from typing import TypedDict


class HostRules(TypedDict):
    """What a worker goes by."""

    resource_groups: list[str]  #: whose runs its token lets it carry out
    log_cap: int  #: most bytes of one log; 0: as many as there are
    grace_seconds: int  #: between TERM and KILL


class RunRefDocument(TypedDict):
    """Names one start of one run."""

    instance_id: int
    run_number: int
    token: str
    boot_id: str  #: of the machine where it was started


class OwnRunDocument(TypedDict):
    """A run that lives at a host."""

    run: RunRefDocument
    on_lost: bool  #: it starts elsewhere when it is taken for lost (RUN-3)


class OwnRuns(TypedDict):
    """Every open run that lives at a host."""

    items: list[OwnRunDocument]


class IncludedFileDocument(TypedDict):
    """A file that a version holds (CAT-9)."""

    path: str
    sha256: str
    size: int
    is_executable: bool


class IncludedCodeDocument(TypedDict):
    """Files that a run finds laid out (CAT-9)."""

    version_id: int
    folder: str
    files: list[IncludedFileDocument]


class RunDocument(TypedDict):
    """All that a run needs, secrets among it."""

    run: RunRefDocument
    type: str
    name: str
    code: str
    arguments: list[str]
    environment: dict[str, str]
    working_directory: str
    timeout_seconds: int
    connection_url: str | None
    interpreter: str
    secrets: list[str]
    connection: str
    reads: list[str]
    writes: list[str]
    included: IncludedCodeDocument | None
    shell: str
    inherit: list[str]
    code_file: str
    on_lost: bool


class ExchangeAnswer(TypedDict):
    """What a worker is to do."""

    starts: list[RunDocument]
    stops: list[RunRefDocument]
    over: list[RunRefDocument]
    is_draining: bool
    lost_after_ms: int
    left: int


class Called(TypedDict):
    """Whether there may be something to do for a worker."""

    mark: str  #: of this answer; sent with the next question, it is answered when something has come since
    is_called: bool


class RunNameDocument(TypedDict):
    """Names one start of one run, wherever that was."""

    instance_id: int
    run_number: int
    token: str


class AutoRunDocument(TypedDict):
    """An ended run of an auto triggered instance, whose log may be cut (RET-2)."""

    run: RunNameDocument
    is_failed: bool


class CustodyAnswer(TypedDict):
    """What a host may let go of (RET-1, RET-2, CAT-9)."""

    youngest_ms: int  #: files that are younger need not be asked about
    auto_log_cap: (
        int  #: bytes of all logs of one date's auto triggered instances there; 0: as many as there are
    )
    ended: list[str]  #: names of those logs whose runs have ended long enough ago
    unknown: list[str]  #: of those that no run of this host has made
    open_runs: list[RunNameDocument]  #: those of this host
    open_versions: list[int]  #: whose files are needed
    auto_dates: list[str]  #: of which something has ended since
    auto_runs: list[AutoRunDocument]  #: of the date that was asked for


class KeptLog(TypedDict):
    """How much of a log the server keeps by now."""

    size: int  #: in bytes: where whoever pushes it goes on
