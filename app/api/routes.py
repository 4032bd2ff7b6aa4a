"""Everything a worker serves, put onto Faust's web server."""

from __future__ import annotations

import ssl
from typing import Any

from aiohttp import web

from app.api import browsers, openapi
from app.api.access import METRICS, Access, addressed, guard
from app.api.changes import ChangeViews
from app.api.customers import CustomerViews
from app.api.endpoints import Endpoint, add
from app.api.health import Health, add_health
from app.api.ladders import LadderViews
from app.api.limits import bounded
from app.api.on_rung import RungViews
from app.api.pace import Pace, paced
from app.api.page import add_page
from app.api.peers import Peers
from app.api.ports import Changes, Group, Local, Shop
from app.api.problem import problems
from app.api.proof import Proofs
from app.ops.registry import CONTENT_TYPE, Metrics


def add_routes(
    application: web.Application,
    *,
    access: Access,
    health: Health,
    metrics: Metrics,
    local: Local,
    group: Group,
    shop: Shop,
    changes: Changes,
    pace: Pace,
    trusted: ssl.SSLContext | None = None,
) -> None:
    """`trusted` is what the certificates of other workers are checked with, where they have any."""
    proofs = Proofs(access.token, lambda: group.own_url)
    middlewares: list[Any] = [
        problems,
        addressed(access),
        bounded,
        guard(access, proofs),
        paced(pace, metrics),
    ]
    application.middlewares.extend(middlewares)
    application.on_response_prepare.append(browsers.tell)
    add_health(application, health)
    peers = Peers(group, proofs, trusted)
    application.on_cleanup.append(peers.close)
    add_page(application)
    add(application, endpoints(local, peers, shop, changes))

    async def let_go(_: web.Application) -> None:
        await changes.close()

    # Before aiohttp waits for what is being answered: these answers have no end.
    application.on_shutdown.append(let_go)

    async def show_metrics(request: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    application.router.add_get(METRICS, show_metrics)


def endpoints(local: Local, peers: Peers, shop: Shop, changes: Changes) -> list[Endpoint]:
    """Every endpoint of `/v1`."""
    found = [
        *CustomerViews(local, peers).endpoints(),
        *LadderViews(local, peers, shop).endpoints(),
        *RungViews(local, peers, shop.ladders).endpoints(),
        *ChangeViews(changes, {ladder.id for ladder in shop.ladders}).endpoints(),
    ]
    return [*found, openapi.endpoint(found)]
