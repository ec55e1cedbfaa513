"""Sends packets of video again before anybody asks for them."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from aiortc import clock
from aiortc.rtp import (
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    RtpPacket,
)

from ..config import Redundancy
from .guard import Guard
from .redundancy import INTERVAL, Repeats

_NTP_UNIT = 1 / 65536
_LONGEST_ROUND_TRIP = 10.0


class Sender(Protocol):
    """What is repeated, as `broadcast.Outgoing` has it."""

    again: Callable[[int], Awaitable[None]]

    @property
    def ssrc(self) -> int: ...

    @property
    def is_told_apart(self) -> bool: ...


ListenTo = Callable[[Callable[[RtpPacket], None], Callable[[AnyRtcpPacket], None]], Sender]


class Repeater:
    """Repeats what one sender sends, as often as `Repeats` says; what fails, fails under `guard`.

    `listen_to` gives the sender to whoever hears of its packets and of what its receiver says. To
    be made before the sender starts.
    """

    def __init__(self, listen_to: ListenTo, wanted: Redundancy, guard: Guard) -> None:
        self._wanted = wanted
        self._guard = guard
        self._repeats: Repeats | None = None
        self._frame: list[int] = []
        self._frames: deque[float] = deque(maxlen=2)
        self._tasks: set[asyncio.Task[None]] = set()
        self._sender = listen_to(
            guard("noting a packet")(self._note), guard("reading a report")(self._read)
        )

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
            self._repeats = Repeats(self._wanted, told_apart=self._sender.is_told_apart)
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
                await self._sender.again(number)

    def _read(self, packet: AnyRtcpPacket) -> None:
        if self._repeats is None:
            return
        now = time.monotonic()
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for report in packet.reports:
                if report.ssrc == self._sender.ssrc:
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
