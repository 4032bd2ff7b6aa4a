"""docker-compose.yml and what it refers to, as data: what each container is told and given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values

from app import settings as declarations
from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
FILE = ROOT / "docker-compose.yml"
TOKEN = "a-token-for-tests"
FEED = "feed"
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<how>[-?])(?P<rest>[^}]*))?\}")


class Composed:
    """The file, with what it asks the environment for: the token, and what else is given."""

    def __init__(self, given: Mapping[str, str] | None = None) -> None:
        self.given = {"LADDER_API_TOKEN": TOKEN, **(given or {})}
        self.whole: dict[str, Any] = yaml.safe_load(self._interpolated(FILE.read_text("utf-8")))
        self.services: dict[str, dict[str, Any]] = self.whole["services"]
        self.ours = sorted(name for name, service in self.services.items() if "build" in service)
        self.workers = [name for name in self.ours if self.services[name]["command"] == ["worker"]]
        self.brokers = sorted(name for name in self.services if name.startswith("kafka-"))

    def _interpolated(self, text: str) -> str:
        def value(match: re.Match[str]) -> str:
            given = self.given.get(match["name"])
            assert given is not None or match["how"] == "-", f"nothing gives {match['name']}"
            return str(match["rest"]) if given is None else given

        return VARIABLE.sub(value, text)

    def environment(self, name: str) -> dict[str, str]:
        """What a container of this service is told: the image's, the env_file's, its own."""
        service = self.services[name]
        told: dict[str, str] = {}
        if name in self.ours:
            told = dict(re.findall(r"(LADDER_\w+)=(\S+)", DOCKERFILE))
            file = dotenv_values(ROOT / service["env_file"])
            told |= {variable: value or "" for variable, value in file.items()}
        return told | {key: str(value) for key, value in service.get("environment", {}).items()}

    def mounts(self, name: str) -> list[tuple[str, str]]:
        """Source and target of everything mounted into a container."""
        split = [mount.split(":") for mount in self.services[name].get("volumes", [])]
        return [(parts[0], parts[1]) for parts in split]

    def settings_of(self, name: str) -> Settings:
        """What the code makes of it; a path in the container stands for the file mounted there."""
        told = self.environment(name)
        for source, target in self.mounts(name):
            if source.startswith("./"):
                told = {key: str(ROOT / source) if value == target else value
                        for key, value in told.items()}  # fmt: skip
        return declarations.load(told, None)

    def published(self, name: str) -> list[tuple[str, str, int]]:
        """Address, port outside and port inside."""
        split = [port.split(":") for port in self.services[name].get("ports", [])]
        return [(address, outside, int(inside)) for address, outside, inside in split]
