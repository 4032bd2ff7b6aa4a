"""Asking a worker's API at LADDER_API_URL."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

import msgspec

from app.api import tls
from app.errors import ApiError
from app.settings import Settings

PATIENCE = 10.0
LONGEST_ANSWER = 16 * 1024 * 1024


def ask(settings: Settings, path: str) -> Any:
    """The JSON that the API gives for a path, with whole numbers of any size.

    Raises ApiError with what it said.
    """
    request = urllib.request.Request(settings.api_url + path)  # noqa: S310  the setting is checked
    if settings.api_token:
        request.add_header("Authorization", f"Bearer {settings.api_token}")
    # Between machines of ours no proxy belongs in between, and a token must not go through one.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=tls.asking(settings.api_cafile)),
    )
    try:
        with opener.open(request, timeout=PATIENCE) as answer:
            return msgspec.json.decode(answer.read(LONGEST_ANSWER))
    except urllib.error.HTTPError as error:
        raise ApiError(_said(error)) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise ApiError(
            f"no worker answers at {settings.api_url} (LADDER_API_URL): {reason}"
        ) from error


def _said(error: urllib.error.HTTPError) -> str:
    try:
        problem = msgspec.json.decode(error.read(LONGEST_ANSWER))
        url = f" ({problem['url']})" if problem.get("url") else ""
        return f"{problem['detail']}{url}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f"the API answered {error.code} {error.reason}"
