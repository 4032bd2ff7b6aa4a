"""`ladder worker`: a worker, until it is stopped."""

from __future__ import annotations

import logging
import os
import sys

import click

from app.cli.options import with_settings
from app.settings import Settings

NOISY = ("faust", "mode", "aiokafka")


@click.command()
@with_settings("brokers", "app_id", "data_dir", "api_port", "clock", daemon=True)
def worker(settings: Settings) -> None:
    """Run a worker; start as many as there are partitions.

    It waits for Kafka, takes its share of the partitions, restores what it does not have on disk,
    and moves customers along the ladders until it is stopped (Ctrl-C or SIGTERM). Health is at
    http://127.0.0.1:6066/health/ready, metrics at /metrics.

    \b
    Example:
      ladder worker
      ladder worker --api-port 6067 --data-dir ./data-2     # a second one on this machine
    """
    from app.cli.shop import rules_of
    from app.stream import faults
    from app.stream.worker import run

    if settings.log_level != "debug":
        for name in NOISY:
            logging.getLogger(name).setLevel(logging.WARNING)
    sys.exit(run(settings, rules_of(settings), faults.parse(os.environ.get("LADDER_FAULT", ""))))
