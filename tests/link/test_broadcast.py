import asyncio
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, cast

import pytest
from aiortc import RTCPeerConnection, RTCRtpSender
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpSendParameters
from aiortc.rtp import RtpPacket
from av import CodecContext, Packet, VideoFrame
from av.video.codeccontext import VideoCodecContext
from programs import soon

from ballstream.config import Codec, Redundancy
from ballstream.errors import InternalFailure
from ballstream.link.broadcast import (
    Broadcast,
    ViewerTrack,
    can_hear_keyframe_requests,
    can_repeat,
    show_at_once,
)
from ballstream.link.codec import Encoding, VideoPacket, video_compressor
from ballstream.link.guard import Guard
from ballstream.link.picture import planes_of_frame
from ballstream.link.probe import NoTransport
from ballstream.link.source import CLOCK_RATE, BallSource, Drawn
from ballstream.protocol import stamp
from ballstream.scene.motion import bounce
from ballstream.scene.render import Scene

SIZE, FPS = (160, 120), 60
SCENE = Scene(bounce(*SIZE, 10, 280, 1), 10, stamped=True)


def broadcast(codec: Codec = Codec.VP8) -> Broadcast[VideoPacket]:
    source = BallSource(SCENE, SIZE, FPS, time.monotonic())
    encoding = Encoding(codec, SIZE, FPS, 500_000)
    return Broadcast(source, partial(video_compressor, encoding), SIZE[0] * SIZE[1])


def viewer(source: Broadcast[VideoPacket]) -> tuple[ViewerTrack, list[Drawn]]:
    frames: list[Drawn] = []
    track = ViewerTrack(source, frames.append, Guard())
    track.release()
    return track, frames


def decoder(codec: Codec) -> Callable[[object], int | None]:
    name = "libvpx" if codec is Codec.VP8 else "h264"
    context = CodecContext.create(name, "r")
    assert isinstance(context, VideoCodecContext)

    def number(packet: object) -> int | None:
        (frame,) = context.decode(Packet(bytes(packet)))  # type: ignore[call-overload]
        return stamp.read(planes_of_frame(frame).y)

    return number


async def test_the_private_names_are_still_there_and_called() -> None:
    assert can_hear_keyframe_requests()


@pytest.mark.parametrize("name", ["_handle_rtcp_packet", "_send_keyframe", "_retransmit"])
async def test_where_a_private_name_is_gone_or_does_nothing_that_is_noticed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def do_nothing(self: RTCRtpSender, packet: object) -> None:
        pass

    if name == "_handle_rtcp_packet":
        monkeypatch.setattr(RTCRtpSender, name, do_nothing)
    else:
        monkeypatch.delattr(RTCRtpSender, name)
    assert not can_hear_keyframe_requests()


@pytest.fixture
def anew() -> None:
    can_repeat.cache_clear()


@pytest.mark.usefixtures("anew")
async def test_the_private_names_by_which_packets_are_repeated_are_still_there() -> None:
    assert can_repeat()


@pytest.mark.usefixtures("anew")
@pytest.mark.parametrize("name", ["_run_rtp", "_retransmit", "_handle_rtcp_packet"])
async def test_where_one_of_these_is_gone_that_is_noticed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(RTCRtpSender, name)
    assert not can_repeat()


@pytest.mark.usefixtures("anew")
async def test_where_packets_are_not_remembered_where_they_were_that_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run(self: RTCRtpSender, codec: object) -> None:
        await self.transport._send_rtp(b"a packet")

    monkeypatch.setattr(RTCRtpSender, "_run_rtp", run)
    assert not can_repeat()


@pytest.mark.parametrize("codec", Codec)
async def test_a_viewer_gets_every_frame_from_a_keyframe_on(codec: Codec) -> None:
    async with broadcast(codec) as source:
        track, frames = viewer(source)
        read = decoder(codec)
        for place in range(10):
            packet = await soon(track.recv())
            assert packet.is_keyframe == (place == 0)
            number, seconds, _ = frames[-1]
            assert read(packet) == number
            assert packet.pts == round(seconds * CLOCK_RATE)
        assert len(frames) == 10
        track.stop()


async def test_one_that_joins_later_starts_with_a_keyframe_and_shares_the_rest() -> None:
    async with broadcast() as source:
        first, first_frames = viewer(source)
        for _ in range(8):  # long enough that the next keyframe is allowed
            await soon(first.recv())
        second, second_frames = viewer(source)
        packets = await soon(asyncio.gather(first.recv(), second.recv()))
        assert packets[0] is packets[1]
        assert packets[1].is_keyframe
        assert second_frames == first_frames[-1:]
        first.stop()
        second.stop()


async def test_keyframes_are_limited_in_rate() -> None:
    async with broadcast() as source:
        track, frames = viewer(source)
        keyframes = []
        for _ in range(20):
            source.request_keyframe()
            packet = await soon(track.recv())
            if packet.is_keyframe:
                keyframes.append(frames[-1][2])
        assert len(keyframes) > 1
        assert all(b - a >= 0.1 for a, b in pairwise(keyframes))
        track.stop()


async def test_a_slow_viewer_drops_until_a_keyframe_and_holds_nobody_up() -> None:
    async with broadcast() as source:
        quick, _ = viewer(source)
        slow, _ = viewer(source)
        await soon(asyncio.gather(quick.recv(), slow.recv()))
        for _ in range(5):
            await soon(quick.recv())
        assert slow.dropped > 0
        assert quick.dropped == 0
        late = asyncio.create_task(slow.recv())
        while not late.done():
            await soon(quick.recv())
        assert late.result().is_keyframe
        quick.stop()
        slow.stop()


async def test_nothing_is_drawn_when_nobody_watches() -> None:
    drawn: list[int] = []

    class Noting(BallSource):
        async def frame_after(self, last: int) -> tuple[Drawn, VideoFrame]:
            shown, frame = await super().frame_after(last)
            drawn.append(shown.number)
            return shown, frame

    compress = partial(video_compressor, Encoding(Codec.VP8, SIZE, FPS, 500_000))
    noting = Noting(SCENE, SIZE, FPS, time.monotonic())
    async with Broadcast(noting, compress, SIZE[0] * SIZE[1]) as source:
        clock = BallSource(SCENE, SIZE, FPS, time.monotonic()).frames()
        track, frames = viewer(source)
        await soon(track.recv())
        track.stop()
        with pytest.raises(MediaStreamError):
            await soon(track.recv())
        before = len(drawn)
        for _ in range(6):  # the time in which a viewer would have got as many
            await soon(anext(clock))
        assert len(drawn) == before >= len(frames) == 1
        again, _ = viewer(source)
        assert (await soon(again.recv())).is_keyframe
        assert len(drawn) > before
        again.stop()


async def test_a_receiver_s_request_brings_a_keyframe() -> None:
    connection = RTCPeerConnection()
    async with broadcast() as source:
        track, _ = viewer(source)
        sender: RTCRtpSender = connection.addTransceiver("video").sender
        track.listen(sender)
        for _ in range(8):
            await soon(track.recv())
        sender._send_keyframe()
        assert any([(await soon(track.recv())).is_keyframe for _ in range(2)])
        track.stop()
    await connection.close()


class Wire(NoTransport):
    """A transport that keeps what is sent over it."""

    state = "connected"

    def __init__(self) -> None:
        self.sent: asyncio.Queue[bytes] = asyncio.Queue()

    async def _send_rtp(self, packet: bytes) -> None:
        self.sent.put_nowait(packet)

    def _register_rtp_sender(self, *_: object) -> None:
        pass

    def _unregister_rtp_sender(self, *_: object) -> None:
        pass


async def test_every_packet_wants_its_frame_shown_at_once() -> None:
    wire = Wire()
    async with broadcast() as source:
        track, _ = viewer(source)
        sender = RTCRtpSender(track, wire)  # type: ignore[arg-type]
        show_at_once(sender, 5)
        vp8 = RTCRtpCodecParameters("video/VP8", 90000, payloadType=96)
        await sender.send(RTCRtpSendParameters(codecs=[vp8]))
        packets = [await soon(wire.sent.get()) for _ in range(3)]
        await sender.stop()
    for packet in packets:
        assert packet[0] & 0x10, "there are header extensions"
        assert packet[12:20] == b"\xbe\xde\0\1\x52\0\0\0"


async def test_where_aiortc_s_extensions_are_gone_that_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    show_at_once(cast(RTCRtpSender, object()), 5)
    assert caplog.messages == [
        "aiortc is not as expected: browsers show frames later than they could"
    ]


async def test_a_failure_of_the_encoder_fails_the_viewers(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no such codec")

    monkeypatch.setattr("ballstream.link.codec.open_encoder", fail)
    async with broadcast() as source:
        guard = Guard()
        ViewerTrack(source, lambda _: None, guard).release()
        with pytest.raises(InternalFailure, match=r"encoding a frame \(ValueError: no such codec"):
            await soon(guard.failure())


async def test_retransmissions_to_one_viewer_have_a_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[int] = []

    async def retransmit(self: RTCRtpSender, sequence_number: int) -> None:
        sent.append(sequence_number)

    monkeypatch.setattr(RTCRtpSender, "_retransmit", retransmit)
    connection = RTCPeerConnection()
    async with broadcast() as source:
        track, _ = viewer(source)
        sender: RTCRtpSender = connection.addTransceiver("video").sender
        track.listen(sender)
        for sequence_number in range(5000):
            await sender._retransmit(sequence_number)
        track.stop()
    await connection.close()
    assert sent[:500] == list(range(500))
    assert len(sent) < 1000


async def test_repeats_do_not_draw_on_the_budget_for_what_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[int] = []
    repeated = asyncio.Event()

    async def retransmit(self: RTCRtpSender, sequence_number: int) -> None:
        sent.append(sequence_number)
        if sequence_number == 40:
            repeated.set()

    monkeypatch.setattr(RTCRtpSender, "_retransmit", retransmit)
    connection = RTCPeerConnection()
    async with broadcast() as source:
        track, _ = viewer(source)
        sender: Any = connection.addTransceiver("video").sender
        track.listen(sender, Redundancy.ON)
        for number in range(9, 41):
            sender._RTCRtpSender__rtp_history[number] = RtpPacket(sequence_number=number, marker=1)
        assert track.repeats
        await soon(repeated.wait())
        assert sent == list(range(9, 41))
        sent.clear()
        for sequence_number in range(500):
            await sender._retransmit(sequence_number)
        assert sent == list(range(500))
        track.stop()
        assert not track.repeats
    await connection.close()


async def test_what_a_viewer_does_not_get_is_told_of() -> None:
    sent: list[int] = []
    dropped: list[int] = []
    async with broadcast() as source:
        track = ViewerTrack(
            source,
            lambda drawn: sent.append(drawn.number),
            Guard(),
            lambda drawn: dropped.append(drawn.number),
        )
        for number, is_keyframe in enumerate((False, True, False, False, False, True)):
            packet = cast(VideoPacket, Packet(b"x"))
            packet.is_keyframe = is_keyframe
            track.offer(packet, Drawn(number, 0.0, 0.0))
            if number == 1:
                await soon(track.recv())
        await soon(track.recv())
        track.stop()
    assert sent == [1, 5]
    # 0 is before the first keyframe; 3 pushes 2 out, and cannot be decoded without it.
    assert dropped == [0, 2, 3, 4]
