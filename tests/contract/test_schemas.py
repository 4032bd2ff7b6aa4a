"""Schemas, examples and code say the same of every event."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from app.core.events import REASONS, TYPES, Event, Refused
from app.core.instants import parse_instant
from app.settings import INPUTS
from app.wire import stage_change
from app.wire.classify import classify
from app.wire.cloudevents import decode
from tests.property.written import TIMES, encode_data, events

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
OUT = "loyalty.stage.changed"


@cache
def schema(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{kind}.json").read_text("utf-8"))
    return found


@cache
def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(schema(kind))


def examples(sort: str, *, out: bool = False) -> list[Any]:
    paths = sorted((SCHEMAS / "examples").glob(f"*/{sort}/*.json"))
    chosen = [path for path in paths if (path.parent.parent.name == OUT) is out]
    return [pytest.param(path, id=f"{path.parent.parent.name}/{path.stem}") for path in chosen]


def takes(whole: Any) -> bool:
    value = json.dumps(whole).encode()
    found = decode(value, keyed=False)
    assert repr(found) == repr(classify(value, None, (), keyed=False))  # by the quick way or not
    return isinstance(found, Event)


def test_there_is_one_schema_for_each_type_of_event_and_no_other() -> None:
    assert {path.stem for path in SCHEMAS.glob("*.json")} == {*TYPES, OUT}


@pytest.mark.parametrize("kind", [*TYPES, OUT])
def test_every_schema_is_a_schema_and_has_good_and_bad_examples(kind: str) -> None:
    Draft202012Validator.check_schema(schema(kind))
    assert schema(kind)["title"] == schema(kind)["properties"]["type"]["const"] == kind
    for sort in ("good", "bad"):
        assert list((SCHEMAS / "examples" / kind / sort).glob("*.json"))


@pytest.mark.parametrize("path", examples("good"))
def test_every_good_example_is_taken_by_schema_and_code(path: Path) -> None:
    whole = json.loads(path.read_text("utf-8"))
    validator(path.parent.parent.name).validate(whole)
    found = decode(path.read_bytes(), keyed=False)
    assert isinstance(found, Event), found
    assert found.type == path.parent.parent.name


@pytest.mark.parametrize("path", examples("bad"))
def test_every_bad_example_is_refused_for_the_reason_in_its_name(path: Path) -> None:
    found = decode(path.read_bytes(), keyed=False)
    assert isinstance(found, Refused), found
    assert found.reason == path.name.split(".")[0]
    assert found.reason in REASONS
    # Some faults are beyond what a schema can say; their names admit it.
    whole = json.loads(path.read_text("utf-8"))
    assert validator(path.parent.parent.name).is_valid(whole) is (".beyond-schema." in path.name)


LAX = {("clock.advanced", "subject"), ("clock.advanced", "data_base64")}
"""What does not matter in an event that concerns nobody."""


def test_the_envelope_is_the_same_in_all_events_in() -> None:
    def envelope(kind: str) -> dict[str, Any]:
        return {
            name: field
            for name, field in schema(kind)["properties"].items()
            if name not in {"type", "data"} and (kind, name) not in LAX
        }

    first = envelope("purchase.completed")
    for kind in TYPES:
        assert envelope(kind) == {name: first[name] for name in envelope(kind)}


def test_topics_named_are_those_that_are_configured_by_default() -> None:
    named = {schema(kind).get("x-topic") for kind in TYPES} - {None}
    assert named == set(INPUTS.split(","))


def boundaries() -> Iterator[Any]:
    """Every limit of every schema: the fullest example at the limit, and one step beyond it."""
    for kind in TYPES:
        for place in ("", "data"):
            properties = schema(kind)["properties"]
            for name, field in (
                (properties["data"] if place else schema(kind)).get("properties", {}).items()
            ):
                for at, beyond in _limits(field):
                    yield pytest.param(
                        kind, place, name, at, beyond, id=f"{kind}-{name}-{beyond!r:.12}"
                    )


def _limits(field: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    if "pattern" not in field and "maxLength" in field:
        yield "x" * field["maxLength"], "x" * (field["maxLength"] + 1)
    if "pattern" not in field and "minLength" in field:
        yield "x" * field["minLength"], "x" * (field["minLength"] - 1)
    if "maximum" in field:
        yield field["maximum"], field["maximum"] + 1
    if "minimum" in field:
        yield field["minimum"], field["minimum"] - 1
    if "maxProperties" in field:
        most = field["maxProperties"]
        yield {f"{n}": n for n in range(most)}, {f"{n}": n for n in range(most + 1)}
    for one in field.get("enum", ()):
        yield one, "x"
    kinds = field.get("type", [])
    if "null" in ([kinds] if isinstance(kinds, str) else kinds):
        yield None, []


@pytest.mark.parametrize(("kind", "place", "name", "at", "beyond"), list(boundaries()))
def test_every_limit_of_a_schema_is_the_codes_limit(
    kind: str, place: str, name: str, at: Any, beyond: Any
) -> None:
    def with_value(value: Any) -> Any:
        whole = json.loads(example(kind))
        if place:
            whole["data"] = {**whole.get("data", {}), name: value}
            if value is None and name == "amount":
                whole["data"].pop("currency")
            if value is None and name == "currency":
                whole["data"].pop("amount")
        elif name == "data" in whole and value is None:
            encode_data(whole, absent=False)
        else:
            whole[name] = value
        return whole

    assert validator(kind).is_valid(with_value(at))
    assert takes(with_value(at))
    assert not validator(kind).is_valid(with_value(beyond))
    assert not takes(with_value(beyond))


def example(kind: str) -> str:
    folder = SCHEMAS / "examples" / kind / "good"
    path = folder / "full.json"
    return (path if path.exists() else min(folder.glob("*.json"))).read_text("utf-8")


@pytest.mark.parametrize("kind", list(TYPES))
def test_what_a_schema_requires_the_code_requires_and_nothing_else(kind: str) -> None:
    whole = json.loads(example(kind))
    for name in list(whole):
        rest = {other: item for other, item in whole.items() if other != name}
        if name != "type":
            assert takes(rest) is validator(kind).is_valid(rest), name
    for name in whole.get("data", {}):
        data = {other: item for other, item in whole["data"].items() if other != name}
        rest = {**whole, "data": data}
        assert takes(rest) is validator(kind).is_valid(rest), name


@st.composite
def near_times(draw: st.DrawFn) -> str:
    """Draw times, right and wrong; none on whose fault a schema must keep silent (README, 1)."""
    year = draw(st.sampled_from(["0001", "1968", "1971", "2026", "2198", "2201", "9999", "12026"]))
    month = draw(st.sampled_from(["00", "01", "12", "13", "1"]))
    day = draw(st.sampled_from(["00", "01", "28", "32", "1"]))
    hour = draw(st.sampled_from(["00", "09", "23", "24", "9"]))
    second = draw(st.sampled_from(["00", "59", "61", ""]))
    fraction = draw(st.sampled_from(["", ".5", ".123456789", ".", ",5"]))
    zone = draw(st.sampled_from(["Z", "z", "+07:00", "-23:59", "+24:00", "+0700", ""]))
    between = draw(st.sampled_from(["T", "t", " "]))
    return f"{year}-{month}-{day}{between}{hour}:30:{second}{fraction}{zone}"


@given(near_times())
def test_a_time_is_right_to_the_schema_where_it_is_right_to_the_code(text: str) -> None:
    pattern = schema("purchase.completed")["properties"]["time"]["pattern"]
    assert (re.search(pattern, text) is not None) is (parse_instant(text) is not None)


def beyond_schema(whole: dict[str, Any]) -> bool:
    """Whether an event is wrong in a way that schemas cannot say (schemas/README.md)."""
    data, encoded = whole.get("data"), whole.get("data_base64")
    if isinstance(encoded, str) and encoded:
        return True
    if not isinstance(data, dict):
        return False
    if whole["type"] == "profile.merged":
        return data.get("into") == whole.get("subject")
    if whole["type"] == "profile.placed":
        until = data.get("until")
        time = whole.get("time")
        return isinstance(until, str) and until in TIMES and time in TIMES
    return False


@given(events())
def test_what_a_schema_takes_the_code_takes_and_the_other_way_round(whole: dict[str, Any]) -> None:
    kind = whole.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        assert not takes(whole)
    elif not beyond_schema(whole) and "2026-02-30T00:00:00Z" not in str(whole):
        assert takes(whole) is validator(kind).is_valid(whole)


@pytest.mark.parametrize("path", examples("good", out=True))
def test_every_good_stage_change_is_what_the_code_writes(path: Path) -> None:
    whole = json.loads(path.read_text("utf-8"))
    validator(OUT).validate(whole)
    written = stage_change.encode(stage_change.decode(path.read_bytes()))
    assert written.decode() == json.dumps(whole, separators=(",", ":"), ensure_ascii=False)


@pytest.mark.parametrize("path", examples("bad", out=True))
def test_every_bad_stage_change_is_refused_by_its_schema(path: Path) -> None:
    assert not validator(OUT).is_valid(json.loads(path.read_text("utf-8")))


def test_the_schema_of_a_stage_change_names_every_field_that_is_written_and_no_other() -> None:
    written = json.loads(stage_change.encode(stage_change.decode(example(OUT).encode())))
    properties = schema(OUT)["properties"]
    assert list(properties) == list(written) == schema(OUT)["required"]
    assert list(properties["data"]["properties"]) == list(written["data"])
    assert schema(OUT)["properties"]["data"]["required"] == list(written["data"])


@pytest.mark.parametrize("kind", [*TYPES, OUT])
def test_every_field_says_what_it_means(kind: str) -> None:
    def silent(found: dict[str, Any], path: str) -> Iterator[str]:
        for name, field in found.get("properties", {}).items():
            if not field.get("description"):
                yield f"{path}{name}"
            yield from silent(field, f"{path}{name}.")

    assert schema(kind)["description"]
    assert list(silent(schema(kind), "")) == []
