"""Reception over real WebRTC, with packets taken out between the transport and the receiver."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import pairwise

import pytest
from aiortc import RTCDtlsTransport, RTCRtpReceiver
from aiortc.rtp import RtpPacket
from av import VideoFrame
from programs import soon

from ballstream.config import DIRECT, Codec
from ballstream.errors import InternalFailure
from ballstream.link import receiver as receiver_module
from ballstream.link.broadcast import Broadcast, ViewerTrack
from ballstream.link.codec import Encoding, video_compressor
from ballstream.link.negotiation import accept_answer, answer_offer, make_offer, send_track
from ballstream.link.peer import Peer
from ballstream.link.picture import planes_of_frame
from ballstream.link.probe import NoTransport
from ballstream.link.receiver import missing_names, reading, receive
from ballstream.link.source import BallSource, Drawn
from ballstream.protocol import stamp
from ballstream.scene.motion import bounce
from ballstream.scene.render import Scene

SIZE, FPS = (160, 120), 60
SCENE = Scene(bounce(*SIZE, 10, 280, 1), 10, stamped=True)

Filter = Callable[[RtpPacket], bool]


class Viewer:
    """What one end sent and the numbers of the pictures that came out at the other."""

    receiver: RTCRtpReceiver
    running: asyncio.Task[None]
    fault: Exception | None = None

    def __init__(self, *peers: Peer) -> None:
        self._peers = peers
        self.sent: list[int] = []
        self.seen: list[int] = []
        self._changed = asyncio.Event()

    def on_frame(self, drawn: Drawn) -> None:
        self.sent.append(drawn.number)
        self._changed.set()

    async def gets(self, count: int) -> None:
        """Wait until so many frames were sent."""
        while len(self.sent) < count:
            self._changed.clear()
            await soon(self._changed.wait())

    def states(self) -> set[str]:
        """What both connections are in."""
        return {peer.connection.connectionState for peer in self._peers}

    def on_picture(self, picture: VideoFrame) -> None:
        if self.fault is not None:
            raise self.fault
        number = stamp.read(planes_of_frame(picture).y)
        assert number is not None
        self.seen.append(number)
        self._changed.set()

    @property
    def steps(self) -> list[int]:
        """From each picture to the next one, in frames sent: 1 where none is missing between.

        What is sent before the receiver is ready is nobody's, which on a busy machine can be some.
        """
        return [after - before for before, after in pairwise(map(self.sent.index, self.seen))]

    async def sees(self, count: int) -> None:
        while len(self.seen) < count:
            self._changed.clear()
            await soon(self._changed.wait())


@asynccontextmanager
async def watching(
    passes: Filter, codec: Codec = Codec.VP8, *, stock: bool = False
) -> AsyncIterator[Viewer]:
    """A viewer of a broadcast, whose receiver gets only the packets that pass."""
    source = BallSource(SCENE, SIZE, FPS, time.monotonic())
    compress = partial(video_compressor, Encoding(codec, SIZE, FPS, 500_000))
    async with (
        Broadcast(source, compress, SIZE[0] * SIZE[1]) as broadcast,
        Peer(DIRECT) as server,
        Peer(DIRECT) as client,
    ):
        viewer = Viewer(server, client)
        track = ViewerTrack(broadcast, viewer.on_frame, server.guard)
        track.listen(send_track(server.connection, track, codec))
        receiver = client.connection.addTransceiver("video", direction="recvonly").receiver
        _filter(receiver, passes)
        reception = receive(receiver, viewer.on_picture, stock=stock)
        answer = await answer_offer(server.connection, await make_offer(client.connection))
        await accept_answer(client.connection, answer)
        await soon(asyncio.gather(client.connected(), server.connected()))
        viewer.receiver = receiver
        viewer.running = asyncio.create_task(reception.run())
        track.release()
        try:
            yield viewer
        finally:
            track.stop()
            viewer.running.cancel()
            await asyncio.gather(viewer.running, return_exceptions=True)


def _filter(receiver: RTCRtpReceiver, passes: Filter) -> None:
    handle = receiver._handle_rtp_packet

    async def handle_if_it_passes(packet: RtpPacket, arrival_time_ms: int) -> None:
        if passes(packet):
            await handle(packet, arrival_time_ms=arrival_time_ms)

    receiver._handle_rtp_packet = handle_if_it_passes  # type: ignore[method-assign]


def everything(packet: RtpPacket) -> bool:
    return True


class Loss:
    """Takes out the nth video packet, and its retransmissions too if it is lost for good."""

    def __init__(self, nth: int, *, for_good: bool) -> None:
        self._left = nth
        self._for_good = for_good
        self._lost: int | None = None
        self.retransmissions = 0

    def __call__(self, packet: RtpPacket) -> bool:
        retransmitted = packet.payload_type % 2 == 0  # aiortc's RTX types follow the codec's
        if retransmitted:
            original = int.from_bytes(packet.payload[:2], "big")
            self.retransmissions += original == self._lost
            return not (self._for_good and original == self._lost)
        self._left -= 1
        if self._left == 0:
            self._lost = packet.sequence_number
        return self._left != 0


def test_the_private_names_are_still_there() -> None:
    async def make() -> RTCRtpReceiver:
        return RTCRtpReceiver("video", NoTransport())  # type: ignore[arg-type]

    assert missing_names(asyncio.run(make())) == []


async def test_the_task_that_reads_a_transport_s_packets_is_known_while_it_does() -> None:
    async with watching(everything) as viewer:
        transport: RTCDtlsTransport = viewer.receiver.transport
        task = reading(transport)
        assert task is not None
        assert not task.done()
        await transport.stop()
        assert reading(transport) is None


@pytest.mark.parametrize("codec", Codec)
async def test_every_picture_comes_in_order(codec: Codec) -> None:
    async with watching(everything, codec) as viewer:
        await viewer.sees(20)
    assert set(viewer.steps[:19]) == {1}


async def test_a_lost_packet_that_comes_again_costs_no_picture() -> None:
    loss = Loss(10, for_good=False)
    async with watching(loss) as viewer:
        await viewer.sees(20)
    assert loss.retransmissions >= 1, "a busy machine may ask twice"
    assert set(viewer.steps[:19]) == {1}


async def test_after_a_packet_lost_for_good_it_goes_on_with_a_keyframe() -> None:
    loss = Loss(10, for_good=True)
    async with watching(loss) as viewer:
        await viewer.sees(20)
    assert loss.retransmissions > 1, "it is asked for more than once"
    *small, gap = sorted(viewer.steps[:19])
    assert set(small) == {1}
    assert 2 <= gap <= 31


async def test_aiortc_s_own_reception_stands_still_then() -> None:
    async with watching(Loss(10, for_good=True), stock=True) as viewer:
        await viewer.gets(60)
        assert len(viewer.seen) <= 9


async def test_damaged_data_is_got_over() -> None:
    def damage(packet: RtpPacket) -> bool:
        if packet.sequence_number % 16 == 0 and packet.payload_type % 2:
            packet.payload = packet.payload[:4] + b"\x01"
        return True

    async with watching(damage) as viewer:
        while not viewer.seen or viewer.seen[-1] < 60:
            await viewer.sees(len(viewer.seen) + 1)


async def test_what_the_callback_raises_is_raised_by_run_and_nothing_is_closed() -> None:
    for stock in (False, True):
        async with watching(everything, stock=stock) as viewer:
            viewer.fault = KeyError("no")
            with pytest.raises(InternalFailure, match="handing a picture over"):
                await soon(asyncio.shield(viewer.running))
            assert viewer.states() == {"connected"}


async def test_after_the_start_of_the_receiver_it_is_too_late() -> None:
    async with watching(everything) as viewer:
        await viewer.sees(1)
        with pytest.raises(RuntimeError, match="before the receiver starts"):
            receive(viewer.receiver, viewer.on_picture)


@pytest.mark.parametrize("codec", Codec)
async def test_pictures_that_are_too_large_are_not_decoded(
    codec: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver_module, "MOST_PIXELS", SIZE[0] * SIZE[1] - 1)
    async with watching(everything, codec) as viewer:
        await viewer.gets(10)
        assert viewer.seen == []
    # FFmpeg takes rows to be as long as they are in memory.
    monkeypatch.setattr(receiver_module, "MOST_PIXELS", 192 * 128)
    async with watching(everything, codec) as viewer:
        await viewer.sees(3)


def test_where_what_stands_in_is_not_called_that_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def handle(self: RTCRtpReceiver, packet: RtpPacket, arrival_time_ms: int) -> None:
        """As an aiortc might that has other parts."""

    async def missing() -> list[str]:
        return missing_names(RTCRtpReceiver("video", NoTransport()))  # type: ignore[arg-type]

    monkeypatch.setattr(RTCRtpReceiver, "_handle_rtp_packet", handle)
    receiver_module._takes_stand_ins.cache_clear()
    assert asyncio.run(missing()) == ["calls of what stands in for its parts"]
    monkeypatch.undo()
    receiver_module._takes_stand_ins.cache_clear()
    assert asyncio.run(missing()) == []


async def test_where_a_name_is_gone_reception_is_aiortc_s_own(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(receiver_module, "_PRIVATE_NAMES", ("_gone",))
    async with watching(everything) as viewer:
        await viewer.sees(10)
    assert set(viewer.steps[:9]) == {1}
    assert caplog.text.count("this aiortc lacks _gone") == 1
