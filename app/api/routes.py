"""Everything a worker serves, put onto Faust's web server."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from app.api.access import METRICS, Access, guard
from app.api.customers import Customers, add_customers
from app.api.health import Health, add_health
from app.api.problem import problems
from app.ops.registry import CONTENT_TYPE, Metrics


def add_routes(
    application: web.Application,
    *,
    access: Access,
    health: Health,
    metrics: Metrics,
    customers: Customers,
) -> None:
    middlewares: list[Any] = [problems, guard(access)]
    application.middlewares.extend(middlewares)
    add_health(application, health)
    add_customers(application, customers)

    async def show_metrics(request: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    application.router.add_get(METRICS, show_metrics)
