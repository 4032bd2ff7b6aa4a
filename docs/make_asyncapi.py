"""Makes schemas/asyncapi.yaml (AsyncAPI 3.1) from schemas/*.json and the declared topics.

`python -m docs.make_asyncapi` writes it; with `--check` it only says whether it is up to date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

import yaml

from app import settings
from app.stream import topics
from app.stream.topic_admin import COPIES
from app.wire.classify import MAX_BYTES
from app.wire.dead_letter import MEANINGS
from app.wire.definition import read_folder
from docs.made import ROOT, settle

SCHEMAS = ROOT / "schemas"
FILE = SCHEMAS / "asyncapi.yaml"
VERSION = "3.1.0"
BINDING = "0.5.0"
"""Of the Kafka bindings."""
CONTENT = "application/cloudevents+json"
ANY_INPUT = "clock.advanced"
"""The one event without a topic of its own: it may come on every input topic."""
LADDER = "<ladder id>"
CHANGE = "loyalty.stage.changed"
DEAD_LETTER = "dead-letter"
DESCRIPTION = f"""\
Moves customers along loyalty ladders as their events arrive on Kafka. The reference in words is
docs/events.md.

Every event is CloudEvents 1.0 in UTF-8, at most {MAX_BYTES // 1024} KiB. The key of a record is
the customer id, and Kafka's default partitioner (murmur2 on the key) chooses the partition; clients
built on librdkafka need `partitioner=murmur2_random`. Stage changes are written in transactions:
read them with `isolation.level=read_committed`, and each is there exactly once.

Addresses are the default topics; LADDER_TOPICS, LADDER_CHANGES_PREFIX and LADDER_DEAD_LETTERS name
others. The number of partitions is LADDER_PARTITIONS, here its default.
"""

HEAD = """\
# Made by `python -m docs.make_asyncapi` from the schemas beside it and the topics that the code
# declares. Change those, then run it.
"""


def load() -> dict[str, dict[str, Any]]:
    """Read all schemas, by type."""
    found = (json.loads(path.read_text("utf-8")) for path in sorted(SCHEMAS.glob("*.json")))
    return {schema["title"]: schema for schema in found}


def example(kind: str) -> dict[str, Any]:
    """Return a good example of a type: the full one, or else the first."""
    folder = SCHEMAS / "examples" / kind / "good"
    full = folder / "full.json"
    file = full if full.exists() else min(folder.glob("*.json"))
    return {"name": file.stem, "payload": json.loads(file.read_text("utf-8"))}


TRACE = {
    "traceparent": {
        "type": "string",
        "description": "W3C Trace Context; goes on from an event to the stage changes it causes",
        "examples": ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
    },
    "tracestate": {"type": "string", "maxLength": 512},
}


def message(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema["title"]
    described = schema["description"]
    summary = described.split(". ")[0].rstrip(".") + "."
    key = "does not matter" if kind == ANY_INPUT else "the customer id"
    return {
        "name": kind,
        "title": kind,
        "summary": summary,
        **({"description": described} if described != summary else {}),
        "contentType": CONTENT,
        "headers": {"$ref": "#/components/schemas/trace"},
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./{kind}.json"},
        },
        "bindings": {"kafka": _key({"type": "string", "description": key})},
        "examples": [example(kind)],
    }


def _key(schema: dict[str, Any]) -> dict[str, Any]:
    return {"key": schema, "bindingVersion": BINDING}


def dead_letter() -> dict[str, Any]:
    """A record that could not be applied: whatever it was, with our headers."""
    number = {"type": "string", "pattern": "^[0-9]+$"}
    where = "__streams.errors"
    headers = {
        "loyalty.reason": {"type": "string", "enum": list(MEANINGS)},
        f"{where}.exception": {"type": "string", "const": "loyalty.Refused"},
        f"{where}.message": {"type": "string", "description": "what is expected and was found"},
        f"{where}.topic": {"type": "string", "description": "the topic it came from"},
        f"{where}.partition": number,
        f"{where}.offset": number,
    }
    parts = "a part that did not fit: value, headers, key; comma separated"
    incomplete = {
        "loyalty.left-out": {"type": "string", "description": parts},
        "loyalty.value-bytes": number,
        "loyalty.value-sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    }
    return {
        "name": DEAD_LETTER,
        "title": "Dead letter",
        "summary": "A record that could not be applied, its key, value and headers as they "
        "were, or what fits of them.",
        "contentType": "application/octet-stream",
        "headers": {
            "type": "object",
            "required": list(headers),
            "properties": headers | incomplete,
        },
        "bindings": {"kafka": _key({"description": "as it was received"})},
    }


def channel(topic: topics.Topic, address: str, messages: Iterable[str]) -> dict[str, Any]:
    """One topic: what comes on it, and how it is made."""
    known = {"retention.ms", "max.message.bytes"}
    config = {name: int(value) for name, value in topic.config.items() if name in known}
    return {
        "address": address,
        "description": topic.what,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "replicas": COPIES,
                "topicConfiguration": {
                    "cleanup.policy": [topic.config["cleanup.policy"]],
                    **config,
                },
                "bindingVersion": BINDING,
            }
        },
    }


def operation(name: str, action: str, **more: Any) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{name}"}, **more}


def document(schemas: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the whole description: channels by topic, operations as seen from the worker."""
    defaults = settings.load({}, None)
    group = {"type": "string", "const": defaults.app_id, "description": "LADDER_APP_ID"}
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for topic in topics.declared(defaults, [LADDER]):
        if topic.kind == "input":
            name = topic.name.rpartition(".")[2]
            own = [kind for kind, schema in schemas.items() if schema.get("x-topic") == topic.name]
            channels[name] = channel(topic, topic.name, [*own, ANY_INPUT])
            bound = {"kafka": {"groupId": group, "bindingVersion": BINDING}}
            operations[f"take-{name}"] = operation(name, "receive", bindings=bound)
        elif topic.kind == "changes":
            channels["stage-changes"] = {
                **channel(topic, topic.name.replace(LADDER, "{ladder}"), [CHANGE]),
                "description": "each move on one ladder",
                "parameters": {"ladder": _ladders(defaults)},
            }
            operations["publish-stage-changes"] = operation("stage-changes", "send")
        elif topic.kind == "dead letters":
            channels["dead-letters"] = channel(topic, topic.name, [DEAD_LETTER])
            operations["put-aside-dead-letters"] = operation("dead-letters", "send")
    messages = {kind: message(schema) for kind, schema in schemas.items()}
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "Loyalty Ladder",
            "version": "1.0.0",
            "description": DESCRIPTION,
            "license": {"name": "MIT"},
        },
        "defaultContentType": CONTENT,
        "servers": {
            "kafka": {
                "host": defaults.brokers,
                "protocol": "kafka",
                "description": "LADDER_BROKERS; kafka-secure with LADDER_SECURITY_PROTOCOL",
            }
        },
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {**messages, DEAD_LETTER: dead_letter()},
            "schemas": {"trace": {"type": "object", "properties": TRACE}},
        },
    }


def _ladders(defaults: settings.Settings) -> dict[str, Any]:
    built_in = [ladder.id for ladder in read_folder(defaults.ladders)]
    return {"description": "the id of the ladder", "examples": built_in}


class _Dumper(yaml.SafeDumper):
    """Without anchors, which readers find hard, and with texts of several lines as such."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def render() -> str:
    """Return the file."""
    whole = document(load())
    return HEAD + yaml.dump(whole, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


if __name__ == "__main__":
    sys.exit(settle(FILE, render(), made_by=__spec__.name))
