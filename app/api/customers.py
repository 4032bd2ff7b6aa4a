"""`GET /v1/customers/{id}` for the customers of this worker's partitions (contract section 10)."""

from __future__ import annotations

from typing import Protocol

import orjson
from aiohttp import web

from app.api.problem import problem

LONGEST_ID = 128
NO_STORE = {"Cache-Control": "no-store"}


class Elsewhere(Exception):
    """This worker does not have the partition of the customer. `url`: who does, if known."""

    def __init__(self, partition: int, url: str | None) -> None:
        super().__init__(partition, url)
        self.partition = partition
        self.url = url


class NotReady(Exception):
    """The partition is this worker's, and is still being restored."""

    def __init__(self, partition: int) -> None:
        super().__init__(partition)
        self.partition = partition


class Customers(Protocol):
    """Looks customers up in what was committed last."""

    def view(self, customer: str) -> dict[str, object] | None:
        """As the API gives it; None if unknown or erased. Raises Elsewhere, NotReady."""


def add_customers(application: web.Application, customers: Customers) -> None:
    async def show(request: web.Request) -> web.Response:
        customer = request.match_info["customer"]
        if not 1 <= len(customer) <= LONGEST_ID:
            return problem(400, f"a customer id has 1 to {LONGEST_ID} characters")
        try:
            view = customers.view(customer)
        except NotReady as waiting:
            return problem(
                503,
                f"partition {waiting.partition} is being restored; try again soon",
                headers={"Retry-After": "1"},
                partition=waiting.partition,
            )
        except Elsewhere as elsewhere:
            return _elsewhere(elsewhere)
        if view is None:
            return problem(404, "nothing is known of this customer")
        return web.Response(
            body=orjson.dumps(view), content_type="application/json", headers=NO_STORE
        )

    application.router.add_get("/v1/customers/{customer}", show)


def _elsewhere(elsewhere: Elsewhere) -> web.Response:
    if elsewhere.url is None:
        return problem(
            503,
            f"no worker is known to have partition {elsewhere.partition}; try again soon",
            headers={"Retry-After": "1"},
            partition=elsewhere.partition,
        )
    return problem(
        421,
        f"another worker has partition {elsewhere.partition}, and forwarding between workers is "
        "not built yet: ask it",
        partition=elsewhere.partition,
        url=elsewhere.url,
    )
