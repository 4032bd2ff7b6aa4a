"""Any worker answers for any customer, and for all of them together (contract section 10)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.api.dwell import median
from app.api.ports import Census, Standing
from tests.api_workers import Worker, census, workers


def change(sequence: int, time: str, left: str | None, entered: str | None, **more: Any) -> bytes:
    data = {"ladder": "climb", "sequence": sequence, "from": left, "to": entered, "since": None}
    return json.dumps(
        {"specversion": "1.0", "id": f"climb/0/a/{sequence}", "time": time, "data": data | more}
    ).encode()


HISTORY = [
    change(1, "2026-01-01T00:00:00Z", None, "low"),
    change(2, "2026-02-01T00:00:00.500000Z", "low", "high", since="2026-01-01T00:00:00Z"),
    change(3, "2026-02-01T00:00:01Z", "high", None, since="2026-02-01T00:00:00.500000Z"),
]


async def test_a_customer_is_told_by_any_worker_in_the_same_words() -> None:
    async with workers([0, 1], [2, 3]) as (one, other):
        for customer in ("0%2Fa", "3%2Fa%20%C3%A9%25", "2nobody"):
            first, second = [
                (await worker.get(f"/v1/customers/{customer}"))[:2] for worker in (one, other)
            ]
            assert first == second
            assert first[0] == (404 if "nobody" in customer else 200)


async def test_a_survivor_elsewhere_answers_for_the_absorbed() -> None:
    """Also when the chain comes back, and whoever is asked."""
    async with workers([0], [1], [2, 3]) as all_of_them:
        all_of_them[0].local.merged = {"0/a": "1/b"}
        all_of_them[1].local.merged = {"1/b": "0/c"}
        for worker in all_of_them:
            for rest in ("", "/history", "/history?at=2026-01-01T00:00:00Z"):
                status, body, _ = await worker.get(f"/v1/customers/0%2Fa{rest}")
                assert status == 200
                assert (body["customer_id"], body["merged_into"]) == ("0/a", "0/c")


@pytest.mark.parametrize("amount", [2**53 + 1, 2**64, 10**25 + 1, -(2**63) - 1])
async def test_a_number_beyond_64_bits_keeps_its_digits_from_worker_to_worker(amount: int) -> None:
    """In a customer's facts here and elsewhere, through a merge, in history and in revenue."""
    facts: dict[str, object] = {"spend": amount}
    because = {"rule": "spend > 1", "facts": facts}
    async with workers([0], [1, 2, 3]) as (one, other):
        one.local.facts = other.local.facts = facts
        one.local.merged = {"0/a": "1/b"}
        one.local.told = {"0/c": [change(1, "2026-01-01T00:00:00Z", None, "low", because=because)]}
        for local in (one.local, other.local):
            local.census = Census(0, {"low": Standing(1, amount, {})})
        for worker in (one, other):
            for path in ("0%2Fc", "1%2Fb", "0%2Fa"):
                assert (await worker.get(f"/v1/customers/{path}"))[1]["facts"] == facts
            body = (await worker.get("/v1/customers/0%2Fc/history"))[1]
            assert body["changes"][0]["data"]["because"] == because
            (low, _) = (await worker.get("/v1/ladders/climb"))[1]["rungs"]
            assert low["revenue"] == 4 * amount


async def test_merges_in_a_circle_end_in_a_problem() -> None:
    async with workers([0], [1, 2, 3]) as (one, other):
        one.local.merged = {"0/a": "1/b"}
        other.local.merged = {"1/b": "0/a"}
        status, body, headers = await one.get("/v1/customers/0%2Fa")
        assert (status, headers["Retry-After"]) == (503, "1"), body


async def unavailable(worker: Worker, customer: str) -> dict[str, Any]:
    status, body, headers = await worker.get(f"/v1/customers/{customer}")
    assert (status, headers["Retry-After"]) == (503, "1")
    assert headers["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = body
    return found


async def test_while_the_owner_restores_it_is_503_from_every_worker() -> None:
    async with workers([0, 1], [2, 3]) as (one, other):
        other.local.restoring = {2}
        for worker in (one, other):
            assert (await unavailable(worker, "2a"))["partition"] == 2


async def test_an_owner_that_is_unknown_gone_or_wrong_is_503_and_no_loop() -> None:
    async with workers([0, 1], [2]) as (one, other):
        assert "no worker is known" in (await unavailable(one, "3a"))["detail"]
        one.group.urls[3] = other.url
        other.group.urls[3] = one.url
        for worker in (one, other):
            assert "is moving" in (await unavailable(worker, "3a"))["detail"]
        one.group.urls[3] = one.url
        await unavailable(one, "3a")
        await other.stop()
        assert "does not answer" in (await unavailable(one, "2a"))["detail"]


async def test_what_was_forwarded_goes_no_further() -> None:
    async with workers([0, 1], [2, 3]) as (one, _):
        for path in ("/v1/customers/2a", "/v1/customers/2a/history"):
            assert (await one.get_as_worker(path))[0] == 421
        assert (await one.get_as_worker("/v1/customers/0a"))[0] == 200


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("ladders/clim", "there is no ladder 'clim'; did you mean 'climb'? (there are: climb)"),
        ("ladders/x/customers?rung=low", "there is no ladder 'x' (there are: climb)"),
        (
            "ladders/climb/customers?rung=Lower",
            "there is no rung of climb 'Lower'; did you mean 'low'? (there are: low, high)",
        ),
        ("partitions?ladder=x", "there is no ladder 'x' (there are: climb)"),
        ("changes?ladder=x", "there is no ladder 'x' (there are: climb)"),
        ("customers/0a/history?ladder=x", "there is no ladder 'x' (there are: climb)"),
    ],
)
async def test_who_asks_for_what_is_not_there_is_told_what_is(path: str, told: str) -> None:
    async with workers([0, 1, 2, 3]) as (one,):
        one.local.told = {"0a": HISTORY}
        status, body, _ = await one.get(f"/v1/{path}")
        assert (status, body["detail"]) == (404, told)


async def test_workers_know_each_other_by_the_token_that_they_share() -> None:
    async with workers([0, 1], [2, 3], token="t") as (one, _):
        assert (await one.get("/v1/customers/2a", "t"))[0] == 200
        assert (await one.get("/v1/ladders", "t"))[1]["complete"] is True
        assert (await one.get("/v1/customers/2a"))[0] == 401


async def test_history_is_told_oldest_first_and_in_the_published_words() -> None:
    async with workers([0, 1], [2, 3]) as (one, other):
        one.local.told = {"0/a": HISTORY[::-1]}
        for worker in (one, other):
            status, body, _ = await worker.get("/v1/customers/0%2Fa/history?ladder=climb")
            assert (status, body["complete"]) == (200, True)
            assert body["changes"] == [json.loads(each) for each in HISTORY]
            status, body, _ = await worker.get("/v1/customers/0%2Fa/history?ladder=none")
            assert status == 404


@pytest.mark.parametrize(
    ("at", "rung", "known"),
    [
        ("2025-12-31T23:59:59Z", None, True),
        ("2026-01-01T00:00:00Z", "low", True),
        ("2026-01-01T07:00:00%2B07:00", "low", True),
        ("2026-01-01T07:00:00+07:00", "low", True),
        ("2026-02-01T00:00:00.499999Z", "low", True),
        ("2026-02-01T00:00:00.5Z", "high", True),
        ("2030-01-01T00:00:00Z", None, True),
        ("0254-08-10T04:22:00.1151Z", None, True),
        ("9999-12-31T23:59:59+14:00", None, True),
    ],
)
async def test_history_at_an_instant_gives_the_rung_of_then(
    at: str, rung: str | None, known: bool
) -> None:
    async with workers(range(4)) as (one,):
        one.local.told = {"0/a": HISTORY}
        _, body, _ = await one.get(f"/v1/customers/0%2Fa/history?at={at}")
        there = body["rungs"]["climb"]
        assert (there["rung"], there["known"]) == (rung, known)


async def test_before_what_is_kept_the_rung_is_that_of_the_first_change_if_it_was_held() -> None:
    async with workers(range(4)) as (one,):
        one.local.told = {"0/a": HISTORY[1:]}
        path = "/v1/customers/0%2Fa/history?at="
        _, body, _ = await one.get(path + "2026-01-15T00:00:00Z")
        assert body["rungs"]["climb"] == {
            "rung": "low", "since": "2026-01-01T00:00:00Z", "known": True,
        }  # fmt: skip
        _, body, _ = await one.get(path + "2025-12-15T00:00:00Z")
        assert body["rungs"]["climb"] == {"rung": None, "since": None, "known": False}


async def test_ladders_are_summed_over_all_workers_and_say_what_is_missing() -> None:
    async with workers([0, 1], [2], [3]) as (one, other, third):
        _, body, _ = await other.get("/v1/ladders")
        assert (body["complete"], body["missing"], body["today"]) == (True, [], "2026-03-01")
        rungs = {rung["id"]: rung["customers"] for rung in body["ladders"][0]["rungs"]}
        assert rungs == {"low": 40, "high": 6}
        assert body["ladders"][0]["customers"] == 46
        one.local.restoring = {1}
        await third.stop()
        for path in ("/v1/ladders", "/v1/ladders/climb"):
            _, body, _ = await other.get(path)
            assert (body["complete"], body["missing"]) == (False, [1, 3])


async def test_a_ladder_has_its_definition_and_the_moves_of_the_days_asked_for() -> None:
    async with workers([0, 1], [2, 3]) as (one, _):
        _, body, _ = await one.get("/v1/ladders/climb")
        assert [rung["when"] for rung in body["rungs"]] == ["inquiries >= 1", "purchases >= 1"]
        assert body["moves"] == [
            {"day": "2026-03-01", "from": None, "to": "low", "direction": "up", "count": 8},
            {"day": "2026-03-01", "from": "low", "to": "high", "direction": "up", "count": 4},
        ]
        assert body["rungs"][0]["median_held_seconds"] == pytest.approx(1.1**29.5, rel=0.05)
        _, body, _ = await one.get("/v1/ladders/climb?days=41")
        assert body["moves"][0]["day"] == "2026-01-20"
        assert (await one.get("/v1/ladders/climb/definition"))[1].startswith("id: climb\n")


async def test_the_census_is_told_once_every_partition_has_one() -> None:
    async with workers([0, 1], [2, 3]) as (one, other):
        one.local.census = census(100)
        _, body, _ = await one.get("/v1/ladders/climb")
        assert (body["census"]["complete"], body["rungs"][0]["revenue"]) == (False, None)
        other.local.census = census(1)
        _, body, _ = await one.get("/v1/ladders/climb")
        assert (body["census"]["complete"], body["rungs"][0]["revenue"]) == (True, 202)
        assert body["rungs"][1]["revenue"] == 0


async def test_a_median_comes_with_its_number_of_cases_and_is_null_of_fewer_than_five() -> None:
    """Here three stays ended in each partition, and two customers stand there."""
    async with workers([0, 1, 2, 3]) as (one,):
        one.local.census = census(1)
        _, body, _ = await one.get("/v1/ladders/climb")
        low, high = body["rungs"]
        assert low["held_cases"] == 12
        assert low["median_standing_seconds"] == pytest.approx(1.1**9.5 - 1, abs=0.5)
        assert low["standing_cases"] == 8
        assert (high["median_held_seconds"], high["held_cases"]) == (None, 0)
        assert (high["median_standing_seconds"], high["standing_cases"]) == (None, 0)
        one.local.restoring = {2, 3}
        _, body, _ = await one.get("/v1/ladders/climb")
        assert body["rungs"][0]["held_cases"] == 6
        assert body["rungs"][0]["median_held_seconds"] is not None
        assert body["rungs"][0]["standing_cases"] is None
        one.local.restoring = {1, 2, 3}
        _, body, _ = await one.get("/v1/ladders/climb")
        assert body["rungs"][0]["held_cases"] == 3
        assert body["rungs"][0]["median_held_seconds"] is None


@pytest.mark.parametrize(("counted", "told"), [((4,), None), ((5,), 0), ((2, 3), 0)])
def test_five_cases_are_the_fewest_that_have_a_median(
    counted: tuple[int, ...], told: int | None
) -> None:
    assert median({0: count} for count in counted) == (told, sum(counted))


@pytest.mark.parametrize("limit", [1, 3, 7, 1000])
async def test_pages_give_everybody_on_a_rung_once_whoever_is_asked(limit: int) -> None:
    async with workers([0, 2], [1, 3]) as pair:
        found: list[str] = []
        cursor: str | None = ""
        asked = 0
        while cursor is not None:
            path = f"/v1/ladders/climb/customers?rung=low&limit={limit}"
            status, body, _ = await pair[asked % 2].get(path + (cursor and f"&cursor={cursor}"))
            assert (status, body["complete"]) == (200, True)
            assert len(body["customers"]) <= limit
            found += [each["customer_id"] for each in body["customers"]]
            cursor, asked = body["next"], asked + 1
        assert sorted(found) == [f"{p}/c-{n}" for p in range(4) for n in range(5)]


async def test_a_page_says_which_partitions_did_not_answer() -> None:
    async with workers([0, 2], [1, 3]) as (one, other):
        other.local.restoring = {3}
        _, body, _ = await one.get("/v1/ladders/climb/customers?rung=low")
        assert (body["complete"], body["missing"], len(body["customers"])) == (False, [3], 15)
        await other.stop()
        _, body, _ = await one.get("/v1/ladders/climb/customers?rung=low")
        assert (body["missing"], len(body["customers"])) == ([1, 3], 10)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/ladders/nothing", 404),
        ("/v1/ladders/nothing/definition", 404),
        ("/v1/ladders/climb?days=0", 400),
        ("/v1/ladders/climb?days=401", 400),
        ("/v1/ladders/climb?days=%D9%A1", 400),
        ("/v1/ladders/climb?days=1&days=2", 400),
        ("/v1/ladders/climb/customers", 400),
        ("/v1/ladders/climb/customers?rung=none", 404),
        ("/v1/ladders/climb/customers?rung=low&limit=1001", 400),
        ("/v1/ladders/climb/customers?rung=low&cursor=%21", 400),
        ("/v1/ladders/climb/customers?rung=low&cursor=AAQ", 400),
        ("/v1/customers/a/history?at=yesterday", 400),
        ("/v1/partitions?ladder=none", 404),
    ],
)
async def test_what_does_not_fit_is_a_problem(path: str, status: int) -> None:
    async with workers(range(4)) as (one,):
        got, body, headers = await one.get(path)
        assert (got, body["status"]) == (status, status)
        assert headers["Content-Type"] == "application/problem+json"
