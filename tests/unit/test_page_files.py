"""The page's files as they are served: whole, under a strict policy, nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from app.api.page import POLICY, START, add_page, files

FILES = files()
TEXTS = {name: file.body.decode() for name, file in FILES.items()}
NAMED = re.compile(r'from "\./([^"]+)"|(?:href|src)="page/([^"]+)"')
MARKUP = re.compile(r"\b(innerHTML|outerHTML|insertAdjacentHTML|eval\(|document\.write)")


@pytest.fixture
async def client() -> AsyncIterator[TestClient[web.Request, web.Application]]:
    application = web.Application()
    add_page(application)
    async with TestClient(TestServer(application)) as client:
        yield client


async def test_every_file_is_served_with_its_type_and_the_policy(
    client: TestClient[web.Request, web.Application],
) -> None:
    types = {"html": "text/html", "js": "text/javascript", "css": "text/css",
             "svg": "image/svg+xml"}  # fmt: skip
    assert len(FILES) > 20
    for name, file in FILES.items():
        async with client.get("/" if name == START else f"/page/{name}") as answer:
            assert answer.status == 200
            assert await answer.read() == file.body
            assert answer.content_type == types[name.rpartition(".")[2]]
            assert answer.headers["Content-Security-Policy"] == POLICY
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_who_has_a_file_already_is_told_so(
    client: TestClient[web.Request, web.Application],
) -> None:
    async with client.get("/page/main.js") as first:
        tag = first.headers["ETag"]
        assert first.headers["Cache-Control"] == "no-cache"
    async with client.get("/page/main.js", headers={"If-None-Match": f'"other", {tag}'}) as again:
        assert (again.status, await again.read()) == (304, b"")
    async with client.get("/page/main.js", headers={"If-None-Match": '"other"'}) as other:
        assert other.status == 200


async def test_no_other_file_can_be_had(client: TestClient[web.Request, web.Application]) -> None:
    for path in ("/page/", "/page/index.html", "/page/../__init__.py", "/page/%2e%2e/__init__.py"):
        async with client.get(path) as answer:
            assert answer.status == 404, path


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_the_page_runs_under_a_policy_that_forbids_what_is_written_into_it() -> None:
    tags = Tags()
    tags.feed(TEXTS[START])
    assert all("src" in attrs for tag, attrs in tags.seen if tag == "script")
    assert [tag for tag, _ in tags.seen if tag == "style"] == []
    inline = [name for _, attrs in tags.seen for name in attrs if re.match("style$|on", name)]
    assert inline == []
    assert "unsafe" not in POLICY
    for directive in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
        assert directive in POLICY
    for name, text in TEXTS.items():
        if name.endswith(".js"):
            assert not MARKUP.search(text), name


def test_nothing_is_fetched_from_elsewhere() -> None:
    for name, text in TEXTS.items():
        found = {*re.findall(r"""https?://[^\s"'<)]+""", text)}
        assert found <= {"http://www.w3.org/2000/svg"}, name


def test_what_a_file_names_is_there_and_each_file_is_named() -> None:
    named = {one or other for text in TEXTS.values() for one, other in NAMED.findall(text)}
    assert named == {*FILES} - {START}
