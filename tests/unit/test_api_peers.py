"""Workers ask each other without giving anything away, and believe no more than they must."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from yarl import URL

from app.api import peers, proof
from app.api.addresses import is_origin, origin
from app.api.proof import FORWARDED, TOLERANCE, Proofs, Used
from app.errors import SettingsError
from app.settings import load
from app.stream.startup import refuse_address
from tests.api_workers import Worker, workers

TOKEN = "s3cret-token"
CUSTOMER = {"customer_id": "2a", "as_of": "2026-03-01T09:30:00Z", "facts": {}, "ladders": {}}
PROBLEM = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "nobody"}


class Stranger:
    """Takes part in the group under an address of its own, and answers what a test says."""

    def __init__(self) -> None:
        self.asked: list[web.BaseRequest] = []
        self.says: Callable[[], web.Response] = lambda: web.json_response(CUSTOMER)
        self.url = ""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request)
        return self.says()

    def proof(self) -> str:
        return self.asked[-1].headers[FORWARDED]


@asynccontextmanager
async def a_stranger(
    token: str | None = None, suffix: str = ""
) -> AsyncIterator[tuple[list[Worker], Stranger]]:
    """Two workers, and somebody who says that partitions 2 and 3 are with them."""
    stranger = Stranger()
    runner = web.ServerRunner(web.Server(stranger.answer))
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listener).start()
    stranger.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with workers([0], [1], token=token) as pair:
        for worker in pair:
            named = dict.fromkeys((2, 3), stranger.url + suffix)
            worker.group.urls = {0: pair[0].url, 1: pair[1].url, **named}
        yield pair, stranger
    await runner.cleanup()


# What a member of the group learns.


async def test_nobody_in_the_group_is_sent_the_token() -> None:
    async with a_stranger(TOKEN) as ((one, _), stranger):
        for path in ("/v1/customers/2a", "/v1/ladders", "/v1/ladders/climb/customers?rung=low"):
            await one.get(path, TOKEN)
        assert len(stranger.asked) >= 3
        for request in stranger.asked:
            assert "Authorization" not in request.headers
            assert TOKEN not in str(request.headers) + request.raw_path


@pytest.mark.parametrize("suffix", ["/admin/delete", "/x?y=", "?a=b&c=", "#", "/..;/", "/"])
async def test_who_says_where_it_is_does_not_say_what_is_asked_there(suffix: str) -> None:
    async with a_stranger(TOKEN, suffix) as ((one, _), stranger):
        assert (await one.get("/v1/customers/2a", TOKEN))[0] == 200
        assert [request.raw_path for request in stranger.asked] == ["/v1/customers/2a"]


async def test_nobody_is_asked_under_a_name_that_an_address_brings() -> None:
    async with a_stranger() as ((one, _), stranger):
        one.group.urls[2] = stranger.url.replace("//", "//user:word@")
        assert (await one.get("/v1/customers/2a"))[0] == 200
        assert "Authorization" not in stranger.asked[0].headers


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "file:///etc/passwd", "ftp://127.0.0.1", "http://", "http://a b", "http://[x]",
     "http://127.0.0.1:99999", "http://127.0.0.1:x", "http://a%2fb", "//127.0.0.1"],
)  # fmt: skip
async def test_an_address_that_is_none_is_asked_for_nothing(url: str) -> None:
    async with workers([0, 1, 3]) as (one,):
        one.group.urls[2] = url
        status, body, _ = await one.get("/v1/customers/2a")
        assert (status, body["detail"][:18]) == (503, "no worker is known")
        assert (await one.get("/v1/ladders"))[1]["missing"] == [2]


@pytest.mark.parametrize(
    ("url", "address", "alone"),
    [
        ("http://Ladder-1", "http://ladder-1:80", True),
        ("https://ladder-1/", "https://ladder-1:443", True),
        ("https://ladder-1.example:6066/a?b#c", "https://ladder-1.example:6066", False),
        ("http://u:p@10.0.0.1:6066", "http://10.0.0.1:6066", False),
        ("http://[::1]:6066", "http://[::1]:6066", True),
        ("http://[0:0::1]", "http://[::1]:80", True),
        ("http://a?", "http://a:80", True),
    ],
)
def test_an_address_is_scheme_host_and_port(url: str, address: str, alone: bool) -> None:
    assert (origin(url), is_origin(url)) == (address, alone)


@pytest.mark.parametrize(
    ("url", "token", "said"),
    [
        ("http://10.0.0.5:6066/ladder", "t", "scheme, host and port alone"),
        ("http://10.0.0.5:6066?a", "t", "scheme, host and port alone"),
        ("http://me:word@10.0.0.5:6066", "t", "scheme, host and port alone"),
        ("http://10.0.0.5:6066", "", "must name this machine"),
        ("http://10.0.0.5:6066/", "t", None),
        ("https://ladder-1", "t", None),
        ("http://localhost:6066", "", None),
        ("", "", None),
    ],
)
def test_a_worker_names_an_address_that_others_can_ask_at(
    url: str, token: str, said: str | None
) -> None:
    settings = load({"LADDER_API_URL": url, "LADDER_API_TOKEN": token}, None)
    if said is None:
        refuse_address(settings)
    else:
        with pytest.raises(SettingsError, match=said) as told:
            refuse_address(settings)
        assert "word" not in str(told.value)


async def test_what_is_asked_on_behalf_of_somebody_is_written_anew() -> None:
    """A line break in a query would end the request line, and begin a header."""
    async with a_stranger() as ((one, _), stranger):
        stranger.says = lambda: web.json_response({**PROBLEM})
        path = "/v1/customers/2%0d%0aa/history?ladder=a%0d%0aX:%20y%23&other=1&at="
        await one.get(path + "2026-01-01T07:00:00%2B07:00")
        assert [request.raw_path for request in stranger.asked] == [
            "/v1/customers/2%0D%0Aa/history?ladder=a%0D%0AX%3A%20y%23"
            "&at=2026-01-01T07%3A00%3A00%2B07%3A00"
        ]
        assert "X" not in stranger.asked[0].headers


# Proofs.


async def test_a_proof_made_for_another_worker_proves_nothing() -> None:
    """Or who is asked could go to any other with it, and once for each request."""
    async with a_stranger(TOKEN) as ((one, other), stranger):
        await one.get("/v1/customers/2a", TOKEN)
        for worker in (one, other):
            for header in ({}, {"Host": stranger.url.removeprefix("http://")}):
                answer = await worker.get(
                    "/v1/customers/2a", **{FORWARDED: stranger.proof(), **header}
                )
                assert answer[0] == 401


async def asked_with(
    worker: Worker, given: str, method: str = "GET", path: str = "/v1/customers/0a", **more: Any
) -> int:
    url = URL(worker.url + path, encoded=True)
    async with worker._client.request(method, url, headers={FORWARDED: given}, **more) as answer:
        return answer.status


async def test_a_proof_is_good_for_one_request() -> None:
    async with workers([0, 1, 2, 3], token=TOKEN) as (one,):
        given = Proofs(TOKEN, str).made("GET", one.url, "/v1/customers/0a")
        assert await asked_with(one, given) == 200
        assert await asked_with(one, given) == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "HEAD"},
        {"path": "/v1/customers/0b"},
        {"path": "/v1/customers/0a?x"},
        {"path": "/v1/customers/0a/history"},
        {"path": "/v1/customers/%30a"},
        {"data": b"x"},
    ],
)
async def test_a_proof_is_for_this_request_alone(changed: dict[str, Any]) -> None:
    async with workers([0, 1, 2, 3], token=TOKEN) as (one,):
        given = Proofs(TOKEN, str).made("GET", one.url, "/v1/customers/0a")
        path = changed.pop("path", "/v1/customers/0a")
        assert await asked_with(one, given, path=path, **changed) == 401
        fresh = Proofs(TOKEN, str).made("GET", one.url, "/v1/customers/0a")
        assert await asked_with(one, fresh) == 200


async def test_a_query_and_a_body_are_part_of_what_is_proven() -> None:
    async with workers([0, 1, 2, 3], token=TOKEN) as (one,):
        path = "/v1/ladders/climb/customers?rung=low&limit=2"
        given = Proofs(TOKEN, str).made("GET", one.url, path, b"body")
        assert await asked_with(one, given, path=path, data=b"body") == 200
        given = Proofs(TOKEN, str).made("GET", one.url, path, b"body")
        assert await asked_with(one, given, path=path, data=b"ydob") == 401
        given = Proofs(TOKEN, str).made("GET", one.url, path, b"body")
        assert await asked_with(one, given, path=path) == 401


@pytest.mark.parametrize("part", [1, 2, 3, 4])
async def test_every_part_of_a_proof_counts(part: int) -> None:
    async with workers([0, 1, 2, 3], token=TOKEN) as (one,):
        parts = Proofs(TOKEN, str).made("GET", one.url, "/v1/customers/0a").split()
        first = parts[part][0]
        parts[part] = ("2" if first == "1" else "1") + parts[part][1:]
        assert await asked_with(one, " ".join(parts)) == 401


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x"])
async def test_without_the_token_there_is_no_proof(token: str | None) -> None:
    async with workers([0, 1, 2, 3], token=TOKEN) as (one,):
        assert (await one.get_as_worker("/v1/customers/0a", token))[0] == 401
        assert (await one.get_as_worker("/v1/customers/0a", TOKEN))[0] == 200


@pytest.mark.parametrize(
    ("off", "up", "good"),
    [
        (-TOLERANCE - 1, 3_600.0, False),
        (-TOLERANCE, 3_600.0, True),
        (TOLERANCE, 3_600.0, True),
        (TOLERANCE + 1, 3_600.0, False),
        (-5_000, 6.0, True),
        (-5_000, 4.0, False),  # so it was for the process before, whose memory is gone
    ],
)
async def test_a_proof_is_good_for_half_a_minute_and_for_one_process(
    off: int, up: float, good: bool
) -> None:
    now, address = 1_772_357_400_000, "http://a:80"
    passed = [0.0, up]
    checks = Proofs(TOKEN, lambda: address, lambda: now, lambda: passed.pop(0))
    given = Proofs(TOKEN, str, lambda: now + off).made("GET", address, "/v1/x")
    request = make_mocked_request("GET", "/v1/x", headers={FORWARDED: given})
    assert await checks.proven(request) is good


@pytest.mark.parametrize("given", ["1", "", "v1", "v1 1 2 3 4", "v2 " + "a" * 120, "é"])
@pytest.mark.parametrize("token", [None, TOKEN])
async def test_the_header_changes_nothing_for_who_is_no_worker(
    given: str, token: str | None
) -> None:
    async with workers([0, 1], [2, 3], token=token) as (one, _):
        for path in ("/v1/customers/2a", "/v1/customers/2a/history", "/v1/ladders",
                     "/v1/ladders/climb/customers?rung=low&cursor=AAI"):  # fmt: skip
            plain = (await one.get(path, token))[:2]
            assert plain[0] == 200
            assert (await one.get(path, token, **{FORWARDED: given}))[:2] == plain
            if token is not None:
                assert (await one.get(path, **{FORWARDED: given}))[0] == 401


async def test_a_busy_worker_turns_away_who_only_says_that_it_is_one() -> None:
    async with workers([0, 1, 2, 3]) as (one,):
        one.overload(60.0)
        assert (await one.get("/v1/partitions", **{FORWARDED: "1"}))[0] == 503
        assert (await one.get_as_worker("/v1/partitions"))[0] == 200


def test_of_two_headers_none_counts() -> None:
    async def ask() -> int:
        async with workers([0, 1, 2, 3], token=TOKEN) as (one,):
            path = "/v1/customers/0a"
            given = [Proofs(TOKEN, str).made("GET", one.url, path) for _ in range(2)]
            async with one._client.get(
                one.url + path, headers=[(FORWARDED, each) for each in given]
            ) as answer:
                return answer.status

    assert asyncio.run(ask()) == 401


def test_no_more_is_remembered_than_has_room_and_nothing_comes_twice() -> None:
    used = Used(most=3)
    now = 1_700_000_000_000
    for number, at in enumerate((now, now + 1_000, now + 2_000, now + 2_500)):
        assert used.take(at, f"n{number}", now)
    assert used._count <= 3
    for number, at in enumerate((now, now + 1_000, now + 2_000, now + 2_500)):
        assert not used.take(at, f"n{number}", now)
    assert not used.take(now + 999, "new", now)  # as old as what had no room
    assert used.take(now + 2_500, "new", now)


def test_what_nobody_would_take_any_more_is_forgotten() -> None:
    used = Used()
    now = 1_700_000_000_000
    for number in range(1_000):
        assert used.take(now + 100 * number, f"n{number}", now + 100 * number)
    assert used._count <= TOLERANCE // 100 + 20


def test_a_proof_is_what_is_written_of_it() -> None:
    """Workers of two versions must agree on it."""
    made = Proofs("t", str, lambda: 1_772_357_400_000).made("GET", "http://a:80", "/v1/x?y=z", b"b")
    version, at, nonce, hashed, given = made.split()
    assert (version, at) == ("v1", "1772357400000")
    assert hashed == _text(hashlib.sha256(b"b").digest())
    signed = "\n".join((proof._PURPOSE, at, nonce, "GET", "/v1/x", "y=z", hashed, "http://a:80"))
    assert given == _text(_hmac(b"t", signed.encode()))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _hmac(key: bytes, message: bytes) -> bytes:
    """HMAC by RFC 2104, written out."""
    key = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key) + message).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in key) + inner).digest()


async def test_a_worker_that_wants_the_token_itself_is_told_of_and_not_given_it() -> None:
    """One of the version before, as long as a rollout lasts."""
    async with a_stranger(TOKEN) as ((one, _), stranger):
        stranger.says = lambda: text("", 401)
        status, body, _ = await one.get("/v1/customers/2a", TOKEN)
        assert (status, "the same version" in body["detail"]) == (502, True)
        assert (await one.get("/v1/ladders", TOKEN))[1]["missing"] == [2, 3]


# What comes back.


def text(body: str, status: int = 200, **headers: str) -> web.Response:
    return web.Response(
        text=body, status=status, headers={"Content-Type": "text/html", "X-Evil": "1", **headers}
    )


OTHER = json.dumps(CUSTOMER | {"customer_id": "another"})
LARGE = json.dumps(CUSTOMER | {"facts": {"x": "y" * 3_000}})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("<script>alert(1)</script>", 200),
        ("", 200),
        ("null", 200),
        ("[]", 200),
        ('{"customer_id": "2a"}', 200),
        (json.dumps(CUSTOMER)[:-1], 200),
        (json.dumps(CUSTOMER) + "x", 200),
        (OTHER, 200),
        (LARGE, 200),
        (json.dumps(CUSTOMER), 201),
        (json.dumps(CUSTOMER), 302),
        (json.dumps(CUSTOMER), 404),
        ("<h1>no</h1>", 404),
        (json.dumps(PROBLEM), 503),
        (json.dumps(PROBLEM), 418),
        ("no", 500),
    ],
)
@pytest.mark.parametrize("path", ["/v1/customers/2a", "/v1/customers/2a/history"])
async def test_what_is_no_answer_of_a_worker_is_not_passed_on(
    monkeypatch: pytest.MonkeyPatch, path: str, body: str, status: int
) -> None:
    monkeypatch.setattr(peers, "LONGEST_ANSWER", 2_000)
    async with a_stranger() as ((one, _), stranger):
        stranger.says = lambda: text(body, status, Location="/v1/customers/0a")
        got, told, headers = await one.get(path)
        assert (got, told["status"]) in [(502, 502), (503, 503)]
        assert headers["Content-Type"] == "application/problem+json"
        assert "X-Evil" not in headers
        assert "script" not in str(told)


async def test_what_is_packed_is_not_unpacked() -> None:
    async with a_stranger() as ((one, _), stranger):
        packed = gzip.compress(json.dumps(CUSTOMER).encode())
        stranger.says = lambda: web.Response(body=packed, headers={"Content-Encoding": "gzip"})
        assert (await one.get("/v1/customers/2a"))[0] == 502
        assert stranger.asked[0].headers["Accept-Encoding"] == "identity"


async def test_what_is_passed_on_has_this_workers_headers() -> None:
    async with a_stranger() as ((one, _), stranger):
        stranger.says = lambda: text(json.dumps(CUSTOMER))
        status, body, headers = await one.get("/v1/customers/2a")
        assert (status, body) == (200, CUSTOMER)
        assert headers["Content-Type"] == "application/json"
        assert "X-Evil" not in headers
        stranger.says = lambda: text(json.dumps(PROBLEM | {"detail": "d" * 5_000}), 404)
        status, body, headers = await one.get("/v1/customers/2a")
        assert (status, len(body["detail"])) == (404, 1_000)
        assert headers["Content-Type"] == "application/problem+json"
        busy = PROBLEM | {"status": 503, "partition": 2}
        stranger.says = lambda: text(json.dumps(busy), 503, **{"Retry-After": "9999999"})
        status, body, headers = await one.get("/v1/customers/2a")
        assert (status, body["partition"], headers["Retry-After"]) == (503, 2, "1")


@pytest.mark.parametrize("into", [1, "", "x" * 129, None, ["a"], {"a": 1}])
async def test_to_whom_somebody_was_merged_is_a_customer_id(into: object) -> None:
    async with a_stranger() as ((one, _), stranger):
        moved = PROBLEM | {"status": 421, "moved_into": into}
        stranger.says = lambda: text(json.dumps(moved), 421)
        assert (await one.get("/v1/customers/2a"))[0] in (502, 503)


@pytest.mark.parametrize(
    "page",
    [
        {"next": "!"},
        {"next": "AAA"},
        {"customers": [{"customer_id": "x", "since": "", "sequence": 1}] * 101},
        {"customers": [1]},
    ],
)
async def test_a_page_that_no_worker_gives_is_a_partition_that_did_not_answer(
    page: dict[str, Any],
) -> None:
    async with a_stranger() as ((one, _), stranger):
        right = {"complete": True, "missing": [], "ladder": "climb", "rung": "low",
                 "customers": [], "next": None}  # fmt: skip
        stranger.says = lambda: text(json.dumps(right | page))
        status, body, _ = await one.get("/v1/ladders/climb/customers?rung=low&limit=100")
        assert status == 200
        if page != {"next": "AAA"}:
            assert body["missing"] == [2, 3]
        assert {each["customer_id"][0] for each in body["customers"]} == {"0", "1"}


@pytest.mark.parametrize(
    "figures",
    ["x", [1], [{"partition": "2"}],
     [{"partition": 9, "clock": 1, "customers": {"climb": {"low": 10_000}}},
      {"partition": -1, "clock": 1, "customers": {"climb": {"low": 10_000}}}]],
)  # fmt: skip
async def test_figures_of_no_partition_count_for_nothing(figures: object) -> None:
    async with a_stranger() as ((one, _), stranger):
        stranger.says = lambda: text(json.dumps({"partitions": figures}))
        status, body, _ = await one.get("/v1/ladders")
        assert (status, body["missing"]) == (200, [2, 3])
        assert body["ladders"][0]["customers"] == 21


# What every answer says.


async def test_no_answer_is_taken_for_anything_but_what_it_is() -> None:
    async with workers([0, 1, 2], token=TOKEN) as (one,):
        for path, token in [
            ("/v1/customers/0a", TOKEN),
            ("/v1/customers/0a", None),
            ("/v1/customers/3a", TOKEN),
            ("/v1/customers/" + "x" * 200, TOKEN),
            ("/v1/ladders/climb/definition", TOKEN),
            ("/v1/openapi.json", TOKEN),
            ("/v1/nothing", TOKEN),
            ("/metrics", TOKEN),
            ("/health/live", None),
        ]:
            _, _, headers = await one.get(path, token)
            assert headers["X-Content-Type-Options"] == "nosniff", path
            policy = headers["Content-Security-Policy"]
            assert policy == "default-src 'none'; frame-ancestors 'none'", path
        answer = await one._client.get(
            one.url + "/v1/changes", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        answer.close()
        one.overload(60.0)
        status, _, headers = await one.get("/v1/ladders", TOKEN)
        assert (status, headers["X-Content-Type-Options"]) == (503, "nosniff")
        _, _, headers = await one.get("/")
        assert "script-src 'self'" in headers["Content-Security-Policy"]
