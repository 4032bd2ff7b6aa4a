"""What Grafana and Prometheus ask for is what workers show: names and labels are declared once."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from app.core.change import Cause
from app.ops import metrics as m
from docs.make_dashboards import BOARDS as MADE
from docs.make_dashboards import render
from tests.contract.promql import OF_PROMETHEUS, faults, filled, used

ROOT = Path(__file__).resolve().parents[2]
GRAFANA = ROOT / "deploy" / "grafana"
BOARDS = tuple(MADE)
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"


def board(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GRAFANA / "dashboards" / f"{name}.json").read_text("utf-8"))
    return found


def panels(name: str) -> list[dict[str, Any]]:
    return [panel for panel in board(name)["panels"] if panel["type"] != "row"]


def targets(name: str) -> list[dict[str, Any]]:
    return [target for panel in panels(name) for target in panel["targets"]]


def asked() -> Iterator[tuple[str, str, str]]:
    """Where, under which legend, and what."""
    for name in BOARDS:
        for panel in panels(name):
            for target in panel["targets"]:
                yield f"{name}: {panel['title']}", target["legendFormat"], target["expr"]
    for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]:
        for rule in group["rules"]:
            yield f"alert {rule['alert']}", "", rule["expr"]


ASKED = list(asked())
RULES: list[dict[str, Any]] = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"][0]["rules"]


@pytest.mark.parametrize(("where", "legend", "expression"), ASKED, ids=[each[0] for each in ASKED])
def test_every_expression_names_metrics_and_labels_that_exist(
    where: str, legend: str, expression: str
) -> None:
    assert list(faults(expression)) == []
    labels = {label for _, found in used(expression).matched for label in found}
    labels |= used(expression).grouped
    assert set(re.findall(r"{{\s*(\w+)\s*}}", legend)) <= labels, where


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_only_what_its_expression_gives(rule: dict[str, Any]) -> None:
    labels = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    asked_for = used(rule["expr"])
    matched = {label for _, found in asked_for.matched for label in found}
    assert labels <= asked_for.grouped | matched | OF_PROMETHEUS
    assert rule["labels"]["severity"] in {"warning", "critical"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_leads_to_a_dashboard_that_is_there_and_to_its_runbook(
    rule: dict[str, Any],
) -> None:
    told = rule["annotations"]
    assert set(told) == {"summary", "dashboard_url", "runbook_url"}
    uid = told["dashboard_url"].removeprefix("{{ $externalLabels.grafana }}/d/")
    assert uid in {board(name)["uid"] for name in BOARDS}
    runbook = told["runbook_url"].removeprefix("{{ $externalLabels.runbooks }}/")
    assert runbook == f"{rule['alert']}.md"
    text = (ROOT / "deploy" / "runbooks" / runbook).read_text("utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["Look", "Do", "Over"]
    assert "```bash system" in text.partition("## Look")[2].partition("## Do")[0]


def test_every_runbook_has_its_alert() -> None:
    pages = {page.stem for page in (ROOT / "deploy" / "runbooks").glob("*.md")}
    assert pages == {rule["alert"] for rule in RULES} | {"README"}


def test_what_alerts_link_to_is_said_once_and_is_no_label_of_an_alert() -> None:
    whole = yaml.safe_load(ALERTS.with_name("prometheus.yml").read_text("utf-8"))
    labels = set(whole["global"]["external_labels"])
    used_by_rules = set(re.findall(r"\$externalLabels\.(\w+)", ALERTS.read_text("utf-8")))
    assert used_by_rules == labels
    (dropped,) = whole["alerting"]["alert_relabel_configs"]
    assert dropped["action"] == "labeldrop"
    assert set(dropped["regex"].split("|")) == labels


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("sum(ladder_customer)", "no worker has the metric ladder_customer"),
        ('rate(ladder_dead_letters_total{cause="x"}[5m])', "has no label cause"),
        ("sum by (rung) (ladder_lag_records)", "has no label rung"),
        ("rate(ladder_batch_records[5m])", "no worker has the metric ladder_batch_records"),
        ("1 + 1", "names no metric"),
    ],
)
def test_the_check_itself_finds_what_is_wrong(expression: str, fault: str) -> None:
    assert any(fault in found for found in faults(expression))


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_is_as_its_declaration_makes_it(name: str) -> None:
    written = (GRAFANA / "dashboards" / f"{name}.json").read_text("utf-8")
    assert written == render(MADE[name]), "stale: run python -m docs.make_dashboards"


def test_every_metric_is_on_a_dashboard() -> None:
    shown = {name for _, _, expression in ASKED for name, _ in used(expression).matched}
    missing = [
        metric.name
        for metric in m.DECLARED
        if not any(name.startswith(metric.name) for name in shown)
    ]
    assert missing == []


@pytest.mark.parametrize("name", BOARDS)
def test_every_panel_asks_the_provisioned_datasource(name: str) -> None:
    sources = yaml.safe_load(
        (GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text("utf-8")
    )["datasources"]
    (uid,) = [source["uid"] for source in sources]
    for panel in panels(name):
        assert panel["datasource"] == {"type": "prometheus", "uid": uid}, panel["title"]
        assert all(target["datasource"]["uid"] == uid for target in panel["targets"])
    for variable in board(name)["templating"]["list"]:
        assert variable["datasource"]["uid"] == uid


@pytest.mark.parametrize("name", BOARDS)
def test_every_variable_of_a_dashboard_is_defined_in_it(name: str) -> None:
    built_in = {"__range", "__rate_interval"}
    defined = {variable["name"] for variable in board(name)["templating"]["list"]} | built_in
    text = json.dumps([[panel["title"], panel["targets"]] for panel in panels(name)])
    assert set(re.findall(r"\$(\w+)", text)) <= defined


def test_the_ladder_chosen_from_is_a_label_of_the_customers_metric() -> None:
    (variable,) = board("marketers")["templating"]["list"]
    match = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"])
    assert match is not None
    assert match[1] == m.CUSTOMERS.name
    assert match[2] in m.CUSTOMERS.labels
    assert variable["query"]["query"] == variable["definition"]


@pytest.mark.parametrize("name", BOARDS)
def test_panels_do_not_cover_one_another(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board(name)["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("name", BOARDS)
def test_panels_are_numbered_once(name: str) -> None:
    numbers = [panel["id"] for panel in board(name)["panels"]]
    assert len(set(numbers)) == len(numbers)


def test_dashboards_have_names_of_their_own_and_lead_to_one_another() -> None:
    uids = {name: board(name)["uid"] for name in BOARDS}
    assert len(set(uids.values())) == len(BOARDS)
    for name in BOARDS:
        for link in board(name)["links"]:
            assert link["url"].removeprefix("/d/") in uids.values()


def test_marketers_are_told_what_every_cause_means() -> None:
    (told,) = [panel["description"] for panel in panels("marketers") if "Causes" in panel["title"]]
    assert [cause for cause in get_args(Cause) if cause not in told] == []


def test_every_alert_is_shown_to_fire_and_to_keep_still() -> None:
    whole = yaml.safe_load(ALERTS.with_name("alerts_test.yml").read_text("utf-8"))
    asked_for = [
        (asked["alertname"], bool(asked.get("exp_alerts")))
        for story in whole["tests"]
        for asked in story["alert_rule_test"]
    ]
    alerts = {rule["alert"] for rule in RULES}
    assert {alert for alert, fires in asked_for if fires} == alerts
    assert {alert for alert, fires in asked_for if not fires} == alerts


def promtool(*arguments: str, folder: Path = ALERTS.parent) -> None:
    if shutil.which("promtool") is None:
        if os.environ.get("CI"):
            pytest.fail("CI must run this: promtool (Debian package prometheus) is not here")
        pytest.skip("promtool (Debian package prometheus) is not on this machine")
    done = subprocess.run(
        ["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments", [("check", "config", "prometheus.yml"), ("test", "rules", "alerts_test.yml")]
)
def test_prometheus_takes_its_files_and_alerts_fire_when_they_should(
    arguments: tuple[str, ...],
) -> None:
    promtool(*arguments)


def test_prometheus_can_read_every_query_of_the_dashboards(tmp_path: Path) -> None:
    """As recording rules, which are nothing but names for queries."""
    queries = [filled(target["expr"]) for name in BOARDS for target in targets(name)]
    rules = [{"record": f"asked:{place}", "expr": each} for place, each in enumerate(queries)]
    (tmp_path / "asked.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}), "utf-8"
    )
    promtool("check", "rules", "asked.yml", folder=tmp_path)
