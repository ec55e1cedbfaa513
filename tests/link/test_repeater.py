import asyncio
from functools import partial
from typing import Any

import pytest
from aiortc import RTCRtpSender
from aiortc.rtp import (
    RTCP_RTPFB_NACK,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtpPacket,
)
from programs import soon

from ballstream.config import Redundancy
from ballstream.errors import InternalFailure
from ballstream.link.broadcast import Outgoing
from ballstream.link.guard import Guard
from ballstream.link.probe import NoTransport
from ballstream.link.repeater import Repeater


class Transport(NoTransport):
    """Has what aiortc's statistics of a report name."""

    _stats_id = "transport"


class Sending:
    """A sender that is never started, what it is made to send, and what it sends again."""

    def __init__(self, wanted: Redundancy, monkeypatch: pytest.MonkeyPatch) -> None:
        self.again: list[int] = []
        self.changed = asyncio.Event()

        async def retransmit(sender: RTCRtpSender, sequence_number: int) -> None:
            self.again.append(sequence_number)
            self.changed.set()

        monkeypatch.setattr(RTCRtpSender, "_retransmit", retransmit)
        self.guard = Guard()
        self.sender: Any = RTCRtpSender("video", Transport())  # type: ignore[arg-type]
        self.repeater = Repeater(partial(Outgoing, self.sender), wanted, self.guard)

    def frame(self, *numbers: int) -> None:
        """Let a frame of these packets go out."""
        for number in numbers:
            packet = RtpPacket(sequence_number=number, marker=int(number == numbers[-1]))
            self.sender._RTCRtpSender__rtp_history[number % 128] = packet

    async def repeated(self, count: int) -> list[int]:
        """What was repeated, once it is so many."""
        while len(self.again) < count:
            self.changed.clear()
            await soon(self.changed.wait())
        return self.again

    async def report(self, highest: int, lost: int, ssrc: int | None = None) -> None:
        about = self.sender._ssrc if ssrc is None else ssrc
        info = RtcpReceiverInfo(about, 0, lost, highest, 0, 0, 0)
        await self.sender._handle_rtcp_packet(RtcpRrPacket(ssrc=1, reports=[info]))


async def test_the_packets_of_a_frame_go_out_again_once_it_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sending = Sending(Redundancy.ON, monkeypatch)
    sending.frame(7, 8)
    assert sending.again == []
    assert await sending.repeated(2) == [7, 8]


async def test_reports_end_it_and_bring_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    sending = Sending(Redundancy.AUTO, monkeypatch)
    assert not sending.repeater.active
    sending.frame(1)
    assert sending.repeater.active
    await sending.report(1, 0)
    await sending.report(1000, 100, ssrc=2)  # of another stream
    assert sending.repeater.active
    await sending.report(151, 0)
    assert not sending.repeater.active
    await sending.report(152, 1)
    assert sending.repeater.active


async def test_a_nack_brings_it_back_and_is_answered_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sending = Sending(Redundancy.AUTO, monkeypatch)
    sending.frame(1)
    await sending.report(1, 0)
    await sending.report(151, 0)
    await sending.repeated(1)
    sending.again.clear()
    nack = RtcpRtpfbPacket(
        fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=sending.sender._ssrc, lost=[5, 6]
    )
    await sending.sender._handle_rtcp_packet(nack)
    assert sending.repeater.active
    assert sending.again == [5, 6], "aiortc's own answer"
    assert await sending.repeated(4) == [5, 6, 5, 6]


async def test_nothing_is_repeated_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    sending, other = (Sending(Redundancy.ON, monkeypatch) for _ in range(2))
    sending.frame(1)
    sending.repeater.close()
    other.frame(2)
    await other.repeated(1)
    assert sending.again == []


async def test_what_goes_wrong_fails_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    sending = Sending(Redundancy.ON, monkeypatch)

    async def fail(sequence_number: int) -> None:
        raise ValueError("no")

    sending.repeater._sender.again = fail
    sending.frame(1)
    with pytest.raises(InternalFailure, match=r"repeating a packet \(ValueError: no"):
        await soon(sending.guard.failure())
