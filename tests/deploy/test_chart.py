"""The Helm chart: helm takes it, Kubernetes would take what it makes, and its containers start what there is.

What it makes is held against Kubernetes' own schemas, strictly: a key that is none is an error.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.programs import DEPLOY, assert_taken, program
from retrofill.settings.table import BY_NAME

CHART = DEPLOY / "helm" / "retrofill"
VERSIONS = ["1.27", "1.37"]
EVERYTHING: dict[str, Any] = {
    "image": {"repository": "registry.example.com/retrofill", "tag": "1"},
    "imagePullSecrets": [{"name": "registry"}],
    "broker": {"url": "amqp://retrofill:${secret:BROKER_PASSWORD}@rabbitmq//"},
    "settings": {"host_lost_minutes": 5, "trusted_proxies": ["10.0.0.0/8"]},
    "dataClaim": "shared",
    "server": {
        "replicas": 3,
        "ingress": {
            "host": "retrofill.example.com", "className": "nginx", "tlsSecret": "tls",
            "annotations": {"nginx.ingress.kubernetes.io/proxy-read-timeout": "3600"},
        },
    },
    "schedulers": {"replicas": 3, "storage": {"size": "1Gi", "className": "fast"}},
    "workers": [
        {"name": "etl", "executor": "celery", "groups": ["etl", "batch"], "slots": 8, "replicas": 2, "drainSeconds": 60,
         "storage": {"size": "1Gi"}},
        {"name": "gpu", "executor": "pull", "groups": ["gpu"], "slots": 1, "replicas": 0, "drainSeconds": 0,
         "storage": {"size": "5Gi"}},
    ],
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "etl", "operator": "Exists"}],
}  # fmt: skip


def helm(*words: str | Path) -> subprocess.CompletedProcess[str]:
    found = program("helm", "https://helm.sh, or .ci/install-helm,")
    return subprocess.run([found, *words], capture_output=True, text=True, check=False)


def made(folder: Path, values: dict[str, Any]) -> list[dict[str, Any]]:
    """What is installed with these values beside those of the chart."""
    (folder / "values.yaml").write_text(json.dumps(values))
    done = helm("template", "shop", CHART, "--values", folder / "values.yaml")
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def containers(documents: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each with the specification of its pod."""
    for document in documents:
        if document["kind"] in ("Deployment", "StatefulSet"):
            pod = document["spec"]["template"]["spec"]
            yield from ((pod, container) for container in pod["containers"])


def test_helm_finds_nothing_wrong() -> None:
    done = helm("lint", "--strict", CHART)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["as it is", "everything"])
@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_what_it_makes(tmp_path: Path, values: dict[str, Any], version: str) -> None:
    documents = made(tmp_path, values)
    for document in documents:
        kubernetes_validate.validate(document, version, strict=True)
    names = [(document["kind"], document["metadata"]["name"]) for document in documents]
    assert len(set(names)) == len(names)
    assert ("Deployment", "shop-server") in names
    assert {name for kind, name in names if kind == "StatefulSet"} == {
        "shop-scheduler", *(f"shop-worker-{worker['name']}" for worker in values.get("workers", [{"name": "etl"}])),
    }  # fmt: skip


def test_a_key_that_is_none_would_be_found(tmp_path: Path) -> None:
    document = next(found for found in made(tmp_path, {}) if found["kind"] == "StatefulSet")
    document["spec"]["template"]["spec"]["terminationGracePeriod"] = 3
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, VERSIONS[-1], strict=True)


def test_containers_start_what_there_is(tmp_path: Path) -> None:
    """With commands, options and settings of this version, as no root, and with room in the project's folder."""
    known = {f"RETROFILL_{name.upper()}" for name in BY_NAME}
    seen = set()
    for pod, container in containers(made(tmp_path, EVERYTHING)):
        assert_taken(container["args"])
        environment = {variable["name"]: variable for variable in container["env"]}
        assert set(environment) - {"RETROFILL_SERVER_KEY", "POD_NAME"} <= known
        assert all(isinstance(found.get("value", ""), str) for found in environment.values())
        assert pod["securityContext"]["runAsNonRoot"]
        mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
        assert {"/srv/retrofill/retrofill.yaml", "/srv/retrofill/.retrofill"} <= mounted
        assert ("/data" in mounted) == (container["name"] != "server")
        seen.add(container["args"][0])
    assert seen == {"serve", "scheduler", "worker"}


def test_a_worker_serves_its_groups_and_is_given_time_to_drain(tmp_path: Path) -> None:
    found = {container["name"]: (pod, container) for pod, container in containers(made(tmp_path, EVERYTHING))}
    pod, container = found["worker-etl"]
    words = container["args"]
    assert words[:3] == ["worker", "--executor", "celery"]
    assert [after for word, after in pairwise(words) if word == "--resource-group"] == [
        "etl",
        "batch",
    ]
    assert int(words[words.index("--drain-seconds") + 1]) < pod["terminationGracePeriodSeconds"]


def test_servers_reach_the_logs_of_every_host(tmp_path: Path) -> None:
    """At the name of its pod, which its headless service gives it."""
    documents = made(tmp_path, EVERYTHING)
    services = {
        found["metadata"]["name"]
        for found in documents
        if found["kind"] == "Service" and found["spec"].get("clusterIP") == "None"
    }
    for document in documents:
        if document["kind"] == "StatefulSet":
            words = document["spec"]["template"]["spec"]["containers"][0]["args"]
            name = document["spec"]["serviceName"]
            assert name in services
            assert words[words.index("--logs-at") + 1] == f"http://$(POD_NAME).{name}.default:8790"
            assert words[words.index("--serve-logs") + 1] == ":8790"


def test_settings_are_written_as_the_environment_takes_them(tmp_path: Path) -> None:
    """Lists and mappings as JSON, numbers and words as they are."""
    _, container = next(containers(made(tmp_path, EVERYTHING)))
    environment = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert environment["RETROFILL_HOST_LOST_MINUTES"] == "5"
    assert json.loads(environment["RETROFILL_TRUSTED_PROXIES"]) == ["10.0.0.0/8"]


def test_the_folder_of_every_part_says_the_project(tmp_path: Path) -> None:
    (found,) = [
        document for document in made(tmp_path, {"project": "mart"}) if document["kind"] == "ConfigMap"
    ]
    assert yaml.safe_load(found["data"]["retrofill.yaml"]) == {"project": "mart"}


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"store": {"url": "mysql://somewhere/x"}}, "store/url"),
        ({"store": {"uri": "postgresql://somewhere/x"}}, "store"),
        ({"broker": {"url": "rabbitmq"}}, "broker/url"),
        ({"workers": [{**EVERYTHING["workers"][0], "groups": []}]}, "workers/0/groups"),
        ({"workers": [{**EVERYTHING["workers"][0], "executor": "local"}]}, "workers/0/executor"),
        ({"workers": [{**EVERYTHING["workers"][0], "slots": 0}]}, "workers/0/slots"),
        ({"replicas": 3}, "replicas"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_values_with_a_mistake_are_refused(tmp_path: Path, values: dict[str, Any], complaint: str) -> None:
    (tmp_path / "values.yaml").write_text(json.dumps(values))
    done = helm("template", "shop", CHART, "--values", tmp_path / "values.yaml")
    assert done.returncode != 0
    assert complaint in done.stderr
