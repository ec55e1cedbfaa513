"""A known delay comes out as that delay, and in the right part: exactly, with time moved by hand.

Server and client are the real ones from the drawing of a frame to the arrival of the estimate, but
for the network between: a relay that holds every packet, and knows for how long.
"""

from collections.abc import Callable
from itertools import count
from typing import Any, cast

import pytest
from aiortc import RTCDataChannel, RTCDtlsTransport, RTCRtpCodecParameters, RTCRtpReceiver
from aiortc.codecs import get_encoder, vpx
from aiortc.rtp import RtpPacket
from programs import soon

from ballstream.config import DIRECT, Codec, ServerConfig
from ballstream.impairment.emulation import Direction, Link
from ballstream.impairment.grammar import parse_plan
from ballstream.link import images, offerer, receiver
from ballstream.link.codec import Encoding, video_compressor
from ballstream.link.imagecodec import image_compressor
from ballstream.link.images import ImageReception
from ballstream.link.peer import Peer
from ballstream.link.probe import NoTransport
from ballstream.link.receiver import QuickReception
from ballstream.link.source import CLOCK_RATE, BallSource, Drawn
from ballstream.link.stage import Stage
from ballstream.protocol.frames import ImageCodec
from ballstream.report.observers import Observer
from ballstream.scene.render import Scene
from ballstream.session import Session
from ballstream.vision.decoding import picture_of

FPS = 30
SIZE = (160, 120)
CONFIG = ServerConfig(size=SIZE, radius=10, fps=FPS)
PAYLOAD_TYPE = 97
VP8 = RTCRtpCodecParameters("video/VP8", CLOCK_RATE, payloadType=PAYLOAD_TYPE)
MAKING_MS, SPREAD_MS, DETECTOR_MS, HOLD_MS = 1.5, 4.0, 20.0, 30.0
"""The server takes so long before a frame's first packet leaves, and between that and the last."""


class Clock:
    """Stands still until it is moved; takes the place of `time` in modules that look at it."""

    def __init__(self) -> None:
        self.now = 5000.0

    def monotonic(self) -> float:
        return self.now

    def pass_ms(self, ms: float) -> None:
        self.now += ms / 1e3


class Channel:
    """As much of a datachannel as either end needs; `sent` are its messages."""

    readyState = "open"  # noqa: N815 - the names are those of RTCDataChannel
    bufferedAmount = 0  # noqa: N815

    def __init__(self) -> None:
        self.sent: list[str] = []

    def on(self, event: str, callback: object) -> None:
        """Nothing comes on it by itself."""

    def send(self, message: str) -> None:
        self.sent.append(message)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in (images, offerer, receiver):
        monkeypatch.setattr(module, "time", made)
    return made


class Client:
    """The client's end of a connection; `take` is what aiortc calls for what came."""

    def __init__(self, peer: Peer, transport: str) -> None:
        self.channel = Channel()
        self.link = offerer.Link(peer, cast(RTCDataChannel, self.channel), picture_of)
        self.take: Callable[[Any], object]
        if transport == "track":
            track = RTCRtpReceiver("video", cast(RTCDtlsTransport, NoTransport()))
            track._RTCRtpReceiver__codecs[PAYLOAD_TYPE] = VP8  # type: ignore[attr-defined]
            video = QuickReception(track, self.link._on_video, peer.guard)
            self.link._reception, self.take = video, video._path.add
        else:
            channel = cast(RTCDataChannel, Channel())
            images = ImageReception(channel, self.link._on_image, peer.guard)
            self.link._reception, self.take = images, images._on_message


Packets = Callable[[int], list[Any]]
"""What goes over the network for a frame."""


def video(source: BallSource) -> Packets:
    """Frames of VP8 in RTP packets."""
    compress = video_compressor(Encoding(Codec.VP8, SIZE, FPS, 1_000_000))
    pack = get_encoder(VP8).pack
    sequence = count()

    def packets(number: int) -> list[Any]:
        packet = compress(source._draw(Drawn(number, number / FPS, 0.0)), number, number == 1)
        assert packet is not None
        payloads, timestamp = pack(packet)
        return [
            RtpPacket(PAYLOAD_TYPE, place == len(payloads), next(sequence), timestamp, 1, each)
            for place, each in enumerate(payloads, 1)
        ]

    return packets


def pictures(source: BallSource) -> Packets:
    """Frames as they are, in messages on a datachannel."""
    compress = image_compressor(ImageCodec.RAW, 90)

    def packets(number: int) -> list[Any]:
        return [*compress(source._draw(Drawn(number, number / FPS, 0.0)), number, True)]

    return packets


class Relay:
    """Holds every packet of one direction for as long as it says; `move` takes it across."""

    def __init__(self, clock: Clock, direction: Direction) -> None:
        self._clock = clock
        self._link: Link[Any] = Link(parse_plan(f"delay={HOLD_MS}ms"), 0, direction)

    def offer(self, packet: Any) -> None:
        self._link.offer(packet, 1000, self._clock.now)

    def move(self, take: Callable[[Any], object]) -> None:
        """Hand over all that is on its way, each packet at its time."""
        while (at := self._link.next_release) is not None:
            self._clock.now = at
            take(self._link.release(at))


@pytest.mark.parametrize("transport", ["track", "datachannel"])
async def test_a_known_delay_comes_out_as_that_delay_in_the_right_part(
    transport: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vpx, "PACKET_MAX", 100)  # so that a small picture takes several
    stage = Stage(CONFIG)
    stage.origin = clock.now
    session = Session(1, None, CONFIG, stage, Observer())
    make = video if transport == "track" else pictures
    packets = make(BallSource(Scene(stage.motion, 10, stamped=True), SIZE, FPS, 0.0))
    client = Client(Peer(DIRECT), transport)
    down, up = Relay(clock, Direction.DOWN), Relay(clock, Direction.UP)

    session.opened()
    for number in range(1, 91):
        drawn = Drawn(number, number / FPS, stage.origin + number / FPS)
        clock.now = drawn.at
        session.sent(drawn)
        first, *others = packets(number)
        clock.pass_ms(MAKING_MS)
        down.offer(first)
        clock.pass_ms(SPREAD_MS)
        for packet in others:
            down.offer(packet)
        assert others
        down.move(client.take)
        picture = await soon(anext(client.link.pictures))
        assert picture.frame == number
        clock.pass_ms(DETECTOR_MS)
        client.link.answer(picture.frame, *stage.motion.centre(drawn.seconds), DETECTOR_MS)
        up.offer(client.channel.sent.pop())
        up.move(lambda text: session.said(text, clock.now))

    total = session._scorer.total(clock.now)
    way_ms = MAKING_MS + SPREAD_MS + HOLD_MS + HOLD_MS
    for figure, expected in (
        (total.latency_ms, way_ms + DETECTOR_MS),
        (total.way_ms, way_ms),
        (total.client_ms, DETECTOR_MS),
        (total.detect_ms, DETECTOR_MS),
    ):
        # Frame 1 is at 33 ms, so the statistics begin with that at 1033 ms.
        assert figure.n == 60
        for value in (figure.mean, figure.p50, figure.p95, figure.p99, figure.max):
            assert value == pytest.approx(expected, abs=1e-6)
    assert (total.frames_answered, total.frames_lost, total.rejected) == (90, 0, 0)
