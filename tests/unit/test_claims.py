"""One worker has one port and one folder; a second one is told the command that works."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

from app.embedded.ports import free_ports
from app.errors import DataFolderTaken, PortTaken, StartupRefused
from app.settings import Settings, load
from app.stream.claims import Claims, claim


@pytest.fixture
def port() -> int:
    (free,) = free_ports(1)
    return free


def settings(folder: Path, port: int, **more: str) -> Settings:
    env = {"LADDER_DATA_DIR": str(folder), "LADDER_API_PORT": str(port)}
    return load(env | {f"LADDER_{name.upper()}": value for name, value in more.items()}, None)


def claimed_by_what_it_says(message: str, monkeypatch: pytest.MonkeyPatch) -> Claims:
    """Do as the message says."""
    command = message.splitlines()[-1].strip()
    assert command.endswith("ladder worker")
    for name, value in re.findall(r"(LADDER_[A-Z_]+)=(\S+)", command):
        monkeypatch.setenv(name, value)
    return claim(load(dict(os.environ), None))


def test_the_folder_is_made_and_the_socket_listens(tmp_path: Path, port: int) -> None:
    claims = claim(settings(tmp_path / "data", port))
    socket.create_connection(("127.0.0.1", port), timeout=1).close()
    claims.release()


def mode(folder: Path) -> int:
    return folder.stat().st_mode & 0o777


def test_nobody_else_may_look_into_the_folder(tmp_path: Path, port: int) -> None:
    """Whatever the mask is: it holds customers' records."""
    mask = os.umask(0o000)
    try:
        folder = tmp_path / "var" / "data"
        claim(settings(folder, port)).release()
        assert (mode(folder), mode(folder.parent)) == (0o700, 0o700)
        folder.chmod(0o755)  # as a version before made it
        for name in ("stands", "3", "3.broken", "broker"):
            (folder / name).touch()
        claim(settings(folder, port)).release()
        assert mode(folder) == 0o700
        empty = tmp_path / "empty"
        empty.mkdir(0o755)
        claim(settings(empty, port)).release()
        assert mode(empty) == 0o700
    finally:
        os.umask(mask)


def test_a_folder_with_what_others_may_need_stays_as_it_is(tmp_path: Path, port: int) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "theirs").touch()
    for _ in range(2):
        claim(settings(folder, port)).release()
        assert mode(folder) == 0o755


def test_what_was_released_can_be_had_again(tmp_path: Path, port: int) -> None:
    claim(settings(tmp_path, port)).release()
    claim(settings(tmp_path, port)).release()


def test_a_taken_folder_is_refused_with_a_command_that_works(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    first = claim(settings(folder, port))
    with socket.create_server(("127.0.0.1", 0)) as free:
        second_port = free.getsockname()[1]
    monkeypatch.setenv("LADDER_API_PORT", str(second_port))
    with pytest.raises(DataFolderTaken, match=r"another worker uses the data folder") as refused:
        claim(settings(folder, second_port))
    second = claimed_by_what_it_says(str(refused.value), monkeypatch)
    second.release()
    first.release()


def test_when_both_are_taken_the_command_changes_both(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    first = claim(settings(folder, port))
    with pytest.raises(PortTaken, match=f"127.0.0.1:{port} is taken") as refused:
        claim(settings(folder, port))
    assert "LADDER_API_PORT=" in str(refused.value)
    assert f"LADDER_DATA_DIR={folder}-2" in str(refused.value)
    second = claimed_by_what_it_says(str(refused.value), monkeypatch)
    with pytest.raises(PortTaken, match=f"LADDER_DATA_DIR={folder}-3"):
        claim(settings(folder, port))
    second.release()
    first.release()


def test_a_taken_port_alone_leaves_the_folder_free(tmp_path: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(PortTaken) as refused:
            claim(settings(tmp_path, port))
        assert "LADDER_DATA_DIR" not in str(refused.value)
    claim(settings(tmp_path, port)).release()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, port: int) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartupRefused, match="LADDER_DATA_DIR"):
        claim(settings(tmp_path / "file" / "data", port))


def test_an_address_that_is_not_ours_is_said(tmp_path: Path, port: int) -> None:
    with pytest.raises(StartupRefused, match="LADDER_API_HOST"):
        claim(settings(tmp_path, port, api_host="192.0.2.1", api_token="t"))
