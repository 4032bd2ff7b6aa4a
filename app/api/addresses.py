"""The address of a worker: scheme, host and port. Each member of the group names its own."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}")


def origin(url: str) -> str | None:
    """Return `scheme://host:port` of a URL, in one way of writing; None for what has none.

    Whatever else stands in it is left out: where a member of the group says it is may not decide
    what others ask for there, or under whose name.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        if ":" in host:
            host = f"[{ipaddress.IPv6Address(host).compressed}]"
        elif not _NAME.fullmatch(host):
            return None
    except (ValueError, KeyError):
        return None
    return f"{parts.scheme}://{host}:{port}"


def is_origin(url: str) -> bool:
    """Tell whether a URL is an address and nothing more."""
    parts = urlsplit(url)
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    return origin(url) is not None and not more
