"""Scalers that are addresses: posted to and signed as webhooks are (RUN-9)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from checks.servers import Server, says, serving
from executors.test_scaling import NOTICE
from retrofill.bootstrap.deployment import Deployment, open_deployment
from retrofill.bootstrap.scaling import Scalers
from retrofill.checks.webhooks import signature
from retrofill.domain.catalog.definitions import ResourceGroup, ScalerHook
from retrofill.services.ports.scaling import NotToldError


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    (tmp_path / "retrofill.yaml").write_text("project: x\nallow_internal: [127.0.0.0/8]\n")
    with closing(open_deployment(str(tmp_path), {"RETROFILL_SECRET_KEY": "sesame"})) as opened:
        yield opened


def tell(deployment: Deployment, server: Server, path: str = "/") -> None:
    hook = ScalerHook(url=server.url(path), secret="${secret:KEY}")
    group = ResourceGroup("etl", "serverless", 80, executor="pull", scaler=hook)
    Scalers(deployment, deployment.settings).tell(group, NOTICE)


def test_it_is_posted_and_signed(deployment: Deployment) -> None:
    """RUN-9, SEC-3."""
    with serving(says("PASS")) as server:
        tell(deployment, server, "/scale")
    (asked,) = server.asked
    assert (asked.path, json.loads(asked.body)) == ("/scale", NOTICE)
    stamp = asked.headers["X-Retrofill-Timestamp"]
    assert asked.headers["X-Retrofill-Signature"] == signature("sesame", stamp, asked.body)


def test_a_refusal_is_said(deployment: Deployment) -> None:
    """RUN-9."""
    with serving(says("FAIL", status=503)) as server, pytest.raises(NotToldError, match="HTTP status 503"):
        tell(deployment, server)
