"""Makes docs/events.md from schemas/*.json and the reasons for dead letters.

`python -m docs.make_events` writes it; with `--check` it only says whether it is up to date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from app.core.events import TYPES
from app.wire import dead_letter
from docs.made import ROOT, settle

PAGE = ROOT / "docs" / "events.md"
SCHEMAS = ROOT / "schemas"
OUT = "loyalty.stage.changed"

Schema = Mapping[str, Any]

HEAD = """\
<!-- Made by `python -m docs.make_events` from schemas/. Change those, then run it. -->
# Events

What Loyalty Ladder takes in and puts out: [CloudEvents 1.0](https://cloudevents.io) as structured
JSON (`application/cloudevents+json`), in UTF-8, at most 64 KiB. Binary mode is taken too: the
attributes as `ce_` headers, the value is `data`; where that is null or empty, the event has none.
In place of `data` there may be `data_base64`, its JSON as base64: some SDKs write that for bytes.
Unknown fields are ignored, null is the same as absent, a whole number may be written 3.0, and of
two fields of one name the last counts. The schemas themselves, with examples right and wrong, are
in [schemas/](../schemas/).

Money is a whole number of minor units, with as many digits as ISO 4217 gives the currency: none for
VND, two for USD, three for KWD. Of withdrawn currencies, which a history may have, ADP, BEF, BYB,
BYR, ESP, GRD, ITL, LUF, MGF, PTE, TPE and TRL have none and all others two; so has a code that no
list knows. It is converted at the rate of the event's date, rounded half to even.

Numbers that come out are exact: sums of money have up to 128 bits, so read them with a parser that
keeps the digits of whole numbers (Python's does; that of JavaScript keeps 53 bits).

A record may carry the trace that it belongs to (W3C Trace Context, Kafka headers `traceparent` and
`tracestate`): the stage changes and handovers that its event causes carry it on.

`ladder check events.ndjson` says what would be refused, and why, before it is sent. Files of events
have one a line, in UTF-8, with a byte order mark at the begin or without, packed with gzip or not.
"""

ENVELOPE = """\
## Every event

| attribute | takes | meaning |
|---|---|---|
"""

LETTERS = """\
## Dead letters

A record that cannot be applied goes to `loyalty.dead-letters` with its key, value and headers as
they were, in the partition number it came from. It never stops the worker, and never holds up the
good ones behind it. Added are the headers

| header | says |
|---|---|
| `loyalty.reason` | one of the reasons below |
| `__streams.errors.message` | where, what is expected and what was found (no ids, no text) |
| `__streams.errors.topic`, `.partition`, `.offset` | where it was; numbers as decimal text |
| `__streams.errors.exception` | always `loyalty.Refused` |
| `loyalty.left-out` | only where parts are not there: `value`, `headers`, `key`, by commas |
| `loyalty.value-bytes`, `loyalty.value-sha256` | its length and digest, where it was left out |

A letter that does not fit into its topic goes without its value; one that does not fit even so goes
without the headers that it came with, and at last without its key. The records of a batch that is
not unpacked are without what is not known of them: of those in the first 16 MiB all but the value,
of the others all but the place. (Of more than 100,000 the last letter stands for all that follow,
and says how many.) What a record was is known by its place, as long as its own topic keeps it; sent
again as it was it cannot be.

Ids and the texts in `data` are described by their length and not quoted, since they may be about a
person; a message may well end up in a log.

A record with several faults gets the first of

| reason | means |
|---|---|
"""


def load(kind: str) -> Schema:
    """Read one schema."""
    found: Schema = json.loads((SCHEMAS / f"{kind}.json").read_text("utf-8"))
    return found


def example(kind: str) -> str:
    """Return a good example of a type, as JSON: the full one, or else the least or the first."""
    folder = SCHEMAS / "examples" / kind / "good"
    names = ["full.json", "least.json", *sorted(path.name for path in folder.glob("*.json"))]
    return (
        next(folder / name for name in names if (folder / name).exists()).read_text("utf-8").strip()
    )


def words(schema: Schema) -> str:
    """Say in words what a schema takes."""
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        names = ", ".join(f"`{one}`" for one in schema["enum"] if one is not None)
        return f"one of {names}" + (", or null" if None in schema["enum"] else "")
    if "anyOf" in schema:
        return "; or ".join(words(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return "text" if schema["$ref"].endswith("rung") else "object by fact"
    kinds = schema.get("type", "anything")
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    text = " or ".join(_kind(one, schema) for one in kinds if one != "null" or len(kinds) == 1)
    return text if "null" not in kinds or len(kinds) == 1 else f"{text}, or null"


def _kind(kind: str, schema: Schema) -> str:
    match kind:
        case "string" if schema.get("format") == "date-time":
            return "time"
        case "string":
            return "text" + _span(schema, "minLength", "maxLength", " characters")
        case "integer":
            return "whole number" + _span(schema, "minimum", "maximum")
        case "number":
            return "number" + _span(schema, "minimum", "maximum")
        case "array":
            return f"list of {words(schema['items'])}" + _span(schema, "minItems", "maxItems")
        case "boolean":
            return "true or false"
        case "object" if isinstance(schema.get("additionalProperties"), Mapping):
            limit = _span(schema, "minProperties", "maxProperties")
            return f"object{limit}; each {words(schema['additionalProperties'])}"
        case _:
            return kind


def _span(schema: Schema, low: str, high: str, unit: str = "") -> str:
    least, most = schema.get(low), schema.get(high)
    if least is not None and least == most:
        return f", {_number(least)}{unit}"
    if least is not None and most is not None:
        return f", {_number(least)} to {_number(most)}{unit}"
    if most is not None:
        return f", at most {_number(most)}{unit}"
    return "" if least is None else f", {_number(least)} or more{unit}"


def _number(number: int) -> str:
    text = str(abs(number))
    short = f"10^{len(text) - 1}" if len(text) > 4 and text == "1" + "0" * (len(text) - 1) else text
    return f"-{short}" if number < 0 else short


def rows(schema: Schema, prefix: str = "") -> Iterator[str]:
    """Return a table row for each field of an object, and of the objects in it."""
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        mark = "" if name in required or prefix else " *optional*"
        meaning = field.get("description", "")
        yield f"| `{prefix}{name}`{mark} | {words(field)} | {meaning} |"
        yield from rows(field, f"{prefix}{name}.")


def table(schema: Schema) -> Iterator[str]:
    yield "| field of `data` | takes | meaning |"
    yield "|---|---|---|"
    yield from rows(schema)


def section(kind: str) -> Iterator[str]:
    """Return the lines about one type."""
    schema = load(kind)
    yield f"### `{kind}`"
    yield ""
    yield schema["description"]
    yield ""
    data = schema["properties"]["data"]
    if data.get("properties"):
        yield from table(data)
    elif "type" in data:
        yield "It has no fields: `data` may be absent, null or an object."
    else:
        yield "`data` is not looked at."
    yield ""
    yield "```json"
    yield example(kind)
    yield "```"
    yield ""


def render() -> str:
    """Return the page."""
    lines = [HEAD, ENVELOPE.rstrip("\n")]
    envelope = dict(load("purchase.completed")["properties"])
    del envelope["data"], envelope["data_base64"]
    envelope["type"] = {"description": "One of those below.", "type": "string"}
    lines += rows({"properties": envelope, "required": list(envelope)})
    lines += ["", "## Events in", ""]
    for topic in dict.fromkeys(load(kind).get("x-topic") for kind in TYPES):
        kinds = ", ".join(f"`{kind}`" for kind in TYPES if load(kind).get("x-topic") == topic)
        lines.append(f"- {f'`{topic}`' if topic else 'any input topic'}: {kinds}")
    lines += ["", "The type decides what an event means, not the topic it came on.", ""]
    for kind in TYPES:
        lines += section(kind)
    lines += ["## Events out", "", f"On `{load(OUT)['x-topic']}`:", ""]
    lines += section(OUT)
    lines += [LETTERS.rstrip("\n")]
    lines += (f"| `{reason}` | {meaning} |" for reason, meaning in dead_letter.MEANINGS.items())
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(settle(PAGE, render(), made_by=__spec__.name))
