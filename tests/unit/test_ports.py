"""Ports for what is started here: free, different, and none that a client may be given."""

import socket

from app.embedded.ports import free_ports


def test_as_many_different_ports_as_asked_for() -> None:
    assert free_ports(0) == []
    assert len(set(free_ports(50))) == 50


def test_a_server_can_listen_on_each() -> None:
    for port in free_ports(5):
        with socket.create_server(("127.0.0.1", port)) as server:
            assert server.getsockname()[1] == port


def test_a_port_that_is_taken_is_not_found() -> None:
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        assert port not in free_ports(2_000)


def test_no_outgoing_connection_is_given_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        for _ in range(50):
            with socket.create_connection(server.getsockname()) as client:
                assert client.getsockname()[1] > max(free_ports(1))
