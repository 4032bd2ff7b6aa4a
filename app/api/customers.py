"""`GET /v1/customers/{id}` and its history, for any customer (contract section 10).

Who was absorbed may lie elsewhere than the survivor. So the worker that is asked goes from one to
the next itself, and what it forwards is answered by the one that has it or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, urlencode

import msgspec
from aiohttp import web
from msgspec import UNSET

from app.api import shapes
from app.api.endpoints import JSON, NO_STORE, Endpoint, Parameter, answer, instant, word
from app.api.peers import MOVED_ON, Peers, Said, unreadable
from app.api.ports import Elsewhere, Local, NotReady, Told
from app.api.problem import Refused, unavailable
from app.api.proof import is_forwarded
from app.core.instants import format_instant, parse_instant
from app.core.nearest import none_such

LONGEST_ID = 128
LONGEST_DETAIL = 1_000
LONGEST_CHAIN = 16
"""Merges that are followed from one id; the rules shorten chains themselves."""
CUSTOMER = Parameter(
    "customer", "path", {"type": "string", "minLength": 1, "maxLength": LONGEST_ID},
    "the customer id, percent-encoded", required=True, example="c-42",
)  # fmt: skip
BY_ID = Parameter(
    "id", "query", {"type": "string", "minLength": 1, "maxLength": LONGEST_ID},
    "the customer id; here it may be `.` or `..`, which clients take out of a path",
    required=True, example="c-42",
)  # fmt: skip
OF_LADDER = Parameter("ladder", "query", {"type": "string"}, "only changes on this ladder")
AT = Parameter(
    "at", "query", {"type": "string", "format": "date-time"},
    "the rung on each ladder at this instant, instead of the changes",
    example="2026-03-01T09:30:00Z",
)  # fmt: skip


class _Change(msgspec.Struct, gc=False):
    """What is read of a stored stage change."""

    class Data(msgspec.Struct, gc=False, rename={"from_": "from"}):
        """Its data."""

        ladder: str
        sequence: int
        from_: str | None
        to: str | None
        since: str | None

    time: str
    data: Data


_read = msgspec.json.Decoder(_Change).decode


class CustomerViews:
    """Answers for one customer, from here or from the worker that has the partition."""

    def __init__(self, local: Local, peers: Peers) -> None:
        self._local = local
        self._peers = peers

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                "/v1/customers/{customer}", "getCustomer", self.show,
                "One customer: facts, and on each ladder the rung, why, since when, what is next",
                (shapes.Customer,), (CUSTOMER,), problems=(400, 404, 421, 502),
            ),
            Endpoint(
                "/v1/customers/{customer}/history", "getHistory", self.history,
                "The customer's stage changes, or the rung on each ladder at an instant",
                (shapes.History, shapes.HistoryAt), (CUSTOMER, OF_LADDER, AT),
                problems=(400, 404, 421, 502),
            ),
            Endpoint(
                "/v1/customers", "findCustomer", self.show,
                "The same as `/v1/customers/{customer}`, for any id",
                (shapes.Customer,), (BY_ID,), problems=(400, 404, 421, 502),
            ),
            Endpoint(
                "/v1/history", "findHistory", self.history,
                "The same as `/v1/customers/{customer}/history`, for any id",
                (shapes.History, shapes.HistoryAt), (BY_ID, OF_LADDER, AT),
                problems=(400, 404, 421, 502),
            ),
        ]  # fmt: skip

    async def show(self, request: web.Request) -> web.Response:
        def here(customer: str, asked: str) -> web.Response | None:
            view = self._local.view(customer)
            if view is None:
                return None
            found = answer(view)
            return found if asked == customer else _merged(asked, found.body)

        return await self._anywhere(request, here, "", shapes.Customer)

    async def history(self, request: web.Request) -> web.Response:
        ladder, at = word(request, OF_LADDER), instant(request, AT)

        def here(customer: str, asked: str) -> web.Response | None:
            told = self._local.history(customer)
            if told is None:
                return None
            if ladder is not None and ladder not in told.ladders:
                raise Refused(404, none_such("ladder", ladder, told.ladders))
            shape = _changes(told, ladder) if at is None else _rungs_at(told, ladder, at)
            shape.customer_id = asked
            if told.survivor != asked:
                shape.merged_into = told.survivor
            return answer(shape)

        # Written anew: decoded, a line break in it would be one of the request to the other worker.
        given = {name: request.query[name] for name in (OF_LADDER.name, AT.name)
                 if name in request.query}  # fmt: skip
        query = urlencode(given, quote_via=quote, errors="surrogateescape")
        kind = shapes.History if at is None else shapes.HistoryAt
        return await self._anywhere(request, here, f"/history?{query}", kind)

    async def _anywhere(
        self,
        request: web.Request,
        here: Callable[[str, str], web.Response | None],
        rest: str,
        kind: type[shapes.Customer | shapes.History | shapes.HistoryAt],
    ) -> web.Response:
        asked = at = _id(request)
        for _ in range(LONGEST_CHAIN):
            try:
                found = here(at, asked)
            except NotReady as waiting:
                raise unavailable(
                    f"partition {waiting.partition} is being restored; try again soon",
                    partition=waiting.partition,
                ) from None
            except Elsewhere as elsewhere:
                at = elsewhere.customer or at
                if is_forwarded(request):
                    raise _not_here(elsewhere, asked) from None
                target = f"/v1/customers/{quote(at, safe='')}{rest}"
                said = await self._peers.owner_says(elsewhere.partition, target, kind)
                if said.status != MOVED_ON:
                    return _passed_on(said, asked, at)
                at = _moved_into(said.value, elsewhere.partition)
                continue
            if found is None:
                raise Refused(404, "nothing is known of this customer")
            return found
        raise unavailable("this customer is being merged; try again soon")


def _id(request: web.Request) -> str:
    customer = request.match_info.get("customer") or word(request, BY_ID) or ""
    try:
        customer.encode()
    except UnicodeEncodeError:
        raise Refused(400, "a customer id is UTF-8, percent-encoded") from None
    if not 1 <= len(customer) <= LONGEST_ID:
        raise Refused(400, f"a customer id has 1 to {LONGEST_ID} characters")
    return customer


def _not_here(elsewhere: Elsewhere, asked: str) -> Refused:
    more: dict[str, object] = {"partition": elsewhere.partition}
    if elsewhere.customer not in ("", asked):
        more["moved_into"] = elsewhere.customer
    return Refused(
        MOVED_ON,
        f"partition {elsewhere.partition} is not here, and what was forwarded goes no further",
        more=more,
    )


def _moved_into(told: shapes.Problem, partition: int) -> str:
    """Read to whom a forwarded request was sent on. Raises Refused if it only was the wrong one."""
    into = told.moved_into
    if into is UNSET or not 1 <= len(into) <= LONGEST_ID:
        raise unavailable(
            f"partition {partition} is moving to another worker; try again soon",
            partition=partition,
        )
    return into


def _passed_on(said: Said, asked: str, at: str) -> web.Response:
    """Answer with what another worker says of a customer. Raises Refused for another's."""
    if said.status != 200:
        raise _refused(said.value)
    if said.value.customer_id != at:
        raise unreadable()
    if asked != at:
        return _merged(asked, said.body)
    return web.Response(body=said.body, content_type=JSON, headers=NO_STORE)


def _refused(told: shapes.Problem) -> Refused:
    known = {"partition": told.partition, "behind_seconds": told.behind_seconds}
    more = {name: value for name, value in known.items() if value is not UNSET}
    detail = told.detail[:LONGEST_DETAIL]
    if told.status == 503:
        return unavailable(detail, **more)
    return Refused(told.status, detail, more=more)


def _merged(asked: str, body: object) -> web.Response:
    """Say of an answer about the survivor who was asked for."""
    told = msgspec.json.decode(body)  # type: ignore[call-overload]
    survivor = told.get("merged_into", told["customer_id"])
    told = {"customer_id": asked, "merged_into": survivor} | {
        name: value for name, value in told.items() if name not in ("customer_id", "merged_into")
    }
    return answer(told)


def _in_order(told: Told, ladder: str | None) -> list[tuple[int, _Change, bytes]]:
    places = {name: place for place, name in enumerate(told.ladders)}
    found = []
    for value in told.changes:
        change = _read(value)
        if (ladder is None or change.data.ladder == ladder) and change.data.ladder in places:
            found.append((parse_instant(change.time) or 0, change, value))
    found.sort(key=lambda one: (one[0], places[one[1].data.ladder], one[1].data.sequence))
    return found


def _changes(told: Told, ladder: str | None) -> shapes.History:
    changes = [msgspec.Raw(value) for _, _, value in _in_order(told, ladder)]
    return shapes.History("", told.complete, changes)


def _rungs_at(told: Told, ladder: str | None, at: int) -> shapes.HistoryAt:
    rungs: dict[str, shapes.RungThen] = {}
    for time, change, _ in _in_order(told, ladder):
        data = change.data
        if time <= at:
            since = change.time if data.to is not None else None
            rungs[data.ladder] = shapes.RungThen(data.to, since, True)
        elif data.ladder not in rungs:
            rungs[data.ladder] = _before(change, at, told.complete)
    for name in told.ladders if ladder is None else (ladder,):
        rungs.setdefault(name, shapes.RungThen(None, None, told.complete))
    return shapes.HistoryAt("", told.complete, format_instant(at), rungs)


def _before(first: _Change, at: int, complete: bool) -> shapes.RungThen:
    """Say where somebody stood before the first change that is kept."""
    data = first.data
    if data.sequence == 1:
        return shapes.RungThen(None, None, True)
    began = parse_instant(data.since) if data.since is not None else None
    if complete and began is not None and began <= at:
        return shapes.RungThen(data.from_, data.since, True)
    return shapes.RungThen(None, None, False)
