"""One encoder, many viewers: every frame is drawn and compressed once, whoever watches.

Uses private names of aiortc 1.16. Three are replaced on a viewer's sender, two of them methods:

* `RTCRtpSender._send_keyframe`: a track of packets has no public way to hear of PLI and FIR
  (RFC 4585, RFC 5104).
* `RTCRtpSender._retransmit`: called for every packet that a NACK asks for, without a limit.
* `RTCRtpSender._RTCRtpSender__rtp_header_extensions_map`: writes the header extensions of every
  packet, of which aiortc knows no playout delay. Where it is gone, packets go without one.

`RTCRtpSender._handle_rtcp_packet` and `_ssrc` serve to try whether these are still called. Should
that fail, `can_hear_keyframe_requests` says so and every viewer gets aiortc's own encoder.

And for what is repeated before it is asked for, all of a sender:

* `_RTCRtpSender__rtp_history`: replaced before the sender starts, to hear of each packet. It is
  from where `_retransmit` has what it sends.
* `_retransmit`: sends a packet again, as RTX (RFC 4588) where that was agreed on.
* `_RTCRtpSender__rtx_payload_type`: whether it was; None until the sender starts.
* `_handle_rtcp_packet`: replaced, to hear what the receiver reports.
* `_ssrc`: the stream that reports are about.
* `_run_rtp`: to try whether the above are still used, on a sender of no peer's.

Should one of these be gone or not be used, `can_repeat` says so, and nothing is repeated.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from aiortc import RTCRtpSender, VideoStreamTrack
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import (
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtpPacket,
)
from av import VideoFrame

from ..config import Redundancy
from ..rate import RateLimit
from ..trace import mark
from .codec import VideoPacket
from .guard import Guard
from .playout import AtOnce
from .probe import NotingTransport, NoTransport, OnePacket, run_at_once
from .repeater import Repeater
from .source import Drawn, OnFrame, Source, ignore

Packet = TypeVar("Packet")
Received = TypeVar("Received", contravariant=True)

logger = logging.getLogger(__name__)

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
    """Whether aiortc still calls, for PLI and NACK, what this module puts in the place of its own.

    To be called while an event loop runs.
    """
    heard: list[str] = []

    async def retransmit(sequence_number: int) -> None:
        heard.append(f"again {sequence_number}")

    try:
        sender: Any = RTCRtpSender("video", NoTransport())  # type: ignore[arg-type]
        known = hasattr(sender, "_send_keyframe") and hasattr(sender, "_retransmit")
        sender._send_keyframe = lambda: heard.append("keyframe")
        sender._retransmit = retransmit
        pli = RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=0, media_ssrc=sender._ssrc)
        nack = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=0, media_ssrc=sender._ssrc, lost=[7])
        for packet in (pli, nack):
            run_at_once(sender._handle_rtcp_packet(packet))
    except Exception:  # another version may raise whatever it likes
        logger.debug("trying aiortc's sender failed", exc_info=True)
        return False
    return known and heard == ["keyframe", "again 7"]


@cache
def can_repeat() -> bool:
    """Whether aiortc still does with a packet what `Outgoing` relies on.

    To be called while an event loop runs.
    """
    heard: list[int] = []
    transport = NotingTransport()
    codec = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90_000, payloadType=97)
    try:
        sender: Any = RTCRtpSender(OnePacket(), transport)  # type: ignore[arg-type]
        names = ("_RTCRtpSender__rtp_history", "_RTCRtpSender__rtx_payload_type", "_ssrc")
        known = all(hasattr(sender, name) for name in (*names, "_handle_rtcp_packet"))
        history = _History(lambda packet: heard.append(packet.sequence_number))
        sender._RTCRtpSender__rtp_history = history
        run_at_once(sender._run_rtp(codec))
        run_at_once(sender._retransmit(heard[0]))
    except Exception:  # another version may raise whatever it likes
        logger.debug("trying aiortc's sender failed", exc_info=True)
        return False
    return known and len(heard) == 1 and transport.sent[1:] == transport.sent[:1]


class Outgoing:
    """What one sender sends, for whoever repeats it.

    `on_packet` hears of each packet before it goes out, `on_rtcp` of what the receiver says;
    neither may raise. To be made before the sender starts.
    """

    def __init__(
        self,
        sender: RTCRtpSender,
        on_packet: Callable[[RtpPacket], None],
        on_rtcp: Callable[[AnyRtcpPacket], None],
    ) -> None:
        self._sender: Any = sender
        self.again: Callable[[int], Awaitable[None]] = sender._retransmit
        """Sends a packet again, by its number; raises ConnectionError where that cannot be."""

        handle = sender._handle_rtcp_packet

        async def hear(packet: AnyRtcpPacket) -> None:
            on_rtcp(packet)
            await handle(packet)

        sender._RTCRtpSender__rtp_history = _History(on_packet)  # type: ignore[attr-defined]
        sender._handle_rtcp_packet = hear  # type: ignore[method-assign]

    @property
    def ssrc(self) -> int:
        """The stream that a receiver's reports are about."""
        ssrc: int = self._sender._ssrc
        return ssrc

    @property
    def is_told_apart(self) -> bool:
        """Whether a packet and its copy are told apart, once it has started: copies are RTX."""
        return self._sender._RTCRtpSender__rtx_payload_type is not None


class _History(dict[int, RtpPacket]):
    """Takes the place of a sender's memory of packets, and tells of each."""

    def __init__(self, on_packet: Callable[[RtpPacket], None]) -> None:
        super().__init__()
        self._on_packet = on_packet

    def __setitem__(self, key: int, packet: RtpPacket) -> None:
        super().__setitem__(key, packet)
        self._on_packet(packet)


def show_at_once(sender: RTCRtpSender, extension: int) -> None:
    """Have each frame shown as soon as it is decoded, by a receiver that takes playout delays.

    `extension` is the number by which it knows them. To be called before anything is sent.
    """
    if hasattr(sender, "_RTCRtpSender__rtp_header_extensions_map"):
        sender._RTCRtpSender__rtp_header_extensions_map = AtOnce(extension)
    else:
        logger.warning("aiortc is not as expected: browsers show frames later than they could")


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

    It has nine fields, as here meet what a viewer gets, what becomes of it, and what is repeated.
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
        self._repeater: Repeater | None = None

    def release(self) -> None:
        """Let the frames begin."""
        if self.readyState == "live":
            self._broadcast.add(self)

    @property
    def repeats(self) -> bool:
        """Whether the viewer gets packets more than once at present, as they may be lost."""
        return self._repeater is not None and self._repeater.active

    def listen(self, sender: RTCRtpSender, redundancy: Redundancy = Redundancy.OFF) -> None:
        """Give the viewer what its receiver asks for, keyframes and lost packets, within limits.

        With redundancy it gets packets again before it asks. To be called before the sender starts.
        """
        if redundancy is not Redundancy.OFF:
            self._repeater = Repeater(partial(Outgoing, sender), redundancy, self._guard)
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
        if self._repeater is not None:
            self._repeater.close()
        self._filled.set()
        super().stop()
