"""schemathesis: whatever is sent to an operation, right or wrong by its description, the answer is as described.

What is right by its schema and yet makes no sense (dates that do not exist, names of nobody) is refused with 422 or
404, so not everything that fits is accepted; all other checks of schemathesis hold.
"""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from api.servers import Server, serving
from examples import examples
from retrofill.api import routes

LEFT_OUT = [positive_data_acceptance, ignored_auth]  # who asks without a token is asked in `test_matrix`
OPERATIONS = [operation.id for module in routes.ALL for _, _, operation in module.routes.operations]


@pytest.fixture(scope="module")
def busy_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One with backfills and instances, which whatever is sent may change."""
    with serving(tmp_path_factory.mktemp("any")) as server:
        for _ in range(3):
            server.create(task=("open.first", "open.last"))
        yield server


@pytest.fixture(scope="module")
def described(busy_server: Server) -> schemathesis.BaseSchema:
    """Who asks is no part of what is made up: every request is admin's."""
    load_all_checks()
    config = SchemathesisConfig()
    config.projects.default.generation.with_security_parameters = False
    rejection = config.projects.default.checks.negative_data_rejection
    rejection.expected_statuses = [
        *rejection.expected_statuses,
        "413",
    ]  # lists far above their limit are large
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", busy_server.app, config=config)


@pytest.mark.slow
@pytest.mark.parametrize("name", OPERATIONS)
def test_whatever_is_sent(name: str, busy_server: Server, described: schemathesis.BaseSchema) -> None:
    headers = {"Authorization": busy_server.by("admin").headers["Authorization"]}
    operation = described.find_operation_by_id(name)
    modes = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)

    @hypothesis.settings(
        max_examples=examples(12),
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(
        hypothesis.strategies.one_of(*(operation.as_strategy(generation_mode=m) for m in modes))
    )
    def send(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=headers, excluded_checks=LEFT_OUT)

    send()
