"""Frames as bytes on a datachannel: the other transport."""

import asyncio
from collections.abc import Callable

import cv2
import numpy as np
from aiortc import RTCDataChannel
from av import VideoFrame

from ..errors import ProtocolError
from ..protocol.frames import Image, ImageCodec, Joining, split
from ..protocol.planes import Plane
from .encoder import Broadcast, Drawn
from .picture import planes_of_frame
from .track import OnFrame

MAX_BUFFERED = 200_000
"""Bytes of frames that wait to be sent at the most."""

Messages = list[bytes]


def image_compressor(
    codec: ImageCodec, quality: int
) -> Callable[[VideoFrame, int, bool], Messages]:
    """Frames into the messages of `protocol.frames`; `quality` is that of JPEG, 1 to 100."""

    def compress(frame: VideoFrame, number: int, keyframe: bool) -> Messages:
        planes = planes_of_frame(frame)
        i420 = np.concatenate([plane.ravel() for plane in planes]).reshape(-1, frame.width)
        payload = _encode(i420, codec, quality)
        return split(Image(number, frame.width, frame.height, codec, payload))

    return compress


def _encode(i420: Plane, codec: ImageCodec, quality: int) -> bytes:
    match codec:
        case ImageCodec.RAW:
            return i420.tobytes()
        case ImageCodec.PNG:
            _, data = cv2.imencode(".png", i420)
        case ImageCodec.JPEG:
            _, data = cv2.imencode(".jpg", i420, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


class ImageSender:
    """Sends a broadcast of images on a channel.

    What has not left yet when the next frame is there makes that one be skipped, which `skipped`
    counts; so at most one frame waits. `on_frame` is told of every frame that is sent.
    """

    def __init__(
        self, channel: RTCDataChannel, broadcast: Broadcast[Messages], on_frame: OnFrame
    ) -> None:
        self.skipped = 0
        self.bytes_sent = 0
        self._channel = channel
        self._broadcast = broadcast
        self._on_frame = on_frame

    def release(self) -> None:
        """Let the frames begin."""
        self._broadcast.add(self)

    def stop(self) -> None:
        """Leave the broadcast."""
        self._broadcast.remove(self)

    def offer(self, packet: Messages, drawn: Drawn) -> None:
        """Send a frame, or skip it."""
        if self._channel.readyState != "open":
            return
        if self._channel.bufferedAmount:
            self.skipped += 1
            return
        self._on_frame(drawn.number, drawn.seconds, drawn.at)
        for message in packet:
            self._channel.send(message)
            self.bytes_sent += len(message)


class ImageReception:
    """Hands every image that comes whole on a channel to `on_image`.

    `lost` counts those that did not, `rejected` the messages that were no part of one.
    """

    def __init__(self, channel: RTCDataChannel, on_image: Callable[[Image], None]) -> None:
        self.rejected = 0
        self._joining = Joining()
        self._on_image = on_image
        self._closed = asyncio.Event()
        channel.on("message", self._on_message)
        channel.on("close", self._closed.set)

    @property
    def lost(self) -> int:
        return self._joining.lost

    async def run(self) -> None:
        """Receive until the channel is closed."""
        await self._closed.wait()

    def _on_message(self, message: object) -> None:
        try:
            image = self._joining.add(message)
        except ProtocolError:
            self.rejected += 1
            return
        if image is not None:
            self._on_image(image)
