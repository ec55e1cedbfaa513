"""Both ends of a link in one process, over real WebRTC."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from programs import soon

from ballstream.config import DIRECT, Codec
from ballstream.link.answerer import Answerer, Streams
from ballstream.link.broadcast import Broadcast
from ballstream.link.codec import Encoding, video_compressor
from ballstream.link.imagecodec import image_compressor
from ballstream.link.offerer import Link, open_link
from ballstream.link.source import BallSource, Drawn
from ballstream.protocol.frames import ImageCodec
from ballstream.scene.motion import bounce
from ballstream.scene.render import Scene
from ballstream.vision.decoding import picture_of
from ballstream.vision.picture import Picture

SIZE, FPS = (160, 120), 60
SCENE = Scene(bounce(*SIZE, 10, 280, 1), 10, stamped=True)


class Records:
    """Takes down what it is told of a connection."""

    def __init__(self) -> None:
        self.frames: list[Drawn] = []
        self.messages: asyncio.Queue[object] = asyncio.Queue()
        self.opened_once = asyncio.Event()
        self.joined_at: float | None = None

    def opened(self) -> None:
        self.opened_once.set()

    def sent(self, drawn: Drawn) -> None:
        self.frames.append(drawn)

    def left_out(self, drawn: Drawn) -> None:
        pass

    def joined(self, at: float) -> None:
        self.joined_at = at

    def interrupted(self) -> None:
        pass

    def said(self, message: object, at: float) -> None:
        self.messages.put_nowait(message)


@asynccontextmanager
async def joined(
    transport: str, records: Records, *, stock: bool = False
) -> AsyncIterator[tuple[Answerer, Link[Picture]]]:
    """A server's end and a client's, connected."""
    source = BallSource(SCENE, SIZE, FPS, time.monotonic())
    compress = partial(video_compressor, Encoding(Codec.VP8, SIZE, FPS, 500_000))
    image = partial(image_compressor, ImageCodec.PNG, 90)
    async with (
        Broadcast(source, compress, SIZE[0] * SIZE[1]) as video,
        Broadcast(source, image, SIZE[0] * SIZE[1]) as images,
        Answerer(
            DIRECT, Streams(source, None if stock else video, Codec.VP8, images, "PNG"), records
        ) as server,
        open_link(server.answer, DIRECT, transport, stock=stock, convert=picture_of) as link,
    ):
        opened = asyncio.Event()
        link._channel.on("open", opened.set)
        await soon(asyncio.gather(server.open(), link.connected(), opened.wait()))
        assert await soon(server.settled())
        yield server, link
