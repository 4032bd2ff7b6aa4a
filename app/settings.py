"""Every setting, declared once: name, type, default, meaning, check (contract section 9).

A setting `name` is the environment variable `LADDER_NAME`; an empty value is as good as none.
Entry points read them here and pass values on; nothing below them reads the environment.
"""

from __future__ import annotations

import dataclasses
import difflib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app import env_file
from app import setting_kinds as kinds
from app.core.instants import format_instant
from app.errors import SettingsError

PREFIX = "LADDER_"
DOTENV = Path(".env")
MASK = "********"
NOT_SETTINGS = frozenset({"LADDER_FAULT"})
"""Variables with our prefix that are switches of the tests and no settings."""


@dataclass(frozen=True)
class Declared:
    """One setting as the documentation, `ladder config` and the checks see it."""

    name: str
    default: str
    """As it would be written in the environment; '' is none."""
    meaning: str
    parse: Callable[[str], object]
    secret: bool = False

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()


def _setting(
    default: str, parse: Callable[[str], object], meaning: str, *, secret: bool = False
) -> Any:
    declared = {"default": default, "parse": parse, "meaning": meaning, "secret": secret}
    return dataclasses.field(metadata=declared, repr=not secret)


INPUTS = (
    "commerce.purchases,commerce.signups,commerce.reviews,"
    "commerce.referrals,commerce.interactions,commerce.profiles"
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The values a process runs with. Build it with `load`; durations are seconds."""

    brokers: str = _setting("127.0.0.1:9092", kinds.brokers, "Kafka: host:port, comma separated")
    app_id: str = _setting(
        "loyalty",
        kinds.short_name,
        "name of this application: its consumer group, and the beginning of its changelog's name",
    )
    partitions: int = _setting(
        "8", kinds.whole(1, 10_000), "partitions of every topic; remembered with the state"
    )
    replication_factor: int | None = _setting(
        "",
        kinds.whole(1, 32),
        "copies of every partition; default: 1 on the embedded broker, else 3",
    )
    data_dir: Path = _setting(
        "./data", kinds.folder, "where the state is kept on disk; one folder for each worker"
    )
    ladders: Path | None = _setting(
        "", kinds.existing_folder, "folder of ladder definitions; default: the built-in ones"
    )
    topics: tuple[str, ...] = _setting(
        INPUTS, kinds.topic_names, "input topics, in the order that breaks ties; remembered"
    )
    changes_prefix: str = _setting(
        "loyalty.stage-changes",
        kinds.short_name,
        "stage changes of a ladder go to the topic <prefix>.<ladder id>",
    )
    dead_letters: str = _setting(
        "loyalty.dead-letters", kinds.topic_name, "topic of what could not be applied"
    )
    handovers: str = _setting(
        "loyalty.handovers", kinds.topic_name, "topic of what one customer's record owes another's"
    )
    session_timeout: float = _setting(
        "10", kinds.seconds(1, 1800), "seconds of silence after which a worker is taken for dead"
    )
    unpacked: int = _setting(
        "16MiB",
        kinds.size(64 * 1024, 256 * 1024 * 1024),
        "bytes that a compressed batch of records may have when unpacked; records of a larger one "
        "are dead letters without value",
    )
    clock: Literal["wall", "event"] = _setting(
        "wall", kinds.one_of("wall", "event"), "what makes time pass; event: to replay history"
    )
    timezone: str = _setting(
        "UTC", kinds.timezone, "where the shop's days begin and end; remembered with the state"
    )
    currency: str = _setting(
        "VND", kinds.currency, "base currency, into which all money is converted; remembered"
    )
    rates: Path | None = _setting(
        "", kinds.existing_file, "CSV date,currency,rate: base units for one unit of the currency"
    )
    merge_wait: float = _setting(
        "1", kinds.seconds(0, 600), "seconds to wait for a topic that is behind the others"
    )
    quiet_before: int | None = _setting(
        "", kinds.instant, "changes with a time before this are quiet: marketing should not act"
    )
    attributes: frozenset[str] = _setting(
        "", kinds.attributes, "profile attributes to keep beside those that ladders name"
    )
    retention_days: int = _setting(
        "365", kinds.whole(1, 36_500), "days for which stage changes are kept in their topics"
    )
    standbys: int = _setting(
        "1",
        kinds.whole(0, 16),
        "other workers that keep a copy of each partition's state, as far as there are others",
    )
    watchdog: float = _setting(
        "60",
        kinds.seconds(5, 86_400),
        "seconds with lag and without a commit after which a worker ends itself; merge_wait on top",
    )
    instance_id: str | None = _setting(
        "", kinds.short_name, "static membership: a name that this worker keeps over restarts"
    )
    api_host: str = _setting(
        "127.0.0.1", kinds.host, "address the API listens on; another than loopback needs a token"
    )
    api_port: int = _setting("6066", kinds.whole(1, 65_535), "port the API listens on")
    api_url: str = _setting(
        "",
        kinds.url,
        "how others reach this worker's API: scheme, host and port; default: from host and port",
    )
    api_token: str | None = _setting(
        "", kinds.token, "what callers of the API must present as Bearer", secret=True
    )
    api_certfile: Path | None = _setting(
        "", kinds.existing_file, "the API's certificate, PEM: it is then served over TLS"
    )
    api_keyfile: Path | None = _setting(
        "", kinds.existing_file, "the key to that certificate, PEM; default: in the same file"
    )
    api_cafile: Path | None = _setting(
        "",
        kinds.existing_file,
        "what the APIs of other workers, and of LADDER_API_URL, are trusted by, PEM; default: "
        "those of the system",
    )
    metrics_open: bool = _setting("false", kinds.yes_no, "let /metrics be read without the token")
    security_protocol: str = _setting(
        "PLAINTEXT",
        kinds.one_of("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
        "how to speak to Kafka",
    )
    sasl_mechanism: str = _setting(
        "PLAIN",
        kinds.one_of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
        "how to sign in where the protocol is SASL_...",
    )
    sasl_username: str | None = _setting("", kinds.text, "user name for SASL")
    sasl_password: str | None = _setting("", kinds.text, "password for SASL", secret=True)
    ssl_cafile: Path | None = _setting(
        "", kinds.existing_file, "certificates to trust, PEM; default: those of the system"
    )
    ssl_certfile: Path | None = _setting("", kinds.existing_file, "our own certificate, PEM")
    ssl_keyfile: Path | None = _setting("", kinds.existing_file, "the key to our certificate, PEM")
    ssl_password: str | None = _setting("", kinds.text, "password of that key", secret=True)
    ssl_check_hostname: bool = _setting(
        "true", kinds.yes_no, "whether a broker's certificate must carry its name"
    )
    log_format: Literal["console", "json"] = _setting(
        "console", kinds.one_of("console", "json"), "logs for people or for machines"
    )
    log_level: str = _setting(
        "info", kinds.one_of("debug", "info", "warning", "error"), "what is worth a line"
    )
    traces: str | None = _setting(
        "",
        kinds.url,
        "collector of OpenTelemetry that spans go to over HTTP, e.g. http://127.0.0.1:4318; needs "
        "the extra `traces`. Without it an event's traceparent is handed on as it came",
    )

    @property
    def changelog(self) -> str:
        """Name of the changelog topic of the customers table."""
        return f"{self.app_id}-customers-changelog"

    def changes_topic(self, ladder: str) -> str:
        return f"{self.changes_prefix}.{ladder}"


DECLARED: tuple[Declared, ...] = tuple(
    Declared(field.name, **field.metadata) for field in dataclasses.fields(Settings)
)


def environment(env: Mapping[str, str], dotenv: Path | None = DOTENV) -> dict[str, str]:
    """The variables of ours that are set: those of the .env file, and env's own over them.

    Raises SettingsError for a file that cannot be read.
    """
    file = env_file.read(dotenv, PREFIX) if dotenv else env_file.NOTHING
    if file.problems:
        raise SettingsError(file.problems)
    return _set(env, file)


def _set(env: Mapping[str, str], file: env_file.EnvFile) -> dict[str, str]:
    both = {**file.values, **{k: v for k, v in env.items() if v.strip()}}
    return {k: v.strip() for k, v in both.items() if k.startswith(PREFIX) and v.strip()}


def load(env: Mapping[str, str], dotenv: Path | None = DOTENV) -> Settings:
    """Read all settings. Raises SettingsError, which lists everything that is wrong at once."""
    file = env_file.read(dotenv, PREFIX) if dotenv else env_file.NOTHING
    given = _set(env, file)
    values: dict[str, Any] = {}
    problems = list(file.problems)
    for declared in DECLARED:
        written = given.get(declared.variable, declared.default)
        try:
            _refuse_unless_text(written)
            values[declared.name] = declared.parse(written) if written else _empty(declared)
        except ValueError as error:
            shown = "" if declared.secret else f" (it is {written!r})"
            problems.append(f"{declared.variable} {error}{shown}")
    problems += _together(values)
    if problems:
        raise SettingsError(problems)
    values["api_url"] = values["api_url"] or _own_url(values)
    return Settings(**values)


def log_format(env: Mapping[str, str], dotenv: Path | None = DOTENV) -> Literal["console", "json"]:
    """How what ends a command is told, whatever else is wrong with the settings."""
    file = env_file.read(dotenv, PREFIX) if dotenv else env_file.NOTHING
    asked = _set(env, file).get("LADDER_LOG_FORMAT", "")
    return "json" if asked.casefold() == "json" else "console"


def _refuse_unless_text(written: str) -> None:
    """Python keeps bytes that are no UTF-8 as what no file and no network takes."""
    try:
        written.encode()
    except UnicodeEncodeError:
        raise ValueError("must be UTF-8") from None


def unknown(env: Mapping[str, str], dotenv: Path | None = DOTENV) -> list[str]:
    """A sentence for each variable with our prefix that no setting has: often a misspelling.

    A warning and no error: an orchestrator may set LADDER_SERVICE_HOST and the like by itself.
    """
    known = [declared.variable for declared in DECLARED]
    sentences = []
    for name in sorted(set(environment(env, dotenv)) - set(known) - NOT_SETTINGS):
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
        hint = f"; did you mean {near[0]}?" if near else ""
        sentences.append(f"{name} is no setting{hint}")
    return sentences


def shown(declared: Declared, settings: Settings) -> str:
    """The value as it may be printed: secrets masked, '' for none."""
    value = getattr(settings, declared.name)
    if value is None or value == ():
        return ""
    if declared.secret:
        return MASK
    return _written(declared.name, value)


def _written(name: str, value: object) -> str:
    if name == "quiet_before" and isinstance(value, int):
        return format_instant(value)
    if name == "unpacked" and isinstance(value, int):
        return kinds.written_size(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, frozenset):
        return ",".join(sorted(value))
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _empty(declared: Declared) -> object:
    return frozenset() if declared.parse is kinds.attributes else None


def _own_url(values: Mapping[str, Any]) -> str:
    host = values["api_host"]
    name = socket.gethostname() if kinds.is_everywhere(host) else host
    scheme = "http" if values["api_certfile"] is None else "https"
    return f"{scheme}://{f'[{name}]' if ':' in name else name}:{values['api_port']}"


def _together(values: Mapping[str, Any]) -> list[str]:
    """What is wrong with values that are right one by one; those that are wrong are not there."""
    problems = []
    host = values.get("api_host")
    if host is not None and not kinds.is_loopback(host) and not values.get("api_token", True):
        problems.append(
            f"LADDER_API_HOST must be 127.0.0.1 unless LADDER_API_TOKEN is set (it is {host!r}): "
            "the API tells about customers"
        )
    if values.get("security_protocol", "").startswith("SASL"):
        problems += [
            f"LADDER_{name.upper()} must be set where LADDER_SECURITY_PROTOCOL is SASL_..."
            for name in ("sasl_username", "sasl_password")
            if not values.get(name, True)
        ]
    for name in ("ssl", "api"):
        if values.get(f"{name}_keyfile") and not values.get(f"{name}_certfile", True):
            upper = name.upper()
            problems.append(f"LADDER_{upper}_CERTFILE must be set where LADDER_{upper}_KEYFILE is")
    return problems + _twice_named(values)


def _twice_named(values: Mapping[str, Any]) -> list[str]:
    problems = []
    taken = dict.fromkeys(values.get("topics", ()), "LADDER_TOPICS")
    for name in ("dead_letters", "handovers"):
        topic = values.get(name)
        if topic in taken:
            problems.append(
                f"LADDER_{name.upper()} must be a topic of its own; {topic!r} is in {taken[topic]}"
            )
        elif topic is not None:
            taken[topic] = f"LADDER_{name.upper()}"
    return problems
