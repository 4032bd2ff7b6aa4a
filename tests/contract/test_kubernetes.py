"""deploy/k8s is what Kubernetes takes, and fits the code: ports, paths, settings, names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from dotenv import dotenv_values

from app import settings as declarations
from app.cli.main import ladder
from app.settings import DECLARED, Settings
from app.stream.ending import DEADLINE_SECONDS
from tests.contract.composed import DOCKERFILE, ROOT
from tests.contract.tools import or_skip, tool
from tests.kubernetes.install import VALIDATE, schemas

FOLDER = ROOT / "deploy" / "k8s"
KUBERNETES = "1.34"
SECRET = {"LADDER_API_TOKEN": "a-token-for-tests"}
"""What the secret `ladder` must have; the rest of the security settings may be there too."""


def rendered(name: str) -> str:
    done = subprocess.run(
        [tool("kubectl"), "kustomize", str(FOLDER / name)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def manifests(name: str) -> dict[tuple[str, str], dict[str, Any]]:
    """All of an overlay, by kind and name."""
    whole = [each for each in yaml.safe_load_all(rendered(name)) if each]
    found = {(each["kind"], each["metadata"]["name"]): each for each in whole}
    assert len(found) == len(whole)
    return found


def check(text: str) -> subprocess.CompletedProcess[str]:
    """What Kubernetes' schemas, KEDA's and the Prometheus operator's say."""
    return subprocess.run(
        [sys.executable, str(VALIDATE), KUBERNETES],
        env={**os.environ, "PYTHONPATH": str(or_skip(schemas))},
        input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip


def stateful() -> dict[str, Any]:
    found: dict[str, Any] = manifests("full")["StatefulSet", "ladder"]["spec"]
    return found


def pod(kind: str = "StatefulSet", name: str = "ladder") -> dict[str, Any]:
    found: dict[str, Any] = manifests("full")[kind, name]["spec"]["template"]["spec"]
    return found


def worker() -> dict[str, Any]:
    (found,) = pod()["containers"]
    return dict(found)


def environment(number: int = 0, namespace: str = "loyalty") -> dict[str, str]:
    """What the worker of this number is told, its names put in as Kubernetes does."""
    (told,) = [each["data"] for (kind, _), each in manifests("full").items() if kind == "ConfigMap"]
    own: dict[str, str] = {}
    downward = {"metadata.name": f"ladder-{number}", "metadata.namespace": namespace}
    for each in worker()["env"]:
        given = each.get("value") or downward[each["valueFrom"]["fieldRef"]["fieldPath"]]
        own[each["name"]] = re.sub(r"\$\((\w+)\)", lambda match: own[match[1]], given)
    return {**told, **SECRET, **own}


def settings(number: int = 0) -> Settings:
    return declarations.load(environment(number), None)


def test_every_manifest_is_as_its_kind_must_be() -> None:
    said = check(rendered("full"))
    assert (said.returncode, said.stdout) == (0, ""), said.stdout + said.stderr


def test_faults_would_be_found_in_kinds_of_kubernetes_and_of_others() -> None:
    text = rendered("full")
    for right, wrong in {
        "  serviceName: ladder-workers": "  serviceNam: ladder-workers",
        "  maxReplicaCount: 24": "  maxReplicaCount: many",
        "  jobLabel: prometheus-job": "  joblabel: prometheus-job",
    }.items():
        assert right in text
        text = text.replace(right, wrong)
    said = check(text)
    assert said.returncode == 1, said.stdout + said.stderr
    found = {line.partition(" ")[0] for line in said.stdout.splitlines()}
    assert found == {"StatefulSet", "ScaledObject", "ServiceMonitor"}


def test_base_needs_nothing_that_a_plain_cluster_lacks() -> None:
    kinds = {each["apiVersion"].partition("/")[0] for each in manifests("base").values()}
    assert kinds <= {"v1", "apps", "batch", "policy", "networking.k8s.io"}
    assert all(manifests("full")[name] == each for name, each in manifests("base").items())


def test_every_variable_is_a_setting_and_the_settings_are_taken_together() -> None:
    known = {declared.variable for declared in DECLARED} | {"POD_NAME", "POD_NAMESPACE"}
    assert set(environment()) <= known
    assert settings().brokers
    assert declarations.unknown(environment(), None) == []


def test_no_secret_is_written_down() -> None:
    secret = {declared.variable for declared in DECLARED if declared.secret}
    file = dotenv_values(FOLDER / "base" / "settings.env")
    assert not secret & {*file, *(each["name"] for each in worker()["env"])}
    for container in (worker(), pod("Job", "ladder-topics")["containers"][0]):
        assert {"secretRef": {"name": "ladder"}} in container["envFrom"]


def test_each_worker_has_a_name_an_address_and_a_volume_of_its_own() -> None:
    one, other = settings(0), settings(1)
    assert (one.instance_id, other.instance_id) == ("ladder-0", "ladder-1")
    service = manifests("full")["Service", stateful()["serviceName"]]
    port = service["spec"]["ports"][0]
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is True
    name = service["metadata"]["name"]
    assert one.api_url == f"http://ladder-0.{name}.loyalty.svc:{port['port']}"
    (claim,) = stateful()["volumeClaimTemplates"]
    mounted = {each["name"]: each["mountPath"] for each in worker()["volumeMounts"]}
    assert mounted[claim["metadata"]["name"]] == str(one.data_dir)


def test_ports_are_those_that_a_worker_listens_on() -> None:
    (port,) = worker()["ports"]
    assert port["containerPort"] == settings().api_port
    assert f"EXPOSE {port['containerPort']}\n" in DOCKERFILE
    for (kind, _), each in manifests("full").items():
        if kind == "Service":
            assert [p["targetPort"] for p in each["spec"]["ports"]] == [port["name"]]
            assert each["spec"]["selector"].items() <= labels().items()
    policy = manifests("full")["NetworkPolicy", "ladder"]["spec"]
    assert policy["ingress"] == [{"ports": [{"port": port["name"], "protocol": "TCP"}]}]


def test_a_worker_reaches_names_kafka_and_the_other_workers_and_nothing_else() -> None:
    policy = manifests("full")["NetworkPolicy", "ladder"]["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= labels().items()
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    reached = {}
    for rule in policy["egress"]:
        assert rule["to"], "without it everybody is meant"
        for port in rule["ports"]:
            reached[port["port"], port["protocol"]] = rule["to"]
    names = reached.pop((53, "UDP"))
    assert names == reached.pop((53, "TCP"))
    assert names[0]["podSelector"] == {"matchLabels": {"k8s-app": "kube-dns"}}
    for place in settings().brokers.split(","):
        host, _, broker = place.rpartition(":")
        namespace = host.split(".")[1]
        assert host == f"{host.split('.')[0]}.{namespace}.svc"
        ((where),) = reached.pop((int(broker), "TCP"))
        selected = where.pop("namespaceSelector")["matchLabels"]
        assert (selected, where) == ({"kubernetes.io/metadata.name": namespace}, {})
    ((workers),) = reached.pop((settings().api_port, "TCP"))
    assert workers["podSelector"]["matchLabels"] == labels()
    assert not reached


def labels() -> dict[str, str]:
    found: dict[str, str] = stateful()["template"]["metadata"]["labels"]
    return found


def test_probes_ask_what_is_answered() -> None:
    asked = {name: worker()[name]["httpGet"]["path"]
             for name in ("startupProbe", "livenessProbe", "readinessProbe")}  # fmt: skip
    assert asked == {
        "startupProbe": "/health/live",
        "livenessProbe": "/health/live",
        "readinessProbe": "/health/ready",
    }
    for name, path in asked.items():
        assert worker()[name]["httpGet"]["port"] == worker()["ports"][0]["name"]
        assert f'"{path}"' in (ROOT / "app" / "api" / "health.py").read_text("utf-8")


def test_a_worker_gets_the_time_it_gives_itself_to_end() -> None:
    assert pod()["terminationGracePeriodSeconds"] > DEADLINE_SECONDS


@pytest.mark.parametrize(("kind", "name"), [("StatefulSet", "ladder"), ("Job", "ladder-topics")])
def test_a_pod_may_do_little_and_is_who_the_image_says(kind: str, name: str) -> None:
    spec = pod(kind, name)
    image = re.search(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)
    assert image is not None
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == int(image[1])
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["image"].startswith("loyalty-ladder:")
        assert set(container["resources"]) == {"requests", "limits"}
        shown = CliRunner().invoke(ladder, [*container["args"], "--help"])
        assert shown.exit_code == 0, shown.output


def test_the_image_is_of_the_version_that_is_here() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    version = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    assert version is not None
    assert worker()["image"] == f"loyalty-ladder:{version[1]}"


def test_there_are_never_more_workers_than_partitions() -> None:
    scaled = manifests("full")["ScaledObject", "ladder"]["spec"]
    assert scaled["maxReplicaCount"] == settings().partitions
    assert stateful()["replicas"] == scaled["minReplicaCount"] <= scaled["maxReplicaCount"]
    assert scaled["scaleTargetRef"]["name"] == "ladder"
    (trigger,) = scaled["triggers"]
    assert trigger["metadata"]["consumerGroup"] == settings().app_id
    assert trigger["metadata"]["bootstrapServers"] == settings().brokers


def test_prometheus_reads_every_worker_under_the_job_that_alerts_know() -> None:
    monitor = manifests("full")["ServiceMonitor", "ladder"]["spec"]
    service = manifests("full")["Service", stateful()["serviceName"]]
    wanted = monitor["selector"]["matchLabels"]
    assert wanted.items() <= service["metadata"]["labels"].items()
    others = manifests("full")["Service", "ladder"]["metadata"]["labels"]
    assert not wanted.items() <= others.items()
    job = service["metadata"]["labels"][monitor["jobLabel"]]
    alerts = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text("utf-8")
    assert f'up{{job="{job}"}}' in alerts
    (endpoint,) = monitor["endpoints"]
    assert endpoint["port"] == service["spec"]["ports"][0]["name"]
    assert endpoint["authorization"]["credentials"]["key"] in SECRET


def test_the_budget_and_the_spread_are_about_the_workers() -> None:
    budget = manifests("full")["PodDisruptionBudget", "ladder"]["spec"]
    (spread,) = pod()["topologySpreadConstraints"]
    for selector in (budget["selector"], spread["labelSelector"], stateful()["selector"]):
        assert selector["matchLabels"] == labels()
