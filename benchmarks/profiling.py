"""Where a worker's time goes under a backlog of mixed events, by the parts of its work.

py-spy looks at the running worker from outside, some hundred times a second. A sample belongs to
the first frame, from the innermost outwards, that one of `PARTS` names.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import sys
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.broker import Place
from benchmarks.case import Sizes
from benchmarks.child import Child
from benchmarks.curve import Curve, follow
from benchmarks.latency import ready
from benchmarks.throughput import Mixed
from benchmarks.timed_gc import TOLD

SAMPLES_A_SECOND = 250
TOP = 40
"""Lines of the list by function."""
WAITING = "waiting, or in the system's calls to wait"
PARTS: tuple[tuple[str, str], ...] = (
    (WAITING, r"^select \(selectors|EpollSelector\.select|^wait \(threading"),
    ("decode events", r"wire/(cloudevents|classify|fields|json_text)\.py|core/instants.py:.*parse"),
    ("encode stage changes", r"wire/stage_change\.py"),
    ("encode records", r"(_encode|changed_rows|encode|_parts|_older_rows) \(app/wire/record\.py"),
    ("decode records", r"app/wire/record\.py"),
    ("index of what is due", r"app/stream/due\.py|index \(app/stream/slots|app/core/due\.py"),
    ("top spenders", r"app/core/ranking\.py|app/stream/cuts\.py"),
    (
        "rules: evaluate, move",
        r"app/core/(move|explain|ladder_code|conditions?\w*|rules)\.py|<ladder",
    ),
    ("rules: facts", r"app/core/"),
    ("merge by time", r"app/stream/(merge|inbox)\.py"),
    ("RocksDB: read", r"(get|scan) \(app/stream/store\.py"),
    ("RocksDB: write", r"app/stream/store\.py"),
    (
        "build batches",
        r"_send \(app/stream/transaction|aiokafka/producer/message_acc|record/.*[Bb]uilder",
    ),
    ("wait for and end transactions", r"aiokafka/producer/|app/stream/transaction\.py"),
    ("parse fetches", r"aiokafka/consumer/fetcher|aiokafka/record/|aiokafka/protocol/fetch"),
    ("handovers", r"wire/handover\.py"),
    ("metrics", r"ops/metrics\.py|prometheus_client/"),
    ("fold, the loop itself", r"app/stream/(batch|slots)\.py"),
    ("rounds, partition", r"app/stream/"),
    ("aiokafka, other", r"aiokafka/"),
    ("Faust and mode", r"faust/|mode/"),
    ("event loop", r"asyncio/|selectors\.py|threading\.py"),
)


async def profiled(place: Place, sizes: Sizes) -> None:
    """Work a backlog off under the profiler and print what it saw."""
    spy = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if spy is None:
        raise FileNotFoundError("py-spy: it comes with `pip install '.[bench]'`")
    case = Mixed(place, sizes)
    await case.prepare()
    shop = case.shop("profiled")
    await shop.create()
    raw = shop.folder / "stacks.txt"
    with shop.worker(through=("-m", "benchmarks.timed_gc")) as worker:
        await ready(shop, worker)
        looking = await _begin(spy, worker, raw)
        try:
            curve = await follow(shop.client, worker, shop.name, shop.settings.topics, case.events)
        finally:
            looking.send_signal(signal.SIGINT)
            await looking.wait()
        cpu = worker.usage().cpu
    _print(raw.read_text(), curve, worker.log.read_text(errors="replace"), cpu)


async def _begin(spy: str, worker: Child, raw: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        spy, "record", "--pid", str(worker.pid), "--rate", str(SAMPLES_A_SECOND),
        "--format", "raw", "--output", str(raw), "--duration", "3600", "--nonblocking",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


def parted(stacks: str) -> tuple[Counter[str], Counter[str]]:
    """Count samples by part and by innermost function. A line is `frame;frame;... count`."""
    parts: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    patterns = [(name, re.compile(pattern)) for name, pattern in PARTS]
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")[::-1]
        parts[_part(frames, patterns)] += int(count)
        functions[re.sub(r":\d+\)$", ")", frames[0])] += int(count)
    return parts, functions


def _part(frames: list[str], patterns: list[tuple[str, re.Pattern[str]]]) -> str:
    for frame in frames:
        for name, pattern in patterns:
            if pattern.search(frame):
                return name
    return "other"


def _print(stacks: str, curve: Curve, log: str, cpu: float) -> None:
    console = Console()
    parts, functions = parted(stacks)
    total = max(1, sum(parts.values()))
    per_million = curve.figures().get("CPU s per million", 0.0)
    table = Table(title=f"{total:,} samples; the worker took {per_million:.1f} CPU s per million")
    for column in ("part", "%", "CPU s per million"):
        table.add_column(column, justify="left" if column == "part" else "right")
    for name, count in parts.most_common():
        share = count / total
        table.add_row(name, f"{100 * share:.1f}", f"{share * per_million:.2f}")
    console.print(table)
    table = Table(title="innermost function")
    table.add_column("%", justify="right")
    table.add_column("function")
    for name, count in functions.most_common(TOP):
        table.add_row(f"{100 * count / total:.1f}", name)
    console.print(table)
    for line in log.splitlines():
        if line.startswith(TOLD):
            told = json.loads(line.removeprefix(TOLD))
            console.print(
                f"garbage collection: {told['seconds']:.1f} s of {cpu:.1f} s in "
                f"{told['collections']} collections (within the parts above)"
            )
