"""A client that asks at a fixed rate, each time by a new connection, and counts what fails. Runs in a pod.

    client.py URL REQUESTS-PER-SECOND SECONDS-AT-MOST PATIENCE

A request is sent when it is due, whether or not those before it were answered: a server that hangs cannot slow it
down. One that has no answer after PATIENCE seconds has failed. Ends when there is a file /tmp/stop. Its last line is
JSON: sent, failed, the reasons, and how many failed of those that were due in each second.
"""

import asyncio
import collections
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

STOP = Path("/tmp/stop")  # noqa: S108
FIRST_PORT, PORTS = 10_000, 50_000
"""Each request has a port of its own: one that is taken again within two minutes is still sent to the pod that it was
sent to the first time, by the node's connection tracking, though that pod be long gone."""


async def ask(host: str, port: int, path: str, source: int, patience: float) -> str:
    """One request from the port `source`; "" if it was answered with 200, else what went wrong."""
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection(host, port, local_addr=("0.0.0.0", source))  # noqa: S104
            try:
                writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
                answer = await reader.read()
            finally:
                writer.close()
    except TimeoutError:
        return "time-out"
    except OSError as error:
        return type(error).__name__
    status = answer.split(b"\r\n", 1)[0].split(b" ")
    return "" if status[1:2] == [b"200"] else f"status {status[1:2]}"


def told_to_stop() -> bool:
    return STOP.exists()


async def main(url: str, rate: float, at_most: float, patience: float) -> None:
    """Ask until told to stop, then wait for the last answers."""
    parts = urlsplit(url)
    failures: list[tuple[float, str]] = []
    started = time.monotonic()

    async def once(number: int) -> None:
        host, port, source = parts.hostname or "", parts.port or 80, FIRST_PORT + number % PORTS
        if reason := await ask(host, port, parts.path, source, patience):
            failures.append((number / rate, reason))

    print("started", flush=True)
    total = 0
    async with asyncio.TaskGroup() as group:
        while total < rate * at_most and not told_to_stop():
            group.create_task(once(total))
            total += 1
            await asyncio.sleep(started + total / rate - time.monotonic())
    reasons = collections.Counter(reason for _, reason in failures)
    seconds = sorted(collections.Counter(int(when) for when, _ in failures).items())
    print(json.dumps({"sent": total, "failed": len(failures), "reasons": reasons, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(float, sys.argv[2:])))
