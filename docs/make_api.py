"""Makes docs/api.md from the endpoints and the types that they answer with.

`python -m docs.make_api` writes it; with `--check` it only says whether it is up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, cast

from app.api import openapi
from app.api.peers import Peers
from app.api.ports import Shop
from app.api.routes import endpoints
from docs.made import ROOT, settle

PAGE = ROOT / "docs" / "api.md"
HEAD = """\
<!-- Made by `python -m docs.make_api` from app/api. Change that, then run it. -->
# HTTP API

Every worker answers for every customer: one that does not have the customer's partition asks the
one that has. What is about all customers is gathered from all workers, and says which partitions
are `missing`. Answers are as of the last commit. This page is made from what a worker serves at
`/v1/openapi.json` (OpenAPI 3.1), which is the place for programs.

- With `LADDER_API_TOKEN` set, every path below needs the header `Authorization: Bearer` with it.
  Without, the API listens on loopback only, and answers under the names of its machine only
  (`localhost`, `127.0.0.1`, `[::1]`, with any port); whoever asks for another `Host` gets a 421.
  `LADDER_API_CERTFILE` serves it over TLS.
- Times are RFC 3339 in UTC, days calendar days in `LADDER_TIMEZONE`, money whole numbers in minor
  units of `LADDER_CURRENCY`; how many digits these have is told as `currency_digits`. They are
  exact up to 128 bits: a parser that keeps 53 or 64 loses digits.
- Errors are `application/problem+json` (RFC 9457): `title`, `status`, and `detail`, which says what
  to do. A 503 has `Retry-After`: the partition is being restored, or on its way to another worker,
  or the worker is busy and half a second behind. Then it answers fewer and fewer requests until it
  keeps up again, at least 50 a second, since reads must not hold up the stream; who is turned away
  is told so half a second later.
- A customer id in a path is percent-encoded, slashes too.

"""
EVENTS = """\
`/v1/changes` are [server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html):
`change` with a [stage change](events.md) as its data and its id, and `skipped` with
`{"count": 1200}` where only a sample was sent. A comment comes every 15 seconds. Whoever has to see
every change reads the topics.
"""


def rows() -> Iterator[str]:
    nobody = cast(Any, None)
    own = endpoints(nobody, cast(Peers, nobody), Shop((), {}, "VND", "UTC"), nobody)
    document = openapi.document(own)
    for path, methods in document["paths"].items():
        yield f"## `GET {path}`\n"
        yield from _operation(methods["get"], document["components"]["schemas"])
    yield "## Shapes\n"
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield from _shape(name, schema)


def _operation(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    yield f"{operation['summary']}.\n"
    if operation["parameters"]:
        yield "| parameter | where | type | meaning |\n|---|---|---|---|"
        for each in operation["parameters"]:
            need = "" if each["required"] else " *optional*"
            kind = _type(each["schema"])
            yield f"| `{each['name']}`{need} | {each['in']} | {kind} | {each['description']} |"
        yield ""
    ((media, content),) = operation["responses"]["200"]["content"].items()
    shape = _type(content["schema"]) if media == "application/json" else f"`{media}`"
    problems = ", ".join(code for code in operation["responses"] if code != "200")
    yield f"Answers with {shape}; problems: {problems}.\n"


def _shape(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {name}\n"
    yield " ".join(schema.get("description", "").split()) + "\n"
    needed = schema.get("required", ())
    yield "| field | type |\n|---|---|"
    for field, told in schema["properties"].items():
        yield f"| `{field}`{'' if field in needed else ' *optional*'} | {_type(told)} |"
    yield ""


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    low, high = schema.get("minimum"), schema.get("maximum")
    bounds = f", {low} to {high}" if high is not None else ""
    return str(schema.get("format") or schema.get("type") or "anything") + bounds


def render() -> str:
    return HEAD + "\n".join(rows()) + "\n" + EVENTS


if __name__ == "__main__":
    assert __spec__ is not None
    sys.exit(settle(PAGE, render(), made_by=__spec__.name))
