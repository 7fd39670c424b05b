"""Carry TCP connections from this machine's loopback to the API server, which has a network of its own.

    relay.py PORT PID TARGET-PORT

Listens on 127.0.0.1:PORT, then moves into the network of process PID and connects to TARGET-PORT there: a socket stays
in the network in which it was made. Ends with process PID.
"""

import asyncio
import ctypes
import os
import socket
import sys

CLONE_NEWNET = 0x40000000


def enter_network(pid: int) -> None:
    """Make every socket from now on in the network of that process."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    if libc.setns(handle, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
    os.close(handle)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end, and pass that on."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


async def serve(listener: socket.socket, process: int, target: int) -> None:
    """Carry connections until the process (a pidfd) has ended."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        far_writer.close()
        writer.close()

    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(process, ended.set)
    async with await asyncio.start_server(carry, sock=listener):
        await ended.wait()


def main() -> None:
    """Listen here, connect there."""
    port, pid, target = map(int, sys.argv[1:])
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    process = os.pidfd_open(pid)
    enter_network(pid)
    asyncio.run(serve(listener, process, target))


if __name__ == "__main__":
    main()
