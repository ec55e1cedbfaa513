"""Sends packets of video again before anybody asks for them.

Uses private names of aiortc 1.16, all of an `RTCRtpSender`:

* `_RTCRtpSender__rtp_history`: replaced before the sender starts, to hear of each packet. It is
  from where `_retransmit` has what it sends.
* `_retransmit`: sends a packet again, as RTX (RFC 4588) where that was agreed on.
* `_RTCRtpSender__rtx_payload_type`: whether it was; None until the sender starts.
* `_handle_rtcp_packet`: replaced on the sender, to hear what the receiver reports.
* `_ssrc`: the stream that reports are about.
* `_run_rtp`: to try whether the above are still used, on a sender of no peer's.

Should one be gone or not be used, `can_repeat` says so, and nothing is repeated.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from functools import cache
from typing import Any

from aiortc import RTCRtpSender, VideoStreamTrack, clock
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import (
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    RtpPacket,
)
from av import Packet

from ..config import Redundancy
from .guard import Guard
from .probe import NoTransport, run_at_once
from .redundancy import INTERVAL, Repeats

logger = logging.getLogger(__name__)

_NTP_UNIT = 1 / 65536
_LONGEST_ROUND_TRIP = 10.0


@cache
def can_repeat() -> bool:
    """Whether aiortc still does with a packet what this module relies on.

    To be called while an event loop runs.
    """
    heard: list[int] = []
    transport = _Noting()
    codec = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90_000, payloadType=97)
    try:
        sender: Any = RTCRtpSender(_OnePacket(), transport)  # type: ignore[arg-type]
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


class Repeater:
    """Repeats what one sender sends, as often as `Repeats` says; what fails, fails under `guard`.

    To be made before the sender starts. It has nine fields: the sender and two of its own methods,
    how to judge, the frame that is being sent and when the last one was, and what is under way.
    """

    def __init__(self, sender: RTCRtpSender, wanted: Redundancy, guard: Guard) -> None:
        self._sender: Any = sender
        self._retransmit = sender._retransmit
        self._handle = sender._handle_rtcp_packet
        self._wanted = wanted
        self._guard = guard
        self._repeats: Repeats | None = None
        self._frame: list[int] = []
        self._frames: deque[float] = deque(maxlen=2)
        self._tasks: set[asyncio.Task[None]] = set()
        noting = guard("noting a packet")(self._note)
        sender._RTCRtpSender__rtp_history = _History(noting)  # type: ignore[attr-defined]
        sender._handle_rtcp_packet = self._hear  # type: ignore[method-assign]

    @property
    def active(self) -> bool:
        """Whether frames of few packets are repeated at present."""
        if self._repeats is None or self._wanted is Redundancy.OFF:
            return False
        return self._repeats.active(time.monotonic())

    def close(self) -> None:
        """Repeat nothing more."""
        self._wanted = Redundancy.OFF
        for task in self._tasks:
            task.cancel()

    def _note(self, packet: RtpPacket) -> None:
        """A packet is about to go out; where it ends a frame, that is repeated soon."""
        self._frame.append(packet.sequence_number)
        if not packet.marker:
            return
        if self._repeats is None:
            told_apart = self._sender._RTCRtpSender__rtx_payload_type is not None
            self._repeats = Repeats(self._wanted, told_apart=told_apart)
        self._frames.append(time.monotonic())
        numbers, self._frame = self._frame, []
        self._repeat_soon(numbers, self._repeats)

    def _repeat_soon(self, numbers: list[int], repeats: Repeats) -> None:
        for copy in range(repeats.copies(len(numbers), time.monotonic())):
            loop = asyncio.get_running_loop()
            loop.call_later((copy + 1) * INTERVAL, self._repeat, numbers)

    def _repeat(self, numbers: list[int]) -> None:
        if self._wanted is not Redundancy.OFF:
            task = asyncio.create_task(self._send(numbers))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, numbers: list[int]) -> None:
        with self._guard("repeating a packet"), suppress(ConnectionError):
            for number in numbers:
                await self._retransmit(number)

    async def _hear(self, packet: AnyRtcpPacket) -> None:
        with self._guard("reading a report"):
            self._read(packet)
        await self._handle(packet)

    def _read(self, packet: AnyRtcpPacket) -> None:
        if self._repeats is None:
            return
        now = time.monotonic()
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for report in packet.reports:
                if report.ssrc == self._sender._ssrc:
                    lost, delay = report.packets_lost, self._delay(report)
                    self._repeats.report(report.highest_sequence, lost, delay, now)
        elif isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
            self._repeats.asked(now)
            self._repeat_soon(packet.lost, self._repeats)  # it may be lost again

    def _delay(self, report: RtcpReceiverInfo) -> float | None:
        """The round trip by a report, at the least; None where it is of no sender report yet.

        A sender report of aiortc's has the time of the last frame rather than its own.
        """
        if not report.lsr or len(self._frames) < 2:
            return None
        now = (clock.current_ntp_time() >> 16) & 0xFFFFFFFF
        units = (now - report.lsr - report.dlsr) & 0xFFFFFFFF
        delay = units * _NTP_UNIT - (self._frames[1] - self._frames[0])
        return delay if delay < _LONGEST_ROUND_TRIP else None


class _History(dict[int, RtpPacket]):
    """Takes the place of a sender's memory of packets, and tells of each."""

    def __init__(self, on_packet: Callable[[RtpPacket], None]) -> None:
        super().__init__()
        self._on_packet = on_packet

    def __setitem__(self, key: int, packet: RtpPacket) -> None:
        super().__setitem__(key, packet)
        self._on_packet(packet)


class _Noting(NoTransport):
    """A transport that keeps what it is to send."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def _send_rtp(self, data: bytes) -> None:
        self.sent.append(data)


class _OnePacket(VideoStreamTrack):
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
