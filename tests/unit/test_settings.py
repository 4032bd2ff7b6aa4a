"""Settings are declared once, checked together, and never leak what is secret."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from app.errors import SettingsError
from app.settings import DECLARED, MASK, Settings, load, shown, unknown

CONTRACT = {
    "LADDER_BROKERS",
    "LADDER_APP_ID",
    "LADDER_PARTITIONS",
    "LADDER_REPLICATION_FACTOR",
    "LADDER_DATA_DIR",
    "LADDER_LADDERS",
    "LADDER_TOPICS",
    "LADDER_CHANGES_PREFIX",
    "LADDER_DEAD_LETTERS",
    "LADDER_HANDOVERS",
    "LADDER_SESSION_TIMEOUT",
    "LADDER_UNPACKED",
    "LADDER_CLOCK",
    "LADDER_TIMEZONE",
    "LADDER_CURRENCY",
    "LADDER_RATES",
    "LADDER_MERGE_WAIT",
    "LADDER_QUIET_BEFORE",
    "LADDER_ATTRIBUTES",
    "LADDER_RETENTION_DAYS",
    "LADDER_STANDBYS",
    "LADDER_INSTANCE_ID",
    "LADDER_API_HOST",
    "LADDER_API_PORT",
    "LADDER_API_URL",
    "LADDER_API_TOKEN",
    "LADDER_METRICS_OPEN",
    "LADDER_SECURITY_PROTOCOL",
    "LADDER_SASL_MECHANISM",
    "LADDER_SASL_USERNAME",
    "LADDER_SASL_PASSWORD",
    "LADDER_SSL_CAFILE",
    "LADDER_LOG_FORMAT",
    "LADDER_LOG_LEVEL",
}


def read(**given: str) -> Settings:
    return load({f"LADDER_{name.upper()}": value for name, value in given.items()}, dotenv=None)


def refusals(**given: str) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        read(**given)
    return list(raised.value.problems)


def test_every_setting_of_the_contract_is_declared() -> None:
    assert {each.variable for each in DECLARED} >= CONTRACT


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = read()
    assert settings.brokers == "127.0.0.1:9092"
    assert settings.app_id == "loyalty"
    assert settings.partitions == 8
    assert settings.replication_factor is None
    assert settings.data_dir == Path("data")
    assert settings.topics == (
        "commerce.purchases",
        "commerce.signups",
        "commerce.reviews",
        "commerce.referrals",
        "commerce.interactions",
        "commerce.profiles",
    )
    assert settings.changes_topic("need") == "loyalty.stage-changes.need"
    assert settings.dead_letters == "loyalty.dead-letters"
    assert settings.handovers == "loyalty.handovers"
    assert settings.changelog == "loyalty-customers-changelog"
    assert settings.session_timeout == 10
    assert settings.unpacked == 16 * 1024 * 1024
    assert settings.clock == "wall"
    assert settings.timezone == "UTC"
    assert settings.currency == "VND"
    assert settings.merge_wait == 1
    assert settings.retention_days == 365
    assert (settings.api_host, settings.api_port) == ("127.0.0.1", 6066)
    assert settings.api_url == "http://127.0.0.1:6066"


@pytest.mark.parametrize("declared", DECLARED, ids=lambda each: each.name)
def test_every_default_is_a_value_that_its_own_check_accepts(declared: object) -> None:
    assert isinstance(declared, type(DECLARED[0]))
    if declared.default:
        declared.parse(declared.default)


@pytest.mark.parametrize("declared", DECLARED, ids=lambda each: each.name)
def test_every_setting_says_what_it_means(declared: object) -> None:
    assert isinstance(declared, type(DECLARED[0]))
    assert len(declared.meaning.split()) >= 3


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("brokers", "a:9092, b:9093", "a:9092,b:9093"),
        ("brokers", "[::1]:9092", "[::1]:9092"),
        ("replication_factor", "2", 2),
        ("topics", "all", ("all",)),
        ("topics", " b , a ", ("b", "a")),
        ("session_timeout", "6.5", 6.5),
        ("clock", "EVENT", "event"),
        ("unpacked", "1048577", 1_048_577),
        ("unpacked", "2 MiB", 2_097_152),
        ("timezone", "Asia/Ho_Chi_Minh", "Asia/Ho_Chi_Minh"),
        ("currency", "EUR", "EUR"),
        ("merge_wait", "0", 0.0),
        ("quiet_before", "1970-01-01T07:00:01+07:00", 1_000_000),
        ("attributes", "gender, interests", frozenset({"gender", "interests"})),
        ("metrics_open", "Yes", True),
        ("api_url", "http://10.0.0.5:6066/", "http://10.0.0.5:6066"),
        ("ssl_check_hostname", "false", False),
        ("log_level", "WARNING", "warning"),
    ],
)
def test_a_right_value_is_taken(name: str, text: str, value: object) -> None:
    assert getattr(read(**{name: text}), name) == value


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("brokers", "localhost", "host:port"),
        ("brokers", "a:9092,,b:9092", "host:port"),
        ("brokers", "a:99999", "host:port"),
        ("app_id", "my app", "topic name"),
        ("app_id", "x" * 151, "150"),
        ("partitions", "0", "whole number from 1"),
        ("partitions", "8.0", "whole number"),
        ("partitions", "٨", "whole number"),
        ("partitions", "1" * 5000, "whole number"),
        ("replication_factor", "-1", "whole number"),
        ("topics", ",", "at least one"),
        ("topics", "a,a", "twice"),
        ("topics", "a b", "topic name"),
        ("dead_letters", "..", "topic name"),
        ("session_timeout", "10s", "seconds"),
        ("session_timeout", "nan", "seconds"),
        ("session_timeout", "-1", "seconds"),
        ("clock", "sundial", "wall, event"),
        ("unpacked", "16 MB", "16MiB"),
        ("unpacked", "1000", "from 64KiB to 256MiB"),
        ("timezone", "Hanoi", "IANA"),
        ("timezone", "../../etc/passwd", "IANA"),
        ("timezone", "Asia", "IANA"),
        ("timezone", "localtime", "'localtime' is not the same on every machine"),
        ("timezone", "posixrules", "not the same on every machine"),
        ("timezone", "Factory", "not the same on every machine"),
        ("timezone", "right/UTC", "not the same on every machine"),
        ("timezone", "asia/ho_chi_minh", "did you mean Asia/Ho_Chi_Minh?"),
        ("timezone", "Hanoi", "did you mean Asia/Ho_Chi_Minh?"),
        ("timezone", "Ho Chi Minh", "did you mean Asia/Ho_Chi_Minh?"),
        ("timezone", "Europe/Berln", "did you mean Europe/Berlin?"),
        ("timezone", "New York", "did you mean America/New_York?"),
        ("timezone", "UTC+7", "did you mean Etc/GMT-7?"),
        ("timezone", "-03:00", "did you mean Etc/GMT+3?"),
        ("currency", "vnd", "ISO 4217"),
        ("rates", "no-such.csv", "must be a file"),
        ("ladders", "no-such-folder", "must be a folder"),
        ("quiet_before", "2026-03-01", "offset"),
        ("attributes", "x" * 65, "64"),
        ("retention_days", "0", "whole number"),
        ("api_port", "0", "whole number"),
        ("api_port", "65536", "whole number"),
        ("api_host", "not a host", "host name"),
        ("api_url", "10.0.0.5:6066", "URL"),
        ("metrics_open", "perhaps", "true or false"),
        ("security_protocol", "TLS", "PLAINTEXT, SSL"),
        ("sasl_mechanism", "GSSAPI", "SCRAM"),
        ("ssl_cafile", "no-such.pem", "must be a file"),
        ("log_format", "xml", "console, json"),
        ("log_level", "loud", "debug, info"),
    ],
)
def test_a_wrong_value_is_refused_with_its_variable_and_what_is_right(
    name: str, text: str, why: str
) -> None:
    (problem,) = refusals(**{name: text})
    assert problem.startswith(f"LADDER_{name.upper()} must")
    assert why in problem


def test_one_message_lists_all_that_is_wrong() -> None:
    found = refusals(partitions="no", currency="no", clock="no")
    assert [problem.split()[0] for problem in found] == [
        "LADDER_PARTITIONS",
        "LADDER_CLOCK",
        "LADDER_CURRENCY",
    ]


def test_an_empty_variable_is_none_at_all() -> None:
    assert read(partitions="", api_token=" ") == read()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "worker-1"])
def test_an_api_that_others_reach_needs_a_token(host: str) -> None:
    (problem,) = refusals(api_host=host)
    assert problem.startswith("LADDER_API_HOST")
    assert "LADDER_API_TOKEN" in problem
    assert read(api_host=host, api_token="secret").api_host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_an_api_for_this_machine_alone_needs_none(host: str) -> None:
    assert read(api_host=host).api_token is None


def test_who_is_reached_everywhere_is_called_by_his_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "worker-1")
    settings = read(api_host="0.0.0.0", api_token="secret", api_port="7000")
    assert settings.api_url == "http://worker-1:7000"


def test_an_address_of_six_is_bracketed_in_the_url() -> None:
    assert read(api_host="::1").api_url == "http://[::1]:6066"


def test_sasl_needs_a_name_and_a_password() -> None:
    found = refusals(security_protocol="SASL_SSL")
    assert [problem.split()[0] for problem in found] == [
        "LADDER_SASL_USERNAME",
        "LADDER_SASL_PASSWORD",
    ]


def test_a_key_needs_a_certificate(tmp_path: Path) -> None:
    (tmp_path / "key.pem").touch()
    (problem,) = refusals(ssl_keyfile=str(tmp_path / "key.pem"))
    assert problem.startswith("LADDER_SSL_CERTFILE")


@pytest.mark.parametrize(
    "given",
    [
        {"dead_letters": "commerce.purchases"},
        {"handovers": "commerce.profiles"},
        {"handovers": "loyalty.dead-letters"},
    ],
)
def test_one_topic_has_one_purpose(given: dict[str, str]) -> None:
    (problem,) = refusals(**given)
    assert "a topic of its own" in problem


def test_a_dotenv_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LADDER_PARTITIONS=4\nLADDER_CURRENCY=EUR\nOTHER=1\n")
    settings = load({"LADDER_CURRENCY": "USD"}, tmp_path / ".env")
    assert (settings.partitions, settings.currency) == (4, "USD")


def test_a_misspelt_variable_is_told_with_what_was_meant() -> None:
    (told,) = unknown({"LADDER_BROKER": "a:1", "LADDER_PARTITIONS": "4"}, dotenv=None)
    assert told == "LADDER_BROKER is no setting; did you mean LADDER_BROKERS?"


def test_what_an_orchestrator_sets_is_told_and_no_error() -> None:
    env = {"LADDER_SERVICE_HOST": "10.0.0.1"}
    load(env, dotenv=None)
    assert unknown(env, dotenv=None) == ["LADDER_SERVICE_HOST is no setting"]


SECRETS = [each.name for each in DECLARED if each.secret]


def test_the_secrets_are_those_that_open_doors() -> None:
    assert SECRETS == ["api_token", "sasl_password", "ssl_password"]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_never_shown(name: str) -> None:
    settings = read(**{name: "hunter2"})
    declared = next(each for each in DECLARED if each.name == name)
    assert shown(declared, settings) == MASK
    assert "hunter2" not in repr(settings)


def test_a_wrong_secret_is_not_in_the_message() -> None:
    (problem,) = refusals(api_token="hunter 2")
    assert "hunter" not in problem


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("quiet_before", "2026-03-01T00:00:00Z"),
        ("attributes", "a,b"),
        ("topics", "x,y"),
        ("merge_wait", "0.5"),
        ("metrics_open", "true"),
        ("replication_factor", ""),
    ],
)
def test_what_is_shown_is_what_would_be_set(name: str, text: str) -> None:
    declared = next(each for each in DECLARED if each.name == name)
    assert shown(declared, read(**{name: text})) == text


def test_settings_cannot_be_changed_once_read() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        read().partitions = 9  # type: ignore[misc]
