"""A client that asks at a fixed rate, each time by a new connection, and counts what fails. Runs in a pod.

    client.py URL REQUESTS-PER-SECOND SECONDS-AT-MOST

A request is sent when it is due, whether or not those before it were answered: a server that hangs cannot slow it
down. Ends when there is a file /tmp/stop. Its last line is JSON: sent, failed, the seconds of the first and the last
failure, and the reasons.
"""

import asyncio
import collections
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

TIMEOUT = 2.0
STOP = Path("/tmp/stop")  # noqa: S108


async def ask(host: str, port: int, path: str) -> str:
    """One request; "" if it was answered with 200, else what went wrong."""
    try:
        async with asyncio.timeout(TIMEOUT):
            reader, writer = await asyncio.open_connection(host, port)
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


async def main(url: str, rate: float, seconds: float) -> None:
    """Ask until told to stop, then wait for the last answers."""
    parts = urlsplit(url)
    failures: list[tuple[float, str]] = []
    started = time.monotonic()

    async def once(due: float) -> None:
        if reason := await ask(parts.hostname or "", parts.port or 80, parts.path):
            failures.append((round(due, 2), reason))

    print("started", flush=True)
    total = 0
    async with asyncio.TaskGroup() as group:
        while total < rate * seconds and not told_to_stop():
            group.create_task(once(total / rate))
            total += 1
            await asyncio.sleep(started + total / rate - time.monotonic())
    reasons = collections.Counter(reason for _, reason in failures)
    times = [when for when, _ in failures]
    window = [min(times), max(times)] if times else []
    print(json.dumps({"sent": total, "failed": len(failures), "window": window, "reasons": reasons}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
