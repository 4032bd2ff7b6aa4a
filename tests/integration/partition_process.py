"""A process with one partition in it, made to be killed: BOOTSTRAP NAME FOLDER FAULT."""

import asyncio
import sys
from pathlib import Path

from app.stream.faults import parse
from tests.integration.one_partition import Shop


async def main() -> None:
    bootstrap, name, folder, fault = sys.argv[1:]
    shop = Shop(bootstrap, name, Path(folder))
    async with shop.running(faults=parse(fault), batch=50) as host:
        await host.failure


if __name__ == "__main__":
    asyncio.run(main())
