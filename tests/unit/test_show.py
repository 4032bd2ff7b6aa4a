"""`ladder show` prints what the API says, and says in one line what it does not say."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner, Result

from app.cli.show import show
from app.errors import ApiError

VIEW: dict[str, Any] = {
    "customer_id": "c 42/é",
    "as_of": "2026-03-01T09:30:00Z",
    "facts": {"purchases": 2},
    "ladders": {
        "raving-fan": {
            "rung": "customer",
            "since": "2026-03-01T09:30:00Z",
            "sequence": 3,
            "because": {"rule": "purchases >= 2", "facts": {"purchases": 2}},
            "next": {"rung": "member", "rule": "card != none", "facts": {"card": None}},
            "due": {"at": "2026-04-01T00:00:00Z", "to": None},
            "placed": None,
        },
        "rfm": {
            "rung": None,
            "since": None,
            "sequence": 0,
            "because": None,
            "next": None,
            "due": None,
            "placed": {"rung": "vip", "until": "2027-01-01T00:00:00Z"},
        },
    },
}


class Api(BaseHTTPRequestHandler):
    """Answers as told and remembers how it was asked."""

    asked: ClassVar[list[tuple[str, str | None]]] = []
    answer: ClassVar[tuple[int, bytes]] = (200, b"{}")

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization")))
        status, body = self.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Tests are quiet."""


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Api]]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("LADDER_API_URL", f"http://127.0.0.1:{server.server_port}")
        Api.asked.clear()
        Api.answer = (200, json.dumps(VIEW).encode())
        yield Api
        server.shutdown()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(show, arguments, catch_exceptions=False)


def test_a_customer_is_shown_with_why_and_what_comes_next(api: type[Api]) -> None:
    result = run("c 42/é")
    assert api.asked == [("/v1/customers?id=c%2042%2F%C3%A9", None)]
    assert "raving-fan" in result.stdout
    for said in (
        "customer",
        "purchases >= 2 (purchases = 2)",
        "card != none (card = none)",
        "none at 2026-04-01T00:00:00Z",
        "placed by hand until 2027-01-01T00:00:00Z",
    ):
        assert said in result.stdout, said
    assert "as of 2026-03-01T09:30:00Z" in result.stderr


def test_json_is_the_api_s_own_answer(api: type[Api]) -> None:
    assert json.loads(run("c-42", "--json").stdout) == VIEW


@pytest.mark.parametrize("amount", [2**53 + 1, 2**64, 10**25 + 1])
def test_a_number_of_any_size_keeps_its_digits(api: type[Api], amount: int) -> None:
    place = VIEW["ladders"]["raving-fan"] | {
        "because": {"rule": "spend > 1", "facts": {"spend": amount}}
    }
    view = VIEW | {"facts": {"spend": amount}, "ladders": {"raving-fan": place}}
    api.answer = (200, json.dumps(view).encode())
    assert f"spend > 1 (spend = {amount})" in run("c-42").stdout
    assert json.loads(run("c-42", "--json").stdout) == view


def test_the_token_goes_along(api: type[Api], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LADDER_API_TOKEN", "s3cret")
    run("c-42")
    assert api.asked[0][1] == "Bearer s3cret"


def test_a_problem_is_said_in_the_api_s_words(api: type[Api]) -> None:
    api.answer = (404, json.dumps({"detail": "nothing is known of this customer"}).encode())
    with pytest.raises(ApiError, match="nothing is known of this customer"):
        run("c-42")


def test_another_worker_s_customer_comes_with_its_address(api: type[Api]) -> None:
    problem = {"detail": "another worker has it", "url": "http://10.0.0.5:6066"}
    api.answer = (421, json.dumps(problem).encode())
    with pytest.raises(ApiError, match=r"another worker has it \(http://10.0.0.5:6066\)"):
        run("c-42")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"detail": 1', b""])
def test_what_is_no_problem_document_is_said_by_its_status(api: type[Api], body: bytes) -> None:
    api.answer = (502, body)
    with pytest.raises(ApiError, match="answered 502"):
        run("c-42")


def test_no_worker_at_all_is_said_with_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LADDER_API_URL", "http://127.0.0.1:9")
    with pytest.raises(ApiError, match="LADDER_API_URL"):
        run("c-42")
