"""What a record from an input topic is: an event, or refused, and then why.

This is the definition; `app.wire.cloudevents` has a quicker way for the usual case. The faults are
looked for in the order of contract section 2, *Dead letters*. No message quotes what may be about a
person: ids, texts and values of attributes are described by kind and length.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.core.events import TYPES, ClockAdvanced, Data, Event, Refused
from app.core.instants import parse_instant
from app.wire import json_text
from app.wire.fields import MAX_CUSTOMER_ID, MAX_TEXT, Unfit, describe, read_data

MAX_BYTES = 64 * 1024
"""The longest value of a record that is looked at."""

Headers = Sequence[tuple[str, bytes | None]]


class _Said(NamedTuple):
    """What an event says beside its envelope: `data`, or its JSON in base64."""

    data: object
    encoded: object = None

    def read(self) -> object:
        """Return the data. Raises Unfit."""
        if self.encoded is None:
            return self.data
        # Python 3.11 takes padding after what needs none.
        if not isinstance(self.encoded, str) or _TOO_MUCH_PADDING.fullmatch(self.encoded):
            raise _unfit(self.encoded)
        try:
            return json_text.parse(b64decode(self.encoded, validate=True))
        except ValueError as error:
            raise _unfit(self.encoded) from error
        except json_text.NotJson as error:
            raise Unfit("data_base64", "the base64 of JSON", f"what is none: {error}") from error


_TOO_MUCH_PADDING = re.compile(r"(?:[^=]{4})*=+")


def _unfit(encoded: object) -> Unfit:
    return Unfit("data_base64", "the base64 of JSON", describe(encoded))


_REQUIRED = ("specversion", "type", "id", "source", "time", "subject")
_BINARY_MARKS = frozenset({"ce_specversion", "ce_id", "ce_type"})
_TELLING = frozenset({"content-type", *(f"ce_{name}" for name in _REQUIRED)})
_MOST_OF_ONE = 4 * MAX_TEXT
"""Bytes; no attribute that may be is longer."""
_QUOTED = 48


def is_binary(headers: Headers) -> bool:
    """Whether the attributes are in the headers (CloudEvents Kafka binding, binary mode)."""
    binary = False
    for name, content in headers:
        lower = name.lower()
        if lower == "content-type":
            if content is not None and _is_structured(content):
                return False
        elif lower in _BINARY_MARKS:
            binary = True
    return binary


def essential(headers: Headers) -> Headers:
    """Return those headers that say what a record is: a few short ones.

    Of an event that was taken: whoever reads it with these alone reads the same.
    """
    kept: dict[str, tuple[str, bytes]] = {}
    for name, content in headers:
        lower = name.lower()
        if content is None or lower not in _TELLING:
            continue
        if lower != "content-type" or "content-type" not in kept or _is_structured(content):
            kept[lower] = (name, content[:_MOST_OF_ONE])
    return tuple(kept.values())


def _is_structured(content_type: bytes) -> bool:
    return content_type.lower().startswith(b"application/cloudevents")


def classify(
    value: bytes | None, key: bytes | None, headers: Headers, *, keyed: bool
) -> Event | Refused:
    """Decode a record, or say why it cannot be. Never raises, whatever the bytes."""
    binary = is_binary(headers)
    if binary and not value:
        return _judge(_from_headers(headers), _Said(None), key, keyed=keyed)
    if value is None:
        return Refused("not-json", "the value is null; a structured CloudEvent expected")
    if len(value) > MAX_BYTES:
        return Refused("too-large", f"{len(value)} bytes; at most {MAX_BYTES} are taken")
    try:
        parsed = json_text.parse(value)
    except json_text.NotJson as error:
        return Refused("not-json", str(error))
    if binary:
        return _judge(_from_headers(headers), _Said(parsed), key, keyed=keyed)
    if not isinstance(parsed, dict):
        return Refused("not-an-event", f"a JSON object expected, found {describe(parsed)}")
    said = _Said(parsed.get("data"), parsed.get("data_base64"))
    return _judge(parsed, said, key, keyed=keyed)


def _from_headers(headers: Headers) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, content in headers:
        lower = name.lower()
        if lower.startswith("ce_") and content is not None:
            try:
                found[lower[3:]] = content.decode("utf-8")
            except UnicodeDecodeError:
                found[lower[3:]] = content  # no text, so no attribute will take it
    return found


def _judge(
    attributes: Mapping[str, object], said: _Said, key: bytes | None, *, keyed: bool
) -> Event | Refused:
    kind_name = attributes.get("type")
    personal = kind_name != ClockAdvanced.type
    fault = _envelope_fault(attributes, personal=personal)
    if fault is None and said.data is not None and said.encoded is not None:
        fault = "data, data_base64: one of them expected, found both"
    if fault is not None:
        return Refused("not-an-event", fault)
    kind = TYPES.get(str(kind_name))
    if kind is None:
        return Refused("unknown-type", f"type: {_quote(kind_name)} is no type of event known here")
    subject = str(attributes["subject"]) if personal else ""
    if personal and keyed and key != subject.encode("utf-8"):
        return Refused("key-mismatch", _key_fault(key))
    return _event(kind, attributes, subject, said)


def _event(
    kind: type[Data], attributes: Mapping[str, object], subject: str, said: _Said
) -> Event | Refused:
    for name in ("id", "source"):
        if len(str(attributes[name])) > MAX_TEXT:
            return Refused("bad-data", _envelope_words(name, attributes[name], f"1 to {MAX_TEXT}"))
    time = parse_instant(str(attributes["time"]))
    assert time is not None  # the envelope was checked
    try:
        read = kind() if kind is ClockAdvanced else read_data(kind, said.read(), subject, time)
    except Unfit as error:
        return Refused("bad-data", str(error))
    return Event(str(attributes["source"]), str(attributes["id"]), subject, time, read)


def _envelope_fault(attributes: Mapping[str, object], *, personal: bool) -> str | None:
    for name in _REQUIRED if personal else _REQUIRED[:-1]:
        found = attributes.get(name)
        if not isinstance(found, str) or not found:
            return f"{name}: text expected, found {describe(found)}"
        if name == "specversion" and found != "1.0":
            return f"specversion: 1.0 expected, found {_quote(found)}"
        if name == "time" and parse_instant(found) is None:
            return (
                "time: an RFC 3339 time with an offset, years 1970 to 2199, expected, "
                f"found {_quote(found)}"
            )
        if name == "subject" and len(found) > MAX_CUSTOMER_ID:
            return _envelope_words(name, found, f"1 to {MAX_CUSTOMER_ID}")
    return None


def _envelope_words(name: str, found: object, lengths: str) -> str:
    return f"{name}: text of {lengths} characters expected, found {describe(found)}"


def _key_fault(key: bytes | None) -> str:
    found = "no key" if key is None else f"another key, of {len(key)} bytes"
    return f"the Kafka key must be the UTF-8 bytes of the subject, found {found}"


def _quote(found: object) -> str:
    text = str(found)
    return repr(text if len(text) <= _QUOTED else text[:_QUOTED] + "...")
