"""compose.yaml: Docker takes it, and each of its services is started with words and settings that there are."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.programs import DEPLOY, ROOT, assert_taken, program
from retrofill.settings.table import BY_NAME

COMPOSE = DEPLOY / "compose.yaml"
OURS = ["server", "scheduler-1", "scheduler-2", "pull-worker", "celery-worker"]


def services() -> dict[str, Any]:
    found = yaml.safe_load(COMPOSE.read_text())["services"]
    assert isinstance(found, dict)
    return found


def config(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """What docker-compose makes of a file, with passwords in the environment."""
    (folder / "compose.yaml").write_text(text)
    return subprocess.run(
        [program("docker-compose", "Debian's package docker-compose"), "-f", folder / "compose.yaml", "config"],
        env=os.environ | {"POSTGRES_PASSWORD": "one", "RABBITMQ_PASSWORD": "two"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_docker_takes_it_and_puts_passwords_where_they_belong(tmp_path: Path) -> None:
    done = config(tmp_path, COMPOSE.read_text())
    assert done.returncode == 0, done.stderr
    read = yaml.safe_load(done.stdout)["services"]
    assert set(read) == {"postgres", "rabbitmq", *OURS}
    for name in OURS:
        environment = read[name]["environment"]
        assert (
            environment["RETROFILL_SECRET_STORE_PASSWORD"]
            == read["postgres"]["environment"]["POSTGRES_PASSWORD"]
            == "one"
        )
        assert environment["RETROFILL_SECRET_BROKER_PASSWORD"] == "two"
        assert "${secret:STORE_PASSWORD}" in environment["RETROFILL_STORE"].replace("$$", "$")


@pytest.mark.parametrize(
    ("good", "bad"),
    [("restart:", "restat:"), ("service_healthy", "service_healty"), ("  logs:\n", "  log:\n")],
)
def test_a_mistake_is_found(tmp_path: Path, good: str, bad: str) -> None:
    assert good in COMPOSE.read_text()
    assert config(tmp_path, COMPOSE.read_text().replace(good, bad)).returncode != 0


@pytest.mark.parametrize("name", OURS)
def test_a_service_is_started_with_a_command_that_there_is(name: str) -> None:
    assert_taken(services()[name]["command"])


@pytest.mark.parametrize("name", OURS)
def test_what_stands_in_the_environment_is_a_setting(name: str) -> None:
    """A misspelt one would be silently without effect."""
    known = {f"RETROFILL_{name.upper()}" for name in BY_NAME}
    for variable in services()[name]["environment"]:
        assert variable in known or variable.startswith("RETROFILL_SECRET_")


def test_who_has_runs_is_given_time_to_end_them() -> None:
    """Docker kills after its grace: a worker has to have left before."""
    for name in ("pull-worker", "celery-worker"):
        service = services()[name]
        words = service["command"]
        minutes = int(service["stop_grace_period"].removesuffix("m"))
        assert int(words[words.index("--drain-seconds") + 1]) < minutes * 60


def test_the_groups_that_workers_serve_are_those_of_the_project() -> None:
    groups = yaml.safe_load((DEPLOY / "retrofill.yaml").read_text())["resource_groups"]
    for name in ("pull-worker", "celery-worker"):
        words = services()[name]["command"]
        executor = words[words.index("--executor") + 1] if "--executor" in words else "pull"
        assert groups[words[words.index("--resource-group") + 1]]["executor"] == executor


def test_the_image_is_made_of_what_there_is() -> None:
    """Folders that are copied, and extras that are installed."""
    import tomllib

    text = (DEPLOY / "Dockerfile").read_text()
    extras = next(line for line in text.splitlines() if line.startswith("ARG EXTRAS=")).split('"')[1].split()
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras) <= set(known)
    copied = [
        line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line
    ]
    assert copied
    sent = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    for source in [name for names in copied for name in names]:
        assert (ROOT / source).exists()
        assert f"!{source}" in sent
