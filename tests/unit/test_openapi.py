"""The OpenAPI document says what is served: every path, and answers of the shape that is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import jsonschema
import pytest

from app.api import openapi
from tests.api_workers import Worker, workers


@pytest.fixture
async def server() -> AsyncIterator[Worker]:
    async with workers(range(4)) as (one,):
        yield one


async def the_document(server: Worker) -> Any:
    status, document, _ = await server.get("/v1/openapi.json")
    assert status == 200, document
    return document


async def test_it_is_openapi_3_1_and_names_no_schema_that_is_not_there(server: Worker) -> None:
    document = await the_document(server)
    assert document["openapi"].startswith("3.1")
    for reference in references(document):
        part: Any = document
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in references(value)]
    if isinstance(part, list):
        return [found for value in part for found in references(value)]
    return []


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v1/customers/{customer}", "/v1/customers/a"),
        ("/v1/customers/{customer}/history", "/v1/customers/a/history"),
        (
            "/v1/customers/{customer}/history",
            "/v1/customers/a/history?at=2026-03-01T09:30:00Z",
        ),
        ("/v1/ladders", "/v1/ladders"),
        ("/v1/ladders/{ladder}", "/v1/ladders/climb"),
        ("/v1/ladders/{ladder}/customers", "/v1/ladders/climb/customers?rung=low"),
        ("/v1/partitions", "/v1/partitions?ladder=climb"),
    ],
)
async def test_answers_have_the_shape_that_it_tells(server: Worker, path: str, asked: str) -> None:
    document = await the_document(server)
    told = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    status, body, _ = await server.get(asked)
    assert status == 200
    jsonschema.validate(body, {**told["schema"], "components": document["components"]})


async def test_every_route_of_v1_is_in_it_and_nothing_else(server: Worker) -> None:
    document = await the_document(server)
    served = {
        resource.canonical
        for resource in server.application.router.resources()
        if resource.canonical.startswith("/v1/")
    }
    assert set(document["paths"]) == served
    assert set(openapi.WHY) >= set(openapi.ALWAYS)
