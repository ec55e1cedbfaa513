"""One encoder, many viewers: every frame is drawn and compressed once, whoever watches.

Uses two private names of aiortc 1.16, methods that are replaced on a viewer's sender:

* `RTCRtpSender._send_keyframe`: a track of packets has no public way to hear of PLI and FIR
  (RFC 4585, RFC 5104).
* `RTCRtpSender._retransmit`: called for every packet that a NACK asks for, without a limit.

Should one go, `can_hear_keyframe_requests` turns False and every viewer gets aiortc's own encoder.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from aiortc import RTCRtpSender, VideoStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from ..rate import RateLimit
from ..trace import mark
from .codec import VideoPacket
from .guard import Guard
from .source import Drawn, OnFrame, Source, ignore

Packet = TypeVar("Packet")
Received = TypeVar("Received", contravariant=True)

ENCODING = "encoding a frame"

_REQUESTS_PER_SECOND, _REQUESTS_AT_ONCE = 2, 5
"""Keyframes that one viewer may ask for: all of them have to take what it gets."""

_RETRANSMISSIONS_PER_SECOND = 500
"""Packets that are sent again to one viewer: a NACK of a few bytes can ask for hundreds."""

_SMALL = 640 * 480
"""Pixels up to which the way to a thread and back takes longer than it is worth."""

KEYFRAME_PERIOD = 0.1
"""Seconds between two keyframes at the least, however many viewers ask."""


def can_hear_keyframe_requests() -> bool:
    """Whether aiortc still has the name that this module relies on."""
    return all(hasattr(RTCRtpSender, name) for name in ("_send_keyframe", "_retransmit"))


class Viewer(Protocol[Received]):
    """Whoever takes part in a broadcast."""

    def offer(self, packet: Received, drawn: Drawn) -> None:
        """Take the next packet, or leave it; never wait."""

    def fail(self, error: Exception) -> None:
        """There will be no more, because the encoder failed; never raises."""


Compress = Callable[[VideoFrame, int, bool], Packet | None]
"""A frame, its number, and whether it must stand for itself, into what the viewers get."""


class Broadcast(Generic[Packet]):
    """Draws and compresses while anybody watches, and hands every packet to all viewers.

    The frames are those of `source`; `make_compress` makes a fresh encoder, for which a frame is
    `pixels` large. Use as `async with`.
    """

    def __init__(
        self, source: Source, make_compress: Callable[[], Compress[Packet]], pixels: int
    ) -> None:
        self._source = source
        self._make_compress = make_compress
        self._small = pixels <= _SMALL
        self._viewers: set[Viewer[Packet]] = set()
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "encoder")
        self._keyframe_wanted = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown()

    def add(self, viewer: Viewer[Packet]) -> None:
        """Let a viewer take part, from the next keyframe on, which comes at once."""
        self._viewers.add(viewer)
        self.request_keyframe()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def remove(self, viewer: Viewer[Packet]) -> None:
        """Leave a viewer out; without viewers nothing is drawn."""
        self._viewers.discard(viewer)
        if not self._viewers and self._task is not None:
            self._task.cancel()
            self._task = None

    def request_keyframe(self) -> None:
        """Make one of the next frames a keyframe, the next one unless there just was one."""
        self._keyframe_wanted = True

    async def _run(self) -> None:
        try:
            await self._feed()
        except Exception as error:
            self._task = None  # whoever comes now gets a new one
            for viewer in tuple(self._viewers):
                self.remove(viewer)
                viewer.fail(error)

    async def _feed(self) -> None:
        compress = self._make_compress()
        last_keyframe = float("-inf")
        async for drawn, frame in self._source.frames():
            keyframe = self._keyframe_wanted and drawn.at - last_keyframe >= KEYFRAME_PERIOD
            if keyframe:
                self._keyframe_wanted = False
                last_keyframe = drawn.at
            packet = await self._compress(compress, frame, drawn.number, keyframe)
            if packet is None:
                continue
            mark("encoded", drawn.number)
            for viewer in tuple(self._viewers):
                viewer.offer(packet, drawn)

    async def _compress(
        self, compress: Compress[Packet], frame: VideoFrame, number: int, keyframe: bool
    ) -> Packet | None:
        if self._small:
            return compress(frame, number, keyframe)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, compress, frame, number, keyframe)


class ViewerTrack(VideoStreamTrack):
    """A broadcast as one viewer gets it: `recv` returns `av.Packet`s, which aiortc only sends.

    `on_frame` is told of every frame that this viewer gets, `on_dropped` of every other. A viewer
    that does not keep up has a slot of one: `dropped` counts what did not fit, and when it comes
    back it goes on with a new keyframe, because a frame whose predecessor is missing cannot be
    decoded. What fails here fails under `guard`.

    It has nine fields: three are those of one viewer's slot, which is too small to stand alone.
    """

    def __init__(
        self,
        broadcast: Broadcast[VideoPacket],
        on_frame: OnFrame,
        guard: Guard,
        on_dropped: OnFrame = ignore,
    ) -> None:
        super().__init__()
        self.dropped = 0
        self._broadcast = broadcast
        self._on_frame = on_frame
        self._on_dropped = on_dropped
        self._guard = guard
        self._slot: tuple[VideoPacket, Drawn] | None = None
        self._in_step = False
        self._filled = asyncio.Event()

    def release(self) -> None:
        """Let the frames begin."""
        if self.readyState == "live":
            self._broadcast.add(self)

    def listen(self, sender: RTCRtpSender) -> None:
        """Give the viewer what its receiver asks for, keyframes and lost packets, within limits."""
        limit = RateLimit(_REQUESTS_PER_SECOND, _REQUESTS_AT_ONCE)
        budget = RateLimit(_RETRANSMISSIONS_PER_SECOND, _RETRANSMISSIONS_PER_SECOND)
        retransmit = sender._retransmit

        def request_keyframe() -> None:
            if limit.allows(time.monotonic()):
                self._broadcast.request_keyframe()

        async def retransmit_within_limits(sequence_number: int) -> None:
            with self._guard("sending a packet again"):
                if budget.allows(time.monotonic()):
                    await retransmit(sequence_number)

        guarded = self._guard("hearing a keyframe request")
        sender._send_keyframe = guarded(request_keyframe)  # type: ignore[method-assign]
        sender._retransmit = retransmit_within_limits  # type: ignore[method-assign]

    def offer(self, packet: VideoPacket, drawn: Drawn) -> None:
        """Take the next packet of the broadcast."""
        with self._guard("leaving a frame out"):
            self._take(packet, drawn)

    def _take(self, packet: VideoPacket, drawn: Drawn) -> None:
        if self._slot is not None:
            self.dropped += 1
            self._on_dropped(self._slot[1])
            self._slot = None
            self._in_step = False
        if packet.is_keyframe:
            self._in_step = True
        if not self._in_step:
            self._on_dropped(drawn)
            return
        self._slot = packet, drawn
        self._filled.set()

    async def recv(self) -> VideoPacket:  # type: ignore[override]
        """The next packet; raises MediaStreamError once the track is stopped."""
        with self._guard("sending a frame"):
            return await self._next()
        raise MediaStreamError

    async def _next(self) -> VideoPacket:
        if self.dropped and not self._in_step:
            self._broadcast.request_keyframe()
        while self._slot is None:
            if self.readyState != "live":
                raise MediaStreamError
            self._filled.clear()
            await self._filled.wait()
        (packet, drawn), self._slot = self._slot, None
        self._on_frame(drawn)
        return packet

    def fail(self, error: Exception) -> None:
        """Let the session end: there will be no more packets."""
        self._guard.fail(ENCODING, error)

    def stop(self) -> None:
        """Leave the broadcast."""
        self._broadcast.remove(self)
        self._filled.set()
        super().stop()
