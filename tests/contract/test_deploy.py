"""What is deployed fits the code: images, ports, paths, variables and commands are held together.

There may be no Docker where the tests run, so the file is read here as Docker Compose itself reads
it: a test compares the two. What the containers do is run in tests/system/test_compose.py.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from click.testing import CliRunner

from app import settings as declarations
from app.api.access import METRICS
from app.api.early import Starting
from app.api.health import add_health
from app.cli.main import ladder
from app.settings import DECLARED
from app.stream.ending import DEADLINE_SECONDS
from app.stream.topic_admin import COPIES
from tests.contract.composed import DOCKERFILE, FEED, FILE, ROOT, TOKEN, Composed
from tests.contract.tools import tool

COMPOSED = Composed()
WHOLE, SERVICES = COMPOSED.whole, COMPOSED.services
OURS, WORKERS, BROKERS = COMPOSED.ours, COMPOSED.workers, COMPOSED.brokers
environment, mounts = COMPOSED.environment, COMPOSED.mounts
settings_of, published = COMPOSED.settings_of, COMPOSED.published


def test_there_are_three_brokers_and_two_workers() -> None:
    assert len(BROKERS) == COPIES
    assert len(WORKERS) == 2


@pytest.mark.parametrize("name", OURS)
def test_every_variable_of_ours_is_a_setting(name: str) -> None:
    known = {declared.variable for declared in DECLARED}
    assert {key for key in environment(name) if key.startswith("LADDER_")} <= known
    assert declarations.unknown(environment(name), None) == []


@pytest.mark.parametrize("name", OURS)
def test_the_settings_are_taken_together(name: str) -> None:
    settings = settings_of(name)
    hosts = [place.rpartition(":")[0] for place in settings.brokers.split(",")]
    assert hosts == BROKERS
    assert settings.replication_factor == len(BROKERS)


def test_whoever_asks_for_a_customer_needs_the_token_from_the_environment() -> None:
    text = FILE.read_text("utf-8")
    assert re.search(r"LADDER_API_TOKEN: \$\{LADDER_API_TOKEN:\?", text)
    for name in WORKERS:
        assert settings_of(name).api_token == TOKEN


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_is_found_where_it_says(name: str) -> None:
    settings = settings_of(name)
    assert settings.api_url == f"http://{name}:{settings.api_port}"
    assert [inside for _, _, inside in published(name)] == [settings.api_port]
    assert f"EXPOSE {settings.api_port}\n" in DOCKERFILE


def test_workers_share_nothing_that_each_needs_alone() -> None:
    settings = [settings_of(name) for name in WORKERS]
    assert len({each.instance_id for each in settings}) == len(WORKERS)
    assert len({each.api_url for each in settings}) == len(WORKERS)
    for name, each in zip(WORKERS, settings, strict=True):
        states = [source for source, target in mounts(name) if target == str(each.data_dir)]
        assert states == [name]
    together = [(each.app_id, each.timezone, each.currency, each.topics, each.partitions,
                 each.clock) for each in settings]  # fmt: skip
    assert len(set(together)) == 1


def test_a_worker_gets_the_time_it_gives_itself_to_end() -> None:
    for name in WORKERS:
        assert float(SERVICES[name]["stop_grace_period"].removesuffix("s")) > DEADLINE_SECONDS


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_nothing_is_reached_from_another_machine(name: str) -> None:
    assert {address for address, _, _ in published(name)} <= {"127.0.0.1"}


def test_no_port_of_this_machine_is_published_twice() -> None:
    ports = [outside for name in SERVICES for _, outside, _ in published(name)]
    assert len(set(ports)) == len(ports)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_is_mounted_is_there_and_volumes_are_declared(name: str) -> None:
    for source, _ in mounts(name):
        if source.startswith("./"):
            assert (ROOT / source).exists(), source
        else:
            assert source in WHOLE["volumes"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_images_are_pinned(name: str) -> None:
    image = SERVICES[name]["image"]
    if name in OURS:
        assert image.endswith(":local")
    else:
        assert re.fullmatch(r"[a-z]+/[a-z]+:v?\d+\.\d+\.\d+@sha256:[0-9a-f]{64}", image), image


def test_kafka_is_the_version_that_the_tests_run_on() -> None:
    pom = (ROOT / "tests" / "kafka" / "pom.xml").read_text("utf-8")
    tested = re.search(r"kafka_2\.13</artifactId>\s*<version>([\d.]+)<", pom)
    assert tested is not None
    images = {SERVICES[name]["image"].partition("@")[0] for name in BROKERS}
    assert images == {f"apache/kafka:{tested[1]}"}


@pytest.mark.parametrize("name", BROKERS)
def test_a_broker_is_reached_where_it_says(name: str) -> None:
    told = environment(name)
    node = told["KAFKA_NODE_ID"]
    assert name == f"kafka-{node}" == SERVICES[name]["hostname"]
    assert f"{node}@{name}:9093" in told["KAFKA_CONTROLLER_QUORUM_VOTERS"].split(",")
    said = dict(each.split("://") for each in told["KAFKA_ADVERTISED_LISTENERS"].split(","))
    bound = dict(each.split("://:") for each in told["KAFKA_LISTENERS"].split(","))
    assert f"{name}:{bound['INSIDE']}" in settings_of("topics").brokers.split(",")
    assert said == {
        "INSIDE": f"{name}:{bound['INSIDE']}",
        "OUTSIDE": f"127.0.0.1:{bound['OUTSIDE']}",
    }
    assert published(name) == [("127.0.0.1", bound["OUTSIDE"], int(bound["OUTSIDE"]))]
    protocols = told["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    assert {each.partition(":")[0] for each in protocols} == set(bound)
    assert (name, told["KAFKA_LOG_DIRS"]) in mounts(name)


@pytest.mark.parametrize("name", BROKERS)
def test_a_broker_counts_as_healthy_only_when_it_is_among_the_living(name: str) -> None:
    told = environment(name)
    check = SERVICES[name]["healthcheck"]["test"][-1]
    assert f"--bootstrap-server {name}:9092" in check
    assert f"'{name}:9092 (id: {told['KAFKA_NODE_ID']} '" in check


def test_what_is_written_is_on_two_brokers_and_one_may_be_away() -> None:
    for name in BROKERS:
        told = environment(name)
        copies = [value for key, value in told.items() if key.endswith("REPLICATION_FACTOR")]
        assert set(copies) == {str(len(BROKERS))}
        assert told["KAFKA_MIN_INSYNC_REPLICAS"] == "2"
        assert told["KAFKA_TRANSACTION_STATE_LOG_MIN_ISR"] == "2"


@pytest.mark.parametrize("name", sorted({*OURS} - {FEED}))
def test_every_command_is_one_of_ours(name: str) -> None:
    shown = CliRunner().invoke(ladder, [*SERVICES[name]["command"], "--help"])
    assert shown.exit_code == 0, shown.output


def test_the_feed_sends_what_the_demo_wrote_up_to_its_end(tmp_path: Path) -> None:
    service = SERVICES[FEED]
    assert service["profiles"] == ["demo"]
    assert service["entrypoint"] == ["sh", "-c"]
    write, emit = (shlex.split(part) for part in service["command"][0].split(" && "))
    assert write[:4] == ["ladder", "demo", "--write", "/tmp/demo"]
    told = CliRunner().invoke(ladder, ["demo", "--write", str(tmp_path), *write[4:]])
    assert told.exit_code == 0, told.output
    assert emit[:3] == ["ladder", "emit", "/tmp/demo/events.ndjson"]
    shown = CliRunner().invoke(ladder, ["emit", *emit[3:], "--help"])
    assert shown.exit_code == 0, shown.output
    times = re.findall(r'"time":"([^"]+)"', (tmp_path / "events.ndjson").read_text("utf-8"))
    assert max(times) <= emit[emit.index("--until") + 1] <= max(times)[:4] + "-12-31"


def test_the_rates_that_workers_have_are_those_of_the_demo() -> None:
    rates = {settings_of(name).rates for name in WORKERS}
    assert rates == {ROOT / "app" / "embedded" / "data" / "rates.csv"}


def routes() -> set[str]:
    application = web.Application()
    add_health(application, Starting())
    return {resource.canonical for resource in application.router.resources()}


def test_health_is_asked_for_where_it_is_answered() -> None:
    image = re.search(r"HEALTHCHECK[^\n]*\\\n\s*CMD (\[.*\])\n", DOCKERFILE)
    assert image is not None
    checks = [ast.literal_eval(image[1])] + [SERVICES[n]["healthcheck"]["test"] for n in WORKERS]
    for check in checks:
        compile(check[-1], "healthcheck", "exec")
        (path,) = re.findall(r"/health/\w+", check[-1])
        assert path in routes()
        assert str(settings_of(WORKERS[0]).api_port) in check[-1]


def test_workers_wait_for_the_topics_and_these_for_every_broker() -> None:
    assert SERVICES["topics"]["command"] == ["topics", "create"]
    assert set(SERVICES["topics"]["depends_on"]) == set(BROKERS)
    for name in WORKERS:
        assert SERVICES[name]["depends_on"]["topics"] == {
            "condition": "service_completed_successfully"
        }


def test_prometheus_reads_every_worker_and_may() -> None:
    folder = ROOT / "deploy" / "prometheus"
    whole = yaml.safe_load((folder / "prometheus.yml").read_text("utf-8"))
    (job,) = whole["scrape_configs"]
    assert job["job_name"] == "ladder"
    assert job["metrics_path"] == METRICS
    targets = [target for config in job["static_configs"] for target in config["targets"]]
    assert targets == [f"{name}:{settings_of(name).api_port}" for name in WORKERS]
    assert all(settings_of(name).metrics_open for name in WORKERS)
    assert all((folder / file).is_file() for file in whole["rule_files"])
    assert ("./deploy/prometheus", "/etc/prometheus") in mounts("prometheus")


def test_grafana_finds_prometheus_and_its_dashboards() -> None:
    provisioning = ROOT / "deploy" / "grafana" / "provisioning"
    sources = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text("utf-8"))
    ((_, _, inside),) = published("prometheus")
    assert [each["url"] for each in sources["datasources"]] == [f"http://prometheus:{inside}"]
    boards = yaml.safe_load((provisioning / "dashboards" / "ladder.yml").read_text("utf-8"))
    (path,) = [each["options"]["path"] for each in boards["providers"]]
    targets = {target: ROOT / source for source, target in mounts("grafana")}
    assert path in targets
    assert targets["/etc/grafana/provisioning"] == provisioning
    home = Path(environment("grafana")["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (targets[str(home.parent)] / home.name).is_file()


@pytest.mark.parametrize("name", OURS)
def test_a_container_of_ours_may_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def compose() -> list[str]:
    """Docker's own plugin, or the same program from PyPI, which needs no Docker to read a file."""
    plugin = ["docker", "compose"]
    if (
        shutil.which("docker")
        and subprocess.run([*plugin, "version"], capture_output=True, check=False).returncode == 0
    ):
        return plugin
    return [tool("docker-compose")]


def test_docker_compose_takes_the_file_and_understands_what_these_tests_do() -> None:
    done = subprocess.run(
        [*compose(), "--profile", "*", "--file", str(FILE), "config", "--format", "json"],
        env={**os.environ, **COMPOSED.given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    understood = json.loads(done.stdout)["services"]
    assert set(understood) == set(SERVICES)
    for name in SERVICES:
        told = understood[name].get("environment", {})
        assert told.items() <= environment(name).items()
        ports = [(p["host_ip"], p["published"], p["target"])
                 for p in understood[name].get("ports", [])]  # fmt: skip
        assert ports == published(name)
