"""What a server needs to speak with hosts that reach nothing else of a deployment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from retrofill.bootstrap.tidying import custody_of
from retrofill.bootstrap.working import NoSharedStoreError, hosting_of

if TYPE_CHECKING:
    from retrofill.bootstrap.deployment import Deployment
    from retrofill.services.ports import Ear
    from retrofill.services.running.remote_hosts import RemoteHosts


def remote_hosts_of(deployment: Deployment) -> RemoteHosts:
    """Those of a deployment; one for a process.

    Raises:
        NoSharedStoreError: its store is a file of one machine, and so nothing is offered to others.
    """
    from retrofill.executors.logs.keeping import KeptLogs
    from retrofill.services.running.remote_hosts import Behind, RemoteHosts

    if deployment.store_url is None:
        raise NoSharedStoreError("the store is a file of one machine, which runs everything itself")
    settings = deployment.settings()
    hosts = deployment.hosts(settings.host_lost_minutes)
    assert hosts is not None

    def limits() -> tuple[int, int]:
        now = deployment.settings()
        return now.log_cap, now.grace_seconds

    logs = deployment.logs.usable_storage or KeptLogs(deployment.folder.runs, lambda: limits()[0])
    hosting, custody = hosting_of(deployment), partial(custody_of, deployment)
    return RemoteHosts(Behind(deployment.store, deployment.clock, hosting, hosts, logs, limits, custody))


@contextmanager
def hearing_calls(deployment: Deployment) -> Iterator[Ear]:
    """Where it is heard that there may be something to do for some host."""
    hosts = deployment.hosts()
    assert hosts is not None
    with TemporaryDirectory(prefix="retrofill-calls-") as home:
        ear = hosts.listen(Path(home))
        try:
            yield ear
        finally:
            ear.close()
