"""The topics that the product needs, and what it says about those it finds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.settings import Settings, load
from app.stream.topics import (
    DAY_MS,
    Found,
    Topic,
    declared,
    differences,
    problems,
    with_copies,
)


@pytest.fixture
def settings() -> Settings:
    return load({"LADDER_PARTITIONS": "4", "LADDER_RETENTION_DAYS": "90"}, dotenv=None)


@pytest.fixture
def topics(settings: Settings) -> tuple[Topic, ...]:
    return declared(settings, ["need", "raving-fan"])


def as_declared(topics: tuple[Topic, ...]) -> dict[str, Found]:
    return {topic.name: Found(topic.partitions, topic.config) for topic in topics}


def named(topics: tuple[Topic, ...], name: str) -> Topic:
    return next(topic for topic in topics if topic.name == name)


def test_they_are_those_of_the_contract_with_one_change_topic_per_ladder(
    topics: tuple[Topic, ...],
) -> None:
    assert [(topic.name, topic.direction) for topic in topics] == [
        ("commerce.purchases", "in"),
        ("commerce.signups", "in"),
        ("commerce.reviews", "in"),
        ("commerce.referrals", "in"),
        ("commerce.interactions", "in"),
        ("commerce.profiles", "in"),
        ("loyalty.stage-changes.need", "out"),
        ("loyalty.stage-changes.raving-fan", "out"),
        ("loyalty.dead-letters", "out"),
        ("loyalty.handovers", "internal"),
        ("loyalty-customers-changelog", "internal"),
    ]


def test_all_have_the_same_number_of_partitions(topics: tuple[Topic, ...]) -> None:
    assert {topic.partitions for topic in topics} == {4}


def test_the_changelog_is_compacted_and_nothing_else_is(topics: tuple[Topic, ...]) -> None:
    assert [topic.name for topic in topics if topic.compacted] == ["loyalty-customers-changelog"]


def test_stage_changes_are_kept_for_the_days_that_are_set(topics: tuple[Topic, ...]) -> None:
    changes = named(topics, "loyalty.stage-changes.need")
    assert changes.config["retention.ms"] == str(90 * DAY_MS)


def test_handovers_are_kept_for_seven_days(topics: tuple[Topic, ...]) -> None:
    assert named(topics, "loyalty.handovers").config["retention.ms"] == str(7 * DAY_MS)


def test_a_replayed_history_is_not_older_than_retention_when_it_arrives(
    topics: tuple[Topic, ...],
) -> None:
    assert {
        topic.config.get("message.timestamp.type") for topic in topics if topic.kind == "input"
    } == {"LogAppendTime"}


def test_a_dead_letter_fits_where_its_record_did(topics: tuple[Topic, ...]) -> None:
    letters = int(named(topics, "loyalty.dead-letters").config["max.message.bytes"])
    largest = max(int(t.config["max.message.bytes"]) for t in topics if t.kind == "input")
    assert letters >= largest + 65_536


@pytest.mark.parametrize(("copies", "needed"), [(1, None), (2, None), (3, "2"), (5, "2")])
def test_with_three_copies_two_must_have_every_record(
    topics: tuple[Topic, ...], copies: int, needed: str | None
) -> None:
    assert with_copies(topics[0], copies).get("min.insync.replicas") == needed


def test_nothing_is_wrong_with_topics_as_declared(topics: tuple[Topic, ...]) -> None:
    found = as_declared(topics)
    assert problems(topics, found) == []
    assert differences(topics, found) == []


def test_each_topic_that_is_missing_is_named_with_the_way_out(topics: tuple[Topic, ...]) -> None:
    found = as_declared(topics)
    del found["commerce.reviews"], found["loyalty.handovers"]
    missing = problems(topics, found)
    assert [sentence.split()[0] for sentence in missing] == [
        "commerce.reviews",
        "loyalty.handovers",
    ]
    assert all("`ladder topics create`" in each for each in missing)


def test_a_wrong_number_of_partitions_is_named_with_both_ways_out(
    topics: tuple[Topic, ...],
) -> None:
    found = as_declared(topics)
    found["commerce.reviews"] = replace(found["commerce.reviews"], partitions=1)
    (wrong,) = problems(topics, found)
    assert wrong.startswith("commerce.reviews has 1 partition and must have 4")
    assert "LADDER_PARTITIONS=1" in wrong


@pytest.mark.parametrize(
    ("name", "cleanup", "harm"),
    [
        ("commerce.purchases", "compact", "all but the last record"),
        ("commerce.purchases", "compact,delete", "all but the last record"),
        ("loyalty.dead-letters", "compact", "all but the last record"),
        ("loyalty-customers-changelog", "delete", "while they are needed"),
        ("loyalty-customers-changelog", "compact,delete", "while they are needed"),
    ],
)
def test_a_cleanup_that_would_do_harm_is_named_with_the_harm(
    topics: tuple[Topic, ...], name: str, cleanup: str, harm: str
) -> None:
    found = as_declared(topics)
    found[name] = replace(found[name], config={"cleanup.policy": cleanup})
    (wrong,) = problems(topics, found)
    assert name in wrong
    assert harm in wrong


@pytest.mark.parametrize("kind", ["changes", "handovers", "changelog"])
def test_a_topic_that_takes_less_than_a_worker_may_have_to_write_is_named(
    topics: tuple[Topic, ...], kind: str
) -> None:
    """A stage change, a customer's record, a merge: of one record up to a million bytes."""
    found = as_declared(topics)
    small = next(topic for topic in topics if topic.kind == kind)
    for size, wrong in ((999_999, 1), (1_000_000, 0), (1_048_588, 0)):
        config = {**small.config, "max.message.bytes": str(size)}
        sentences = problems(topics, found | {small.name: Found(4, config)})
        assert len(sentences) == wrong
        assert all(f"{small.name} has max.message.bytes={size}" in said for said in sentences)


def test_what_producers_write_and_what_can_be_left_out_may_be_as_small_as_one_likes(
    topics: tuple[Topic, ...],
) -> None:
    found = as_declared(topics)
    for topic in topics:
        if topic.kind in ("input", "dead letters"):
            found[topic.name] = Found(4, {**topic.config, "max.message.bytes": "70000"})
    assert problems(topics, found) == []


def test_what_may_not_be_asked_is_taken_for_right(topics: tuple[Topic, ...]) -> None:
    found = {name: replace(there, config={}) for name, there in as_declared(topics).items()}
    assert problems(topics, found) == []


def test_another_retention_is_a_difference_and_no_problem(topics: tuple[Topic, ...]) -> None:
    found = as_declared(topics)
    found["commerce.reviews"] = replace(
        found["commerce.reviews"], config={"retention.ms": "-1", "cleanup.policy": "delete"}
    )
    assert problems(topics, found) == []
    assert differences(topics, found) == [
        f"commerce.reviews has retention.ms=-1, not {30 * DAY_MS}"
    ]
