"""Faust as the host: its group, assignor, tables, agents and web server, with our parts in its
seams. Nothing of Faust connects to Kafka but the consumer built in `intake`.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import faust
from aiohttp.web import Application
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.structs import TopicPartition
from faust.app.base import BootStrategy
from faust.assignor.client_assignment import ClientAssignment, ClientMetadata
from faust.assignor.partition_assignor import PartitionAssignor
from faust.tables.manager import TableManager
from faust.web.drivers.aiohttp import Web

from app.api.door import Door, Runner
from app.api.shedding import Shedding
from app.errors import TopicsError
from app.stream.batches import Bounds
from app.stream.intake import FAUST, Consumer, ConsumerThread, Transport
from app.stream.share import Member, Share, share_out
from app.stream.topics import other_partitions

REBALANCE_SECONDS = 30.0
"""How long the group waits for a member at a rebalance; work in progress gets half of it."""
HEARTBEAT_SECONDS = 0.5
"""A member hears of a rebalance with its next heartbeat; until the last has heard, others wait."""
METADATA_SECONDS = 10.0
"""A topic whose partitions were raised is noticed after so long."""
STUCK_SECONDS = 60.0
"""A main loop that asked for nothing for so long leaves the group."""


class Boot(BootStrategy):
    """Faust's producer is not started: partitions bring their own, with transactions."""

    enable_kafka_producer = False


class Said(
    ClientMetadata,
    serializer="json",  # type: ignore[call-arg]  # Faust has no types
    include_metadata=False,
    namespace="@ClientMetadata",
):
    """As the original, and: where in the changelog the member's stores stand (by partition number),
    and in the answer, which of its copies it is to take over once they have caught up.
    """

    stands: Mapping[str, int] = cast(Mapping[str, int], None)
    warming: list[int] = cast(list[int], None)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.stands = self.stands or {}
        self.warming = self.warming or []


class Assignor(PartitionAssignor):
    """Faust's assignor, but for who gets what: that is `app.stream.share`.

    It sends the leader what it reads and no more. The original sends every member's view of all
    members with each join, which outgrows a group record with many partitions and workers.
    """

    warming: frozenset[int] = frozenset()

    @property
    def _metadata(self) -> Any:
        return Said(
            assignment=self._assignment,
            url=str(self._url),
            changelog_distribution={},
            external_topic_distribution={},
            topic_groups=self._topic_groups,
            stands={str(number): at for number, at in self.app.stands().items()},
        )

    def _perform_assignment(self, cluster: Any, member_metadata: Any) -> Any:
        """All topics have the same partitions and all members the same topics: the start sees to
        it. So there is one group of topics, and a partition number stands for all of them.
        """
        said = {name: Said.loads(each.user_data) for name, each in member_metadata.items()}
        topics = sorted({topic for each in member_metadata.values() for topic in each.subscription})
        self._refuse_raised(cluster, topics)
        self._update_member_urls(said)
        members = {
            name: Member(
                frozenset(number for some in each.assignment.actives.values() for number in some),
                {int(number): at for number, at in each.stands.items()},
            )
            for name, each in said.items()
        }
        shares = share_out(self.app.conf.topic_partitions, members, self.replicas)
        return self._answers(topics, shares)

    def _refuse_raised(self, cluster: Any, topics: Iterable[str]) -> None:
        """End the worker with what is wrong when a topic got more partitions while it ran.

        Until it has ended these are not seen; whoever leads next does the same.
        """
        wanted = self.app.conf.topic_partitions
        counts = {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in topics}
        wrong = [
            other_partitions(topic, count, wanted)
            for topic, count in counts.items()
            if count > wanted
        ]
        if wrong:
            stop = self.app.bring_up.stop_worker
            self.app.loop.call_soon_threadsafe(stop, TopicsError(wrong))

    def _answers(self, topics: list[str], shares: Mapping[str, Share]) -> Any:
        assignments = {
            name: ClientAssignment(
                actives={topic: sorted(share.actives) for topic in topics},
                standbys={topic: sorted(share.standbys) for topic in topics},
            )
            for name, share in shares.items()
        }
        distribution = self._get_changelog_distribution(assignments)
        return {
            name: ConsumerProtocolMemberAssignment(
                self.version,
                sorted(assignment.kafka_protocol_assignment(self._table_manager)),
                self._compress(
                    Said(
                        assignment=assignment,
                        url=self._member_urls[name],
                        changelog_distribution=distribution,
                        external_topic_distribution={},
                        topic_groups=dict.fromkeys(topics, 0),
                        warming=sorted(shares[name].warming),
                    ).dumps()
                ),
            )
            for name, assignment in assignments.items()
        }

    def on_assignment(self, assignment: Any) -> None:
        """As the original, but a static member may come back under another URL."""
        metadata = Said.loads(self._decompress(assignment.user_data))
        self._assignment = metadata.assignment
        self._topic_groups = dict(metadata.topic_groups)
        self._active_tps = self._assignment.active_tps
        self._standby_tps = self._assignment.standby_tps
        self.warming = frozenset(metadata.warming)
        self.changelog_distribution = metadata.changelog_distribution
        self.external_topic_distribution = metadata.external_topic_distribution
        given = sorted(assignment.assignment)
        said = sorted(self._assignment.kafka_protocol_assignment(self._table_manager))
        if given != said:
            raise RuntimeError(f"Kafka assigned {given!r}, the assignor {said!r}")


class Tables(TableManager):
    """Faust's tables, brought up by the app's own service instead of Faust's recovery."""

    logger = FAUST

    @property
    def recovery(self) -> Any:
        return self.app.bring_up

    async def on_start(self) -> None:
        """As the original, but for its second of sleep."""
        self._recovery = self.recovery  # what the original's on_stop looks at
        await self._update_channels()
        await self.recovery.start()


class WebServer(Web):
    """Faust's web server with none of its pages, on a socket that is bound already."""

    logger = FAUST
    default_blueprints: Any = ()
    production_blueprints: Any = ()
    debug_blueprints: Any = ()
    optional_blueprints: Any = ()

    def __init__(self, app: LadderApp) -> None:
        super().__init__(app)
        self._runner = Runner(self.web_app)

    def _create_site(self) -> Door:
        make = self.app.shedding.connection
        return Door(self._runner, self.app.listener, self.app.tls, make)


class LadderApp(faust.App):
    """A Faust app whose parts in the seams are ours.

    `bring_up` must be set before it starts; `stands` says where its stores stand; `listener` is a
    bound socket; `routes` adds our views to Faust's web server; `shedding` turns requests away;
    `bounds` are those of what is unpacked.
    """

    BootStrategy = Boot
    logger = FAUST
    bring_up: Any

    def __init__(
        self,
        app_id: str,
        *,
        partitions: int,
        standbys: int,
        session_timeout: float,
        instance_id: str | None,
        url: str,
        client: Mapping[str, object],
        listener: socket.socket,
        routes: Callable[[Application], None],
        shedding: Shedding,
        bounds: Bounds,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(
            app_id,
            broker=f"kafka://{str(client['bootstrap_servers']).partition(',')[0]}",
            store="memory://",
            canonical_url=url,
            topic_partitions=partitions,
            topic_allow_declare=False,
            topic_disable_leader=True,
            table_standby_replicas=standbys,
            broker_session_timeout=session_timeout,
            broker_request_timeout=max(session_timeout + 1, 40.0),
            broker_rebalance_timeout=REBALANCE_SECONDS,
            consumer_group_instance_id=instance_id,
            stream_wait_empty=False,
            stream_recovery_delay=0.0,
            worker_redirect_stdouts=False,
            TableManager=Tables,
            PartitionAssignor=Assignor,
        )
        self.listener = listener
        self.tls = tls
        self.shedding = shedding
        self.bounds = bounds
        self.stands: Callable[[], Mapping[int, int]] = dict
        self._routes = routes
        self.consumer_arguments: dict[str, object] = {
            **client,
            "group_id": app_id,
            "group_instance_id": instance_id,
            "session_timeout_ms": int(session_timeout * 1000),
            "heartbeat_interval_ms": int(min(HEARTBEAT_SECONDS, session_timeout / 4) * 1000),
            "rebalance_timeout_ms": int(REBALANCE_SECONDS * 1000),
            "metadata_max_age_ms": int(METADATA_SECONDS * 1000),
            "max_poll_interval_ms": int(STUCK_SECONDS * 1000),
            "request_timeout_ms": int(max(session_timeout + 1, 40.0) * 1000),
        }

    def thread(self) -> ConsumerThread:
        """The thread that aiokafka lives in, once the consumer was made."""
        return cast(ConsumerThread, cast(Consumer, self.consumer)._thread)

    def heard(self) -> float | None:
        """When a broker last answered a fetch, in seconds since 1970; None when unknown."""
        return self.thread().heard() if self.started else None

    def silences(self) -> Mapping[TopicPartition, float]:
        """For how many seconds no broker has answered for what is asked for; empty for nothing."""
        return self.thread().silences() if self.started else {}

    def rejoin(self) -> None:
        """Ask the group to share its partitions out again."""
        thread = self.thread()
        thread.later(thread.rejoin)

    def on_webserver_init(self, web: Any) -> None:
        self._routes(web.web_app)

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _new_web(self) -> WebServer:
        return WebServer(self)

    def _create_directories(self) -> None:
        """Faust keeps nothing on disk here."""
