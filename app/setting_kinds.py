"""What the text of a setting may be: each function gives the value, or raises ValueError with a
message that ends the sentence "LADDER_X ...".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from app.core.instants import parse_instant

TOPIC_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")
_UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
YES = frozenset({"1", "true", "yes", "on"})
NO = frozenset({"0", "false", "no", "off"})


def text(value: str) -> str:
    return value


def token(value: str) -> str:
    if not re.fullmatch(r"[!-~]+", value):
        raise ValueError("must be printable ASCII without spaces: it travels in an HTTP header")
    return value


def whole(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", value) or not low <= int(value) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(value)

    return parse


def size(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        found = re.fullmatch(r"([0-9]{1,18})\s*(|KiB|MiB|GiB)", value)
        number = int(found[1]) * _UNITS[found[2]] if found else -1
        if not low <= number <= high:
            raise ValueError(
                f"must be bytes, or KiB, MiB or GiB such as 16MiB, from {written_size(low)} to "
                f"{written_size(high)}"
            )
        return number

    return parse


def written_size(number: int) -> str:
    """Return it in the greatest unit of which it is a whole number."""
    unit = [name for name, one in _UNITS.items() if number % one == 0][-1]
    return f"{number // _UNITS[unit]}{unit}"


def seconds(low: float, high: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value) or not low <= float(value) <= high:
            raise ValueError(f"must be seconds, from {low:g} to {high:g}")
        return float(value)

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        for choice in choices:
            if value.casefold() == choice.casefold():
                return choice
        raise ValueError(f"must be one of {', '.join(choices)}")

    return parse


def yes_no(value: str) -> bool:
    if value.casefold() in YES:
        return True
    if value.casefold() in NO:
        return False
    raise ValueError("must be true or false")


def brokers(value: str) -> str:
    """`host:port`, comma separated, as Kafka clients take it."""
    places = [place.strip() for place in value.split(",")]
    for place in places:
        host, _, port = place.rpartition(":")
        if not host or not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65536:
            raise ValueError(f"must be host:port, comma separated; {place!r} is not")
    return ",".join(places)


def topic_name(value: str) -> str:
    if not TOPIC_NAME.fullmatch(value) or value in {".", ".."}:
        raise ValueError("must be a topic name: up to 249 of A-Z a-z 0-9 . _ -")
    return value


def short_name(value: str) -> str:
    """A name that other topic names are built from, so shorter than a topic's."""
    topic_name(value)
    if len(value) > 150:
        raise ValueError("must have at most 150 characters: topic names are built from it")
    return value


def names(value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip())


def topic_names(value: str) -> tuple[str, ...]:
    found = names(value)
    if not found:
        raise ValueError("must name at least one topic")
    if len(set(found)) < len(found):
        raise ValueError("must not name a topic twice")
    return tuple(topic_name(name) for name in found)


def attributes(value: str) -> frozenset[str]:
    for name in names(value):
        if len(name) > 64:
            raise ValueError(f"must be names of at most 64 characters; {name[:20]!r}... is longer")
    return frozenset(names(value))


def timezone(value: str) -> str:
    """An IANA name that means the same on every machine."""
    if value in _HERE_ALONE or value.startswith(("posix/", "right/")):
        raise ValueError(
            f"must be an IANA time zone such as Asia/Ho_Chi_Minh; {value!r} is not the same on "
            "every machine"
        )
    try:
        return ZoneInfo(value).key
    except (KeyError, ValueError, OSError):
        meant = _zone_meant(value)
        hint = f"; did you mean {meant}?" if meant else ""
        raise ValueError(
            f"must be an IANA time zone such as Asia/Ho_Chi_Minh; {value!r} is not known here{hint}"
        ) from None


_HERE_ALONE = frozenset({"localtime", "posixrules", "Factory"})
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])0?([0-9]{1,2})(?::?00)?", re.IGNORECASE)
_OTHER_NAMES = {
    "hanoi": "Asia/Ho_Chi_Minh",
    "saigon": "Asia/Ho_Chi_Minh",
    "ict": "Asia/Ho_Chi_Minh",
}


def _zone_meant(value: str) -> str | None:
    if offset := _OFFSET.fullmatch(value):
        # Their names have the sign of POSIX: Etc/GMT-7 is seven hours ahead.
        meant = f"Etc/GMT{'-' if offset[1] == '+' else '+'}{offset[2]}"
        return meant if meant in available_timezones() else None
    wanted = value.casefold().replace(" ", "_")
    if wanted in _OTHER_NAMES:
        return _OTHER_NAMES[wanted]
    known = {name.casefold(): name for name in sorted(available_timezones() - _HERE_ALONE)}
    cities = {name.rpartition("/")[2]: name for name in known}
    close = get_close_matches(wanted, [*known, *cities], n=1, cutoff=0.8)
    return known[cities.get(close[0], close[0])] if close else None


def currency(value: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", value):
        raise ValueError("must be an ISO 4217 code: three capital letters")
    return value


def instant(value: str) -> int:
    """Microseconds since 1970, UTC."""
    found = parse_instant(value)
    if found is None:
        raise ValueError("must be a time with an offset, such as 2026-03-01T00:00:00Z")
    return found


def folder(value: str) -> Path:
    """A folder that may not be there yet."""
    path = Path(value)
    if path.exists() and not path.is_dir():
        raise ValueError(f"must be a folder; {value} is a file")
    return path


def existing_folder(value: str) -> Path:
    path = Path(value)
    if not path.is_dir():
        raise ValueError(f"must be a folder; there is none at {value}")
    return path


def existing_file(value: str) -> Path:
    path = Path(value)
    if not path.is_file():
        raise ValueError(f"must be a file; there is none at {value}")
    return path


def url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a URL such as http://10.0.0.5:6066")
    return value.rstrip("/")


def host(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:_-]+", value):
        raise ValueError("must be a host name or an address")
    return value


def is_loopback(name: str) -> bool:
    """Whether only this machine can reach what listens there."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_everywhere(name: str) -> bool:
    """Whether the address means every interface, so that nobody can be sent to it."""
    return name in {"0.0.0.0", "::"}  # noqa: S104  compared with, not bound to
