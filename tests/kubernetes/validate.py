"""Says what is wrong with Kubernetes manifests (YAML on standard input), one line each.

Runs in a folder of its own packages (`install.py`): `python validate.py VERSION < manifests.yaml`.
A field that a kind does not have is wrong too: an API server would drop it without a word.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pydantic
import yaml
from cloudcoil.models.keda import v1alpha1 as keda
from cloudcoil.models.prometheus_operator import v1 as monitoring

CUSTOM: dict[tuple[str, str], Any] = {
    ("keda.sh/v1alpha1", "ScaledObject"): keda.ScaledObject,
    ("keda.sh/v1alpha1", "TriggerAuthentication"): keda.TriggerAuthentication,
    ("monitoring.coreos.com/v1", "ServiceMonitor"): monitoring.ServiceMonitor,
    ("monitoring.coreos.com/v1", "PrometheusRule"): monitoring.PrometheusRule,
}


def faults(manifest: dict[str, Any], version: str) -> Iterator[str]:
    model = CUSTOM.get((manifest["apiVersion"], manifest["kind"]))
    if model is None:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{'.'.join(map(str, error.path))}: {error.message}"
        return
    try:
        read = model.model_validate(manifest)
    except pydantic.ValidationError as error:
        yield from (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        return
    yield from lost(manifest, read.model_dump(mode="json", by_alias=True, exclude_unset=True), "")


def lost(written: Any, read: Any, place: str) -> Iterator[str]:
    """What was written and is not among what the model has read."""
    if isinstance(written, dict) and isinstance(read, dict):
        for name, value in written.items():
            if name not in read:
                yield f"{place}{name}: there is no such field"
            else:
                yield from lost(value, read[name], f"{place}{name}.")
    elif isinstance(written, list) and isinstance(read, list):
        for number, (one, other) in enumerate(zip(written, read, strict=True)):
            yield from lost(one, other, f"{place}{number}.")


def main() -> int:
    found = 0
    for manifest in yaml.safe_load_all(sys.stdin):
        for fault in faults(manifest, sys.argv[1]):
            print(f"{manifest['kind']} {manifest['metadata']['name']}: {fault}")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
