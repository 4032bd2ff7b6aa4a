"""The security settings reach every client: a broker that speaks nothing but SASL over TLS."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from app.cli.main import run
from app.embedded.ports import free_ports
from app.errors import SettingsError
from app.settings import load
from app.stream.clients import arguments
from tests.kafka.broker import Kafka

STORE = "for-tests"


def _certificate(folder: Path) -> Path:
    """A key for 127.0.0.1 in a store that Kafka reads, and its certificate as PEM."""
    store = ["-keystore", str(folder / "broker.p12"), "-storetype", "PKCS12", "-storepass", STORE]
    names = ["-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1", "-validity", "2"]
    subprocess.run(
        ["keytool", "-genkeypair", "-alias", "broker", "-keyalg", "EC", *names, *store],
        check=True, capture_output=True,
    )  # fmt: skip
    pem = subprocess.run(
        ["keytool", "-exportcert", "-rfc", "-alias", "broker", *store],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    (folder / "ca.pem").write_bytes(pem)
    return folder / "ca.pem"


@pytest.fixture
def secured(new_kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where it listens; the environment has what is needed to get in."""
    authority = _certificate(tmp_path)
    (port,) = free_ports(1)
    plain, controller = new_kafka.ports[1], new_kafka.controllers[1]
    listeners = f"PLAINTEXT://127.0.0.1:{plain},SECURE://127.0.0.1:{port}"
    new_kafka.settings |= {
        "listeners": f"{listeners},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": listeners,
        "listener.security.protocol.map": (
            "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL"
        ),
        "listener.name.secure.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.secure.plain.sasl.jaas.config": (
            'org.apache.kafka.common.security.plain.PlainLoginModule required user_ladder="right";'
        ),
        "listener.name.secure.ssl.keystore.location": str(tmp_path / "broker.p12"),
        "listener.name.secure.ssl.keystore.type": "PKCS12",
        "listener.name.secure.ssl.keystore.password": STORE,
    }
    new_kafka.start()
    for name, value in {
        "BROKERS": f"127.0.0.1:{port}",
        "REPLICATION_FACTOR": "1",
        "PARTITIONS": "1",
        "SECURITY_PROTOCOL": "SASL_SSL",
        "SASL_USERNAME": "ladder",
        "SASL_PASSWORD": "right",
        "SSL_CAFILE": str(authority),
    }.items():
        monkeypatch.setenv(f"LADDER_{name}", value)
    return f"127.0.0.1:{port}"


def test_admin_producer_and_consumer_get_in_and_none_without_the_password(
    secured: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["topics", "create"]) == 0
    (tmp_path / "events").write_text('{"type": "purchase.completed", "subject": "c-1"}\n')
    assert run(["emit", str(tmp_path / "events")]) == 0
    assert run(["watch", "--from-start", "--once"]) == 0
    capsys.readouterr()
    monkeypatch.setenv("LADDER_SASL_PASSWORD", "wrong")
    assert run(["topics", "check"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"ladder: no Kafka answers at {secured} (SASL_SSL)")
    assert "security settings" in err
    assert "wrong" not in err


def test_plain_settings_carry_no_security() -> None:
    given = arguments(load({}, dotenv=None))
    assert given["security_protocol"] == "PLAINTEXT"
    assert "ssl_context" not in given
    assert "sasl_plain_password" not in given


def test_a_certificate_that_is_none_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    settings = load(
        {"LADDER_SECURITY_PROTOCOL": "SSL", "LADDER_SSL_CAFILE": str(tmp_path / "ca.pem")},
        dotenv=None,
    )
    with pytest.raises(SettingsError, match="LADDER_SSL_CAFILE"):
        arguments(settings)


@pytest.mark.parametrize("checked", [True, False])
def test_the_name_in_a_certificate_is_checked_unless_declined(checked: bool) -> None:
    settings = load(
        {
            "LADDER_SECURITY_PROTOCOL": "SSL",
            "LADDER_SSL_CHECK_HOSTNAME": str(checked),
        },
        dotenv=None,
    )
    assert arguments(settings)["ssl_context"].check_hostname is checked
