import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from aiortc import RTCDataChannel
from programs import soon

from ballstream.config import DIRECT
from ballstream.link.broadcast import Broadcast
from ballstream.link.guard import Guard
from ballstream.link.imagecodec import image_compressor
from ballstream.link.images import ImageReception, ImageSender, Messages
from ballstream.link.negotiation import accept_answer, answer_offer, make_offer
from ballstream.link.peer import Peer
from ballstream.link.source import BallSource, Drawn
from ballstream.protocol import frames
from ballstream.protocol.frames import Image, ImageCodec, split
from ballstream.scene.motion import bounce
from ballstream.scene.render import Scene

SIZE, FPS = (160, 120), 60
SCENE = Scene(bounce(*SIZE, 10, 280, 1), 10, stamped=False)


def broadcast(codec: ImageCodec) -> Broadcast[Messages]:
    source = BallSource(SCENE, SIZE, FPS, time.monotonic())
    return Broadcast(source, partial(image_compressor, codec, 90), SIZE[0] * SIZE[1])


@asynccontextmanager
async def channels() -> AsyncIterator[tuple[RTCDataChannel, RTCDataChannel]]:
    """Both ends of a channel for frames over real WebRTC, the one that sends first."""
    async with Peer(DIRECT) as server, Peer(DIRECT) as client:
        offered = asyncio.get_running_loop().create_future()
        server.connection.on("datachannel", offered.set_result)
        theirs = client.connection.createDataChannel(frames.LABEL, **frames.CHANNEL_OPTIONS)
        answer = await answer_offer(server.connection, await make_offer(client.connection))
        await accept_answer(client.connection, answer)
        yield await soon(offered), theirs


@pytest.mark.parametrize("codec", list(ImageCodec))
async def test_frames_arrive_in_order_and_whole(codec: ImageCodec) -> None:
    received: asyncio.Queue[Image] = asyncio.Queue()
    sent: list[int] = []
    async with channels() as (ours, theirs), broadcast(codec) as source:
        reception = ImageReception(theirs, received.put_nowait, Guard())
        sender = ImageSender(ours, source, lambda drawn: sent.append(drawn.number), Guard())
        sender.release()
        images = [await soon(received.get()) for _ in range(10)]
        sender.stop()
    numbers = [image.frame for image in images]
    assert numbers == sent[:10]
    assert {(image.codec, image.width, image.height) for image in images} == {(codec, *SIZE)}
    assert reception.lost == reception.rejected == 0
    assert sender.bytes_sent >= sum(len(image.payload) for image in images)


async def test_a_frame_that_would_have_to_wait_is_left_out() -> None:
    async with channels() as (ours, _), broadcast(ImageCodec.RAW) as source:
        sent: list[int] = []
        sender = ImageSender(ours, source, lambda drawn: sent.append(drawn.number), Guard())
        packet = split(Image(1, 640, 480, ImageCodec.RAW, bytes(150_000)))
        for number in range(5):
            sender.offer(packet, Drawn(number, 0.0, 0.0))
            assert ours.bufferedAmount <= 200_000
    assert sent == [0]
    assert sender.dropped == 4


async def test_what_is_no_frame_is_counted() -> None:
    received: list[Image] = []
    counted = asyncio.Event()
    async with channels() as (ours, theirs):
        reception = ImageReception(theirs, received.append, Guard())
        theirs.on("message", lambda _: counted.set())
        ours.send("rubbish")
        await soon(counted.wait())
        assert (reception.rejected, received) == (1, [])
