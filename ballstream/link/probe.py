"""Whether aiortc still does what is relied on, asked of an object that no peer ever sees."""

from collections.abc import Coroutine
from fractions import Fraction
from typing import Any

from aiortc import VideoStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import Packet


class NoTransport:
    """As much of a transport as a sender or receiver needs that is never started."""

    state = "new"


def run_at_once(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that is not to wait for anything; raises RuntimeError where it does."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("it waits")


class NotingTransport(NoTransport):
    """Keeps what it is to send."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def _send_rtp(self, data: bytes) -> None:
        self.sent.append(data)


class OnePacket(VideoStreamTrack):
    """A track of one packet, which has come already."""

    def __init__(self) -> None:
        super().__init__()
        self._packets = [Packet(b"\x10\0")]

    async def recv(self) -> Any:
        if not self._packets:
            raise MediaStreamError
        packet = self._packets.pop()
        packet.pts, packet.time_base = 0, Fraction(1, 90_000)
        return packet
