"""Where the embedded broker cannot run it says what to do instead."""

from __future__ import annotations

import importlib.util
import socket
from pathlib import Path

import pytest

from app.embedded.broker import EmbeddedBroker, why_not_here
from app.embedded.ports import free_ports
from app.errors import EmbeddedBrokerError


def test_where_there_is_no_build_the_way_out_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "--brokers" in str(why_not_here())
    with pytest.raises(EmbeddedBrokerError, match="--brokers"):
        EmbeddedBroker(tmp_path).start()


def test_a_port_that_a_broker_has_is_refused(
    embedded_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    with pytest.raises(EmbeddedBrokerError, match="choose another port"):
        EmbeddedBroker(tmp_path, port=embedded_broker.port).start()


def test_one_that_cannot_start_gives_the_end_of_its_log(
    tmp_path: Path, embedded_broker: EmbeddedBroker
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        folder = tmp_path / "broker"
        broker = EmbeddedBroker(folder, port=taken.getsockname()[1])
        with pytest.raises(
            EmbeddedBrokerError, match=r"(?s)ended while starting:\n.* already in use"
        ):
            broker.start()
    assert folder.stat().st_mode & 0o777 == 0o700  # it holds what was sent of customers


@pytest.mark.parametrize("which", [0, 1])
def test_it_has_ended_when_either_of_its_two_programs_has(
    embedded_broker: EmbeddedBroker, tmp_path: Path, which: int
) -> None:
    (port,) = free_ports(1)
    with EmbeddedBroker(tmp_path, port=port) as broker:
        assert broker.poll() is None
        broker._processes[which].kill()
        assert broker.poll() is not None
