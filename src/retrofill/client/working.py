"""A worker of a host that reaches a server only, with a worker's token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from retrofill.bootstrap.folder import NoProjectError, find_folder
from retrofill.bootstrap.working import Place, Wanted, Worker
from retrofill.client import address_of
from retrofill.client.far_logs import PUSHES, PushedLogs
from retrofill.client.hosting import HttpCustody, HttpEar, HttpHosting
from retrofill.client.transport import Transport
from retrofill.executors.local.hosts import host_of
from retrofill.services.instances.run_specs import CODE_FOLDER

if TYPE_CHECKING:
    from retrofill.services.ports import Ear

HOME = ".retrofill-worker"  # in the current folder
_PROJECT = "project"  # in the home of a worker beside which there is none


def remote_worker(
    environ: Mapping[str, str], wanted: Wanted, home: Path | None = None, directory: str | None = None
) -> Worker:
    """The worker of this machine for the server that RETROFILL_URL names.

    Args:
        home: its folder; None: `.retrofill-worker` in the current one.
        directory: the project's folder here, if there is one; None: the current one or the nearest one above it.

    Raises:
        UsageError: the server or the token is missing.
        StoreUnavailableError: the server does not answer.
        HostRefusedError: the token is none of a worker.
    """
    url, token = address_of(environ)
    server = Transport(url, token)
    rules = HttpHosting(server).rules()
    home = (home or Path(HOME)).absolute()
    wanted = replace(wanted, groups=wanted.groups or tuple(rules["resource_groups"]))
    folder = _folder(home, directory, environ)
    place = Place(home, folder, folder / CODE_FOLDER, rules["log_cap"], rules["grace_seconds"])

    def listen(home: Path) -> Ear:
        return HttpEar(Transport(url, token), host_of(home / "runs"), wanted.groups)

    logs = PushedLogs(Transport(url, token, connections=PUSHES))
    custody = partial(HttpCustody, Transport(url, token))
    return Worker(HttpHosting(server), place, wanted, listen, logs=logs, custody=custody)


def _folder(home: Path, directory: str | None, environ: Mapping[str, str]) -> Path:
    """The project's folder here; where there is none, one in which runs find the folders of their workspaces empty."""
    try:
        return find_folder(directory, environ).directory
    except NoProjectError:
        if directory is not None:
            raise
        return home / _PROJECT
