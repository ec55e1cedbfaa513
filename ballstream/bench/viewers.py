"""Many viewers in one process, who receive the video and do not decode it."""

import asyncio
import sys
from pathlib import Path

from ..config import DIRECT
from ..link.negotiation import accept_answer, make_offer
from ..link.peer import Peer
from ..link.receiver import Counting
from ..signaling.sockets import connect_unix


async def watch(path: Path, viewers: int) -> list[int]:
    """Watch until standard input ends; returns the frames that each viewer got.

    Says `ready` on standard output once every viewer is connected.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), stop.set)
    counts = [Counting() for _ in range(viewers)]
    connected = asyncio.Barrier(viewers + 1)
    try:
        async with asyncio.TaskGroup() as views:
            for number, count in enumerate(counts):
                views.create_task(_view(path, f"viewer-{number}", count, connected, stop))
            await connected.wait()
            sys.stdout.write("ready\n")
            sys.stdout.flush()
    finally:
        loop.remove_reader(sys.stdin.fileno())
    return [count.frames for count in counts]


async def _view(
    path: Path, name: str, count: Counting, connected: asyncio.Barrier, stop: asyncio.Event
) -> None:
    async with connect_unix(path, 10) as signaling, Peer(DIRECT) as peer:
        receiver = peer.connection.addTransceiver("video", direction="recvonly").receiver
        count.attach(receiver)
        answer = await signaling.exchange(await make_offer(peer.connection), name)
        await accept_answer(peer.connection, answer)
        await peer.connected()
        await connected.wait()
        await stop.wait()
        await signaling.goodbye()


def main() -> None:
    """Entry point: the socket's path and the number of viewers are the arguments."""
    for frames in asyncio.run(watch(Path(sys.argv[1]), int(sys.argv[2]))):
        sys.stdout.write(f"{frames}\n")
