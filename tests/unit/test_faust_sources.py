"""The host overrides and leans on private parts of pinned libraries. When one of them changes, read
it again, see that our part still fits, and only then write its new digest here.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import textwrap

import pytest
from mode import Service

from app.stream.assignment import Assignment

DRIVER = "faust.transport.drivers.aiokafka"
OVERRIDDEN = {
    # What app.stream.intake replaces, and what it leans on in aiokafka.
    "faust.transport.consumer:Consumer.getmany": "4b168d84882a70d6",
    "faust.transport.consumer:Consumer._wait_next_records": "6218e1969a636b3f",
    "faust.transport.consumer:Consumer._drain_messages": "44a2500309e83c63",
    "faust.transport.consumer:Consumer.on_partitions_revoked": "d04b7ae72c6fc206",
    "faust.transport.consumer:Consumer.on_partitions_assigned": "29ce96596f05a18c",
    "faust.transport.consumer:Fetcher": "c922e4ab78d9e296",
    f"{DRIVER}:Consumer._new_consumer_thread": "0870ec53dea75083",
    f"{DRIVER}:Consumer.verify_event_path": "a17e8f0610e1abcb",
    f"{DRIVER}:ConsumerRebalanceListener": "f3d04f29dfb3f716",
    f"{DRIVER}:AIOKafkaConsumerThread.__post_init__": "913dc7c0d9578e2d",
    f"{DRIVER}:AIOKafkaConsumerThread._create_consumer": "a4dc6ba0681a298c",
    f"{DRIVER}:AIOKafkaConsumerThread._create_worker_consumer": "c2701bfc3e6f6cad",
    f"{DRIVER}:AIOKafkaConsumerThread._fetch_records": "39a2c6c79fc1455a",
    f"{DRIVER}:AIOKafkaConsumerThread.subscribe": "74f90b8c8cbc6384",
    "faust.transport.conductor:Conductor._update_tp_index": "e8e3ac9025ef44f7",
    "faust.transport.conductor:Conductor.on_partitions_assigned": "616e9729131cf0bb",
    "faust.streams:Stream._c_aiter": "fa44582a5882e9df",
    "mode.utils.queues:FlowControlQueue.force_put_nowait": "e029f3d278247909",
    "mode.utils.queues:FlowControlEvent": "1da8f905ab655e39",
    "mode.threads:MethodQueue": "d21c54e20ac6ea81",
    "aiokafka.consumer.fetcher:Fetcher.fetched_records": "be4348896b9b66af",
    "aiokafka.consumer.fetcher:Fetcher.seek_to": "f0ba6aba6c22ef83",
    "aiokafka.consumer.fetcher:Fetcher._proc_fetch_request": "59bf948fff47eed5",
    "aiokafka.consumer.fetcher:Fetcher._get_actions_per_node": "1dab2cf937d165d0",
    "aiokafka.consumer.fetcher:Fetcher._update_fetch_positions": "d7774d8241dc6a7e",
    "aiokafka.consumer.fetcher:FetchResult": "d7db13f06de8248c",
    "aiokafka.consumer.fetcher:PartitionRecords._unpack_records": "b803e6d46480732c",
    "aiokafka.consumer.subscription_state:TopicPartitionState": "2b83334afadf6d98",
    "aiokafka.consumer.group_coordinator:GroupCoordinator._on_join_prepare": "4d9524afc0ee2c2f",
    "aiokafka.consumer.group_coordinator:GroupCoordinator._on_join_complete": "0b0b3d204b408f3c",
    "aiokafka.consumer.group_coordinator:GroupCoordinator.ensure_active_group": "33c84c1a93012e81",
    # What app.stream.nodeless replaces.
    "aiokafka.client:AIOKafkaClient.coordinator_lookup": "19cc69fb75f8d667",
    # What app.stream.transaction leans on.
    "aiokafka.producer.sender:Sender.__init__": "dae60514401a3817",
    "aiokafka.producer.sender:Sender.start": "ef0a0cbbf1f69e7d",
    "aiokafka.producer.sender:Sender.sender_task": "2aa81bcdcedb2d20",
    "aiokafka.producer.sender:Sender._sender_routine": "2380dc5e333d9ebd",
    "aiokafka.producer.sender:BaseHandler.__init__": "a8ce19d6cbecc184",
    "aiokafka.producer.sender:AddPartitionsToTxnHandler.handle_response": "67266db24da2dfaf",
    "aiokafka.producer.transaction_manager:TransactionManager": "d0932794d69a6780",
    "aiokafka.producer.message_accumulator:BatchBuilder": "8050802ca7514186",
    "aiokafka.producer.message_accumulator:MessageAccumulator.add_batch": "5ed1c5b1367ad854",
    "aiokafka.producer.producer:AIOKafkaProducer.create_batch": "c4efda4bb7a09741",
    "aiokafka.producer.producer:AIOKafkaProducer.send_batch": "bf42b0f0c5c0646d",
    "aiokafka.producer.producer:AIOKafkaProducer.send_offsets_to_transaction": "4b58002b44962a5c",
    "aiokafka.producer.producer:AIOKafkaProducer.commit_transaction": "c7f9677c89413f97",
    # What app.stream.batches, opened and giant stand for; the compiled ones do the same.
    "aiokafka.consumer.fetcher:PartitionRecords.__init__": "8ec1c2ae6ea1af87",
    "aiokafka.record.memory_records:_MemoryRecordsPy": "795a0314fbca30af",
    "aiokafka.record.default_records:_DefaultRecordBatchPy": "f63fbb5a8a247d54",
    "aiokafka.record.default_records:DefaultRecordBase": "9420f64617b701e1",
    "aiokafka.record.legacy_records:_LegacyRecordBatchPy": "22235cc4483e57d9",
    # What app.stream.changelog replaces; also _proc_fetch_request and _unpack_records, above.
    "aiokafka.consumer.fetcher:PartitionRecords._consumer_record": "e668541600b047ab",
    # What app.stream.host replaces.
    "faust.app.base:BootStrategy.kafka_producer": "54a789df64f66255",
    "faust.app.base:App._new_transport": "42db531312dd776f",
    "faust.app.base:App._new_web": "9558ffdcacfa13bd",
    "faust.app.base:App._create_directories": "a9f571c3b04abec3",
    "faust.app.base:App._on_partitions_revoked": "d5c895bbe57dc73a",
    "faust.app.base:App._on_partitions_assigned": "de932b7927db85b3",
    "faust.app.base:App._stop_consumer": "55854a5de12c3f52",
    "faust.assignor.partition_assignor:PartitionAssignor._metadata": "966368ad7e0cd58b",
    "faust.assignor.partition_assignor:PartitionAssignor.on_assignment": "72f34bf053d696b5",
    "faust.assignor.partition_assignor:PartitionAssignor._perform_assignment": "1e0bf2c5c8f42574",
    "faust.tables.manager:TableManager.recovery": "f0bf5de78b4c3d23",
    "faust.tables.manager:TableManager.on_start": "365dd25fbc0e0684",
    "faust.tables.manager:TableManager.on_stop": "351be149c0360de5",
    "faust.tables.manager:TableManager.on_rebalance": "2d2c23a07bf54328",
    "faust.tables.manager:TableManager._update_channels": "88e3941facc934d6",
    "faust.web.base:Web._enabled_blueprints": "0a5b53f233d4d571",
    "faust.web.drivers.aiohttp:Web._create_site": "7661e68de0f1b2ed",
    "faust.web.drivers.aiohttp:Web.start_server": "b0c4f10491828520",
    # What app.stream.assignment does in its place.
    "faust.tables.recovery:Recovery._resume_streams": "d986a6710c1aca98",
    "faust.tables.recovery:Recovery.on_rebalance": "aa4d997a1795ceae",
}


def digest(place: str) -> str:
    module, _, path = place.partition(":")
    found: object = importlib.import_module(module)
    for name in path.split("."):
        found = inspect.getattr_static(found, name)
    found = getattr(found, "fget", None) or getattr(found, "__wrapped__", None) or found
    source = inspect.getsource(found)  # type: ignore[arg-type]
    return hashlib.sha256(source.encode()).hexdigest()[:16]


@pytest.mark.parametrize(("place", "known"), OVERRIDDEN.items())
def test_what_the_host_replaces_is_as_it_was_when_read(place: str, known: str) -> None:
    assert digest(place) == known, f"{place} has changed: read it, then note {digest(place)!r}"


def test_an_overridden_method_is_still_there_to_be_overridden() -> None:
    from app.stream import host, intake

    for ours in (
        intake.Consumer,
        intake.ConsumerThread,
        intake.RebalanceListener,
        host.LadderApp,
        host.Assignor,
        host.Tables,
        host.WebServer,
    ):
        theirs = ours.__mro__[1]
        private = {name for name in vars(ours) if name.startswith("_") and "__" not in name}
        own = {"_told", "_taken", "_answered", "_routes", "_answers", "_refuse_raised"}
        assert not {name for name in private - own if not hasattr(theirs, name)}, ours


def test_our_service_hides_nothing_of_the_service_it_is() -> None:
    """A private name that means something else to mode breaks it in ways hard to see."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(Assignment)))
    named = {node.name for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)}
    named |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    named |= {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    theirs = set(dir(Service)) | set(vars(Service()))
    assert named & theirs == {"__init__", "on_stop"}
