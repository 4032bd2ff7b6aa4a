"""The OpenAPI 3.1 document, made from the endpoints and the types that they answer with."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from importlib import metadata
from typing import Any

import msgspec
import orjson
from aiohttp import web

from app.api import shapes
from app.api.endpoints import JSON, NO_STORE, Endpoint, Parameter
from app.api.problem import CONTENT_TYPE

ALWAYS = (401, 413, 421, 500, 503)
"""Problems that any path may have."""
_REF = "#/components/schemas/{name}"
WHY = {
    400: "A parameter is wrong.",
    401: "The worker has a token, and the request has not.",
    404: "There is no such customer, ladder or rung.",
    413: "The request is too large.",
    421: "The worker has no token, and was asked under another name than those of its machine. "
    "Between workers: the partition is not here.",
    500: "A bug; the worker's log says more.",
    502: "The worker that has it refuses this one, or is of another version.",
    503: "The partition is being restored or moves to another worker, or this worker is behind "
    "with its stream: try again after `Retry-After` seconds.",
}


def endpoint(endpoints: Sequence[Endpoint], title: str = "Loyalty Ladder") -> Endpoint:
    """Return the endpoint of the document about all these, itself included."""
    made: list[bytes] = []

    async def show(request: web.Request) -> web.Response:
        if not made:
            made.append(orjson.dumps(document([*endpoints, itself], title)))
        return web.Response(body=made[0], content_type=JSON, headers=NO_STORE)

    itself = Endpoint("/v1/openapi.json", "getOpenApi", show, "This document", (dict[str, Any],))
    return itself


def document(endpoints: Sequence[Endpoint], title: str = "Loyalty Ladder") -> dict[str, Any]:
    """Return the document as JSON values."""
    types = [kind for each in endpoints for kind in each.answers]
    schemas, components = msgspec.json.schema_components(
        [*types, shapes.Problem, shapes.StageChange], ref_template=_REF
    )
    rest = iter(schemas)
    by_name = {each.name: [next(rest) for _ in each.answers] for each in endpoints}
    # Changes are handed on as they were published, and never decoded.
    changes = components["History"]["properties"]["changes"]
    changes["items"] = {"$ref": _REF.format(name="StageChange")}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": _version(),
            "description": "Where customers stand, why, and who moved. Any worker answers for any "
            "customer. Errors are application/problem+json (RFC 9457).",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {}],
        "paths": {each.path: {"get": _operation(each, by_name[each.name])}
                  for each in endpoints},
        "components": {
            "schemas": components,
            "responses": {f"Problem{status}": _problem(status) for status in WHY},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "LADDER_API_TOKEN of the worker, where it has one",
                }
            },
        },
    }  # fmt: skip


def _operation(endpoint: Endpoint, schemas: Sequence[Any]) -> dict[str, Any]:
    other = {"type": "object" if endpoint.media.endswith("yaml") else "string"}
    schema = {"anyOf": schemas} if len(schemas) > 1 else next(iter(schemas), other)
    content = {endpoint.media: {"schema": schema}}
    statuses = sorted({*endpoint.problems, *ALWAYS})
    return {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "parameters": [_parameter(each) for each in endpoint.parameters],
        "responses": {
            "200": {"description": "Found.", "content": content},
            **{str(code): {"$ref": f"#/components/responses/Problem{code}"} for code in statuses},
        },
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    example = {} if parameter.example is None else {"example": parameter.example}
    return example | {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.required,
        "description": parameter.meaning,
        "schema": dict(parameter.schema),
    }


def _problem(status: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "description": f"{HTTPStatus(status).phrase}. {WHY[status]}",
        "content": {CONTENT_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}},
    }
    if status == 503:
        told["headers"] = {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}}
    return told


def _version() -> str:
    try:
        return metadata.version("loyalty-ladder")
    except metadata.PackageNotFoundError:
        return "0"
