"""schemas/asyncapi.yaml describes every topic that others read or write, as AsyncAPI has it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from app import settings
from app.core.events import REASONS, TYPES
from app.stream import topics
from app.wire import dead_letter
from tests.asyncapi.install import validator
from tests.contract.tools import or_skip

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "schemas" / "asyncapi.yaml"
WHOLE: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
DEFAULTS = settings.load({}, None)
LADDER = "{ladder}"
FOR_OTHERS = {
    topic.name: topic
    for topic in topics.declared(DEFAULTS, [LADDER])
    if topic.kind not in ("handovers", "changelog")
}


def say(file: Path) -> subprocess.CompletedProcess[str]:
    """What the official validator says of a file."""
    return subprocess.run(
        ["node", str(or_skip(validator)), str(file)], capture_output=True, text=True, check=False
    )


def test_the_official_validator_finds_nothing_to_say() -> None:
    said = say(FILE)
    assert (said.returncode, said.stdout) == (0, ""), said.stdout + said.stderr
    assert said.stderr.startswith(f"AsyncAPI {WHOLE['asyncapi']}, {len(WHOLE['operations'])} ")


def test_the_official_validator_would_find_a_fault(tmp_path: Path) -> None:
    wrong = {**WHOLE, "operations": {"take": {"action": "swallow"}}}
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(wrong))
    assert say(tmp_path / "wrong.yaml").returncode == 1


def test_every_topic_of_others_is_a_channel_as_it_is_made_and_no_other() -> None:
    channels = {channel["address"]: channel for channel in WHOLE["channels"].values()}
    assert set(channels) == set(FOR_OTHERS)
    for address, channel in channels.items():
        bound = channel["bindings"]["kafka"]
        config = FOR_OTHERS[address].config
        assert bound["partitions"] == FOR_OTHERS[address].partitions
        told = bound["topicConfiguration"]
        assert told["cleanup.policy"] == [config["cleanup.policy"]]
        assert str(told["retention.ms"]) == config["retention.ms"]
        assert str(told["max.message.bytes"]) == config["max.message.bytes"]


def test_inputs_are_received_by_the_group_and_the_rest_is_sent() -> None:
    done = {operation["channel"]["$ref"].rpartition("/")[2]: operation
            for operation in WHOLE["operations"].values()}  # fmt: skip
    assert set(done) == set(WHOLE["channels"])
    for name, operation in done.items():
        topic = FOR_OTHERS[WHOLE["channels"][name]["address"]]
        assert operation["action"] == ("receive" if topic.direction == "in" else "send")
        if topic.direction == "in":
            assert operation["bindings"]["kafka"]["groupId"]["const"] == DEFAULTS.app_id


def test_every_type_of_event_has_a_message_with_a_right_example() -> None:
    messages = WHOLE["components"]["messages"]
    assert set(TYPES) < set(messages)
    for kind in TYPES:
        schema = yaml.safe_load((ROOT / "schemas" / f"{kind}.json").read_text("utf-8"))
        assert messages[kind]["payload"]["schema"]["$ref"] == f"./{kind}.json"
        for example in messages[kind]["examples"]:
            Draft202012Validator(schema).validate(example["payload"])


def test_a_dead_letter_tells_every_header_that_the_code_writes() -> None:
    headers = WHOLE["components"]["messages"]["dead-letter"]["headers"]
    written = dead_letter.headers("bad-data", "why", "commerce.purchases", 3, 17)
    told = {name: (value or b"").decode() for name, value in written}
    Draft202012Validator(headers).validate(told)
    assert set(headers["required"]) == {name for name, _ in written}
    assert headers["properties"]["loyalty.reason"]["enum"] == list(REASONS)


def test_every_reference_leads_somewhere() -> None:
    for ref in references(WHOLE):
        if ref.startswith("./"):
            assert (FILE.parent / ref).is_file(), ref
            continue
        place = WHOLE
        for step in ref.removeprefix("#/").split("/"):
            place = place[step]
        assert place


def references(found: object) -> list[str]:
    if isinstance(found, dict):
        here = [found["$ref"]] if "$ref" in found else []
        return here + [ref for item in found.values() for ref in references(item)]
    return []
