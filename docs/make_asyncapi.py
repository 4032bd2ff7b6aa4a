"""Makes schemas/asyncapi.yaml (AsyncAPI 3.0) from schemas/*.json.

`python -m docs.make_asyncapi` writes it; with `--check` it only says whether it is up to date.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import yaml

from docs.made import ROOT, settle

SCHEMAS = ROOT / "schemas"
FILE = SCHEMAS / "asyncapi.yaml"
CONTENT = "application/cloudevents+json"
ANY_INPUT = "clock.advanced"
"""The one event without a topic of its own: it may come on every input topic."""

HEAD = """\
# Made by `python -m docs.make_asyncapi` from the schemas beside it. Change those, then run it.
# Addresses are the default topics; LADDER_TOPICS, CHANGES_PREFIX and DEAD_LETTERS name others.
"""


def load() -> dict[str, dict[str, Any]]:
    """Read all schemas, by type."""
    found = (json.loads(path.read_text("utf-8")) for path in sorted(SCHEMAS.glob("*.json")))
    return {schema["title"]: schema for schema in found}


def message(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema["title"]
    return {
        "name": kind,
        "title": kind,
        "summary": schema["description"].split(". ")[0].rstrip(".") + ".",
        "contentType": CONTENT,
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./{kind}.json"},
        },
        "bindings": {"kafka": {"key": {"type": "string", "description": "the customer id"}}},
    }


def channel(address: str, kinds: list[str]) -> dict[str, Any]:
    return {
        "address": address,
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"} for kind in kinds},
    }


def document(schemas: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the whole description: channels by topic, operations as seen from the worker."""
    topics = sorted({s["x-topic"] for s in schemas.values() if s["x-direction"] == "in"
                     and "x-topic" in s})  # fmt: skip
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for topic in topics:
        name = topic.rpartition(".")[2]
        own = [kind for kind, schema in schemas.items() if schema.get("x-topic") == topic]
        channels[name] = channel(topic, [*own, ANY_INPUT])
        operations[f"take-{name}"] = {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{name}"},
        }
    for kind, schema in schemas.items():
        if schema["x-direction"] == "out":
            changes = channel(schema["x-topic"].replace("<ladder id>", "{ladder}"), [kind])
            changes["parameters"] = {"ladder": {"description": "the id of the ladder"}}
            channels["stage-changes"] = changes
            operations["publish-stage-changes"] = {
                "action": "send",
                "channel": {"$ref": "#/channels/stage-changes"},
            }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Loyalty Ladder",
            "version": "1.0.0",
            "description": "Moves customers along loyalty ladders as their events arrive. "
            "The reference in words is docs/events.md.",
        },
        "defaultContentType": CONTENT,
        "channels": channels,
        "operations": operations,
        "components": {"messages": {kind: message(schema) for kind, schema in schemas.items()}},
    }


def render() -> str:
    """Return the file."""
    text = yaml.safe_dump(document(load()), sort_keys=False, allow_unicode=True, width=100)
    return HEAD + text


if __name__ == "__main__":
    sys.exit(settle(FILE, render(), made_by=__spec__.name))
