"""Makes deploy/k8s/full/prometheusrule.yaml from deploy/prometheus/alerts.yml.

`python -m docs.make_prometheusrule` writes it; with `--check` it only says whether it is fresh.
"""

from __future__ import annotations

import sys

import yaml

from docs.made import ROOT, settle

ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
FILE = ROOT / "deploy" / "k8s" / "full" / "prometheusrule.yaml"
HEAD = """\
# Made by `python -m docs.make_prometheusrule` from deploy/prometheus/alerts.yml. Change that, then
# run it. The links of alerts begin with the external labels `grafana` and `runbooks` of Prometheus.
"""


def render() -> str:
    """Return the file: the same rules, as the Prometheus operator takes them."""
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "ladder", "labels": {"app.kubernetes.io/name": "loyalty-ladder"}},
        "spec": yaml.safe_load(ALERTS.read_text("utf-8")),
    }
    return HEAD + yaml.safe_dump(rule, sort_keys=False, allow_unicode=True, width=100)


if __name__ == "__main__":
    sys.exit(settle(FILE, render(), made_by=__spec__.name))
